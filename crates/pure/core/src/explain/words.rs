//! Rules and guards in words.

use super::quantity::{Unit, need_name, plain};
use crate::decision::{ForecastNote, GuardAction, GuardKind};
use crate::observe::{Observation, Reading};
use crate::policy::Need;
use crate::reason::{Reason, Rule};
use crate::time::Instant;

/// `1 replica`, `9 replicas`.
pub(super) fn replicas(count: u32) -> String {
    if count == 1 { "1 replica".to_owned() } else { format!("{count} replicas") }
}

/// A reason in words, and the count it leads to.
pub(super) fn reason(reason: &Reason, observation: &Observation, needs: &[Need]) -> String {
    format!("{} → {}", statement(&Spoken::new(reason, observation, needs)), reason.proposed)
}

/// A reason's parts as text.
struct Spoken {
    rule: Rule,
    /// The metric, or "the metric".
    name: String,
    /// The value observed.
    observed: String,
    /// The value it was compared with.
    reference: String,
    /// Whether either value says something.
    valued: bool,
}

impl Spoken {
    fn new(reason: &Reason, observation: &Observation, needs: &[Need]) -> Self {
        let need = reason.need.and_then(|need| needs.get(usize::from(need)));
        let name = match (need, reason.need) {
            (Some(need), _) => need_name(need),
            (None, Some(index)) => format!("metric {}", u32::from(index) + 1),
            (None, None) => "the metric".to_owned(),
        };
        let unit = unit_of(reason, observation, need);
        Self {
            rule: reason.rule,
            name,
            observed: unit.show(reason.observed_milli),
            reference: unit.show(reason.reference_milli),
            valued: reason.observed_milli != 0 || reason.reference_milli != 0,
        }
    }

    /// `text`, with the two values joined by `between` where they say something.
    fn with(&self, text: &str, between: &str) -> String {
        if self.valued {
            format!("{text} ({} {between} {})", self.observed, self.reference)
        } else {
            text.to_owned()
        }
    }

    /// The metric's value, which lies at this place beside the reference.
    fn beside(&self, place: &str) -> String {
        format!("{} at {} {place} of {}", self.name, self.observed, self.reference)
    }

    /// The metric's value against a reference of this name.
    fn against(&self, what: &str) -> String {
        self.beside(&format!("against {what}"))
    }
}

/// The unit of a reason's two values. A reason doesn't say whether it compares a resource's usage or its
/// share of what is requested (in per cent, as Kubernetes does): usage lies among the samples.
fn unit_of(reason: &Reason, observation: &Observation, need: Option<&Need>) -> Unit {
    if is_about_time(reason.rule) {
        return Unit::Seconds;
    }
    let unit = need.filter(|_| !is_about_counts(reason.rule)).map_or(Unit::Plain, Unit::of);
    let reading = reason.need.and_then(|need| observation.readings.get(usize::from(need)));
    match reading {
        _ if unit == Unit::Plain => unit,
        Some(reading) if lies_among(reason.observed_milli, reading) => unit,
        _ if is_share(reason) => Unit::Percent,
        _ => Unit::Plain,
    }
}

/// Whether `milli` may be an average of some of the samples, give or take rounding.
fn lies_among(milli: i64, reading: &Reading) -> bool {
    let Reading::PerReplica(samples) = reading else {
        return false;
    };
    let values = || samples.iter().map(|sample| sample.milli);
    let least = values().min().unwrap_or(i64::MAX).saturating_sub(1);
    let largest = values().max().unwrap_or(i64::MIN).saturating_add(1);
    (least..=largest).contains(&milli)
}

/// Whether the reason compares whole per cents.
const fn is_share(reason: &Reason) -> bool {
    matches!(reason.rule, Rule::MetricRatio | Rule::WithinTolerance)
        && reason.observed_milli % 1_000 == 0
        && reason.reference_milli % 1_000 == 0
}

/// Whether the values of this rule are lengths of time, in thousandths of a second.
const fn is_about_time(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::Idle
            | Rule::CoolDown
            | Rule::DelayNotElapsed
            | Rule::ForbiddenWindow
            | Rule::IdleTimer
            | Rule::Grace
            | Rule::MaxAge
            | Rule::SurgeStarts
    )
}

/// Whether the values of this rule are counts, in thousandths.
const fn is_about_counts(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::Stabilized
            | Rule::RateLimited
            | Rule::Clamped
            | Rule::OutOfBounds
            | Rule::TooFewAvailable
            | Rule::Fallback
            | Rule::ForecastCount
    )
}

