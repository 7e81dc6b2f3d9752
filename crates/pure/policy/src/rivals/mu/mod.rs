//! Mu's autoscaler: a count from the queue and the rate, with a bank of on-line linear predictors.
//!
//! Source: Mittal, Qi, Bhattacharya, Lyu, Li, Kulkarni, Li, Hwang, Ramakrishnan and Wood, *Mu: an
//! efficient, fair and responsive serverless framework for resource-constrained edge clouds*, `SoCC` 2021.
//! The paper was not at hand; read was the port by the systems group of ETH Zürich
//! (`eth-easl/dirigent`, `predictive_autoscaler/{autoscaler,predictor}.go`, `muAutoscaling`). From there:
//!
//! - every 2 s max(1, ⌈λ/μ⌉ + ⌈Q / (μ (SLO − E))⌉) with the rate λ, a replica's service rate μ, the execution
//!   time E, SLO = 10 E and the queue Q = requests inside − what the ready replicas serve at the moment (the
//!   port doesn't stop at zero, so that idle replicas count against the first part, and neither do we);
//! - no less than half of the ready replicas and no more than a thousand times as many per decision;
//! - the bank in [`bank`], the prediction cut to between zero and the largest rate seen.
//!
//! The port computes the prediction and doesn't use it; `predict: false` is that. By default the larger of
//! rate and prediction counts, which is what it is there for. It looks one decision ahead, not a start-up.
//!
//! What differs: a replica serves one request at a time in the port and `slots` here; μ is the capacity
//! of the target and not measured; predictors whose error is no longer a number are dropped; the bank starts
//! with the last two hours before the run where they are known; without data the count is kept. Before
//! its experiment starts the port scales by concurrency; that part is left out, and so is scaling to zero,
//! which the port doesn't do either.

pub mod bank;
mod spec;

pub use spec::MuSpec;

use homeostat_core::policy::Sensing;
use homeostat_core::{Cadence, Need, Observation, Plan, Policy, Reading, Reason, Rule, Span};
use homeostat_forecast::Series;

use super::milli;
use crate::bounds::clamped;
use crate::error::PolicyError;
use bank::Bank;

/// Time before the run that the bank learns from: it looks back 1 000 decisions.
const WARM: Span = Span::from_secs(7_200);
/// The port's limits per decision (Knative's defaults).
const MOST_DOWN: f64 = 2.0;
const MOST_UP: f64 = 1_000.0;

/// Mu's policy with its state.
#[derive(Debug, Clone)]
pub struct Mu {
    predict: bool,
    /// Requests per second and replica.
    capacity: f64,
    slots: f64,
    /// SLO − E in seconds.
    slack_s: f64,
    period: Span,
    bounds: (u32, u32),
    needs: Vec<Need>,
    bank: Bank,
}

impl Mu {
    /// Builds the policy. `capacity` in requests per second and replica stands in where the settings leave
    /// theirs out; `bounds` are the least and greatest count.
    pub fn new(spec: &MuSpec, capacity: f64, bounds: (u32, u32)) -> Result<Self, PolicyError> {
        let capacity = spec.capacity.unwrap_or(capacity * spec.capacity_percent / 100.0);
        let slots = f64::from(spec.slots.unwrap_or(1));
        let execution_s = slots / capacity;
        let slo_s = spec.slo.map_or(10.0 * execution_s, Span::as_secs_f64);
        spec.check(capacity, execution_s, slo_s)?;
        Ok(Self {
            predict: spec.predict,
            capacity,
            slots,
            slack_s: slo_s - execution_s,
            period: spec.period,
            bounds,
            needs: ["requests_per_second", "concurrency"].map(|name| Need::Object(name.to_owned())).into(),
            bank: Bank::default(),
        })
    }

    /// Lets the bank learn from the rates before the run: each step as many decisions as fit into it.
    #[must_use]
    pub fn warmed(mut self, history: &Series) -> Self {
        let each = (history.step.0 / self.period.0).max(1);
        let steps = (WARM.0 / history.step.0.max(1)) as usize;
        let first = history.values.len().saturating_sub(steps);
        for rate in history.values[first..].iter().filter_map(|value| value.known()) {
            for _ in 0..each {
                self.bank.next(rate);
            }
        }
        self
    }

    fn count(&self, rate: f64, inside: f64, ready: f64) -> u32 {
        let queue = inside - ready * self.slots;
        let wanted = (rate / self.capacity).ceil() + (queue / (self.capacity * self.slack_s)).ceil();
        let paced = wanted.max(1.0).max((ready / MOST_DOWN).floor()).min((ready * MOST_UP).ceil());
        paced as u32
    }
}

impl Policy for Mu {
    fn needs(&self) -> &[Need] {
        &self.needs
    }

