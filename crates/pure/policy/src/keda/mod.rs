//! KEDA: an operator between zero and one replica, the horizontal pod autoscaler above.
//!
//! Source: KEDA 2.20, `pkg/scaling/executor/scale_scaledobjects.go`, `pkg/fallback/fallback.go` and
//! `pkg/scalers/cron_scaler.go` (read); the page "`ScaledObject` specification". Known from there:
//!
//! - The operator looks at the triggers every `pollingInterval`. Load on any of them wakes the target to
//!   `minReplicaCount` (at least 1); without load for longer than `cooldownPeriod` it goes to
//!   `idleReplicaCount` or, where the minimum is 0, to zero. CPU and memory have no say in it; with no
//!   other trigger the target counts as active (taken from notes on `scale_handler.go`, not from it).
//! - A trigger that fails is not a trigger without load: nothing goes to zero, except where a fallback
//!   count of 0 is configured. While others are active the failure keeps the cool-down from restarting.
//! - The autoscaler gets one metric per trigger and decides every 15 s while the count is above zero.
//!   From the failure after `failureThreshold` in a row it is given a value that leads to the fallback
//!   count. Failures are counted when the autoscaler asks.
//! - `prometheus` without `ignoreNullValues: "false"` takes no series for zero (KEDA's page on it), so an
//!   *empty* answer may take the target to zero, as it does upstream.
//!
//! What differs: `metricName` (or `query`) and `threshold` name one of the world's metrics, queries are
//! not evaluated; time zones are fixed offsets; where both loops are due at once and the operator changes
//! the count, the autoscaler waits for its next turn; values are fresh in every look, never cached;
//! `restoreToOriginalReplicaCount` and `useCachedMetrics` have no effect; formulas (`scalingModifiers`)
//! and all other triggers are refused.

mod annotations;
mod fallback;
mod limits;
mod manifest;
mod operator;
mod trigger;

pub use manifest::*;

use homeostat_core::{Cadence, Instant, Need, Observation, Plan, Policy, Reading, Reason, Rule, Span};

use crate::error::PolicyError;
use crate::hpa::{ControllerFlags, Hpa, HpaSpec, PodTemplate};
use annotations::Pause;
use fallback::Failures;
use limits::Limits;
use operator::Operator;
use trigger::{Source, Trigger as Known};

/// KEDA with its autoscaler.
#[derive(Debug, Clone)]
pub struct Keda {
    triggers: Vec<Known>,
    needs: Vec<Need>,
    hpa: Hpa,
    operator: Operator,
    failures: Failures,
    pause: Pause,
    polls: Clock,
    syncs: Clock,
    /// The reasons of the latest turn of either loop.
    latest: Vec<Reason>,
}

/// A loop's turns.
#[derive(Debug, Clone, Copy)]
struct Clock {
    every: Span,
    next: Option<Instant>,
}

impl Clock {
    const fn every(every: Span) -> Self {
        Self { every, next: None }
    }

    /// Whether a turn is due, which is then taken.
    fn due(&mut self, now: Instant) -> bool {
        let mut next = self.next.unwrap_or(now);
        if next > now {
            return false;
        }
        let missed = now.since(next).0 / self.every.0;
        next += self.every * (missed + 1);
        self.next = Some(next);
        true
    }
}

impl Keda {
    /// Builds the policy for a workload whose object was created at `created`.
    pub fn new(object: &ScaledObject, template: &PodTemplate, created: Instant) -> Result<Self, PolicyError> {
        let limits = Limits::read(object)?;
        let entries = object.spec.triggers.iter().enumerate();
        let triggers = entries.map(|(i, entry)| Known::parse(i, entry)).collect::<Result<Vec<_>, _>>()?;
        let pause = Pause::read(&object.metadata.annotations)?;
        let metrics = triggers.iter().map(|trigger| trigger.metric.clone()).collect();
        let mut manifest = HpaSpec::with_metrics(limits.min.max(1) as i32, limits.max as i32, metrics);
        manifest.spec.behavior = pause.behavior(object);
        let flags = ControllerFlags::default();
        Ok(Self {
            needs: triggers.iter().filter_map(Known::need).collect(),
            triggers,
            hpa: Hpa::new(&manifest, template, flags)?,
            polls: Clock::every(limits.polling),
            syncs: Clock::every(flags.sync_period),
            failures: Failures::new(object.spec.fallback.clone(), object.spec.triggers.len()),
            operator: Operator::new(limits, created, &object.spec, pause),
            pause,
            latest: Vec::new(),
        })
    }

