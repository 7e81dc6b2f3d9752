//! From values to a count: the two watermarks, the step limits and the bounds.

use homeostat_core::{Reason, Rule};

use super::measure::Measured;
use super::spec::{WatermarkMetric, WatermarkSpec};

/// Where a value lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    Above,
    Below,
    Between,
}

/// The count that one metric asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Proposal {
    pub(super) count: u32,
    pub(super) position: Position,
    pub(super) ready: u32,
    pub(super) reason: Reason,
}

/// What one metric asks for, at `current` replicas.
pub(super) fn propose(
    spec: &WatermarkSpec,
    metric: &WatermarkMetric,
    need: u8,
    measured: Measured,
    current: u32,
) -> Proposal {
    let (high, low) = ((metric.high * 1_000.0).round(), (metric.low * 1_000.0).round());
    let widen = |mark: f64| (mark * (spec.tolerance * 1_000.0).round() / 1_000.0).trunc();
    let ready = f64::from(measured.ready);
    let (rule, reference, count, position) = match measured.milli {
        Some(value) if value > high + widen(high) => {
            let count = round_up((ready * value / high).ceil() as u32, spec.modulo).max(current);
            (Rule::AboveHighWatermark, high, count, Position::Above)
        }
        Some(value) if value < low - widen(low) => {
            let count = ((ready * value / low).floor() as u32).max(1);
            (Rule::BelowLowWatermark, low, round_up(count, spec.modulo).min(current), Position::Below)
        }
        _ => (Rule::BetweenWatermarks, high, current, Position::Between),
    };
    let observed = measured.milli.unwrap_or(0.0) as i64;
    let reason = Reason::metric(rule, need, observed, reference as i64, count);
    Proposal { count, position, ready: measured.ready, reason }
}

const fn round_up(count: u32, modulo: u32) -> u32 {
    count.next_multiple_of(modulo)
}

/// The count after the step limits and the bounds, with the rule that cut it.
pub(super) fn limit(
    spec: &WatermarkSpec,
    (least, greatest): (u32, u32),
    current: u32,
    wanted: u32,
    ready: u32,
) -> (u32, Option<Rule>) {
    let lowest = current.saturating_sub(step(spec.scale_down_limit_percent, current));
    let floor = match wanted {
        _ if least == 0 => 1,
        wanted if wanted < lowest => {
            let floor = lowest.max(least);
            if ready < floor && ready > 0 { current } else { floor }
        }
        _ => least,
    };
    if wanted < floor {
        return (floor, Some(if floor == least { Rule::Clamped } else { Rule::RateLimited }));
    }
    let highest = current + step(spec.scale_up_limit_percent, current);
    let ceiling = if wanted > highest { highest.min(greatest) } else { greatest };
    if wanted > ceiling {
        return (ceiling, Some(if ceiling == greatest { Rule::Clamped } else { Rule::RateLimited }));
    }
    (wanted, None)
}

/// How far the count may move at once: whole replicas, rounded down but at least one.
fn step(percent: f64, current: u32) -> u32 {
    if percent == 0.0 {
        return 0;
    }
    (percent * f64::from(current) / 100.0).floor().max(1.0) as u32
}
