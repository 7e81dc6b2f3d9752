//! `MArk`'s proactive provisioning: an LSTM forecast of the load, and enough instances for its next minutes.
//!
//! Source: Zhang, Yu, Wang and Yan, *`MArk`: Exploiting Cloud Services for Cost-Effective, SLO-Aware Machine
//! Learning Inference Serving*, USENIX ATC 2019 (abstract only) and its public code, read:
//! `workload/prediction/train.py`, `modules/{load_predictor,proactive_controller2,scheduler,constants}.py`.
//! From there:
//!
//! - requests are counted in windows of 5 s; once a minute the largest times 1.2 is the load;
//! - the predictor: one LSTM layer of 32 units, the scaled change of the last minute in, the changes of the
//!   next 50 out, trained once, before the service starts;
//! - the greedy controller fills the largest gap within 6 minutes by the cheapest type until there is none:
//!   with one type of instance, ⌈largest forecast of 6 minutes / capacity⌉;
//! - an instance is only given up when the last six plans agree that it is not needed.
//!
//! The public scheduler has the predictor commented out and plans for the largest load ever seen times 1.2;
//! `forecaster: peak` is that. It stands in as well until the network can be trained.
//!
//! What differs: the network learns from the rates before the run (at most the last three days, from one day
//! on), else from the first day of the run, once, in 10 epochs, not 50; there is one type of instance, so
//! that batching, spot prices and the choice of type fall away; the serverless functions that take unforeseen
//! bursts and the standby instances for failures are left out, as a target has replicas only.

mod forecast;
mod lstm;
mod spec;

pub use spec::{Foresight, MarkSpec};

use std::collections::VecDeque;

use homeostat_core::policy::Sensing;
use homeostat_core::{Cadence, Instant, Need, Observation, Plan, Policy, Reading, Reason, Rule, Span};
use homeostat_forecast::Series;

use super::{enough, milli};
use crate::bounds::clamped;
use crate::error::PolicyError;
use forecast::Predictor;

/// Length of a window in which requests are counted.
const WINDOW: Span = Span::from_secs(5);
/// Minutes ahead for which there has to be enough.
const AHEAD: usize = 6;
/// Plans that have to agree before an instance is given up.
const PLANS: usize = 6;
/// Minutes that are needed to train, and that are used at most.
const LEAST: usize = 1_440;
const MOST: usize = 3 * LEAST;

/// `MArk`'s policy with its state.
#[derive(Debug, Clone)]
pub struct Mark {
    spec: MarkSpec,
    /// Requests per second and replica.
    capacity: f64,
    bounds: (u32, u32),
    needs: Vec<Need>,
    /// Mean rates by the minute, to learn from; empty once it has learned.
    minutes: VecDeque<f64>,
    predictor: Option<Predictor>,
    trained: bool,
    /// When the minute that is being counted began.
    minute: Option<Instant>,
    /// Largest rate, sum of rates and number of windows of this minute.
    counted: (f64, f64, f64),
    most: f64,
    plans: VecDeque<u32>,
}

impl Mark {
    /// Builds the policy. `capacity` in requests per second and replica stands in where the settings leave
    /// theirs out; `bounds` are the least and greatest count.
    pub fn new(spec: &MarkSpec, capacity: f64, bounds: (u32, u32)) -> Result<Self, PolicyError> {
        let capacity = spec.capacity.unwrap_or(capacity * spec.capacity_percent / 100.0);
        spec.check(capacity)?;
        Ok(Self {
            spec: spec.clone(),
            capacity,
            bounds,
            needs: vec![Need::Object("requests_per_second".to_owned())],
            minutes: VecDeque::new(),
            predictor: None,
            trained: spec.forecaster == Foresight::Peak,
            minute: None,
            counted: (0.0, 0.0, 0.0),
            most: 0.0,
            plans: VecDeque::new(),
        })
    }

    /// Takes in the rates before the run, which come by the minute. Training waits for the first decision.
    #[must_use]
    pub fn warmed(mut self, history: &Series) -> Self {
        for rate in history.values.iter().filter_map(|value| value.known()) {
            self.remember(rate);
        }
        self
    }

    fn remember(&mut self, rate: f64) {
        if self.trained {
            return;
        }
        self.minutes.push_back(rate);
        if self.minutes.len() > MOST {
            self.minutes.pop_front();
        }
    }

    /// Trains as soon as there is enough to learn from, once.
    fn train(&mut self) {
        if self.trained || self.minutes.len() < LEAST {
            return;
        }
        self.predictor = Predictor::train(self.minutes.make_contiguous(), self.spec.epochs);
        self.minutes = VecDeque::new();
        self.trained = true;
    }

    /// The largest rate of the next minutes, from the largest window of the last one.
    fn foreseen(&mut self, peak: f64) -> f64 {
        let load = peak * self.spec.margin;
        self.most = self.most.max(load);
        let Some(predictor) = &mut self.predictor else { return self.most };
        predictor.next(load).into_iter().take(AHEAD).fold(0.0, f64::max)
    }

