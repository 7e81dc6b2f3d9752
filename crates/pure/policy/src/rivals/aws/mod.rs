//! Predictive scaling by the hour, as EC2 Auto Scaling does it.
//!
//! Source: the EC2 Auto Scaling user guide (*How predictive scaling works*) and the API reference of
//! `PredictiveScalingConfiguration`. Read there: at least 24 hours and up to 14 days of the load metric; an
//! hourly forecast of the next 48 hours, made anew every 6 hours; capacity for an hour is ordered
//! `SchedulingBufferTime` (300 s) before it; the forecast only scales out, a dynamic policy scales in, and
//! the larger capacity of both holds; `HonorMaxCapacity`; daily and weekly patterns.
//!
//! Ours, as it is not published: the forecast itself, see [`forecast`]. From memory of the user guide: target
//! tracking as the dynamic policy, with an alarm after 3 minutes above the target and one after 15 minutes
//! below 90 % of it, and 300 s of cool-down. Assumed: scaling in goes to what the largest of the 15 minutes
//! needs ("more gradually" is all that is said). `IncreaseMaxCapacity` is left out, a metric is always the
//! request rate per replica, and it comes through the scenario's pipeline.

mod forecast;
mod spec;
mod tracking;

pub use spec::{AwsPredictiveSpec, Mode};

use homeostat_core::{Cadence, Instant, Need, Observation, Plan, Policy, Reading, Reason, Rule, Span};
use homeostat_forecast::Series;

use super::{enough, milli};
use crate::bounds::clamped;
use crate::error::PolicyError;
use forecast::{Forecast, Hours, hour_of};
use tracking::{Tracked, Tracking};

/// Hours between two forecasts.
const EVERY: u64 = 6;

/// The policy with its state.
#[derive(Debug, Clone)]
pub struct AwsPredictive {
    spec: AwsPredictiveSpec,
    /// Requests per second and replica.
    target: f64,
    bounds: (u32, u32),
    needs: Vec<Need>,
    hours: Hours,
    forecast: Option<Forecast>,
    /// The hour in which the forecast was last tried.
    tried: Option<u64>,
    tracking: Tracking,
}

impl AwsPredictive {
    /// Builds the policy. `capacity` in requests per second and replica stands in where the settings leave
    /// the target out; `bounds` are the least and greatest count.
    pub fn new(spec: &AwsPredictiveSpec, capacity: f64, bounds: (u32, u32)) -> Result<Self, PolicyError> {
        let target = spec.target.unwrap_or(capacity * spec.capacity_percent / 100.0);
        spec.check(target)?;
        Ok(Self {
            spec: spec.clone(),
            target,
            bounds: (spec.min.unwrap_or(bounds.0), spec.max.unwrap_or(bounds.1)),
            needs: vec![Need::Object("requests_per_second".to_owned())],
            hours: Hours::default(),
            forecast: None,
            tried: None,
            tracking: Tracking::default(),
        })
    }

    /// Takes in the rates before the run.
    #[must_use]
    pub fn warmed(mut self, history: &Series) -> Self {
        for (index, value) in history.values.iter().enumerate() {
            self.hours.push(history.at(index), value.known());
        }
        self
    }

    /// Makes the forecast anew where it is due; without one it is tried every hour.
    fn look_ahead(&mut self, at: Instant) {
        let hour = hour_of(at);
        let due = self.tried.is_none_or(|tried| hour / EVERY > tried / EVERY);
        if due || (self.forecast.is_none() && self.tried.is_some_and(|tried| hour > tried)) {
            self.tried = Some(hour);
            self.forecast = self.hours.forecast();
        }
    }

    /// The rate that the forecast orders capacity for: that of this hour, or of the next within the buffer.
    fn forecast_rate(&self, at: Instant) -> Option<f64> {
        let forecast = self.forecast.as_ref().filter(|_| self.spec.mode == Mode::ForecastAndScale)?;
        Some(forecast.rate(at).max(forecast.rate(at + self.spec.scheduling_buffer)))
    }

    fn tracked(&mut self, observation: &Observation, rate: Option<f64>) -> (u32, Reason) {
        let desired = observation.desired;
        let Some(rate) = rate else {
            self.tracking.forget();
            return (desired, Reason { need: Some(0), ..Reason::of(Rule::NoData, desired) });
        };
        let (ready, cooldown) = (observation.ready(), self.spec.cooldown);
        let counts = (ready, desired);
        let per_replica = rate / f64::from(ready.max(1));
        let said = |rule, count| Reason::metric(rule, 0, milli(per_replica), milli(self.target), count);
        match self.tracking.track(observation.at, (rate, self.target), counts, cooldown) {
            Tracked::Out(count) | Tracked::In(count) => (count, said(Rule::MetricRatio, count)),
            Tracked::Keep => (desired, said(Rule::WithinTolerance, desired)),
            Tracked::Cooling(since) => {
                let mut reason = Reason::of(Rule::CoolDown, desired);
                reason.observed_milli = milli(since.as_secs_f64());
                reason.reference_milli = milli(cooldown.as_secs_f64());
                (desired, reason)
            }
        }
    }
}

