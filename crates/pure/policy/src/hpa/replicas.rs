//! From one metric's values to a replica count.
//!
//! Source: `replica_calculator.go` and `metrics/utilization.go`. Sums and products wrap and divisions
//! truncate where upstream's do; a count beyond 32 bits saturates (upstream leaves some of these to the
//! processor).

use homeostat_core::observe::FetchError;
use homeostat_core::{Need, Observation, Reading};

use super::flags::ControllerFlags;
use super::pods::{self, Groups};
use super::rules::{Goal, Metric, Tolerances};

/// What one metric proposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Proposal {
    pub(super) replicas: i32,
    /// The value as upstream reports it: thousandths, or thousandths of a per cent.
    pub(super) observed: i64,
    /// What it was held against, in the same unit.
    pub(super) reference: i64,
    /// Whether the present count is kept because the value is close enough to its target.
    pub(super) kept: bool,
}

/// Why a metric proposes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The metric could not be read, or has another shape than asked for.
    Unread(Option<FetchError>),
    /// There are no replicas.
    NoReplicas,
    /// No replica's value counts.
    NoValues,
    /// The pod template doesn't say what is requested.
    NoRequest,
}

/// All that the calculation depends on besides the metric.
pub(super) struct Context<'a> {
    pub(super) observation: &'a Observation,
    pub(super) flags: &'a ControllerFlags,
    pub(super) tolerances: Tolerances,
    /// `scale.spec.replicas`.
    pub(super) current: i32,
}

impl Context<'_> {
    /// The count that `metric` proposes from its `reading`.
    pub(super) fn propose(&self, metric: &Metric, reading: &Reading) -> Result<Proposal, Failure> {
        match metric.goal {
            Goal::Utilization { cpu, .. } | Goal::Average { cpu, .. } => {
                self.per_replica(metric.goal, reading, cpu)
            }
            Goal::TotalValue { milli } => self.total_value(capped_sum(series(reading)?), milli),
            Goal::TotalAverage { milli } if matches!(metric.need, Need::External(_)) => {
                Ok(self.total_average(unsigned_sum(series(reading)?), milli))
            }
            Goal::TotalAverage { milli } => Ok(self.total_average(capped_sum(series(reading)?), milli)),
        }
    }

    fn per_replica(&self, goal: Goal, reading: &Reading, cpu: bool) -> Result<Proposal, Failure> {
        let samples = match reading {
            Reading::PerReplica(samples) => samples,
            Reading::Failed(error) => return Err(Failure::Unread(Some(*error))),
            Reading::Total { .. } => return Err(Failure::Unread(None)),
        };
        if self.observation.replicas.is_empty() {
            return Err(Failure::NoReplicas);
        }
        let mut groups = pods::group(self.observation, samples, cpu, self.flags);
        if groups.values.is_empty() {
            return Err(Failure::NoValues);
        }
        let gauge = Gauge::new(goal)?;
        let (ratio, observed) = gauge.measure(&groups).ok_or(Failure::NoValues)?;
        let said = |replicas, kept| Proposal { replicas, observed, reference: gauge.reference(), kept };
        let unready = !groups.unready.is_empty() && ratio > 1.0;
        if !unready && groups.missing.is_empty() {
            if self.tolerances.hold(ratio) {
                return Ok(said(self.current, true));
            }
            return Ok(said((ratio * f64::from(groups.ready)).ceil() as i32, false));
        }
        gauge.fill(&mut groups, ratio, unready);
        let (refilled, _) = gauge.measure(&groups).ok_or(Failure::NoValues)?;
        let flips = (ratio < 1.0 && refilled > 1.0) || (ratio > 1.0 && refilled < 1.0);
        if self.tolerances.hold(refilled) || flips {
            return Ok(said(self.current, true));
        }
        let replicas = (refilled * groups.values.len() as f64).ceil() as i32;
        let against =
            (refilled < 1.0 && replicas > self.current) || (refilled > 1.0 && replicas < self.current);
        Ok(if against { said(self.current, true) } else { said(replicas, false) })
    }

    fn total_value(&self, usage: i64, target: i64) -> Result<Proposal, Failure> {
        let ratio = usage as f64 / target as f64;
        let said = |replicas, kept| Proposal { replicas, observed: usage, reference: target, kept };
        if self.current == 0 {
            return Ok(said(ratio.ceil() as i32, false));
        }
        if self.tolerances.hold(ratio) {
            return Ok(said(self.current, true));
        }
        if self.observation.replicas.is_empty() {
            return Err(Failure::NoReplicas);
        }
        let ready = pods::ready_count(self.observation);
        Ok(said((ratio * f64::from(ready)).ceil() as i32, false))
    }

    /// The division by the replicas that exist may be one by zero: an infinite or undefined ratio is
    /// outside every tolerance, which is what is wanted.
    fn total_average(&self, usage: i64, target: i64) -> Proposal {
        let exist = self.observation.current as i32;
        let ratio = usage as f64 / (target as f64 * f64::from(exist));
        let kept = self.tolerances.hold(ratio);
        let replicas = if kept { exist } else { (usage as f64 / target as f64).ceil() as i32 };
        let observed = (usage as f64 / f64::from(exist)).ceil() as i64;
        Proposal { replicas, observed, reference: target, kept }
    }
}

