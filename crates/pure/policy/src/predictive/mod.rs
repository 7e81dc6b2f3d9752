//! Replicas for the load that comes.
//!
//! Our own: no upstream. At every decision it
//!
//! 1. feeds a forecaster with the rates seen and takes sample paths of the future from it,
//! 2. takes a quantile of the start-ups seen as the lead: what is ordered now works from then on,
//! 3. looks for the count at which, over the paths from the lead to one review period later, replicas and
//!    late requests cost least together ([`Capacity`] says how late a rate is); the price of a late request
//!    follows from the objective and from what is left of its budget,
//! 4. gives up only what no window needs until the lead has passed, and what most paths don't need for a hold
//!    after that,
//! 5. never goes below the fewest replicas that meet the objective at the rate observed now.
//!
//! Without a forecast it keeps a headroom over that floor; without data it keeps the count. What is seen of
//! the queue corrects slowly how late a window may be. `docs/predictive-scaling.md` has the whole story.

mod capacity;
mod feedback;
mod lead;
mod meter;
mod need;
mod spec;
#[cfg(test)]
mod tests;

use homeostat_core::decision::{FORECAST_LEVELS, ForecastNote};
use homeostat_core::policy::Sensing;
use homeostat_core::{Cadence, Instant, Need, Observation, Plan, Policy, Reading, Reason, Rule, Span};
use homeostat_forecast::{Paths, Settings, quantile};

pub use capacity::Capacity;
pub(crate) use spec::guards;
pub use spec::{PredictiveSpec, Use};

use crate::bounds::clamped;
use crate::error::PolicyError;
use crate::spec::BuildContext;
use feedback::Feedback;
use lead::Leads;
use meter::Meter;
use need::Window;

/// The pipeline where nothing is known of it.
const SENSING: Sensing =
    Sensing { scrape: Span::from_secs(15), window: Span::from_secs(15), delay: Span::from_secs(15) };
/// Data older than so many scrapes beside the pipeline's delay are stale.
const STALE: u64 = 4;
/// The budget that is left where the work alone uses the objective up.
const LEAST_BUDGET: f64 = 1e-4;
/// Share of the budget that a steady state may have.
const STEADY: f64 = 0.3;
/// The furthest future that is forecast.
const HORIZON: (Span, Span) = (Span::from_secs(600), Span::HOUR);
/// Windows that are looked at before a replica is given up, at most.
const WINDOWS: u64 = 60;
/// Metrics: rate and queue.
const RATE: u8 = 0;

/// The predictive policy of one target.
pub struct Predictive {
    spec: PredictiveSpec,
    bounds: (u32, u32),
    needs: [Need; 2],
    sensing: Sensing,
    capacity: Capacity,
    /// Late share permitted, the inevitable included.
    permitted: f64,
    /// Late share that a steady state may have: the rest of the budget is for surprises.
    steady: f64,
    meter: Meter,
    leads: Leads,
    feedback: Feedback,
    /// When the queue was last looked at.
    queue_at: Option<Instant>,
}

/// What a decision knows.
struct Now {
    at: Instant,
    rate: f64,
    /// Requests waiting.
    queue: f64,
    present: u32,
    lead: Span,
}

impl Predictive {
    /// The policy for a target whose service and objective are known.
    pub fn new(spec: &PredictiveSpec, context: &BuildContext) -> Result<Self, PolicyError> {
        spec.check()?;
        let (Some(service), Some(promise)) = (&context.service, context.promise) else {
            let problem = "needs a calibrated service and an objective, and the target has none";
            return Err(PolicyError::new("predictive", problem, "a scenario with both", "objective: 1s"));
        };
        context.capacity("predictive")?;
        let capacity = Capacity::new(service, promise);
        let budget = 1.0 - promise.attainment;
        let permitted = budget.max(capacity.inevitable() + LEAST_BUDGET);
        let steady = capacity.inevitable() + (permitted - capacity.inevitable()) * STEADY;
        let told = context.metrics.unwrap_or(SENSING);
        let known = homeostat_forecast::model::NAMES;
        let settings = Settings {
            step: spec.step,
            // What a decision looks at, start-ups of twice the usual length included.
            horizon: (service.start_up * 2 + spec.review + spec.hold + told.delay)
                .clamp(HORIZON.0, HORIZON.1),
            paths: spec.paths as usize,
            only: spec.model.as_deref().and_then(|own| known.into_iter().find(|name| *name == own)),
            ..Settings::default()
        };
        Ok(Self {
            bounds: (context.min, context.max),
            needs: ["requests_per_second", "queue_length"].map(|name| Need::Object(name.to_owned())),
            // The same scrapes, but rates from one to the next: windows that overlap blur the steps.
            sensing: Sensing { window: told.scrape, ..told },
            permitted,
            steady,
            meter: Meter::new(settings, context.history.clone(), context.start),
            leads: Leads::new(service.start_up),
            feedback: Feedback::new(spec.feedback, spec.gain, permitted),
            queue_at: None,
            spec: spec.clone(),
            capacity,
        })
    }

