//! Virtual time: requests, events and decisions in their order.
//!
//! Requests arrive in a stream; everything else is an event in [`event::Queue`]. Where one service with
//! a first-come-first-served station is all there is, the fate of an attempt is known when it arrives and
//! costs no event unless it fails ([`direct`]); otherwise each visit to a service ends by an event
//! ([`visits`]). Both give the same results, which a test checks.

mod aging;
pub(crate) mod control;
mod direct;
pub(crate) mod event;
mod faults;
mod finish;
mod lifecycle;
mod visits;

use std::collections::VecDeque;

use homeostat_core::draw::Key;
use homeostat_core::load::{LoadError, LoadStream};
use homeostat_core::{Controller, Decision, Instant, Observation, Span};

use crate::balance::Picker;
use crate::fleet::{Fleet, Nodes};
use crate::outcome::{AgingTally, Forecasts, Ledger, Mark, Meter, Outcome, Tally};
use crate::scenario::{Sampler, Scenario, ScenarioError, Server};
use crate::sense::Pipeline;
use crate::workload::{Arrival, Arrivals};
pub(crate) use aging::CHECK;
use event::{Queue, What};
use visits::{Request, Visit};

/// First length of a window of the series; it doubles as the trace goes on.
pub(crate) const WINDOW: Span = Span::from_secs(10);

/// Receives every decision with the observation it was taken on.
pub trait Recorder {
    /// Called once per decision. An error ends the run.
    fn decided(&mut self, service: usize, seen: &Observation, decision: &Decision) -> Result<(), String>;
}

/// Records nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Recorder for Silent {
    fn decided(&mut self, _: usize, _: &Observation, _: &Decision) -> Result<(), String> {
        Ok(())
    }
}

/// Why a run ended before its trace did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The caller asked for it.
    #[error("stopped on request")]
    Asked,
    /// The trace could not be read on.
    #[error(transparent)]
    Trace(#[from] LoadError),
    /// The recorder failed.
    #[error("the journal could not be written: {0}")]
    Recorder(String),
    /// The trace holds nothing.
    #[error("the trace holds no load at all")]
    Empty,
    /// Nothing would be scored.
    #[error(
        "the trace is {0} long, but the first {1} are warm-up and not scored; use a longer trace, or set \
         `warm_up` in the scenario, for example warm_up: 10m"
    )]
    TooShort(Span, Span),
    /// This kind of run can't stand for the scenario.
    #[error(transparent)]
    Unsupported(#[from] ScenarioError),
}

/// A service while it runs.
struct Running {
    fleet: Fleet,
    picker: Picker,
    pipeline: Pipeline,
    controller: Controller,
    work: Sampler,
    size_key: Key,
    balance_key: Key,
    arrived: u64,
    forecasts: Forecasts,
    /// Visits held because no replica is ready.
    held: VecDeque<Held>,
    woken: bool,
    /// Replicas that found no node.
    homeless: VecDeque<(u32, u32)>,
    direction: i8,
    scale_events: u64,
    flips: u64,
}

/// A visit held at the front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    visit: u32,
    generation: u32,
}

/// One run of a scenario under one set of policies.
pub struct Simulation {
    scenario: Scenario,
    seed: Key,
    arrivals: Arrivals,
    next_arrival: Option<Arrival>,
    start: Instant,
    scored_from: Instant,
    now: Instant,
    services: Vec<Running>,
    stages: Vec<Vec<Vec<u16>>>,
    events: Queue,
    nodes: Nodes,
    tally: Tally,
    aging: AgingTally,
    next_id: u64,
    direct: bool,
    closing: bool,
    visits: Vec<Visit>,
    free_visits: Vec<u32>,
    requests: Vec<Request>,
    free_requests: Vec<u32>,
    marks: Vec<Mark>,
    decisions: u64,
    hops: u64,
}

impl Simulation {
    /// A run of `scenario` with one controller per service and this many replicas ready at the start.
    /// The scenario has been checked.
    pub fn new(
        scenario: &Scenario,
        seed: u64,
        controllers: Vec<Controller>,
        initial: &[u32],
        stream: LoadStream,
    ) -> Result<Self, Stop> {
        let key = Key::root(seed);
        let mut arrivals = Arrivals::new(stream, key);
        let Some(start) = arrivals.start() else {
            return Err(arrivals.error().map_or(Stop::Empty, Stop::Trace));
        };
        let scored_from = start + scenario.warm_up();
        let services = scenario.services.iter().zip(controllers);
        let services: Vec<Running> = services
            .map(|(spec, controller)| running(scenario, spec, controller, key, start, scored_from))
            .collect();
        let mut new = Self {
            direct: is_direct(scenario),
            stages: stages(scenario),
            nodes: Nodes::new(&scenario.nodes, key, start, scored_from),
            tally: Tally::new(start, scored_from, scenario.objective.latency, WINDOW),
            aging: AgingTally::new(scored_from),
            scenario: scenario.clone(),
            seed: key,
            next_arrival: arrivals.next(),
            arrivals,
            start,
            scored_from,
            now: start,
            services,
            events: Queue::default(),
            next_id: 0,
            closing: false,
            visits: Vec::new(),
            free_visits: Vec::new(),
            requests: Vec::new(),
            free_requests: Vec::new(),
            marks: Vec::new(),
            decisions: 0,
            hops: 0,
        };
        new.open(initial);
        Ok(new)
    }

    /// Uses events for every visit even where none are needed: to check the two engines against each
    /// other.
    #[must_use]
    pub const fn with_events(mut self) -> Self {
        self.direct = false;
        self
    }

