//! The fluid twin: rates instead of requests, for scans of many settings.
//!
//! Time goes from event to event: a scrape, a decision, a step of a replica's start, the end of a drain, the
//! end of a load bin. In between rate and count are constant, so that a step is closed form and costs the
//! same at any rate. Where nothing waits, misses come from the [`ServiceCurve`]; where load exceeds capacity
//! a [`backlog`] grows, and requests miss whose wait and work together are longer than the objective. Counts
//! per step are drawn as the requests of a bin fall into it, so that policies see the noise that they would
//! see. The fleet, its start-ups and its draws are those of the request twin.
//!
//! Near saturation, where queues come and go by chance and last, steps are two seconds long. Left out are:
//! what differs between replicas other than their age, and whatever [`Fluid::check`] refuses.

mod aging;
mod backlog;
mod check;
mod control;
mod finish;
mod load;
mod sense;
mod tally;
mod work;

use std::collections::VecDeque;
use std::sync::Arc;

use homeostat_core::draw::{Draws, Key};
use homeostat_core::load::LoadStream;
use homeostat_core::{Controller, Instant, Span, num};

use crate::curve::ServiceCurve;
use crate::engine::event::{Queue, What};
use crate::engine::{Recorder, Stop, WINDOW};
use crate::fleet::Fleet;
use crate::outcome::{AgingTally, Forecasts, Ledger, Mark, Outcome};
use crate::scenario::{Scenario, ScenarioError, Server};
use backlog::{Backlog, Piece};
use load::Load;
use sense::{Pipeline, Stay, Sums};
use tally::{Batch, Kind, Tally};
use work::{Times, Work};

/// Time in which queues follow the load, in seconds: the curve is read at the load over about so long.
const MEMORY_S: f64 = 5.0;
/// Steps near saturation, where a backlog comes and goes by chance.
const FINE: Span = Span::from_secs(2);
/// Quantiles of an exponential distribution of mean one, in the middles of quarters.
const EXPONENTIAL: [f64; 4] = [0.133_5, 0.470_0, 0.980_8, 2.079_4];

/// What a step needs to know of the service, in seconds.
#[derive(Debug, Clone, Copy)]
struct Shape {
    slots: f64,
    mean_s: f64,
    variation: f64,
    objective_s: f64,
    timeout_s: f64,
}

/// Requests held because no replica was ready.
#[derive(Debug, Clone, Copy)]
struct Held {
    from: Instant,
    to: Instant,
    count: u64,
}

/// One fluid run of a scenario under one policy.
pub struct Fluid {
    scenario: Scenario,
    curve: Arc<ServiceCurve>,
    shape: Shape,
    work: Work,
    times: Times,
    load: Load,
    start: Instant,
    scored_from: Instant,
    now: Instant,
    fleet: Fleet,
    stays: Vec<Stay>,
    controller: Controller,
    pipeline: Pipeline,
    backlog: Backlog,
    tally: Tally,
    events: Queue,
    noise: Key,
    steps: u64,
    /// Requests per second as queues feel them.
    felt: f64,
    sums: Sums,
    arrived: u64,
    forecasts: Forecasts,
    /// Mean number inside and waiting where nothing is behind.
    inside: f64,
    waiting: f64,
    /// Requests that wait in vain at a replica, by the time at which they give up, and their sum.
    lost: VecDeque<(Instant, f64)>,
    lost_count: f64,
    /// Whether those in vain wait until their time is out, rather than being refused at once.
    patient: bool,
    held: VecDeque<Held>,
    held_count: u64,
    woken: bool,
    direction: i8,
    scale_events: u64,
    flips: u64,
    marks: Vec<Mark>,
    decisions: u64,
    closing: bool,
    aging: AgingTally,
}

impl Fluid {
    /// Refuses scenarios that a fluid can't stand for, naming the field.
    pub fn check(scenario: &Scenario) -> Result<(), ScenarioError> {
        check::scenario(scenario)
    }

