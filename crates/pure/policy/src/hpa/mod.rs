//! The Horizontal Pod Autoscaler of Kubernetes 1.37, exactly: a manifest in, upstream's decision out.
//!
//! Source: `pkg/controller/podautoscaler` of `k8s.io/kubernetes` v1.37 with its default feature gates.
//! Thousands of histories of the whole upstream controller, recorded by `testing/oracles/hpa`, are
//! replayed against this module; what can't be compared is listed in `testing/oracles/README.md`.
//!
//! Values are in thousandths, as upstream's metrics clients hand them over: CPU in millicores, memory
//! in thousandths of a byte, every other metric in thousandths of its unit.
//!
//! A decision counts as carried out: like upstream after a successful update, the policy remembers it
//! for its rates and for waking up from zero.

mod behavior;
mod build;
mod flags;
mod manifest;
mod metrics;
mod pods;
mod quantity;
mod replicas;
mod resolve;
mod rules;
#[cfg(test)]
mod tests;

use homeostat_core::{Cadence, Need, Observation, Plan, Policy, Reason, Rule};

pub use behavior::{Change, HpaState, Recommendation};
pub use flags::{ContainerTemplate, ControllerFlags, PodTemplate, Requests};
pub use manifest::*;
pub use quantity::{BadQuantity, Quantity};

use self::behavior::{Bounds, fixed_pace};
use self::replicas::{Context, Failure, Proposal};
use self::resolve::Resolved;
use crate::error::PolicyError;

/// The policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Hpa {
    rules: Resolved,
    flags: ControllerFlags,
    needs: Vec<Need>,
    state: HpaState,
}

impl Hpa {
    /// A policy from a manifest, the workload's requests and the controller's flags. A missing request
    /// is not refused here: upstream finds it out when it measures, and so does this policy.
    pub fn new(spec: &HpaSpec, template: &PodTemplate, flags: ControllerFlags) -> Result<Self, PolicyError> {
        let rules = resolve::resolve(spec, template, &flags)?;
        let needs = rules.metrics.iter().map(|metric| metric.need.clone()).collect();
        let state = HpaState::default();
        Ok(Self { rules, flags, needs, state })
    }

    /// Changes the bounds and keeps everything else, the memory included: an edited manifest.
    pub fn set_bounds(&mut self, min: u32, max: u32) -> Result<(), PolicyError> {
        let (min, max) = (replicas_i32(min), replicas_i32(max));
        resolve::check_bounds(min, max)?;
        resolve::check_zero(min, &self.rules.metrics, &self.flags)?;
        (self.rules.min, self.rules.max) = (min, max);
        Ok(())
    }

    /// The least and the greatest count.
    pub fn bounds(&self) -> (u32, u32) {
        (replicas_u32(self.rules.min), replicas_u32(self.rules.max))
    }

    /// What the policy remembers.
    pub const fn state(&self) -> &HpaState {
        &self.state
    }

    /// Puts back what [`Hpa::state`] gave.
    pub fn restore(&mut self, state: HpaState) {
        self.state = state;
    }

    /// Whether metrics are to be read although there are no replicas.
    fn may_wake(&self) -> bool {
        let wakes = self.rules.min != 0 || self.works_at_zero();
        self.flags.scale_to_zero && self.state.scaled_to_zero && wakes
    }

    fn works_at_zero(&self) -> bool {
        self.rules.metrics.iter().any(rules::Metric::works_at_zero)
    }

    /// The largest proposal, unless failures forbid to act on it.
    fn measure(&self, observation: &Observation, reasons: &mut Vec<Reason>) -> Option<i32> {
        let current = replicas_i32(observation.desired);
        let context = Context { observation, flags: &self.flags, tolerances: self.rules.tolerances, current };
        let (mut largest, mut failed) = (0, 0);
        for (i, metric) in self.rules.metrics.iter().enumerate() {
            let proposal = match observation.readings.get(i) {
                Some(reading) => context.propose(metric, reading),
                None => Err(Failure::Unread(None)),
            };
            reasons.push(explain(i, proposal, current));
            match proposal {
                Ok(Proposal { replicas, .. }) if largest == 0 || replicas > largest => {
                    largest = replicas;
                }
                Ok(_) => {}
                Err(_) => failed += 1,
            }
        }
        let useless = failed >= self.rules.metrics.len() || (failed > 0 && largest < current);
        (!useless).then_some(largest.max(0))
    }

