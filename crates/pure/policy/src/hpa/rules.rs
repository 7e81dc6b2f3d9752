//! A manifest after validation and defaulting: what the controller works from.
//!
//! Source of the defaults: `pkg/apis/autoscaling/v2/defaults.go`.

use homeostat_core::{Need, Span};

/// Lower and upper deviation of a ratio from 1 that cause nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tolerances {
    pub(super) down: f64,
    pub(super) up: f64,
}

impl Tolerances {
    /// Whether `ratio` is close enough to 1; the bounds belong to it.
    pub(super) fn hold(self, ratio: f64) -> bool {
        1.0 - self.down <= ratio && ratio <= 1.0 + self.up
    }
}

/// How a metric's values lead to a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// Whole per cent of what the replicas requested of a resource.
    Utilization {
        /// Per cent.
        percent: i32,
        /// Thousandths that one replica requested; `None` when the pod template doesn't say.
        request: Option<i64>,
        /// Whether unready replicas are set apart (CPU only).
        cpu: bool,
    },
    /// So many thousandths per replica, from a value for each.
    Average {
        /// Thousandths.
        milli: i64,
        /// Whether unready replicas are set apart (CPU only).
        cpu: bool,
    },
    /// A value for the target as a whole: the ratio scales the ready replicas.
    TotalValue {
        /// Thousandths.
        milli: i64,
    },
    /// A value for the target as a whole, divided by the replicas that exist.
    TotalAverage {
        /// Thousandths.
        milli: i64,
    },
}

/// One metric of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Metric {
    pub(super) need: Need,
    pub(super) goal: Goal,
}

impl Metric {
    /// Whether the metric has a value without any replica, so that scaling from zero can work.
    pub(super) fn works_at_zero(&self) -> bool {
        matches!(self.need, Need::Object(_) | Need::External(_))
    }
}

/// Which of several permitted changes counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Select {
    Largest,
    Smallest,
    Disabled,
}

/// Unit of a permitted change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Pods,
    Percent,
}

/// A permitted change within a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate {
    pub(super) unit: Unit,
    pub(super) value: i32,
    pub(super) period: Span,
}

/// Pace and steadiness in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rules {
    pub(super) window: Span,
    pub(super) select: Select,
    pub(super) rates: Vec<Rate>,
}

impl Rules {
    /// Upwards by default: at once, by 4 replicas or 100 % in 15 s, whichever is more.
    pub(super) fn upwards() -> Self {
        let period = Span::from_secs(15);
        let rate = |unit, value| Rate { unit, value, period };
        Self {
            window: Span::ZERO,
            select: Select::Largest,
            rates: vec![rate(Unit::Pods, 4), rate(Unit::Percent, 100)],
        }
    }

    /// Downwards by default: after the controller's own window, by up to 100 % in 15 s.
    pub(super) fn downwards(window: Span) -> Self {
        let rate = Rate { unit: Unit::Percent, value: 100, period: Span::from_secs(15) };
        Self { window, select: Select::Largest, rates: vec![rate] }
    }

    /// The longest period of all rates.
    pub(super) fn longest_period(&self) -> Span {
        self.rates.iter().map(|rate| rate.period).max().unwrap_or_default()
    }
}

/// Pace and steadiness in both directions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Behavior {
    pub(super) up: Rules,
    pub(super) down: Rules,
}
