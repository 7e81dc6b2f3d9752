//! Reasons as structured data: which rule proposed what, from which value, against which reference.

/// The rule that led a policy to a number. The discriminants are part of the journal's format:
/// append, never renumber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Rule {
    /// The count is fixed.
    Fixed = 0,
    /// A schedule asks for this count now. Reference: index of the entry.
    Schedule = 1,
    /// Count = ⌈ratio of the observed value to its target × replicas⌉.
    MetricRatio = 2,
    /// The observed value is within tolerance of its target: keep the count.
    WithinTolerance = 3,
    /// The metric could not be read.
    MetricUnavailable = 4,
    /// Scaling is off because the target was set to zero by hand.
    PausedAtZero = 5,
    /// The present count was outside the bounds, so no metric was read.
    OutOfBounds = 6,
    /// An earlier recommendation within the stabilisation window holds the count.
    Stabilized = 7,
    /// The permitted rate of change limits the step.
    RateLimited = 8,
    /// The policy's own minimum or maximum limits the count.
    Clamped = 9,
    /// Average over the stable window.
    StableWindow = 10,
    /// Average over the panic window, while panicking.
    PanicWindow = 11,
    /// Panicking: the count doesn't fall.
    PanicHold = 12,
    /// Traffic at zero replicas: wake up.
    Wake = 13,
    /// No trigger is active and the cool-down has passed: to zero (or the idle count).
    Idle = 14,
    /// No trigger is active, but the cool-down has not passed.
    CoolDown = 15,
    /// The metric failed too often: the fallback count.
    Fallback = 16,
    /// Above the high watermark.
    AboveHighWatermark = 17,
    /// Below the low watermark.
    BelowLowWatermark = 18,
    /// Between the watermarks: keep the count.
    BetweenWatermarks = 19,
    /// Beyond a watermark, but not for long enough yet.
    DelayNotElapsed = 20,
    /// Too soon after the last change.
    ForbiddenWindow = 21,
    /// Too few replicas are available to act.
    TooFewAvailable = 22,
    /// Enough capacity for the rate observed now.
    ObservedRate = 23,
    /// Enough capacity for the rate predicted.
    PredictedRate = 24,
    /// An idle replica's timer has not run out (`AutoScale`: `t_wait`).
    IdleTimer = 25,
    /// Data are missing or stale: keep the count.
    NoData = 26,
    /// A condition of the grace period or last-replica retention holds the count above zero.
    Grace = 27,
    /// Scaling down is switched off by the policy.
    DownDisabled = 28,
    /// Scaling up is switched off by the policy.
    UpDisabled = 29,
    /// The fewest replicas that meet the objective at the rate observed now. Reference: that rate.
    ReactiveFloor = 30,
    /// The count at which replicas and late requests cost least together over the window of the forecast.
    /// Observed: expected late share; reference: that with one replica fewer (both in thousandths of a per
    /// cent).
    ForecastWindow = 31,
    /// Replicas given up now would be needed again before they were back.
    NeededAgain = 32,
    /// There is no forecast: the reactive count with headroom.
    NoForecast = 33,
    /// Memory heads for its limit: replace the replica before. Observed: memory; reference: the limit.
    LeakHeadsForLimit = 34,
    /// Memory is so close to its limit that the replica is replaced whatever its trend.
    NearMemoryLimit = 35,
    /// A replica is older than it may become. In seconds.
    MaxAge = 36,
    /// A replica has served more requests than it may.
    MaxRequests = 37,
    /// A new replica starts beside the one to be replaced. In seconds: waited so far, expected.
    SurgeStarts = 38,
    /// The new replica takes traffic, the old one retires. Observed: the old one's number.
    Replaced = 39,
    /// A replacement waits for the disruption budget. Observed: replacements in the last hour.
    DisruptionBudget = 40,
    /// A forecast of the count itself. Observed: the count of now; reference: the forecast.
    ForecastCount = 41,
}

/// All rules in order of their number.
pub const RULES: [Rule; 42] = [
    Rule::Fixed,
    Rule::Schedule,
    Rule::MetricRatio,
    Rule::WithinTolerance,
    Rule::MetricUnavailable,
    Rule::PausedAtZero,
    Rule::OutOfBounds,
    Rule::Stabilized,
    Rule::RateLimited,
    Rule::Clamped,
    Rule::StableWindow,
    Rule::PanicWindow,
    Rule::PanicHold,
    Rule::Wake,
    Rule::Idle,
    Rule::CoolDown,
    Rule::Fallback,
    Rule::AboveHighWatermark,
    Rule::BelowLowWatermark,
    Rule::BetweenWatermarks,
    Rule::DelayNotElapsed,
    Rule::ForbiddenWindow,
    Rule::TooFewAvailable,
    Rule::ObservedRate,
    Rule::PredictedRate,
    Rule::IdleTimer,
    Rule::NoData,
    Rule::Grace,
    Rule::DownDisabled,
    Rule::UpDisabled,
    Rule::ReactiveFloor,
    Rule::ForecastWindow,
    Rule::NeededAgain,
    Rule::NoForecast,
    Rule::LeakHeadsForLimit,
    Rule::NearMemoryLimit,
    Rule::MaxAge,
    Rule::MaxRequests,
    Rule::SurgeStarts,
    Rule::Replaced,
    Rule::DisruptionBudget,
    Rule::ForecastCount,
];

/// One step of a policy's reasoning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    /// Which rule.
    pub rule: Rule,
    /// Index of the metric among the policy's needs, where the rule is about one.
    pub need: Option<u8>,
    /// The value the rule looked at, in thousandths.
    pub observed_milli: i64,
    /// What it was compared with (target, limit, watermark), in thousandths.
    pub reference_milli: i64,
    /// The count this rule leads to.
    pub proposed: u32,
}

impl Reason {
    /// A reason that is not about a metric.
    pub const fn of(rule: Rule, proposed: u32) -> Self {
        Self { rule, need: None, observed_milli: 0, reference_milli: 0, proposed }
    }

    /// A reason from a metric: `observed` against `reference`, both in thousandths.
    pub const fn metric(rule: Rule, need: u8, observed: i64, reference: i64, proposed: u32) -> Self {
        Self { rule, need: Some(need), observed_milli: observed, reference_milli: reference, proposed }
    }
}