    /// `proposed`, held back by earlier recommendations, rates and bounds.
    fn normalize(&mut self, o: &Observation, proposed: i32, reasons: &mut Vec<Reason>) -> i32 {
        let current = replicas_i32(o.desired);
        let bounds = Bounds { min: self.rules.min, max: self.rules.max };
        let (steady, paced) = match &self.rules.behavior {
            None => {
                let window = self.flags.downscale_stabilization;
                let steady = self.state.stabilize(proposed, window, o.at);
                (steady, fixed_pace(current, steady, bounds))
            }
            Some(behavior) => {
                let steady = self.state.stabilize_both(behavior, current, proposed, o.at);
                (steady, self.state.pace(behavior, current, steady, bounds, o.at))
            }
        };
        if steady != proposed {
            reasons.push(step(Rule::Stabilized, proposed, steady));
        }
        if paced != steady {
            let bound = paced == bounds.min || paced == bounds.max;
            let rule = if bound { Rule::Clamped } else { Rule::RateLimited };
            reasons.push(step(rule, steady, paced));
        }
        if current == 0 && bounds.min != 0 && paced < bounds.min {
            reasons.push(step(Rule::Clamped, paced, bounds.min));
            return bounds.min;
        }
        paced
    }

    /// The count that the metrics alone ask for; `None` where upstream would not act on them. For policies
    /// that put something of their own between this and [`Self::paced`].
    pub(crate) fn calculated(&self, observation: &Observation, reasons: &mut Vec<Reason>) -> Option<i32> {
        self.measure(observation, reasons)
    }

    /// `wanted`, held back by earlier recommendations, rates and bounds.
    pub(crate) fn paced(&mut self, observation: &Observation, wanted: i32, reasons: &mut Vec<Reason>) -> u32 {
        replicas_u32(self.normalize(observation, wanted, reasons))
    }

    /// Remembers a change of the count as upstream does after its update.
    fn remember(&mut self, o: &Observation, desired: i32) {
        let current = replicas_i32(o.desired);
        if desired == current {
            return;
        }
        if let Some(behavior) = &self.rules.behavior {
            self.state.changed(behavior, current, desired, o.at);
        }
        self.state.scaled_to_zero =
            current > 0 && desired == 0 && self.rules.min == 0 && self.works_at_zero();
    }

    fn desired(&mut self, o: &Observation, reasons: &mut Vec<Reason>) -> i32 {
        let current = replicas_i32(o.desired);
        let (min, max) = (self.rules.min, self.rules.max);
        let outside = if current == 0 {
            if !self.may_wake() {
                reasons.push(Reason::of(Rule::PausedAtZero, 0));
                return 0;
            }
            None
        } else if current > max {
            Some(max)
        } else {
            (current < min).then_some(min)
        };
        if let Some(bound) = outside {
            reasons.push(step(Rule::OutOfBounds, current, bound));
            return bound;
        }
        match self.measure(o, reasons) {
            Some(proposed) => self.normalize(o, proposed, reasons),
            None => current,
        }
    }
}

impl Policy for Hpa {
    fn needs(&self) -> &[Need] {
        &self.needs
    }

    fn cadence(&self) -> Cadence {
        Cadence::every(self.flags.sync_period)
    }

    fn decide(&mut self, observation: &Observation) -> Plan {
        let mut reasons = Vec::new();
        self.state.seed(replicas_i32(observation.desired), observation.at);
        let desired = self.desired(observation, &mut reasons);
        self.remember(observation, desired);
        Plan { replicas: replicas_u32(desired), reasons, ..Plan::default() }
    }
}

/// The reason for one metric's proposal.
fn explain(need: usize, proposal: Result<Proposal, Failure>, current: i32) -> Reason {
    let need = need.min(255) as u8;
    match proposal {
        Ok(p) => {
            let rule = if p.kept { Rule::WithinTolerance } else { Rule::MetricRatio };
            Reason::metric(rule, need, p.observed, p.reference, replicas_u32(p.replicas))
        }
        Err(_) => Reason::metric(Rule::MetricUnavailable, need, 0, 0, replicas_u32(current)),
    }
}

/// A reason that turns one count into another.
fn step(rule: Rule, from: i32, to: i32) -> Reason {
    Reason {
        rule,
        need: None,
        observed_milli: i64::from(from) * 1000,
        reference_milli: i64::from(to) * 1000,
        proposed: replicas_u32(to),
    }
}

fn replicas_i32(replicas: u32) -> i32 {
    i32::try_from(replicas).unwrap_or(i32::MAX)
}

fn replicas_u32(replicas: i32) -> u32 {
    u32::try_from(replicas).unwrap_or(0)
}