    /// A run like [`crate::Simulation::new`], with the curve of the scenario's first service.
    pub fn new(
        scenario: &Scenario,
        seed: u64,
        controllers: Vec<Controller>,
        initial: &[u32],
        stream: LoadStream,
        curve: &Arc<ServiceCurve>,
    ) -> Result<Self, Stop> {
        Self::check(scenario)?;
        let key = Key::root(seed);
        let mut load = Load::new(stream, key);
        let Some(start) = load.start() else { return Err(load.error().unwrap_or(Stop::Empty)) };
        let scored_from = start + scenario.warm_up();
        let spec = &scenario.services[0];
        let Some(controller) = controllers.into_iter().next() else { return Err(Stop::Empty) };
        let own = key.child(&spec.name);
        let shape = shape(scenario);
        let longest = scenario.client.timeout.max(scenario.objective.latency);
        let points = curve.grid().len();
        let mut new = Self {
            curve: Arc::clone(curve),
            work: Work::new(&spec.service_time, longest),
            times: Times::new(points),
            load,
            start,
            scored_from,
            now: start,
            fleet: Fleet::new(spec, scenario.client.cancels, key, Ledger::new(start, scored_from, WINDOW)),
            stays: Vec::new(),
            pipeline: Pipeline::new(&scenario.metrics, controller.cadence().sensing, start, own),
            forecasts: Forecasts::new(start, WINDOW.max(controller.cadence().period)),
            controller,
            backlog: Backlog::new(spec.balancer, longest_wait(scenario, &shape), spread(&shape)),
            tally: Tally::new(start, scored_from, WINDOW, points, longest.as_secs_f64()),
            events: Queue::default(),
            noise: own.child("fluid"),
            steps: 0,
            felt: 0.0,
            sums: Sums::default(),
            arrived: 0,
            inside: 0.0,
            waiting: 0.0,
            lost: VecDeque::new(),
            lost_count: 0.0,
            patient: longest_wait(scenario, &shape) >= shape.timeout_s,
            held: VecDeque::new(),
            held_count: 0,
            woken: false,
            direction: 0,
            scale_events: 0,
            flips: 0,
            marks: Vec::new(),
            decisions: 0,
            closing: false,
            aging: AgingTally::new(scored_from),
            shape,
            scenario: scenario.clone(),
        };
        new.open(initial.first().copied().unwrap_or(1));
        Ok(new)
    }

    fn open(&mut self, initial: u32) {
        let bounds = self.fleet.spec.replicas;
        let count = initial.clamp(bounds.min, bounds.max);
        self.fleet.desired = count;
        for _ in 0..count {
            let index = self.enlist();
            self.fleet.put_ready(index, self.start);
            self.stays[index as usize].answers_from = self.start;
            self.joins(index);
        }
        self.fleet.post(self.start);
        self.plan_memory();
        self.events.push(self.start, What::Scrape { service: 0 });
        let period = self.controller.cadence().period;
        self.events.push(self.start + period, What::Tick { service: 0, again: true });
    }

    /// Runs to the end of the trace. `stop` is asked at every decision, with the present time; when it says
    /// yes, the run ends at once.
    pub fn run(
        mut self,
        recorder: &mut dyn Recorder,
        stop: &mut dyn FnMut(Instant) -> bool,
    ) -> Result<Outcome, Stop> {
        loop {
            let next = self.events.next_at();
            if next <= self.load.until.0 {
                self.advance(Instant(next));
                self.happen(recorder, stop)?;
            } else {
                self.advance(self.load.until);
                if !self.load.next_bin() {
                    break;
                }
            }
        }
        if let Some(error) = self.load.error() {
            return Err(error);
        }
        self.close(recorder, stop)
    }

    /// Lets time pass up to `to`, cut where sums begin anew.
    fn advance(&mut self, to: Instant) {
        while self.now < to {
            let mut end = to;
            if !self.closing {
                self.tally.turn_to(self.now);
                end = end.min(Instant(self.tally.current_to));
                if self.now < self.scored_from {
                    end = end.min(self.scored_from);
                }
                if self.is_near() {
                    end = end.min(self.now + FINE);
                }
            }
            self.step(end);
        }
        self.expire();
    }

    /// One step of constant rate and count.
    fn step(&mut self, end: Instant) {
        let dt_s = end.since(self.now).as_secs_f64();
        let mut draws = self.noise.at(self.steps);
        self.steps += 1;
        let count = if self.closing { 0 } else { self.load.take(self.now, end, &mut draws) };
        self.felt += (self.load.rate - self.felt) * (1.0 - num::exp_fast(-dt_s / MEMORY_S));
        if self.backlog.ready() == 0 {
            self.hold(count, end, &mut draws);
            return;
        }
        self.tally.arrived(self.now, count);
        self.arrived += count;
        let ready = f64::from(self.backlog.ready());
        let work_s = self.drawn_work(count as f64, &mut draws);
        let load = work_s / dt_s;
        // Where queues are shorter than a fine step the curve knows those that chance makes.
        let felt_by_queues = if self.lasts() { load } else { self.offered() };
        let (busy_s, inside_s) = if self.backlog.is_calm(felt_by_queues) {
            (work_s.min(ready * dt_s), self.calm(count as f64, work_s))
        } else {
            self.behind(count as f64, load, dt_s)
        };
        self.sums.busy_s += busy_s / ready;
        self.sums.arrived += count as f64 / ready;
        self.sums.inside_s += inside_s / ready;
        self.now = end;
    }

    /// Whether a backlog may come by chance and decide who is late: then steps are fine.
    fn is_near(&self) -> bool {
        let ready = f64::from(self.backlog.ready());
        self.lasts() && self.backlog.waiting_s() < 2.0 * self.shape.objective_s * ready
    }