    fn cadence(&self) -> Cadence {
        // Its own collector, as with Knative's: every second, over the stable window cut to 2 s.
        let sensing = Sensing { scrape: Span::SECOND, window: self.period, delay: Span::ZERO };
        Cadence { sensing: Some(sensing), ..Cadence::every(self.period) }
    }

    fn decide(&mut self, observation: &Observation) -> Plan {
        let read =
            |need: usize| observation.readings.get(need).and_then(Reading::total).map(|(value, _)| value);
        let (Some(rate), Some(inside)) = (read(0), read(1)) else {
            let reason = Reason { need: Some(0), ..Reason::of(Rule::NoData, observation.desired) };
            return Plan::scale(observation.desired, reason);
        };
        let predicted = self.bank.next(rate);
        let (rule, used) = if self.predict && predicted > rate {
            (Rule::PredictedRate, predicted)
        } else {
            (Rule::ObservedRate, rate)
        };
        let count = self.count(used, inside, f64::from(observation.ready().max(1)));
        let reason = Reason::metric(rule, 0, milli(used), milli(self.capacity), count);
        clamped(Plan::scale(count, reason), self.bounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeostat_core::observe::{FetchError, Phase, Readiness, ReplicaView};
    use homeostat_core::{Instant, Reading, ReplicaId};

    fn seen(rate: f64, inside: f64, ready: u64) -> Observation {
        let at = Instant::ZERO + Span::HOUR;
        let replica = |id| ReplicaView {
            id: ReplicaId(id),
            phase: Phase::Running,
            started_at: Some(Instant::ZERO),
            readiness: Some(Readiness { ready: true, since: Instant::ZERO }),
            deleting: false,
        };
        let value = |v: f64| Reading::Total { milli: vec![milli(v)], at };
        Observation {
            at,
            desired: ready as u32,
            current: ready as u32,
            replicas: (0..ready).map(replica).collect(),
            readings: vec![value(rate), value(inside)],
        }
    }

    fn port() -> Mu {
        let spec = MuSpec { predict: false, slots: Some(4), ..MuSpec::default() };
        Mu::new(&spec, 20.0, (1, 100)).unwrap()
    }

    #[test]
    fn counts_as_worked_out_by_hand() {
        // E = 4/20 s = 0.2 s, SLO = 2 s, a replica works off 20 × 1.8 = 36 requests of the queue.
        assert_eq!(port().decide(&seen(95.0, 20.0, 5)).replicas, 5); // ⌈4.75⌉ + ⌈0 / 36⌉
        assert_eq!(port().decide(&seen(95.0, 93.0, 5)).replicas, 8); // 5 + ⌈73 / 36⌉
        assert_eq!(port().decide(&seen(95.0, 0.0, 20)).replicas, 10); // 5 − ⌊80 / 36⌋ = 3, half is 10
        assert_eq!(port().decide(&seen(300.0, 0.0, 20)).replicas, 13); // 15 − ⌊80 / 36⌋
        assert_eq!(port().decide(&seen(0.0, 0.0, 1)).replicas, 1);
        assert_eq!(port().decide(&seen(9_000.0, 0.0, 1)).replicas, 100); // 450, clamped
    }

    #[test]
    fn the_prediction_only_adds() {
        let history = Series {
            start: Instant::ZERO,
            step: Span::MINUTE,
            values: vec![homeostat_forecast::Value::Known(200.0); 60],
        };
        let spec = MuSpec { slots: Some(4), ..MuSpec::default() };
        let mut mu = Mu::new(&spec, 20.0, (1, 100)).unwrap().warmed(&history);
        // The bank has seen nothing but 200 per second.
        let next = mu.bank.clone().next(150.0);
        let plan = mu.decide(&seen(150.0, 40.0, 10));
        assert_eq!(plan.replicas, (next.max(150.0) / 20.0).ceil() as u32);
        let plan = mu.decide(&seen(400.0, 40.0, 10));
        assert_eq!(plan.replicas, 20); // the prediction can't exceed the largest rate seen
        assert_eq!(plan.reasons[0].rule, Rule::ObservedRate);
        let mut steady = mu.clone();
        let rates = [400.0, 300.0].repeat(500);
        let adds = rates
            .iter()
            .filter(|rate| steady.decide(&seen(**rate, 40.0, 10)).reasons[0].rule == Rule::PredictedRate);
        assert!(adds.count() > 300);
    }

    #[test]
    fn keeps_its_count_without_data() {
        let mut blind = seen(1.0, 1.0, 7);
        blind.readings[1] = Reading::Failed(FetchError::Empty);
        assert_eq!(port().decide(&blind).replicas, 7);
    }

    #[test]
    fn refuses_an_objective_below_the_execution_time() {
        let spec = MuSpec { slo: Some(Span::from_millis(10)), ..MuSpec::default() };
        let message = Mu::new(&spec, 20.0, (1, 9)).unwrap_err().to_string();
        assert!(message.contains("mu.slo") && message.contains("2s"), "{message}");
    }
}
