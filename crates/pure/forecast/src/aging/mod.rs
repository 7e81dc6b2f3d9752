//! Is this replica aging: does a signal of it rise towards its limit, whatever the load does?
//!
//! ```text
//! readings ─► block means ─► shapes of the trend, beside load, each with its probability
//!                                  │                    │
//!       slope with its interval ◄──┘    load to come ─► time to the limit ─► what to do
//!                   └──► persistence, effect size ◄───────┘
//!                                     └─► alarm
//! ```
//!
//! One [`Detector`] watches one signal of one replica. It takes a reading at a time, in constant time on
//! average and in a few kilobytes.

mod blocks;
mod decide;
mod detector;
mod outlook;
mod reach;
pub mod synth;
mod trend;

pub use decide::{ACTIONS, Choice, Costs, Outlook, decide};
pub use detector::Detector;
use homeostat_core::Span;
pub use trend::Trend;

/// How to watch. The defaults are meant to be left alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Shortest block over which readings are averaged; blocks double as a history grows.
    pub block: Span,
    /// Alarm only where the limit is nearer than this.
    pub horizon: Span,
    /// Alarm only where the limit is at most this many times as far off as the trend has been seen for.
    pub reach: f64,
    /// Successive blocks that must agree, each with a probability of 80 %, before an alarm; fewer where they
    /// are surer, more where they aren't.
    pub persistence: u32,
    /// Whether load is regressed out.
    pub load: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { block: Span::from_secs(300), horizon: Span::DAY * 7, reach: 3.0, persistence: 4, load: true }
    }
}

/// Hours until the limit is reached, with a 90 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eta {
    /// Hours from now by which it is reached with a probability of a quarter: too late costs more than too
    /// early.
    pub hours: f64,
    /// Lower end, hours.
    pub low: f64,
    /// Upper end, hours; infinite where the limit may never be reached.
    pub high: f64,
}

/// Why a verdict is what it is. The codes are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// No usable reading was ever given.
    NoData,
    /// Fewer blocks than a trend needs since the clock was last reset.
    TooFew,
    /// The signal never changed.
    Constant,
    /// The limit is exceeded now.
    OverLimit,
    /// No rise that noise doesn't explain.
    NoTrend,
    /// It rises as load does: time and load can't be told apart.
    ByLoad,
    /// It falls.
    Falling,
    /// A rise is certain, but without a limit nobody can say what it leads to, and it is small.
    Small,
    /// A rise is certain, but the limit is further off than the horizon, or than what has been seen bears
    /// out.
    Far,
    /// It looks like a leak, but not for long enough yet.
    NotYet,
    /// It rises, but ever more slowly: a plateau ahead.
    Slowing,
    /// It gave back as much growth by itself before.
    Released,
    /// A leak.
    Leak,
}

impl Why {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoData => "no_data",
            Self::TooFew => "too_few",
            Self::Constant => "constant",
            Self::OverLimit => "over_limit",
            Self::NoTrend => "no_trend",
            Self::ByLoad => "by_load",
            Self::Falling => "falling",
            Self::Small => "small",
            Self::Far => "far",
            Self::NotYet => "not_yet",
            Self::Slowing => "slowing",
            Self::Released => "released",
            Self::Leak => "leak",
        }
    }
}

/// What is thought of one signal of one replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// Whether it leaks: act.
    pub leak: bool,
    /// Present slope per hour, in the signal's unit, with load regressed out; 0 where it isn't known.
    pub slope_per_hour: f64,
    /// Lower end of its 90 % interval.
    pub slope_low: f64,
    /// Upper end of its 90 % interval.
    pub slope_high: f64,
    /// Time to the limit, where there is a limit and a rise.
    pub to_limit: Option<Eta>,
    /// Why.
    pub why: Why,
}

impl Verdict {
    /// A verdict without a slope.
    pub const fn nothing(why: Why) -> Self {
        Self { leak: false, slope_per_hour: 0.0, slope_low: 0.0, slope_high: 0.0, to_limit: None, why }
    }
}

/// What can be done about it. The words are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Leave it alone.
    Nothing,
    /// More replicas: the level follows load.
    ScaleOut,
    /// A higher limit.
    RaiseLimit,
    /// Replace the one replica.
    Recycle,
    /// Empty the node.
    DrainNode,
}

impl Action {
    /// The stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::ScaleOut => "scale_out",
            Self::RaiseLimit => "raise_limit",
            Self::Recycle => "recycle",
            Self::DrainNode => "drain_node",
        }
    }
}