    /// One reading per trigger; the calendar's triggers have none.
    fn by_trigger<'a>(
        &'a self,
        readings: &'a [Reading],
    ) -> impl Iterator<Item = (&'a Known, Option<&'a Reading>)> {
        let mut readings = readings.iter();
        self.triggers.iter().map(move |trigger| {
            let reading = if trigger.need().is_some() { readings.next() } else { None };
            (trigger, reading)
        })
    }

    fn poll(&mut self, observation: &Observation) -> Option<Reason> {
        let each = self.by_trigger(&observation.readings);
        let activity: Vec<_> =
            each.map(|(trigger, reading)| trigger.activity(reading, observation.at)).collect();
        self.operator.poll(observation, &activity)
    }

    /// What the autoscaler sees: one reading per metric, with fallback values where they are due.
    fn seen_by_hpa(&mut self, observation: &Observation, reasons: &mut Vec<Reason>) -> Observation {
        let mut failures = self.failures.clone();
        let mut world = 0_u8;
        let each = self.by_trigger(&observation.readings).enumerate();
        let readings = each.map(|(index, (trigger, reading))| {
            let reading =
                match &trigger.source {
                    Source::Resource(_) => reading.cloned(),
                    Source::Cron { window, offset, replicas } => {
                        let value = if window.holds(observation.at, *offset) { *replicas } else { 1 };
                        return Reading::Total { milli: vec![value * 1_000], at: observation.at };
                    }
                    Source::External(external) => {
                        failures.check(index, external, reading, observation).map(|(reading, count)| {
                            reasons.extend(count.map(|count| Reason {
                                need: Some(world),
                                ..Reason::of(Rule::Fallback, count)
                            }));
                            reading
                        })
                    }
                };
            world += 1;
            reading.unwrap_or(Reading::Failed(homeostat_core::observe::FetchError::Unavailable))
        });
        let readings = readings.collect();
        self.failures = failures;
        Observation { readings, replicas: observation.replicas.clone(), ..*observation }
    }

    /// The index among the world's needs of a metric of the autoscaler.
    fn world_need(&self, metric: u8) -> Option<u8> {
        let before = self.triggers.iter().take(usize::from(metric));
        let trigger = self.triggers.get(usize::from(metric))?;
        trigger.need().map(|_| before.filter(|trigger| trigger.need().is_some()).count() as u8)
    }

    fn sync(&mut self, observation: &Observation) -> Plan {
        let mut reasons = Vec::new();
        let seen = self.seen_by_hpa(observation, &mut reasons);
        let mut plan = self.hpa.decide(&seen);
        for reason in &mut plan.reasons {
            reason.need = reason.need.and_then(|need| self.world_need(need));
        }
        reasons.append(&mut plan.reasons);
        Plan { reasons, ..plan }
    }

    /// The plan of this turn; the reasons of the last turn where none is due.
    fn turn(&mut self, observation: &Observation) -> Plan {
        let desired = observation.desired;
        let polled = if self.polls.due(observation.at) { self.poll(observation) } else { None };
        let synced = self.syncs.due(observation.at);
        if let Some(reason) = polled.filter(|reason| reason.proposed != desired) {
            return Plan::scale(reason.proposed, reason);
        }
        if !synced || desired == 0 {
            let keep = |mut reason: Reason| {
                reason.proposed = desired;
                reason
            };
            let reasons = match polled {
                Some(reason) => vec![reason],
                None if desired == 0 => vec![Reason::of(Rule::Idle, 0)],
                None => self.latest.iter().copied().map(keep).collect(),
            };
            return Plan { replicas: desired, reasons, ..Plan::default() };
        }
        let mut plan = self.sync(observation);
        plan.reasons.extend(polled);
        plan
    }
}

impl Policy for Keda {
    fn needs(&self) -> &[Need] {
        &self.needs
    }

    fn cadence(&self) -> Cadence {
        Cadence::every(Span(greatest_common_divisor(self.polls.every.0, self.syncs.every.0)))
    }

    fn decide(&mut self, observation: &Observation) -> Plan {
        if let Some(replicas) = self.pause.replicas(observation.desired) {
            return Plan::scale(replicas, Reason::of(Rule::Fixed, replicas));
        }
        let plan = self.turn(observation);
        self.latest.clone_from(&plan.reasons);
        plan
    }
}

const fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    let (mut a, mut b) = (a, b);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests;
