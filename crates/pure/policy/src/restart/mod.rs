//! How replicas that leak are restarted today: at an age, after a number of requests, above a share of the
//! memory limit.
//!
//! Sources: `PodLifeTime` of kubernetes-sigs/descheduler (`maxPodLifeTimeSeconds`; pods are evicted, their
//! controller orders others, a disruption budget of one is assumed); `max_requests` with
//! `max_requests_jitter` of gunicorn (each worker adds its own draw); a threshold on memory as in supervisord's
//! `memmon`. What differs: requests are counted from the rate that is observed; age is that of readiness; with
//! `surge: true` the new replica comes first, as in a rolling restart (`kubectl rollout restart`). Doing nothing
//! and being restarted by the kernel is no policy at all.

use std::collections::BTreeMap;

use homeostat_core::draw::Key;
use homeostat_core::observe::ReplicaView;
use homeostat_core::{
    Cadence, Instant, Need, Observation, Plan, Policy, Reading, Reason, ReplicaId, Rule, Span,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;
use crate::rejuvenate::moved;
use crate::rejuvenate::turnover::{Manners, Turnover, order_of_retirement};

const MIB_MILLI: f64 = 1_048_576.0 * 1_000.0;

/// When a replica is restarted; at least one condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RestartSpec {
    /// At this age.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<Span>,
    /// After so many requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_requests: Option<f64>,
    /// Above so many per cent of the memory limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_percent: Option<f64>,
    /// Share by which age and number of requests are drawn longer, for each replica anew (0 by default).
    pub jitter: f64,
    /// Seed of those draws (0 by default).
    pub seed: u64,
    /// Whether the new replica comes first (false by default).
    pub surge: bool,
    /// Replicas that stay ready; from the target's least count when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_ready: Option<u32>,
    /// Time between two decisions (1 min by default).
    pub period: Span,
}

impl Default for RestartSpec {
    fn default() -> Self {
        Self {
            max_age: None,
            max_requests: None,
            memory_percent: None,
            jitter: 0.0,
            seed: 0,
            surge: false,
            min_ready: None,
            period: Span::MINUTE,
        }
    }
}

/// Requests that a replica has been seen to take.
#[derive(Debug, Clone, Copy)]
struct Served {
    until: Instant,
    requests: f64,
}

/// The policy.
#[derive(Debug, Clone)]
pub struct Restart {
    spec: RestartSpec,
    limit_milli: f64,
    needs: Vec<Need>,
    turnover: Turnover,
    served: BTreeMap<ReplicaId, Served>,
    key: Key,
}

impl Restart {
    /// A policy for a target with this least count and this memory limit in MiB, if it has one.
    pub fn new(spec: &RestartSpec, min: u32, limit_mib: Option<f64>) -> Result<Self, PolicyError> {
        let conditions = [spec.max_age.is_some(), spec.max_requests.is_some(), spec.memory_percent.is_some()];
        if !conditions.contains(&true) {
            let expected = "max_age, max_requests or memory_percent";
            return Err(PolicyError::new("restart", "has no condition", expected, "max_age: 24h"));
        }
        if spec.memory_percent.is_some() && limit_mib.is_none() {
            let problem = "a percentage, and the target has no memory limit";
            let expected = "memory_limit_mib of the service";
            return Err(PolicyError::new("restart.memory_percent", problem, expected, "4096"));
        }
        if !(spec.jitter.is_finite() && spec.jitter >= 0.0) || spec.period.is_zero() {
            let problem = format!("`{}` with a period of {}", spec.jitter, spec.period);
            let expected = "a share of 0 or more, and a positive period";
            return Err(PolicyError::new("restart.jitter", problem, expected, "0.1"));
        }
        let manners = Manners {
            surge: spec.surge,
            min_ready: spec.min_ready.unwrap_or(min),
            per_hour: None,
            start_up: Span::from_secs(600),
        };
        let mut needs = Vec::new();
        needs.extend(spec.memory_percent.map(|_| Need::Resource("memory".to_owned())));
        needs.extend(spec.max_requests.map(|_| Need::Pods("requests_per_second".to_owned())));
        Ok(Self {
            limit_milli: limit_mib.unwrap_or(0.0) * MIB_MILLI,
            needs,
            turnover: Turnover::new(manners),
            served: BTreeMap::new(),
            key: Key::root(spec.seed).child("restart"),
            spec: spec.clone(),
        })
    }

