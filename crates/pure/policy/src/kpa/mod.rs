//! The Knative pod autoscaler (KPA) of serving v0.50.0, exactly.
//!
//! Source: `knative.dev/serving` v0.50.0 (Knative 1.23), `pkg/autoscaler` and
//! `pkg/reconciler/autoscaling/kpa`. Histories of the upstream collector, decider and scaler, recorded
//! by `testing/oracles/kpa`, are replayed against this module; what can't be compared is listed in
//! `testing/oracles/README.md`.
//!
//! The policy is asked every second, since every second's load must reach its windows; it decides anew
//! on every second call (and at once when traffic meets a target at zero) and otherwise moves along its
//! timers towards zero.
//!
//! Needs, all in thousandths: `Pods("concurrency")` or `Pods("requests_per_second")`, the average load
//! of each replica over the last second *without* what came through the activator;
//! `Object("activator_concurrency")`, requests held or passed on by the activator, zero for "no
//! message"; and with `metric: rps` also `Object("activator_requests_per_second")`.

mod decider;
mod scaler;
mod spec;
#[cfg(test)]
mod tests;
mod window;

use homeostat_core::policy::Sensing;
use homeostat_core::{Cadence, Instant, Need, Observation, Plan, Policy, Reading, Reason, Rule, Span};

pub use decider::{Decider, TICK};
pub use scaler::{Activity, Scaler};
pub use spec::{KpaMetric, KpaSpec};
pub use window::{Buckets, Greatest};

use self::scaler::Moment;
use crate::error::PolicyError;

/// Name of the activator's metric.
pub const ACTIVATOR_CONCURRENCY: &str = "activator_concurrency";
/// Name of the activator's metric for `metric: rps`.
pub const ACTIVATOR_RPS: &str = "activator_requests_per_second";

/// What the policy remembers. Plain data; times come with the observations.
#[derive(Debug, Clone, PartialEq)]
pub struct KpaState {
    /// Windows, panic and the latest decision.
    pub decider: Decider,
    /// The way from and to zero.
    pub scaler: Scaler,
    /// When to decide next.
    pub next_tick: Instant,
    scraped: Option<Instant>,
    heard: Option<Instant>,
}

/// The policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Kpa {
    spec: KpaSpec,
    needs: Vec<Need>,
    state: Option<KpaState>,
}

impl Kpa {
    /// A policy with these settings.
    pub fn new(spec: KpaSpec) -> Result<Self, PolicyError> {
        spec.check()?;
        let mut needs = vec![Need::Pods("concurrency".to_owned())];
        needs.push(Need::Object(ACTIVATOR_CONCURRENCY.to_owned()));
        if spec.metric == KpaMetric::Rps {
            needs[0] = Need::Pods("requests_per_second".to_owned());
            needs.push(Need::Object(ACTIVATOR_RPS.to_owned()));
        }
        Ok(Self { spec, needs, state: None })
    }

    /// What the policy remembers; nothing before the first decision.
    pub const fn state(&self) -> Option<&KpaState> {
        self.state.as_ref()
    }

    /// Puts back what [`Kpa::state`] gave.
    pub fn restore(&mut self, state: KpaState) {
        self.state = Some(state);
    }
}

impl Policy for Kpa {
    fn needs(&self) -> &[Need] {
        &self.needs
    }

    fn cadence(&self) -> Cadence {
        let sensing = Sensing { scrape: Span::SECOND, window: Span::SECOND, delay: Span::ZERO };
        Cadence { period: Span::SECOND, sensing: Some(sensing), wake_from_zero: true }
    }

    fn decide(&mut self, observation: &Observation) -> Plan {
        let spec = &self.spec;
        let state = self.state.get_or_insert_with(|| KpaState::new(spec, observation));
        let mut reasons = Vec::new();
        state.collect(spec, observation, &mut reasons);
        if observation.at >= state.next_tick {
            state.decider.scale(spec, observation.ready(), observation.at, &mut reasons);
            while state.next_tick <= observation.at {
                state.next_tick += TICK;
            }
        }
        let moment =
            Moment { now: observation.at, ready: observation.ready(), current: observation.desired as i32 };
        let replicas = state.scaler.reconcile(spec, &state.decider, moment, &mut reasons);
        Plan { replicas: replicas.max(0) as u32, reasons, ..Plan::default() }
    }
}

impl KpaState {
    fn new(spec: &KpaSpec, observation: &Observation) -> Self {
        Self {
            decider: Decider::new(spec, observation.ready(), observation.at),
            scaler: Scaler::new(observation.desired, observation.at),
            next_tick: observation.at + TICK,
            scraped: None,
            heard: None,
        }
    }

    /// Takes in what is new: the replicas' values, then the activator's message.
    fn collect(&mut self, spec: &KpaSpec, observation: &Observation, reasons: &mut Vec<Reason>) {
        if spec.target_burst_capacity != -1.0
            && let Some((at, load)) = scrape(observation)
            && self.scraped.is_none_or(|last| at > last)
        {
            self.scraped = Some(at);
            self.decider.record(at, load);
        }
        let Some((at, held)) = total(observation, 1) else {
            return;
        };
        if held == 0.0 || self.heard.is_some_and(|last| at <= last) {
            return;
        }
        self.heard = Some(at);
        let load = match spec.metric {
            KpaMetric::Concurrency => held,
            KpaMetric::Rps => total(observation, 2).map_or(0.0, |(_, rate)| rate),
        };
        self.decider.record(at, load);
        if self.decider.desired == 0 {
            self.decider.scale(spec, observation.ready(), at, reasons);
            let count = self.decider.desired.max(0) as u32;
            reasons.push(Reason::metric(Rule::Wake, 1, (held * 1000.0) as i64, 0, count));
        }
    }
}

/// The load of all ready replicas, and when it was measured. Where only a sample of them has values, it
/// is extrapolated if the sample is as large as upstream wants it.
fn scrape(observation: &Observation) -> Option<(Instant, f64)> {
    let Some(Reading::PerReplica(samples)) = observation.readings.first() else {
        return None;
    };
    let mut ready: Vec<_> = observation.replicas.iter().filter(|r| r.is_ready()).map(|r| r.id).collect();
    ready.sort_unstable();
    let (mut n, mut milli, mut at) = (0, 0, None);
    for sample in samples.iter().filter(|sample| ready.binary_search(&sample.replica).is_ok()) {
        n += 1;
        milli += sample.milli;
        at = at.max(Some(sample.at));
    }
    let (at, all, sum) = (at?, ready.len(), milli as f64 / 1000.0);
    if n == all {
        Some((at, sum))
    } else if n as f64 >= sample_size(all as f64) {
        Some((at, sum / n as f64 * all as f64))
    } else {
        None
    }
}

/// How many of `population` replicas make a sample (95 % confidence, error margin 5, variance 100).
fn sample_size(population: f64) -> f64 {
    const UNBOUNDED: f64 = 1.96 * 1.96 * 100.0 / (5.0 * 5.0);
    if population <= 3.0 {
        population
    } else {
        (population * UNBOUNDED / (population + UNBOUNDED - 1.0)).ceil()
    }
}

/// The sum of a metric of the target as a whole.
fn total(observation: &Observation, need: usize) -> Option<(Instant, f64)> {
    match observation.readings.get(need) {
        Some(Reading::Total { milli, at }) => Some((*at, milli.iter().sum::<i64>() as f64 / 1000.0)),
        _ => None,
    }
}
