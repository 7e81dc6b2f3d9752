//! A decision: what was proposed, what the guards made of it, and why.

use crate::observe::ReplicaId;
use crate::plan::Vetted;
use crate::reason::Reason;
use crate::time::Instant;

/// What an actuator is to bring about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order {
    /// The number of replicas to have.
    pub replicas: u32,
    /// Replicas to retire first when the count falls.
    pub retire: Vec<ReplicaId>,
    /// Replicas allowed on top of `replicas` for a while.
    pub surge: u32,
    /// Replicas to retire though the count stays.
    pub replace: Vec<ReplicaId>,
}

/// Which guard changed a plan. The discriminants are part of the journal's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum GuardKind {
    /// Data too old or absent: the count doesn't fall.
    Freshness = 0,
    /// Change smaller than the dead band.
    DeadBand = 1,
    /// A recommendation within the stabilisation window is higher (or lower).
    Stabilization = 2,
    /// Too soon after the last change in the other direction.
    Dwell = 3,
    /// Step larger than permitted.
    Step = 4,
    /// Replica-hours of the budget window are used up.
    Budget = 5,
    /// Outside the bounds of the target.
    Bounds = 6,
    /// Changes of direction of the last hour are used up.
    Flips = 7,
    /// Replacing so many would leave fewer ready than the target's least count. From and to are numbers
    /// of replicas replaced.
    Disruption = 8,
}

/// All guards in order of their number.
pub const GUARDS: [GuardKind; 9] = [
    GuardKind::Freshness,
    GuardKind::DeadBand,
    GuardKind::Stabilization,
    GuardKind::Dwell,
    GuardKind::Step,
    GuardKind::Budget,
    GuardKind::Bounds,
    GuardKind::Flips,
    GuardKind::Disruption,
];

/// A change that a guard made to a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GuardAction {
    /// Which guard.
    pub guard: GuardKind,
    /// The count before it.
    pub from: u32,
    /// The count after it.
    pub to: u32,
}

/// The forecast that a decision used: quantiles of the mean load over a stretch of the future, in
/// thousandths of requests per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ForecastNote {
    /// When the stretch begins.
    pub from: Instant,
    /// When it ends.
    pub until: Instant,
    /// Quantiles at the levels of [`FORECAST_LEVELS`], never falling.
    pub milli: [i64; FORECAST_LEVELS.len()],
}

/// Levels of the quantiles of a [`ForecastNote`], in thousandths.
pub const FORECAST_LEVELS: [u16; 5] = [50, 500, 900, 950, 990];

/// One decision of the loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// When.
    pub at: Instant,
    /// The count asked for until now.
    pub present: u32,
    /// The count that the policies proposed, before the guards.
    pub proposed: u32,
    /// What the actuator gets.
    pub order: Vetted<Order>,
    /// Why the policies proposed it, in the order in which they reasoned.
    pub reasons: Vec<Reason>,
    /// What the guards changed, in their order.
    pub guards: Vec<GuardAction>,
    /// The forecast used, where one was.
    pub forecast: Option<ForecastNote>,
}

impl Decision {
    /// The count that the target will have.
    pub const fn replicas(&self) -> u32 {
        self.order.get().replicas
    }

    /// Whether the decision changes the count.
    pub const fn changes(&self) -> bool {
        self.order.get().replicas != self.present
    }
}