    /// What the last plans agree on.
    fn planned(&mut self, plan: u32, desired: u32) -> u32 {
        self.plans.push_back(plan);
        if self.plans.len() > PLANS {
            self.plans.pop_front();
        }
        if self.plans.len() < PLANS {
            return plan.max(desired);
        }
        self.plans.iter().copied().max().unwrap_or(plan)
    }
}

impl Policy for Mark {
    fn needs(&self) -> &[Need] {
        &self.needs
    }

    fn cadence(&self) -> Cadence {
        // The frontend counts its own requests.
        let sensing = Sensing { scrape: WINDOW, window: WINDOW, delay: Span::ZERO };
        Cadence { sensing: Some(sensing), ..Cadence::every(WINDOW) }
    }

    fn decide(&mut self, observation: &Observation) -> Plan {
        let desired = observation.desired;
        let Some((rate, _)) = observation.readings.first().and_then(Reading::total) else {
            let reason = Reason { need: Some(0), ..Reason::of(Rule::NoData, desired) };
            return Plan::scale(desired, reason);
        };
        self.train();
        let (peak, sum, windows) = self.counted;
        self.counted = (peak.max(rate), sum + rate, windows + 1.0);
        let began = *self.minute.get_or_insert(observation.at);
        if observation.at.since(began) + WINDOW < Span::MINUTE {
            return Plan { replicas: desired, ..Plan::default() };
        }
        let (peak, sum, windows) = std::mem::take(&mut self.counted);
        self.minute = Some(observation.at + WINDOW);
        self.remember(sum / windows);
        let foreseen = self.foreseen(peak);
        let wanted = enough(foreseen, self.capacity);
        let count = self.planned(wanted, desired);
        let rule = if self.predictor.is_some() { Rule::PredictedRate } else { Rule::ObservedRate };
        let mut plan =
            Plan::scale(count, Reason::metric(rule, 0, milli(foreseen), milli(self.capacity), wanted));
        if count > wanted {
            plan.reasons.push(Reason::of(Rule::Stabilized, count));
        }
        clamped(plan, self.bounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeostat_core::Reading;
    use homeostat_core::observe::FetchError;
    use homeostat_forecast::Value;

    fn seen(window: u64, rate: f64, desired: u32) -> Observation {
        let at = Instant::ZERO + WINDOW * window;
        let readings = vec![Reading::Total { milli: vec![milli(rate)], at }];
        Observation { at, desired, current: desired, replicas: Vec::new(), readings }
    }

    /// The counts after each of some minutes at these rates, the last window of a minute twice as high.
    fn counts(mut policy: Mark, rates: &[f64]) -> Vec<u32> {
        let mut desired = 5;
        let mut counts = Vec::new();
        for (minute, rate) in rates.iter().enumerate() {
            for window in 0..12 {
                let rate = if window == 11 { 2.0 * rate } else { *rate };
                desired = policy.decide(&seen(minute as u64 * 12 + window, rate, desired)).replicas;
            }
            counts.push(desired);
        }
        counts
    }

    #[test]
    fn the_public_rule_plans_for_the_largest_window_ever() {
        let spec = MarkSpec { forecaster: Foresight::Peak, ..MarkSpec::default() };
        let policy = Mark::new(&spec, 20.0, (1, 100)).unwrap();
        // 2 × 100 × 1.2 / 20 = 12.
        assert_eq!(counts(policy, &[30.0, 100.0, 10.0, 10.0]), [5, 12, 12, 12]);
    }

    fn trained() -> Mark {
        let rate = |minute: usize| Value::Known(if minute % 10 < 5 { 100.0 } else { 20.0 });
        let values = (0..LEAST).map(rate).collect();
        let history = Series { start: Instant::ZERO, step: Span::MINUTE, values };
        let spec = MarkSpec { epochs: 3, ..MarkSpec::default() };
        Mark::new(&spec, 20.0, (1, 100)).unwrap().warmed(&history)
    }

    #[test]
    fn gives_up_only_what_six_plans_agree_on() {
        let mut policy = Mark::new(&MarkSpec::default(), 20.0, (1, 100)).unwrap();
        let plans = [9, 4, 4, 4, 4, 4, 4, 7];
        let counts = plans.map(|plan| policy.planned(plan, 6));
        assert_eq!(counts, [9, 6, 6, 6, 6, 9, 4, 7]);
    }

    #[test]
    fn the_network_forgets_old_peaks() {
        let rates = [[100.0; 1].as_slice(), &[10.0; 14]].concat();
        let found = counts(trained(), &rates);
        assert!(found[0] >= 10 && found[14] <= 6, "{found:?}");
        assert_eq!(found, counts(trained(), &rates));
    }

    #[test]
    fn keeps_its_count_without_data() {
        let mut blind = seen(0, 1.0, 7);
        blind.readings = vec![Reading::Failed(FetchError::Unavailable)];
        assert_eq!(trained().decide(&blind).replicas, 7);
    }
}