    /// Whether queues that come by chance last longer than a fine step.
    fn lasts(&self) -> bool {
        let ready = self.backlog.ready();
        self.offered() > lasting(&self.shape, ready) * f64::from(ready.max(1))
    }

    /// Replicas' worth of work that the present bin brings.
    fn offered(&self) -> f64 {
        self.load.rate * self.shape.mean_s / self.shape.slots
    }

    /// The work of so many requests, in seconds of one replica.
    fn drawn_work(&self, count: f64, draws: &mut Draws) -> f64 {
        if count == 0.0 {
            return 0.0;
        }
        let spread = self.shape.variation / count.sqrt() * draws.normal();
        count * self.shape.mean_s / self.shape.slots * (1.0 + spread).max(0.1)
    }

    /// Requests of a step in which nothing is behind; returns their time inside.
    fn calm(&mut self, count: f64, work_s: f64) -> f64 {
        let ready = self.backlog.ready();
        let used = self.felt * self.shape.mean_s / self.shape.slots / f64::from(ready);
        let steady = self.curve.steady(ready, used.min(lasting(&self.shape, ready)));
        let busy = self.load.rate * self.shape.mean_s;
        self.inside = busy * steady.stay;
        self.waiting = busy * (steady.stay - 1.0);
        if count > 0.0 {
            let batch = Batch {
                requests: count,
                late: count * steady.late,
                failed: count * self.curve.failed(steady.point),
                kind: Kind::Steady(steady.point),
            };
            self.tally.fared(self.now, batch);
        }
        work_s * self.shape.slots * steady.stay
    }

    /// Requests of a step in which some wait; returns busy time of replicas and time inside of requests.
    fn behind(&mut self, count: f64, load: f64, dt_s: f64) -> (f64, f64) {
        let Self { backlog, tally, curve, work, times, shape, now, felt, .. } = self;
        let before_s = backlog.waiting_s();
        let mut refused = 0.0;
        let steady_load = *felt * shape.mean_s / shape.slots / f64::from(backlog.ready());
        let busy_s = backlog.pass(dt_s, load, &mut |piece| {
            if count > 0.0 {
                refused += count * piece.share * (1.0 - piece.accepted);
                tally.fared(*now, fate(count, &piece, steady_load, curve, (work, times), shape));
            }
        });
        let after_s = backlog.waiting_s();
        self.give_up(refused);
        let waits = |waiting_s: f64| waiting_s * self.shape.slots / self.shape.mean_s;
        self.waiting = waits(after_s) + self.lost_count;
        self.inside = self.waiting + busy_s / dt_s * self.shape.slots;
        let waited_s = (0.5 * (waits(before_s) + waits(after_s)) + self.lost_count) * dt_s;
        (busy_s, busy_s * self.shape.slots + waited_s)
    }

    /// Requests that wait in vain stay inside until their clients give up.
    fn give_up(&mut self, refused: f64) {
        while let Some((_, count)) = self.lost.front().filter(|(at, _)| *at <= self.now) {
            self.lost_count -= count;
            self.lost.pop_front();
        }
        if refused > 0.0 && self.patient {
            self.lost_count += refused;
            self.lost.push_back((self.now + self.scenario.client.timeout, refused));
        } else if self.lost.is_empty() {
            self.lost_count = 0.0;
        }
    }

    /// Requests that find no replica ready.
    fn hold(&mut self, count: u64, end: Instant, draws: &mut Draws) {
        let (mut count, mut end) = (count, end);
        let wakes = self.controller.cadence().wake_from_zero && !self.woken && self.fleet.desired == 0;
        if wakes && count > 0 {
            let span = end.since(self.now).0 as f64;
            let first = span * (1.0 - num::pow(1.0 - draws.uniform(), 1.0 / count as f64));
            self.load.put_back(count - 1);
            count = 1;
            end = end.min(Instant(self.now.0 + (first as u64).max(1)));
            self.woken = true;
            self.events.push(end, What::Tick { service: 0, again: false });
        }
        if count > 0 {
            self.tally.arrived(self.now, count);
            self.arrived += count;
            let room = u64::from(self.scenario.client.front_queue).saturating_sub(self.held_count);
            let kept = count.min(room);
            self.fail(self.now, count - kept);
            self.held.push_back(Held { from: self.now, to: end, count: kept });
            self.held_count += kept;
        }
        (self.inside, self.waiting) = (0.0, 0.0);
        self.now = end;
    }

    fn fail(&mut self, at: Instant, count: u64) {
        if count > 0 {
            let all = count as f64;
            self.tally.fared(at, Batch { requests: all, late: all, failed: all, kind: Kind::Steady(0) });
        }
    }