    /// Takes in what was observed; `None` without fresh data.
    fn sense(&mut self, observation: &Observation) -> Option<Now> {
        self.leads.watch(observation);
        let (rate, at) = observation.readings.first().and_then(Reading::total)?;
        self.meter.take(at, rate, self.sensing.window);
        let limit = self.sensing.delay + self.sensing.scrape * STALE;
        let queue = observation.readings.get(1).and_then(Reading::total);
        if observation.at.since(at) > limit || self.meter.absurd() {
            return None;
        }
        if let Some((queue, at)) = queue
            && self.queue_at.is_none_or(|last| at > last)
        {
            let time = self.queue_at.map_or(self.sensing.scrape, |last| at.since(last));
            self.feedback.saw(self.capacity.queued(queue, f64::from(observation.ready())), time);
            self.queue_at = Some(at);
        }
        Some(Now {
            at: observation.at,
            rate: self.meter.now()?,
            queue: queue.map_or(0.0, |(queue, _)| queue),
            present: observation.desired,
            lead: self.leads.quantile(self.spec.lead_quantile, observation.at),
        })
    }

    /// What a late request costs, in requests that a busy replica serves: the fewer may be late, the more.
    fn price(&self) -> f64 {
        let budget = self.permitted - self.capacity.inevitable();
        1.0 / (budget * self.spec.risk * self.feedback.factor())
    }

    /// The count by the forecast, with its reasons and the note; `None` without a forecast.
    fn ahead(&mut self, now: &Now, floor: u32) -> Option<(u32, Vec<Reason>, ForecastNote)> {
        let costs = (self.steady, self.price());
        let review = self.spec.review;
        let until = now.at + now.lead + review;
        let last = until + self.spec.hold;
        let certain = (self.spec.forecast == Use::Quantile).then_some(self.spec.quantile);
        let paths = self.meter.paths(last);
        if paths.count() == 0 {
            return None;
        }
        let window = |from: Instant, backlog: f64| {
            let window = Window::new(paths, (from, from + review), backlog);
            certain.map_or_else(|| window.clone(), |level| window.certain(level))
        };
        // What waits now has to be done beside what comes.
        let due = window(now.at + now.lead, now.queue);
        let count = due.cheapest(&self.capacity, costs, floor);
        let late = due.late(&self.capacity, count, costs.0);
        let fewer = due.late(&self.capacity, count.saturating_sub(1).max(1), costs.0);
        let per_cent = |share: f64| (share * 1e5).round() as i64;
        let mut reasons = vec![Reason {
            need: Some(RATE),
            observed_milli: per_cent(late),
            reference_milli: per_cent(fewer),
            ..Reason::of(Rule::ForecastWindow, count)
        }];
        let mut keep = count;
        if count < now.present {
            let windows = (last.since(now.at).0 / review.0).clamp(1, WINDOWS);
            for k in 0..windows {
                let from = now.at + review * k;
                if keep < now.present {
                    let own = window(from, 0.0);
                    // What can still be ordered in time is kept only where most paths need it.
                    let own = if from < now.at + now.lead { own } else { own.certain(0.5) };
                    keep = own.cheapest(&self.capacity, costs, keep).min(now.present);
                }
            }
            if keep > count {
                reasons.push(Reason::of(Rule::NeededAgain, keep));
            }
        }
        Some((keep, reasons, note(paths, now.at + now.lead, until)))
    }

    fn plan(&mut self, now: &Now) -> Plan {
        let floor = self.capacity.fewest(now.rate, self.permitted);
        let rate_milli = (now.rate * 1_000.0) as i64;
        let mut reasons = vec![Reason::metric(Rule::ReactiveFloor, RATE, rate_milli, rate_milli, floor)];
        let ahead = if self.spec.forecast == Use::Off { None } else { self.ahead(now, floor) };
        let (mut replicas, forecast) = if let Some((count, why, note)) = ahead {
            reasons.extend(why);
            (count, Some(note))
        } else {
            let rate = now.rate * (1.0 + self.spec.headroom_percent / 100.0);
            let count = self.capacity.fewest(rate, self.permitted).max(floor);
            let headroom = Reason::metric(Rule::NoForecast, RATE, rate_milli, (rate * 1e3) as i64, count);
            reasons.push(headroom);
            (count, None)
        };
        replicas = replicas.saturating_add(self.leads.overdue(now.lead, now.at));
        Plan { replicas, reasons, forecast, ..Plan::default() }
    }
}

impl Policy for Predictive {
    fn needs(&self) -> &[Need] {
        &self.needs
    }

    fn cadence(&self) -> Cadence {
        Cadence { sensing: Some(self.sensing), ..Cadence::every(self.spec.period) }
    }

    fn decide(&mut self, observation: &Observation) -> Plan {
        let plan = match self.sense(observation) {
            Some(now) => self.plan(&now),
            None => {
                let reason = Reason { need: Some(RATE), ..Reason::of(Rule::NoData, observation.desired) };
                Plan::scale(observation.desired, reason)
            }
        };
        clamped(plan, self.bounds)
    }
}

/// Quantiles of the paths' mean rates over a stretch.
fn note(paths: &Paths, from: Instant, until: Instant) -> ForecastNote {
    let mut rates: Vec<f64> = paths.iter().map(|path| meter::mean(paths, path, from, until)).collect();
    rates.sort_unstable_by(f64::total_cmp);
    let milli = |level: u16| (quantile(&rates, f64::from(level) / 1_000.0) * 1_000.0).round() as i64;
    ForecastNote { from, until, milli: FORECAST_LEVELS.map(milli) }
}
