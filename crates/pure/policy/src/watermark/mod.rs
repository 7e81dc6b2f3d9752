//! Two watermarks instead of one target: nothing happens between them.
//!
//! Source: `DataDog`'s watermark pod autoscaler, `replica_calculator.go` and
//! `watermarkpodautoscaler_controller.go`, `watermarkpodautoscaler_default.go` (read). Followed from there,
//! among others:
//!
//! - above the high mark (widened by the tolerance) ⌈ready × value / high⌉ and never fewer than now; below
//!   the low mark ⌊ready × value / low⌋, at least one and never more than now; several metrics: the largest;
//! - at most a percentage of the present count per step, rounded down, at least one replica;
//! - forbidden windows count from the last change of *either* direction, delays from the moment when any
//!   metric went beyond its mark; a delay of zero and the very first decision don't wait;
//! - one metric that can't be read, or too few available replicas, stop everything and restart the delays;
//! - CPU values of replicas that are not ready are left out, and so are those of replicas which became
//!   ready less than the readiness delay after they started (for good: the source compares the two times
//!   of the replica, not the time of now).
//!
//! What differs: values of zero that aren't believed keep the present count, where the source falls back
//! to the number of ready replicas; `convergeTowardsWatermark`, recommenders, dry run and monitors as
//! gates are not there; utilisation in per cent of the request and per-replica metrics are added.

mod measure;
mod recommend;
mod spec;

pub use spec::{Algorithm, WatermarkMetric, WatermarkSource, WatermarkSpec};

use homeostat_core::{Cadence, Instant, Need, Observation, Plan, Policy, Reason, Rule, Span};

use crate::error::PolicyError;
use recommend::{Position, Proposal, limit, propose};

/// The watermark policy with its state.
#[derive(Debug, Clone)]
pub struct Watermark {
    spec: WatermarkSpec,
    bounds: (u32, u32),
    /// Per metric: the resource request of a replica in thousandths, where one matters.
    requests_milli: Vec<i64>,
    needs: Vec<Need>,
    last_change: Option<Instant>,
    above_since: Option<Instant>,
    below_since: Option<Instant>,
}

impl Watermark {
    /// Builds the policy. `bounds` stand in where the settings leave theirs out; `request_milli` gives a
    /// resource's request per replica in thousandths, for utilisation in per cent.
    pub fn new(
        spec: WatermarkSpec,
        bounds: (u32, u32),
        request_milli: impl Fn(&str) -> Option<i64>,
    ) -> Result<Self, PolicyError> {
        spec.check()?;
        let bounds = (spec.min.unwrap_or(bounds.0), spec.max.unwrap_or(bounds.1));
        if bounds.0 > bounds.1 {
            let problem = format!("least count {} and greatest count {}", bounds.0, bounds.1);
            return Err(PolicyError::new("watermark.min", problem, "at most the greatest count", "1"));
        }
        let request = |metric: &WatermarkMetric| match &metric.source {
            WatermarkSource::Utilization(resource) => {
                request_milli(resource).filter(|milli| *milli > 0).ok_or_else(|| {
                    let problem = format!("the replica template requests no `{resource}`");
                    PolicyError::new("watermark.metrics", problem, "a resource that is requested", "cpu")
                })
            }
            _ => Ok(1),
        };
        let requests_milli = spec.metrics.iter().map(request).collect::<Result<_, _>>()?;
        let needs = spec.metrics.iter().map(|metric| metric.source.need()).collect();
        Ok(Self {
            spec,
            bounds,
            requests_milli,
            needs,
            last_change: None,
            above_since: None,
            below_since: None,
        })
    }

    /// What each metric asks for; the first that can't be read stops all.
    fn proposals(&self, observation: &Observation) -> Result<Vec<Proposal>, Reason> {
        let metrics = self.spec.metrics.iter().zip(&self.requests_milli).enumerate();
        metrics
            .map(|(index, (metric, request))| {
                let reading = observation.readings.get(index);
                measure::measure(&self.spec, &metric.source, *request, reading, observation)
                    .map(|value| propose(&self.spec, metric, index as u8, value, observation.current))
                    .map_err(|rule| Reason {
                        need: Some(index as u8),
                        ..Reason::of(rule, observation.desired)
                    })
            })
            .collect()
    }