    /// The share that this replica draws longer than set.
    fn stretch(&self, id: ReplicaId) -> f64 {
        1.0 + self.spec.jitter * self.key.at(id.0).uniform()
    }

    fn count_requests(&mut self, seen: &Observation) {
        self.served.retain(|id, _| seen.replicas.iter().any(|view| view.id == *id));
        let Some(Reading::PerReplica(samples)) =
            seen.readings.last().filter(|_| self.spec.max_requests.is_some())
        else {
            return;
        };
        for sample in samples {
            let first = Served { until: sample.at.back(sample.window), requests: 0.0 };
            let served = self.served.entry(sample.replica).or_insert(first);
            served.requests += sample.milli as f64 / 1_000.0 * sample.at.since(served.until).as_secs_f64();
            served.until = served.until.max(sample.at);
        }
    }

    /// By how much a replica is over the first condition that it meets, and that condition.
    fn over(&self, view: &ReplicaView, seen: &Observation) -> Option<(f64, Reason)> {
        let stretch = self.stretch(view.id);
        let reason = |rule, observed: f64, reference: f64| {
            let reason = Reason::of(rule, seen.desired);
            let over = observed / reference.max(1e-9);
            let (observed_milli, reference_milli) = (observed as i64, reference as i64);
            (over >= 1.0).then_some((over, Reason { observed_milli, reference_milli, ..reason }))
        };
        let age = self.spec.max_age.and_then(|most| {
            let age = seen.at.since(view.readiness?.since);
            reason(Rule::MaxAge, age.as_secs_f64() * 1e3, most.as_secs_f64() * stretch * 1e3)
        });
        let requests = self.spec.max_requests.and_then(|most| {
            let served = self.served.get(&view.id)?;
            reason(Rule::MaxRequests, served.requests * 1e3, most * stretch * 1e3)
        });
        let memory = self.spec.memory_percent.and_then(|percent| {
            let Some(Reading::PerReplica(samples)) = seen.readings.first() else { return None };
            let sample = samples.iter().find(|sample| sample.replica == view.id)?;
            let (over, found) =
                reason(Rule::NearMemoryLimit, sample.milli as f64, self.limit_milli * percent / 100.0)?;
            Some((over, Reason { need: Some(0), ..found }))
        });
        age.or(requests).or(memory)
    }
}

impl Policy for Restart {
    fn needs(&self) -> &[Need] {
        &self.needs
    }

    fn cadence(&self) -> Cadence {
        Cadence::every(self.spec.period)
    }

    fn decide(&mut self, seen: &Observation) -> Plan {
        self.count_requests(seen);
        let ready = seen.replicas.iter().filter(|view| view.is_ready());
        let over = ready.filter_map(|view| self.over(view, seen).map(|(over, why)| (over, view.id, why)));
        let due = over.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        let step = self.turnover.step(seen, due.map(|(_, id, _)| id));
        let mut plan = moved(step, seen.desired, self.turnover.takes());
        plan.reasons.splice(0..0, due.map(|(_, _, why)| why));
        if self.turnover.is_starting() {
            // Only so that the replica that starts is not the first to go.
            let victim = self.turnover.victim();
            plan.retire = order_of_retirement(seen, true, |id| f64::from(u8::from(Some(id) != victim)));
        }
        plan
    }
}

#[cfg(test)]
mod tests;