/// The values of a metric that belongs to the target as a whole.
fn series(reading: &Reading) -> Result<&[i64], Failure> {
    match reading {
        Reading::Total { milli, .. } if !milli.is_empty() => Ok(milli),
        Reading::Failed(error) => Err(Failure::Unread(Some(*error))),
        _ => Err(Failure::Unread(None)),
    }
}

/// The sum; from the first overflow on it stays at the largest value.
fn capped_sum(values: &[i64]) -> i64 {
    let mut sum = 0_i64;
    for value in values {
        if *value > 0 && sum > i64::MAX - value {
            return i64::MAX;
        }
        sum = sum.wrapping_add(*value);
    }
    sum
}

/// The sum, where upstream takes any partial sum below zero for an overflow.
fn unsigned_sum(values: &[i64]) -> i64 {
    let mut sum = 0_i64;
    for value in values {
        sum = sum.wrapping_add(*value);
        if sum < 0 {
            return i64::MAX;
        }
    }
    sum
}

/// How the values of several replicas become one ratio.
#[derive(Debug, Clone, Copy)]
enum Gauge {
    Utilization { percent: i32, request: i64 },
    Usage { target: i64 },
}

impl Gauge {
    fn new(goal: Goal) -> Result<Self, Failure> {
        match goal {
            Goal::Utilization { percent, request, .. } => {
                let request = request.ok_or(Failure::NoRequest)?;
                Ok(Self::Utilization { percent, request })
            }
            Goal::Average { milli, .. } | Goal::TotalValue { milli } | Goal::TotalAverage { milli } => {
                Ok(Self::Usage { target: milli })
            }
        }
    }

    fn reference(self) -> i64 {
        match self {
            Self::Utilization { percent, .. } => i64::from(percent) * 1000,
            Self::Usage { target } => target,
        }
    }

    /// Ratio of the value to its target, and the value as reported. Utilisation is cut to whole per
    /// cent first, and leaves out values of unknown replicas.
    fn measure(self, groups: &Groups) -> Option<(f64, i64)> {
        let (mut sum, mut count) = (0_i64, 0_i64);
        for (id, value) in &groups.values {
            if matches!(self, Self::Usage { .. }) || groups.known.contains(id) {
                sum = sum.wrapping_add(*value);
                count += 1;
            }
        }
        match self {
            Self::Utilization { percent, request } => {
                let used = sum.wrapping_mul(100).checked_div(request.wrapping_mul(count))? as i32;
                Some((f64::from(used) / f64::from(percent), i64::from(used) * 1000))
            }
            Self::Usage { target } => {
                let average = sum.checked_div(count)?;
                Some((average as f64 / target as f64, average))
            }
        }
    }

    /// Adds cautious guesses for the replicas without a value that counts: full use when the ratio says
    /// down, none when it says up.
    fn fill(self, groups: &mut Groups, ratio: f64, unready: bool) {
        let full = match self {
            Self::Utilization { percent, request } => request.wrapping_mul(i64::from(percent.max(100))) / 100,
            Self::Usage { target } => target,
        };
        if ratio < 1.0 {
            groups.values.extend(groups.missing.iter().map(|id| (*id, full)));
        } else if ratio > 1.0 {
            groups.values.extend(groups.missing.iter().map(|id| (*id, 0)));
        }
        if unready {
            groups.values.extend(groups.unready.iter().map(|id| (*id, 0)));
        }
    }
}