    fn remember(&mut self, proposals: &[Proposal], at: Instant) {
        let beyond = |position| proposals.iter().any(|proposal| proposal.position == position);
        self.above_since = beyond(Position::Above).then(|| self.above_since.unwrap_or(at));
        self.below_since = beyond(Position::Below).then(|| self.below_since.unwrap_or(at));
    }

    /// Why a change from `current` to `wanted` has to wait, if it has to.
    fn wait(&self, at: Instant, current: u32, wanted: u32) -> Option<Reason> {
        let last = self.last_change?;
        let (window, delay, since) = if wanted > current {
            (self.spec.upscale_forbidden_window, self.spec.upscale_delay, self.above_since)
        } else {
            (self.spec.downscale_forbidden_window, self.spec.downscale_delay, self.below_since)
        };
        let beyond_for = since.map_or(Span::ZERO, |since| at.since(since));
        if !delay.is_zero() && (since.is_none() || beyond_for < delay) {
            return Some(timed(Rule::DelayNotElapsed, beyond_for, delay, current));
        }
        let passed = at.since(last);
        (passed < window).then(|| timed(Rule::ForbiddenWindow, passed, window, current))
    }

    /// The corrections that hold whatever the metrics say.
    fn correction(&self, observation: &Observation) -> Option<Reason> {
        let (least, greatest) = self.bounds;
        match observation.current {
            _ if observation.desired == 0 => Some(Reason::of(Rule::PausedAtZero, 0)),
            current if current > greatest => Some(Reason::of(Rule::OutOfBounds, greatest)),
            current if current < least.max(1) => Some(Reason::of(Rule::OutOfBounds, least.max(1))),
            _ => None,
        }
    }

    fn react(&mut self, observation: &Observation, proposals: &[Proposal]) -> Plan {
        let current = observation.current;
        let mut reasons: Vec<Reason> = proposals.iter().map(|proposal| proposal.reason).collect();
        let Some(first) = proposals.iter().rev().max_by_key(|proposal| proposal.count) else {
            return Plan::scale(observation.desired, Reason::of(Rule::NoData, observation.desired));
        };
        let (wanted, cut) = limit(&self.spec, self.bounds, current, first.count, first.ready);
        reasons.extend(cut.map(|rule| Reason::of(rule, wanted)));
        if let Some(correction) = self.correction(observation) {
            if correction.rule != Rule::PausedAtZero {
                self.last_change = Some(observation.at);
            }
            reasons.push(correction);
            return Plan { replicas: correction.proposed, reasons, ..Plan::default() };
        }
        let first_decision = self.last_change.is_none();
        let hold = if wanted == current { None } else { self.wait(observation.at, current, wanted) };
        let replicas = if wanted == current || hold.is_some() { observation.desired } else { wanted };
        reasons.extend(hold);
        if first_decision || (wanted != current && hold.is_none()) {
            self.last_change = Some(observation.at);
        }
        Plan { replicas, reasons, ..Plan::default() }
    }
}

impl Policy for Watermark {
    fn needs(&self) -> &[Need] {
        &self.needs
    }

    fn cadence(&self) -> Cadence {
        Cadence::every(Span::from_secs(15))
    }

    fn decide(&mut self, observation: &Observation) -> Plan {
        let proposals = match self.proposals(observation) {
            Ok(proposals) => proposals,
            Err(reason) => {
                self.remember(&[], observation.at);
                return Plan::scale(observation.desired, reason);
            }
        };
        self.remember(&proposals, observation.at);
        self.react(observation, &proposals)
    }
}

/// A reason about times, which are given in thousandths of a second.
fn timed(rule: Rule, passed: Span, needed: Span, count: u32) -> Reason {
    Reason {
        observed_milli: (passed.0 / 1_000_000) as i64,
        reference_milli: (needed.0 / 1_000_000) as i64,
        ..Reason::of(rule, count)
    }
}

#[cfg(test)]
mod tests;