    /// Held requests whose clients give up.
    fn expire(&mut self) {
        let Some(since) = self.now.0.checked_sub(self.scenario.client.timeout.0) else { return };
        while let Some(first) = self.held.front_mut().filter(|held| held.from.0 < since) {
            let mut gone = *first;
            if first.to.0 > since {
                let share = (since - first.from.0) as f64 / first.to.since(first.from).0 as f64;
                gone.count = (first.count as f64 * share) as u64;
                (first.from, first.count) = (Instant(since), first.count - gone.count);
            } else {
                self.held.pop_front();
            }
            self.held_count -= gone.count;
            self.fail(gone.from, gone.count);
        }
    }

    /// A replica is ready: all that was held goes to it.
    fn release(&mut self) {
        let ready = f64::from(self.backlog.ready());
        for held in std::mem::take(&mut self.held) {
            let count = held.count as f64;
            let (before_s, after_s) = self.backlog.pour(count * self.shape.mean_s / self.shape.slots);
            let from_s = self.now.since(held.from).as_secs_f64() + before_s;
            let to_s = self.now.since(held.to).as_secs_f64() + after_s;
            let batch = Batch {
                requests: count,
                late: count * self.work.late(self.shape.objective_s, from_s, to_s),
                failed: count * self.work.late(self.shape.timeout_s, from_s, to_s),
                kind: Kind::Behind(from_s, to_s),
            };
            self.sums.arrived += count / ready;
            self.tally.fared(held.from, batch);
        }
        self.held_count = 0;
    }
}

fn fate(
    count: f64,
    piece: &Piece,
    steady_load: f64,
    curve: &ServiceCurve,
    (work, times): (&Work, &mut Times),
    shape: &Shape,
) -> Batch {
    let requests = count * piece.share;
    let used = steady_load.min(piece.used).min(lasting(shape, piece.replicas));
    let steady = curve.steady(piece.replicas, used);
    if piece.to_s <= 0.0 && piece.from_s <= 0.0 {
        let failed = requests * curve.failed(steady.point);
        return Batch { requests, late: requests * steady.late, failed, kind: Kind::Steady(steady.point) };
    }
    let failed = if piece.accepted < 1.0 {
        EXPONENTIAL.iter().map(|x| work.beyond(x * piece.depth_s)).sum::<f64>() / EXPONENTIAL.len() as f64
    } else {
        work.late(shape.timeout_s, piece.from_s, piece.to_s)
    };
    // The backlog comes on top of the queues of a steady state, whose times those of the nearest point are,
    // but for the difference of the means.
    let apart_s = steady.stay * shape.mean_s - curve.grid()[steady.point].mean_ns / 1e9;
    let (from_s, to_s) = (piece.from_s + apart_s, piece.to_s + apart_s);
    let late = times.at(steady.point, curve, work).late(shape.objective_s, from_s, to_s);
    let late = late.max(failed).max(steady.late);
    let queued_s = (steady.stay - 1.0) * shape.mean_s;
    let among_all = |share: f64| requests * (piece.accepted * share + 1.0 - piece.accepted);
    Batch {
        requests,
        late: among_all(late),
        failed: among_all(failed),
        kind: Kind::Behind(piece.from_s + queued_s, piece.to_s + queued_s),
    }
}

fn shape(scenario: &Scenario) -> Shape {
    let service = &scenario.services[0];
    let slots = if let Server::Fcfs(slots) = service.server { slots.slots } else { 1 };
    Shape {
        slots: f64::from(slots),
        mean_s: service.service_time.mean().as_secs_f64(),
        variation: service.service_time.variation(),
        objective_s: scenario.objective.latency.min(scenario.client.timeout).as_secs_f64(),
        timeout_s: scenario.client.timeout.as_secs_f64(),
    }
}

/// Use up to which the curve tells of queues: those come and go within a fine step. Queues last for about
/// σ²/(1 − ρ)²; what lasts longer is a backlog, whose chance is drawn step by step.
fn lasting(shape: &Shape, ready: u32) -> f64 {
    1.0 - (2.0 * spread(shape) / (f64::from(ready.max(1)) * FINE.as_secs_f64())).sqrt().min(0.5)
}

/// Half the variance of a replica's work per second at capacity, in seconds.
fn spread(shape: &Shape) -> f64 {
    0.5 * (1.0 + shape.variation * shape.variation) * shape.mean_s / shape.slots
}

/// The wait in seconds beyond which a request is refused, or its client gives up.
fn longest_wait(scenario: &Scenario, shape: &Shape) -> f64 {
    let queue = match scenario.services[0].server {
        Server::Fcfs(slots) if slots.queue < u32::MAX => f64::from(slots.queue),
        _ => f64::INFINITY,
    };
    shape.timeout_s.min(queue * shape.mean_s / shape.slots)
}