    /// Records answers by the time they come, in windows of `step`: see [`Outcome::meter`].
    #[must_use]
    pub fn with_meter(mut self, step: Span) -> Self {
        self.tally.meter = Some(Box::new(Meter::new(self.start, step)));
        self
    }

    fn open(&mut self, initial: &[u32]) {
        for (service, count) in initial.iter().enumerate() {
            let bounds = self.services[service].fleet.spec.replicas;
            let count = (*count).clamp(bounds.min, bounds.max);
            self.services[service].fleet.desired = count;
            for _ in 0..count {
                let index = self.services[service].fleet.order(self.start);
                self.open_replica(service, index);
            }
            self.services[service].fleet.post(self.start);
            self.plan_memory(service);
            let service = service as u16;
            self.events.push(self.start, What::Scrape { service });
            let period = self.services[usize::from(service)].controller.cadence().period;
            self.events.push(self.start + period, What::Tick { service, again: true });
        }
        for fault in 0..self.scenario.faults.len() {
            self.plan_strike(fault, 0, self.start);
        }
    }

    /// Runs to the end of the trace and of all requests in it. `stop` is asked at every decision, with
    /// the present time; when it says yes, the run ends at once.
    pub fn run(
        mut self,
        recorder: &mut dyn Recorder,
        stop: &mut dyn FnMut(Instant) -> bool,
    ) -> Result<Outcome, Stop> {
        while let Some(arrival) = self.next_arrival {
            let horizon = self.events.next_at();
            if arrival.at.0 >= horizon {
                self.happen(recorder, stop)?;
            } else {
                self.arrive(&arrival);
                self.next_arrival = self.arrivals.next();
            }
        }
        if let Some(error) = self.arrivals.error() {
            return Err(Stop::Trace(error));
        }
        let end = self.arrivals.end();
        while self.events.next_at() <= end.0 {
            self.happen(recorder, stop)?;
        }
        self.close(end, recorder, stop)
    }

    #[inline]
    fn arrive(&mut self, arrival: &Arrival) {
        let recorded = self.scenario.traffic.recorded_work(&arrival.size);
        if self.goes_direct(recorded) {
            self.arrive_direct(arrival, recorded);
        } else {
            self.arrive_with_events(arrival.at, recorded);
        }
    }

    /// The next event.
    fn happen(
        &mut self,
        recorder: &mut dyn Recorder,
        stop: &mut dyn FnMut(Instant) -> bool,
    ) -> Result<(), Stop> {
        let Some((at, what)) = self.events.pop() else { return Ok(()) };
        self.now = at;
        match what {
            What::Leave { visit, generation, version, served } => {
                self.leave(visit, generation, version, served);
            }
            What::Station { service, replica, epoch } => self.report(service.into(), replica, epoch),
            What::Retry { request } => self.attempt(request),
            What::Deadline { visit, generation } => self.give_up_waiting(visit, generation),
            What::Scrape { service } => self.scrape(service.into()),
            What::Tick { service, again } => {
                if stop(at) {
                    return Err(Stop::Asked);
                }
                self.tick(service.into(), again, recorder)?;
            }
            What::Step { service, replica, epoch } => self.step(service.into(), replica, epoch),
            What::DrainEnd { service, replica, epoch } => self.drain_end(service.into(), replica, epoch),
            What::NodeUp { node } => self.node_up(node),
            What::NodeIdle { node } => self.nodes.reap(node, at),
            What::Strike { fault, nth } => self.strike(fault.into(), nth),
            What::SlowEnd { service, replica, epoch } => self.slow_end(service.into(), replica, epoch),
            What::Memory { service } => self.check_memory(service.into()),
        }
        Ok(())
    }

    /// Work of request `id` at a service: as recorded, from its tokens, or drawn.
    #[inline]
    fn work(&self, service: usize, id: u64, recorded: Option<Span>) -> Span {
        let running = &self.services[service];
        recorded.unwrap_or_else(|| running.work.draw(&mut running.size_key.at(id)))
    }
}

fn running(
    scenario: &Scenario,
    spec: &crate::scenario::Service,
    controller: Controller,
    key: Key,
    start: Instant,
    scored_from: Instant,
) -> Running {
    let own = key.child(&spec.name);
    let ledger = Ledger::new(start, scored_from, WINDOW);
    Running {
        fleet: Fleet::new(spec, scenario.client.cancels, key, ledger),
        picker: Picker::new(spec.balancer),
        pipeline: Pipeline::new(&scenario.metrics, controller.cadence().sensing, start, own),
        forecasts: Forecasts::new(start, WINDOW.max(controller.cadence().period)),
        controller,
        work: spec.service_time.sampler(),
        size_key: own.child("size"),
        balance_key: own.child("balance"),
        arrived: 0,
        held: VecDeque::new(),
        woken: false,
        homeless: VecDeque::new(),
        direction: 0,
        scale_events: 0,
        flips: 0,
    }
}

/// Whether the fate of a request is known when it arrives.
fn is_direct(scenario: &Scenario) -> bool {
    let simple = |s: &crate::scenario::Service| matches!(s.server, Server::Fcfs(_)) && s.then.is_empty();
    scenario.services.len() == 1 && simple(&scenario.services[0])
}

/// The call graph by index.
fn stages(scenario: &Scenario) -> Vec<Vec<Vec<u16>>> {
    let index = |name: &String| scenario.services.iter().position(|s| s.name == *name).map(|i| i as u16);
    let stages = |s: &crate::scenario::Service| {
        s.then.iter().map(|stage| stage.iter().filter_map(index).collect()).collect()
    };
    scenario.services.iter().map(stages).collect()
}
