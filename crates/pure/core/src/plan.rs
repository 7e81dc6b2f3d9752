//! Plans are data: what a policy proposes, and the form in which an actuator accepts it.

use crate::decision::ForecastNote;
use crate::observe::ReplicaId;
use crate::reason::Reason;

/// A proposed change of one target. Has no effect until the guards have vetted it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// How many replicas the target should have.
    pub replicas: u32,
    /// Replicas to retire first when the count falls, the first named first. Replicas not named
    /// follow in the world's own order (Kubernetes: unready before ready, younger before older).
    pub retire: Vec<ReplicaId>,
    /// Replicas on top of `replicas` that may exist for a while, for example during a replacement.
    pub surge: u32,
    /// Replicas to retire though the count stays: others are ordered in their places.
    pub replace: Vec<ReplicaId>,
    /// Whether the policy has no wish for the count. Then `replicas` is what it found, and says nothing.
    pub abstains: bool,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The forecast used, where one was.
    pub forecast: Option<ForecastNote>,
}

impl Plan {
    /// A plan for `replicas` replicas with one reason.
    pub fn scale(replicas: u32, reason: Reason) -> Self {
        Self { replicas, reasons: vec![reason], ..Self::default() }
    }

    /// A plan without a wish for the count, which is `present`.
    pub fn abstain(present: u32) -> Self {
        Self { replicas: present, abstains: true, ..Self::default() }
    }
}

/// A plan that went through the guards. Only the guard chain can make one, so an actuator that
/// accepts nothing else can't be reached around them.
///
/// ```
/// use homeostat_core::decision::Order;
/// use homeostat_core::plan::Vetted;
///
/// fn actuate(order: &Vetted<Order>) -> u32 {
///     order.get().replicas
/// }
/// ```
///
/// Nobody else can make one, neither from its field nor with the function that the guards use:
///
/// ```compile_fail,E0423
/// use homeostat_core::decision::Order;
/// use homeostat_core::plan::Vetted;
///
/// let order = Vetted(Order { replicas: 1_000, ..Order::default() });
/// ```
///
/// ```compile_fail,E0624
/// use homeostat_core::decision::Order;
/// use homeostat_core::plan::Vetted;
///
/// let order = Vetted::seal(Order { replicas: 1_000, ..Order::default() });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vetted<T>(T);

impl<T> Vetted<T> {
    /// For the guard chain alone.
    pub(crate) const fn seal(inner: T) -> Self {
        Self(inner)
    }

    /// The vetted value.
    pub const fn get(&self) -> &T {
        &self.0
    }
}
