//! The operator's loop: to zero and back.

use homeostat_core::{Instant, Observation, Reason, Rule, Span};

use super::annotations::Pause;
use super::limits::Limits;
use super::manifest::Spec;
use super::trigger::Activity;

/// The operator and what it remembers.
#[derive(Debug, Clone)]
pub(super) struct Operator {
    limits: Limits,
    created: Instant,
    last_active: Option<Instant>,
    fallback_replicas: Option<i32>,
    pause: Pause,
}

impl Operator {
    pub(super) fn new(limits: Limits, created: Instant, spec: &Spec, pause: Pause) -> Self {
        let fallback_replicas = spec.fallback.as_ref().map(|fallback| fallback.replicas);
        Self { limits, created, last_active: None, fallback_replicas, pause }
    }

    /// One look at the triggers. Gives the count that the operator wants, where it has a say.
    pub(super) fn poll(&mut self, observation: &Observation, activity: &[Activity]) -> Option<Reason> {
        let any = |wanted| activity.contains(&wanted);
        let silent = activity.iter().all(|activity| *activity == Activity::Silent);
        let active = any(Activity::Active) || silent || self.pause.force_active;
        if active {
            self.active(observation, any(Activity::Failed))
        } else if any(Activity::Failed) && self.fallback_replicas != Some(0) {
            // Not knowing of load is no reason to go to zero; the autoscaler may fall back.
            None
        } else {
            self.inactive(observation)
        }
    }

    fn active(&mut self, observation: &Observation, failed: bool) -> Option<Reason> {
        let (desired, min) = (observation.desired, self.limits.min);
        let idling = self.limits.idle.is_some() && desired < min;
        if idling || desired == 0 {
            if self.pause.no_rise {
                return Some(Reason::of(Rule::UpDisabled, desired));
            }
            self.last_active = Some(observation.at);
            return Some(Reason::of(Rule::Wake, min.max(1)));
        }
        if !failed {
            self.last_active = Some(observation.at);
        }
        None
    }

    fn inactive(&self, observation: &Observation) -> Option<Reason> {
        let (desired, min) = (observation.desired, self.limits.min);
        match self.limits.idle {
            Some(idle) if desired > idle => Some(self.to_idle(observation, idle)),
            _ if desired > 0 && min == 0 => Some(self.to_idle(observation, 0)),
            None if desired < min => Some(Reason::of(Rule::Clamped, min)),
            _ => None,
        }
    }

    fn to_idle(&self, observation: &Observation, idle: u32) -> Reason {
        let (since, needed) = match self.last_active {
            Some(last) => (last, self.limits.cooldown),
            None => (self.created, self.limits.initial_cooldown),
        };
        let passed = observation.at.since(since);
        let reason = |rule, count| Reason {
            observed_milli: milliseconds(passed),
            reference_milli: milliseconds(needed),
            ..Reason::of(rule, count)
        };
        if self.pause.no_fall {
            Reason::of(Rule::DownDisabled, observation.desired)
        } else if passed > needed {
            reason(Rule::Idle, idle)
        } else {
            reason(Rule::CoolDown, observation.desired)
        }
    }
}

const fn milliseconds(span: Span) -> i64 {
    (span.0 / 1_000_000) as i64
}