fn statement(say: &Spoken) -> String {
    match say.rule {
        Rule::MetricRatio => say.against("a target"),
        Rule::WithinTolerance => format!("{}: within tolerance", say.against("a target")),
        Rule::MetricUnavailable => format!("{} could not be read", say.name),
        Rule::StableWindow => say.against("a target") + " over the stable window",
        Rule::PanicWindow => say.against("a target") + " over the panic window",
        Rule::AboveHighWatermark => say.beside("above the high watermark"),
        Rule::BelowLowWatermark => say.beside("below the low watermark"),
        Rule::BetweenWatermarks => {
            format!("{} at {} between the watermarks", say.name, say.observed)
        }
        Rule::ObservedRate => say.with("enough for the rate observed", "at") + " per replica",
        Rule::PredictedRate => say.with("enough for the rate predicted", "at") + " per replica",
        Rule::ReactiveFloor => say.with("the fewest that meet the objective at the rate observed", "of"),
        Rule::ForecastWindow => format!(
            "the cheapest over the forecast, late requests priced (expected late {} %, with one fewer {} %)",
            say.observed, say.reference
        ),
        Rule::LeakHeadsForLimit => say.beside("heading for the limit") + ": replace the replica",
        Rule::NearMemoryLimit => say.beside("near the limit") + ": replace the replica",
        Rule::Replaced => format!("replica {} retires, another one takes its place", say.observed),
        Rule::DisruptionBudget => {
            format!("a replacement waits: {} in the last hour are as many as permitted", say.observed)
        }
        Rule::Schedule if !say.valued => "no entry of the schedule is active".to_owned(),
        Rule::Schedule => format!("entry {} of the schedule", say.reference),
        _ => condition(say),
    }
}

fn condition(say: &Spoken) -> String {
    let (text, between) = match say.rule {
        Rule::Fixed => ("the count is fixed", "of"),
        Rule::PausedAtZero => ("paused: the target was set to zero by hand", "of"),
        Rule::OutOfBounds => ("the count was outside its bounds", "against"),
        Rule::Stabilized => ("held by an earlier recommendation", "against"),
        Rule::RateLimited => ("limited by the permitted rate of change", "limited to"),
        Rule::Clamped => ("limited by the policy's own minimum or maximum", "limited to"),
        Rule::PanicHold => ("panicking, so the count doesn't fall", "against"),
        Rule::Wake => ("traffic while there are no replicas: wake up", "against"),
        Rule::Idle => ("no trigger is active and the cool-down has passed", "of"),
        Rule::CoolDown => ("no trigger is active, but the cool-down has not passed", "of"),
        Rule::Fallback => ("the metric failed too often: fallback count", "failures of"),
        Rule::DelayNotElapsed => ("beyond a watermark, but not for long enough yet", "of"),
        Rule::ForbiddenWindow => ("too soon after the last change", "of"),
        Rule::TooFewAvailable => ("too few replicas are available to act", "of"),
        Rule::IdleTimer => ("a replica has not been idle for long enough yet", "of"),
        Rule::NoData => ("data are missing or stale, so the count is kept", "against"),
        Rule::Grace => ("the grace period holds the count above zero", "of"),
        Rule::DownDisabled => ("scaling down is switched off", "against"),
        Rule::UpDisabled => ("scaling up is switched off", "against"),
        Rule::NeededAgain => ("replicas given up now would be needed again before they were back", "for"),
        Rule::NoForecast => {
            ("there is no forecast yet: enough for the rate observed, with headroom", "against")
        }
        Rule::ForecastCount => ("a forecast of the count", "goes on to"),
        Rule::MaxAge => ("a replica is older than it may become", "against"),
        Rule::MaxRequests => ("a replica has served more requests than it may", "against"),
        Rule::SurgeStarts => ("a replica starts beside the one to be replaced", "of"),
        _ => ("decided", "against"),
    };
    say.with(text, between)
}

/// The forecast that a decision used.
pub(super) fn forecast(note: &ForecastNote, at: Instant) -> String {
    let [low, middle, _, high, highest] = note.milli.map(plain);
    format!(
        "{middle} requests per second {} to {} ahead (5 % below {low}, 5 % above {high}, 1 % above {highest})",
        note.from.since(at),
        note.until.since(at)
    )
}

/// The name of a guard.
pub(super) const fn guard_name(guard: GuardKind) -> &'static str {
    match guard {
        GuardKind::Freshness => "freshness",
        GuardKind::DeadBand => "dead band",
        GuardKind::Stabilization => "stabilisation",
        GuardKind::Dwell => "dwell",
        GuardKind::Step => "step",
        GuardKind::Budget => "budget",
        GuardKind::Bounds => "bounds",
        GuardKind::Flips => "flips",
        GuardKind::Disruption => "disruption",
    }
}

/// What a guard changed, in words.
pub(super) fn guard(action: &GuardAction) -> String {
    let why = match action.guard {
        GuardKind::Freshness => "the data are too old or absent, so the count doesn't fall",
        GuardKind::DeadBand => "the change is too small to carry out",
        GuardKind::Stabilization => "a recommendation within the window holds the count",
        GuardKind::Dwell => "too soon after a change in the other direction",
        GuardKind::Step => "a larger change at once is not permitted",
        GuardKind::Budget => "the replica-hours of the window are used up, so the count doesn't rise",
        GuardKind::Bounds => "the count stays within the bounds of the target",
        GuardKind::Flips => {
            "the changes of direction of the last hour are used up, so the count doesn't fall"
        }
        GuardKind::Disruption => "fewer would be ready than the target's least count",
    };
    format!("{}: {why} ({} → {})", guard_name(action.guard), action.from, action.to)
}
