//! The policies of the `AutoScale` paper, as baselines.
//!
//! Source: Gandhi, Harchol-Balter, Raghunathan, Kozuch, *`AutoScale`: Dynamic, Robust Capacity Management
//! for Multi-Tier Data Centers*, ACM TOCS 30(4), article 14, 2012. Read there: 60 requests per second and
//! server, set-up time 260 s, idle timer (`t_wait`) 120 s, 10 requests per server before the next one
//! in order is used. Taken from memory of the text, not checked again: how the two predictors extrapolate
//! over the set-up time, that they give capacity back down to the largest rate predicted within it, and
//! that `AutoScale--` adds capacity as *Reactive* does.
//!
//! - `always-on`: enough for the peak, always.
//! - `reactive`: ⌈rate / capacity⌉, from the rate of now.
//! - `predictive-mwa`, `predictive-lr`: the same from the rate predicted for one set-up time ahead, by a
//!   moving average over a window or by a straight line through it.
//! - `autoscale--`: up like `reactive`; down only replicas that have had no request for `t_wait`. It is meant
//!   for a balancer that fills replicas in order (`index_packing`), so that spare ones fall idle.
//! - `autoscale`: the same, and also up when the requests in the system exceed `packing` per replica. This is
//!   how the paper notices longer requests and slower servers, in a coarser form: its conversion of
//!   requests in the system into load, which depends on the server's speed-up curve, is left out.
//!
//! What else differs: decisions and measurements are periodic, not per request; a replica's timer counts
//! only samples of zero concurrency over their whole window; an idle replica that the present rate still
//! calls for is kept, since the next decision would only order it again; without data nothing changes.
//! The paper tunes the predictors' window per trace; the default of four minutes here is ours.

mod idle;
mod predict;
mod spec;

pub use spec::{AutoscaleSpec, SensingSpec, Variant};

use homeostat_core::policy::Sensing;
use homeostat_core::{Cadence, Instant, Need, Observation, Plan, Policy, Reading, Reason, Rule, Span};

use crate::bounds::clamped;
use crate::error::PolicyError;
use idle::IdleTimers;
use predict::History;

/// One of the paper's policies, with its state.
#[derive(Debug, Clone)]
pub struct Autoscale {
    variant: Variant,
    capacity: f64,
    peak: u32,
    setup: Span,
    idle_timeout: Span,
    packing: u32,
    bounds: (u32, u32),
    cadence: Cadence,
    needs: Vec<Need>,
    history: History,
    timers: IdleTimers,
}

impl Autoscale {
    /// Builds a variant. `capacity` (requests per second and replica) and `peak_rate` (requests per second)
    /// stand in where the settings leave theirs out; `bounds` are the least and greatest count.
    pub fn new(
        spec: &AutoscaleSpec,
        capacity: f64,
        peak_rate: f64,
        bounds: (u32, u32),
    ) -> Result<Self, PolicyError> {
        let share = spec.capacity_percent.unwrap_or(100.0) / 100.0;
        let capacity = spec.capacity.unwrap_or(capacity * share);
        let peak_rate = spec.peak_rate.unwrap_or(peak_rate);
        spec.check(capacity, peak_rate)?;
        let sensing = spec.own_metrics.map(Sensing::from);
        Ok(Self {
            variant: spec.variant,
            capacity,
            peak: replicas_for(peak_rate, capacity),
            setup: spec.setup,
            idle_timeout: spec.idle_timeout,
            packing: spec.packing,
            bounds,
            cadence: Cadence { sensing, ..Cadence::every(spec.period) },
            needs: needs_of(spec.variant),
            history: History::new(spec.window),
            timers: IdleTimers::default(),
        })
    }

    fn predicted(&mut self, rate: f64, at: Instant) -> f64 {
        self.history.push(at, rate);
        let (last, largest) = match self.variant {
            Variant::PredictiveMwa => self.history.moving_average(self.setup),
            _ => self.history.line(self.setup),
        };
        if last > rate { last } else { largest }
    }

