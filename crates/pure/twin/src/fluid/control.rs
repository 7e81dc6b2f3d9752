//! The loop at work on a fluid: scrape, decide, carry out, as in [`crate::engine`].

use homeostat_core::decision::Order;
use homeostat_core::{Decision, Observation, explain};

use super::Fluid;
use super::sense::{Snap, Stay};
use super::tally::{Batch, Kind};
use crate::engine::control::keep_mark;
use crate::engine::event::What;
use crate::engine::{Recorder, Stop};
use crate::fleet::{NextStep, Stage};
use crate::outcome::Mark;

impl Fluid {
    /// The next event.
    pub(super) fn happen(
        &mut self,
        recorder: &mut dyn Recorder,
        stop: &mut dyn FnMut(homeostat_core::Instant) -> bool,
    ) -> Result<(), Stop> {
        let Some((at, what)) = self.events.pop() else { return Ok(()) };
        match what {
            What::Scrape { .. } => self.scrape(),
            What::Memory { .. } => self.check_memory(),
            What::Tick { again, .. } => {
                if stop(at) {
                    return Err(Stop::Asked);
                }
                self.tick(again, recorder)?;
            }
            What::Step { replica, epoch, .. } => self.start_goes_on(replica, epoch),
            What::DrainEnd { replica, epoch, .. } => {
                let state = &self.fleet.replicas[replica as usize];
                if state.epoch == epoch && state.stage == Stage::Draining {
                    self.end(replica);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn scrape(&mut self) {
        if self.closing {
            return;
        }
        let ready = f64::from(self.backlog.ready()).max(1.0);
        let held = self.held_count as f64;
        let mut draws = self.noise.child("scrape").at(self.steps);
        // The number inside varies like a Poisson count.
        let noise = self.inside.max(0.0).sqrt() * draws.normal();
        self.pipeline.scrape(Snap {
            at: self.now,
            sums: self.sums,
            arrived: self.arrived,
            inside: (self.inside + noise).max(0.0) + held,
            waiting: (self.waiting + draws.uniform()).floor() + held,
            waiting_each: self.waiting / ready,
            inside_each: self.inside / ready,
            held,
            number: 0,
        });
        self.events.push(self.now + self.pipeline.collector.sensing.scrape, What::Scrape { service: 0 });
    }

    fn tick(&mut self, again: bool, recorder: &mut dyn Recorder) -> Result<(), Stop> {
        if self.closing {
            return Ok(());
        }
        let observation = Observation {
            at: self.now,
            desired: self.fleet.desired,
            current: self.fleet.serving().count() as u32,
            replicas: self.fleet.views(),
            readings: self.pipeline.read(self.controller.needs(), self.now, &self.fleet, &self.stays),
        };
        self.woken = false;
        let decision = self.controller.tick(&observation);
        self.decisions += 1;
        recorder.decided(0, &observation, &decision).map_err(Stop::Recorder)?;
        self.note(&observation, &decision);
        self.act(decision.order.get());
        if again {
            let period = self.controller.cadence().period;
            self.events.push(self.now + period, What::Tick { service: 0, again });
        }
        Ok(())
    }

    /// Remembers what was forecast, counts an executed change, and remembers that for the report.
    fn note(&mut self, seen: &Observation, decision: &Decision) {
        self.forecasts.decided(self.now, self.arrived, decision.forecast.as_ref());
        let (from, to) = (seen.desired, decision.replicas());
        if from == to {
            return;
        }
        let direction = if to > from { 1 } else { -1 };
        if self.now >= self.scored_from {
            self.scale_events += 1;
            self.flips += u64::from(self.direction == -direction);
        }
        self.direction = direction;
        let text = explain::one_line(seen, &decision.into(), self.controller.needs());
        let at_s = self.now.since(self.start).as_secs_f64();
        keep_mark(&mut self.marks, Mark { at_s, service: 0, from, to, text });
    }

    /// Brings about what was decided, and chooses nothing.
    fn act(&mut self, order: &Order) {
        let serving = self.fleet.serving().count();
        let wanted = (order.replicas + order.surge) as usize;
        let changed = self.fleet.desired != order.replicas || serving != wanted || !order.replace.is_empty();
        let falls = order.replicas < self.fleet.desired;
        self.fleet.desired = order.replicas;
        if serving > wanted {
            let victims = self.fleet.victims(serving - wanted, &order.retire);
            self.watch_surge(order, &victims);
            for victim in victims {
                self.retire_by(victim, order, falls);
            }
        }
        for victim in self.fleet.named(&order.replace) {
            self.retire_by(victim, order, false);
        }
        for _ in self.fleet.serving().count()..wanted {
            let index = self.enlist();
            let state = &self.fleet.replicas[index as usize];
            let what = What::Step { service: 0, replica: index, epoch: state.epoch };
            self.events.push(self.now + state.phase(), what);
        }
        if changed {
            self.fleet.post(self.now);
        }
    }

    /// Orders a replica.
    pub(super) fn enlist(&mut self) -> u32 {
        let index = self.fleet.order(self.now);
        let slot = index as usize;
        if slot >= self.stays.len() {
            self.stays.resize(slot + 1, Stay::NOT_YET);
        }
        self.stays[slot] = Stay::NOT_YET;
        index
    }

    /// A replica takes traffic.
    pub(super) fn joins(&mut self, index: u32) {
        self.stays[index as usize].joined = self.sums;
        self.backlog.add();
    }

    /// A start goes on; every replica finds a place at once.
    fn start_goes_on(&mut self, index: u32, epoch: u32) {
        let state = &self.fleet.replicas[index as usize];
        if state.epoch != epoch || matches!(state.stage, Stage::Ready | Stage::Draining | Stage::Gone) {
            return;
        }
        let mut next = self.fleet.step(index, self.now);
        if next == NextStep::Node {
            next = self.fleet.placed(index, None, self.now);
        }
        let state = &self.fleet.replicas[index as usize];
        let stay = &mut self.stays[index as usize];
        if state.scraped() && stay.answers_from > self.now {
            stay.answers_from = self.now;
        }
        match next {
            NextStep::At(at) => {
                self.events.push(at, What::Step { service: 0, replica: index, epoch });
            }
            NextStep::Ready => {
                self.joins(index);
                self.fleet.post(self.now);
                self.release();
            }
            NextStep::Node | NextStep::Nothing => {}
        }
    }

    /// Tells a replica to stop: a starting one ends at once, a ready one works off what it has.
    pub(super) fn retire(&mut self, index: u32) {
        if self.fleet.replicas[index as usize].stage != Stage::Ready {
            self.end(index);
            return;
        }
        let used = self.used();
        self.fleet.withdraw(index);
        let wait_s = self.backlog.remove();
        self.stays[index as usize].left = self.sums;
        let state = &mut self.fleet.replicas[index as usize];
        state.enter(Stage::Draining, self.now);
        let rest_s = wait_s + self.shape.mean_s * used;
        let drain = self.fleet.spec.drain;
        let drained = homeostat_core::Span::from_secs_f64(rest_s).min(drain);
        let what = What::DrainEnd { service: 0, replica: index, epoch: state.epoch };
        self.events.push(self.now + drained, what);
        if rest_s > drain.as_secs_f64() {
            let inside = self.shape.slots * (used + wait_s / self.shape.mean_s);
            let lost = inside * (1.0 - drain.as_secs_f64() / rest_s);
            if self.fleet.replicas[index as usize].replaced {
                self.aging.cut_off(self.now, (lost + 0.5) as u64);
            }
            let batch = Batch { requests: lost, late: lost, failed: lost, kind: Kind::Steady(0) };
            self.tally.fared(self.now, batch);
        }
    }

    /// Share of the ready replicas' slots that are busy.
    pub(super) fn used(&self) -> f64 {
        let capacity = f64::from(self.backlog.ready()) * self.shape.slots;
        ((self.inside - self.waiting) / capacity.max(1.0)).clamp(0.0, 1.0)
    }

    pub(super) fn end(&mut self, index: u32) {
        self.fleet.end(index, self.now);
        self.fleet.post(self.now);
    }
}
