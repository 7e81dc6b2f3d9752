//! The loop at work: scrape, decide, carry out.

use homeostat_core::decision::Order;
use homeostat_core::{Decision, Observation, explain};

use super::event::What;
use super::{Recorder, Simulation, Stop};
use crate::outcome::Mark;
use crate::sense::Front;

/// Changes that are kept for the report.
const MARKS: usize = 4_000;

impl Simulation {
    pub(super) fn scrape(&mut self, service: usize) {
        if self.closing {
            return;
        }
        let running = &mut self.services[service];
        for index in running.fleet.live.clone() {
            self.advance(service, index);
        }
        let running = &mut self.services[service];
        let front = Front { arrived: running.arrived, held: running.held.len() as u64 };
        running.pipeline.scrape(self.now, &mut running.fleet, front);
        let again = self.now + running.pipeline.collector.sensing.scrape;
        self.events.push(again, What::Scrape { service: service as u16 });
    }

    pub(super) fn tick(
        &mut self,
        service: usize,
        again: bool,
        recorder: &mut dyn Recorder,
    ) -> Result<(), Stop> {
        if self.closing {
            return Ok(());
        }
        let observation = self.observe(service);
        let running = &mut self.services[service];
        running.woken = false;
        let decision = running.controller.tick(&observation);
        self.decisions += 1;
        recorder.decided(service, &observation, &decision).map_err(Stop::Recorder)?;
        self.note(service, &observation, &decision);
        self.act(service, decision.order.get());
        if again {
            let period = self.services[service].controller.cadence().period;
            self.events.push(self.now + period, What::Tick { service: service as u16, again });
        }
        Ok(())
    }

    fn observe(&self, service: usize) -> Observation {
        let running = &self.services[service];
        Observation {
            at: self.now,
            desired: running.fleet.desired,
            current: running.fleet.serving().count() as u32,
            replicas: running.fleet.views(),
            readings: running.pipeline.read(running.controller.needs(), self.now, &running.fleet),
        }
    }

    /// Remembers what was forecast, counts an executed change, and remembers that for the report.
    fn note(&mut self, service: usize, seen: &Observation, decision: &Decision) {
        let running = &mut self.services[service];
        running.forecasts.decided(self.now, running.arrived, decision.forecast.as_ref());
        let (from, to) = (seen.desired, decision.replicas());
        if from == to {
            return;
        }
        let direction = if to > from { 1 } else { -1 };
        if self.now >= self.scored_from {
            running.scale_events += 1;
            running.flips += u64::from(running.direction == -direction);
        }
        running.direction = direction;
        let text = explain::one_line(seen, &decision.into(), running.controller.needs());
        let at_s = self.now.since(self.start).as_secs_f64();
        keep_mark(&mut self.marks, Mark { at_s, service, from, to, text });
    }

    /// Brings about what was decided, and chooses nothing.
    fn act(&mut self, service: usize, order: &Order) {
        let fleet = &mut self.services[service].fleet;
        let serving = fleet.serving().count();
        let wanted = (order.replicas + order.surge) as usize;
        // A new version that is being brought in has one more for itself.
        let most = wanted + usize::from(!fleet.old().is_empty());
        let changed = fleet.desired != order.replicas || serving != wanted || !order.replace.is_empty();
        let falls = order.replicas < fleet.desired;
        (fleet.desired, fleet.surge) = (order.replicas, order.surge);
        if serving > most {
            let victims = fleet.victims(serving - most, &order.retire);
            self.watch_surge(service, order, &victims);
            for victim in victims {
                self.retire_by(service, victim, order, falls);
            }
        }
        for victim in self.services[service].fleet.named(&order.replace) {
            self.retire_by(service, victim, order, false);
        }
        for _ in self.services[service].fleet.serving().count()..wanted {
            self.order(service);
        }
        if changed {
            self.services[service].fleet.post(self.now);
        }
        self.roll(service);
    }

    /// Leaves the largest changes.
    pub(super) fn thin_marks(&mut self) {
        close_marks(&mut self.marks);
    }
}

/// Remembers a change; when there are very many, the largest stay.
pub(crate) fn keep_mark(marks: &mut Vec<Mark>, mark: Mark) {
    if marks.len() >= 2 * MARKS {
        thin(marks);
    }
    marks.push(mark);
}

/// Leaves the largest changes.
pub(crate) fn close_marks(marks: &mut Vec<Mark>) {
    if marks.len() > MARKS {
        thin(marks);
    }
}

fn thin(marks: &mut Vec<Mark>) {
    let mut sizes: Vec<u32> = marks.iter().map(|m| m.from.abs_diff(m.to)).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    let least = sizes[MARKS - 1];
    let mut room = MARKS - sizes.iter().filter(|s| **s > least).count();
    marks.retain(|mark| {
        let size = mark.from.abs_diff(mark.to);
        let keep = size > least || (size == least && room > 0);
        room -= usize::from(keep && size == least);
        keep
    });
}