impl Policy for AwsPredictive {
    fn needs(&self) -> &[Need] {
        &self.needs
    }

    fn cadence(&self) -> Cadence {
        Cadence::every(Span::MINUTE)
    }

    fn decide(&mut self, observation: &Observation) -> Plan {
        let read = observation.readings.first().and_then(Reading::total);
        let at = read.map_or(observation.at, |(_, at)| at);
        self.hours.push(at, read.map(|(rate, _)| rate));
        self.look_ahead(observation.at);
        let (count, reason) = self.tracked(observation, read.map(|(rate, _)| rate));
        let mut plan = Plan::scale(count, reason);
        if let Some(rate) = self.forecast_rate(observation.at) {
            let scheduled = enough(rate, self.target);
            let reason = Reason::metric(Rule::PredictedRate, 0, milli(rate), milli(self.target), scheduled);
            plan.reasons.push(reason);
            plan.replicas = plan.replicas.max(scheduled);
        }
        let plan = clamped(plan, self.bounds);
        if plan.replicas != observation.desired {
            self.tracking.changed(observation.at);
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeostat_core::Reading;
    use homeostat_core::observe::FetchError;
    use homeostat_forecast::Value;

    fn seen(at: Instant, rate: f64, desired: u32) -> Observation {
        let readings = vec![Reading::Total { milli: vec![milli(rate)], at }];
        Observation { at, desired, current: desired, replicas: Vec::new(), readings }
    }

    /// Two days in which ten o'clock is busy: 300 per second, else 30.
    fn history() -> Series {
        let rate = |minute: usize| if minute / 60 % 24 == 10 { 300.0 } else { 30.0 };
        let values = (0..2 * 1_440).map(|minute| Value::Known(rate(minute))).collect();
        Series { start: Instant::ZERO, step: Span::MINUTE, values }
    }

    fn policy(spec: &AwsPredictiveSpec) -> AwsPredictive {
        AwsPredictive::new(spec, 10.0, (1, 25)).unwrap().warmed(&history())
    }

    fn clock(hours: u64, minutes: u64) -> Instant {
        Instant::ZERO + Span::DAY * 2 + Span::HOUR * hours + Span::MINUTE * minutes
    }

    #[test]
    fn orders_for_the_hour_five_minutes_before_it() {
        let spec = AwsPredictiveSpec { capacity_percent: 100.0, ..AwsPredictiveSpec::default() };
        let mut policy = policy(&spec);
        let mut count = |at| policy.decide(&seen(at, 30.0, 3)).replicas;
        assert_eq!(count(clock(9, 54)), 3);
        assert_eq!(count(clock(9, 55)), 25); // 30 by the forecast: the maximum is honoured
        assert_eq!(count(clock(10, 59)), 25);
        assert_eq!(count(clock(11, 0)), 3);
    }

    #[test]
    fn only_looks_where_it_is_told_to() {
        let spec = AwsPredictiveSpec { mode: Mode::ForecastOnly, ..AwsPredictiveSpec::default() };
        assert_eq!(policy(&spec).decide(&seen(clock(10, 30), 30.0, 5)).replicas, 5);
    }

    #[test]
    fn the_forecast_stays_for_six_hours() {
        let mut policy = policy(&AwsPredictiveSpec::default());
        policy.decide(&seen(clock(0, 0), 30.0, 5));
        let first = policy.forecast.clone();
        for minute in 1..360 {
            policy.decide(&seen(clock(0, minute), 90.0, 5));
        }
        assert_eq!(policy.forecast, first);
        policy.decide(&seen(clock(6, 0), 90.0, 5));
        assert_ne!(policy.forecast, first);
    }

    #[test]
    fn keeps_its_count_without_data() {
        let spec = AwsPredictiveSpec::default();
        let mut policy = AwsPredictive::new(&spec, 10.0, (1, 25)).unwrap();
        let mut blind = seen(clock(0, 0), 1.0, 7);
        blind.readings = vec![Reading::Failed(FetchError::Unavailable)];
        assert_eq!(policy.decide(&blind).replicas, 7);
    }
}