    /// Capacity falls only by replicas whose timer ran out.
    fn packed(&mut self, observation: &Observation, up: &Plan) -> Plan {
        if up.replicas > observation.desired {
            self.watch(observation);
            return up.clone();
        }
        let floor = up.replicas.max(self.bounds.0);
        let Some((expired, longest)) = self.watch(observation) else {
            let reason = Reason { need: Some(1), ..Reason::of(Rule::NoData, observation.desired) };
            return Plan::scale(observation.desired, reason);
        };
        let spare = observation.desired.saturating_sub(floor) as usize;
        let retire: Vec<_> = expired.into_iter().take(spare).collect();
        let replicas = observation.desired - retire.len() as u32;
        let (idle_ms, wait_ms) = (longest.0 / 1_000_000, self.idle_timeout.0 / 1_000_000);
        let rule = if retire.is_empty() { Rule::IdleTimer } else { Rule::Idle };
        let mut reasons = up.reasons.clone();
        reasons.push(Reason::metric(rule, 1, idle_ms as i64, wait_ms as i64, replicas));
        Plan { replicas, retire, reasons, ..Plan::default() }
    }

    /// The replicas whose timer ran out, the last in order first, and the longest idle time of all;
    /// `None` without data.
    fn watch(&mut self, observation: &Observation) -> Option<(Vec<homeostat_core::ReplicaId>, Span)> {
        let Some(Reading::PerReplica(samples)) = observation.readings.get(1) else {
            self.timers = IdleTimers::default();
            return None;
        };
        self.timers.update(&observation.replicas, samples);
        Some((self.timers.expired(observation.at, self.idle_timeout), self.timers.longest(observation.at)))
    }

    fn wanted(&mut self, observation: &Observation, rate: f64, at: Instant) -> Plan {
        match self.variant {
            Variant::AlwaysOn => Plan::scale(self.peak, Reason::of(Rule::Fixed, self.peak)),
            Variant::Reactive => by_rate(Rule::ObservedRate, rate, self.capacity),
            Variant::PredictiveMwa | Variant::PredictiveLr => {
                let rate = self.predicted(rate, at);
                by_rate(Rule::PredictedRate, rate, self.capacity)
            }
            Variant::AutoscaleMinus | Variant::Autoscale => {
                let mut up = by_rate(Rule::ObservedRate, rate, self.capacity);
                self.raise_for_requests_in_system(observation, &mut up);
                self.packed(observation, &up)
            }
        }
    }

    fn raise_for_requests_in_system(&self, observation: &Observation, up: &mut Plan) {
        if self.variant != Variant::Autoscale {
            return;
        }
        let Some((in_system, _)) = observation.readings.get(2).and_then(Reading::total) else {
            return;
        };
        let count = replicas_for(in_system, f64::from(self.packing));
        let packing_milli = i64::from(self.packing) * 1_000;
        up.replicas = up.replicas.max(count);
        let observed = (in_system * 1_000.0) as i64;
        up.reasons.push(Reason::metric(Rule::MetricRatio, 2, observed, packing_milli, count));
    }
}

impl Policy for Autoscale {
    fn needs(&self) -> &[Need] {
        &self.needs
    }

    fn cadence(&self) -> Cadence {
        self.cadence
    }

    fn decide(&mut self, observation: &Observation) -> Plan {
        let plan = match observation.readings.first().and_then(Reading::total) {
            None if self.variant != Variant::AlwaysOn => {
                let reason = Reason { need: Some(0), ..Reason::of(Rule::NoData, observation.desired) };
                Plan::scale(observation.desired, reason)
            }
            rate => {
                let (rate, at) = rate.unwrap_or((0.0, observation.at));
                self.wanted(observation, rate, at)
            }
        };
        clamped(plan, self.bounds)
    }
}

fn needs_of(variant: Variant) -> Vec<Need> {
    let rate = Need::Object("requests_per_second".to_owned());
    let each = Need::Pods("concurrency".to_owned());
    match variant {
        Variant::AlwaysOn => Vec::new(),
        Variant::Reactive | Variant::PredictiveMwa | Variant::PredictiveLr => vec![rate],
        Variant::AutoscaleMinus => vec![rate, each],
        Variant::Autoscale => vec![rate, each, Need::Object("concurrency".to_owned())],
    }
}

/// Enough replicas for `rate` requests per second at `capacity` each.
fn by_rate(rule: Rule, rate: f64, capacity: f64) -> Plan {
    let count = replicas_for(rate, capacity);
    let (rate_milli, capacity_milli) = ((rate * 1_000.0) as i64, (capacity * 1_000.0) as i64);
    Plan::scale(count, Reason::metric(rule, 0, rate_milli, capacity_milli, count))
}

/// Whole replicas for a load at so much load per replica.
fn replicas_for(load: f64, per_replica: f64) -> u32 {
    (load.max(0.0) / per_replica).ceil() as u32
}

#[cfg(test)]
mod tests;
