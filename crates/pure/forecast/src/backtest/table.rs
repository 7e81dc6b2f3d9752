//! Forecasts to scores.

use homeostat_core::draw::Key;
use homeostat_core::{Instant, Span};

use super::{AUTOMATIC, Forecasts, LEVELS, Plan};
use crate::score::{mase, pinball, pit, scaled_pinball, wape};
use crate::series::{Series, Value};

/// Places in [`LEVELS`].
const LOW: usize = 0;
const MIDDLE: usize = 1;
const Q90: usize = 2;
const HIGH: usize = 3;
const Q99: usize = 4;

/// Scores of one forecaster at one horizon. `None` where the mean of the targets (or the naive error that
/// MASE is relative to) is zero, or nothing could be compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The forecaster.
    pub model: String,
    /// Whether the automatic choice uses this model after the last origin.
    pub chosen: bool,
    /// Share of the origins at which the automatic choice used this model.
    pub share: f64,
    /// How far ahead.
    pub horizon: Span,
    /// Targets compared.
    pub n: usize,
    /// Σ|error of the median| / Σ actual.
    pub wape: Option<f64>,
    /// Mean |error of the median| over the last value's at the same horizon on the tuning part.
    pub mase: Option<f64>,
    /// Mean pinball loss of the median over the mean actual.
    pub pinball_50: Option<f64>,
    /// Mean pinball loss of the 90 % quantile over the mean actual.
    pub pinball_90: Option<f64>,
    /// Mean pinball loss of the 99 % quantile over the mean actual.
    pub pinball_99: Option<f64>,
    /// Share of the targets within the 90 % interval (5 to 95 %), counts by randomised PIT.
    pub coverage_90: Option<f64>,
    /// Mean width of the 90 % interval over the mean actual.
    pub width_90: Option<f64>,
}

/// One target that counts: which origin, its index in the series, and its value.
struct Target {
    place: usize,
    index: usize,
    actual: f64,
}

/// Scores forecasts at the same origins: horizon after horizon, within one forecaster after forecaster.
/// A forecaster that says nothing at more than half of the origins has no scores; origins at which one of
/// the others says nothing are left out for all.
pub fn scores(series: &Series, plan: &Plan, all: &[Forecasts]) -> Vec<Row> {
    let horizons = plan.horizons.len();
    let mut rows = Vec::with_capacity(horizons * all.len());
    for (k, (horizon, ahead)) in plan.horizons.iter().zip(plan.steps(series.step)).enumerate() {
        let known = targets(series, plan, ahead);
        let says = |f: &Forecasts, t: &Target| f.quantiles[t.place * horizons + k].is_some();
        let takes_part = |f: &Forecasts| 2 * known.iter().filter(|t| says(f, t)).count() > known.len();
        let taking: Vec<&Forecasts> = all.iter().filter(|f| takes_part(f)).collect();
        let paired: Vec<&Target> =
            known.iter().filter(|target| taking.iter().all(|f| says(f, target))).collect();
        let naive = naive_error(&series.values[..plan.tuning.min(series.values.len())], ahead);
        for forecasts in all {
            let targets = if takes_part(forecasts) { paired.as_slice() } else { &[] };
            let mut row = row(forecasts, targets, plan, k, naive);
            row.horizon = *horizon;
            rows.push(row);
        }
    }
    mark_used(&mut rows, all);
    rows
}

/// Targets `ahead` steps after the start of each origin's future that were measured.
fn targets(series: &Series, plan: &Plan, ahead: usize) -> Vec<Target> {
    let target = |(place, origin): (usize, usize)| {
        let index = origin + ahead - 1;
        series.values[index].known().map(|actual| Target { place, index, actual })
    };
    plan.origins(series).enumerate().filter_map(target).collect()
}

fn row(forecasts: &Forecasts, targets: &[&Target], plan: &Plan, k: usize, naive: f64) -> Row {
    let horizons = plan.horizons.len();
    let actual: Vec<f64> = targets.iter().map(|t| t.actual).collect();
    let said: Vec<[f64; 5]> =
        targets.iter().filter_map(|t| forecasts.quantiles[t.place * horizons + k]).collect();
    let at = |level: usize| -> Vec<f64> { said.iter().map(|q| q[level]).collect() };
    let total: f64 = actual.iter().sum();
    let width: f64 = said.iter().map(|q| q[HIGH] - q[LOW]).sum();
    let inside = targets.iter().zip(&said).filter(|(t, q)| covered(t, q, plan, k)).count();
    Row {
        model: forecasts.name.clone(),
        chosen: false,
        share: 0.0,
        horizon: Span::ZERO,
        n: actual.len(),
        wape: wape(&actual, &at(MIDDLE)),
        mase: mase(&actual, &at(MIDDLE), naive),
        pinball_50: scaled_pinball(&actual, &at(MIDDLE), 0.5),
        pinball_90: scaled_pinball(&actual, &at(Q90), 0.9),
        pinball_99: scaled_pinball(&actual, &at(Q99), 0.99),
        coverage_90: (!actual.is_empty()).then(|| inside as f64 / actual.len() as f64),
        width_90: (total > 0.0).then(|| width / total),
    }
}

/// Whether a target is within the 90 % interval; the draw is the same for every forecaster.
fn covered(target: &Target, quantiles: &[f64; 5], plan: &Plan, k: usize) -> bool {
    let draw = Key::root(plan.seed).child("pit").nth(k as u64).at(target.index as u64).uniform();
    let place = pit(target.actual, &LEVELS, quantiles, plan.count, draw);
    (0.05..=0.95).contains(&place)
}

/// Mean |error| of the last known value at this horizon; 0 without pairs.
fn naive_error(values: &[Value], ahead: usize) -> f64 {
    let (mut last, mut sum, mut n) = (None, 0.0, 0_usize);
    for (index, value) in values.iter().enumerate() {
        last = value.known().or(last);
        let target = values.get(index + ahead).and_then(|value| value.known());
        if let (Some(last), Some(target)) = (last, target) {
            sum += (target - last).abs();
            n += 1;
        }
    }
    sum / n.max(1) as f64
}

fn mark_used(rows: &mut [Row], all: &[Forecasts]) {
    let Some(automatic) = all.iter().find(|f| f.name == AUTOMATIC) else { return };
    for row in rows {
        let times = automatic.used.iter().filter(|used| **used == row.model).count();
        row.share = times as f64 / automatic.used.len().max(1) as f64;
        row.chosen = automatic.used.last().is_some_and(|used| *used == row.model);
    }
}

/// Pinball losses at level `LEVELS[level]` of each of `all` at horizon `k`, in the unit of the series, at the
/// targets for which all have a forecast: for paired differences ([`crate::score::difference`]). Beside them
/// the mean of those targets.
pub fn losses(
    series: &Series,
    plan: &Plan,
    all: &[&Forecasts],
    k: usize,
    level: usize,
) -> (Vec<Vec<f64>>, f64) {
    let horizons = plan.horizons.len();
    let ahead = plan.steps(series.step)[k];
    let (mut out, mut sum, mut n) = (vec![Vec::new(); all.len()], 0.0, 0_usize);
    for target in targets(series, plan, ahead) {
        let said: Vec<[f64; 5]> =
            all.iter().filter_map(|f| f.quantiles[target.place * horizons + k]).collect();
        if said.len() == all.len() {
            sum += target.actual;
            n += 1;
            for (losses, quantiles) in out.iter_mut().zip(&said) {
                losses.push(pinball(target.actual, quantiles[level], LEVELS[level]));
            }
        }
    }
    (out, sum / n.max(1) as f64)
}

/// Coverage of the 90 % interval at horizon `k` for every whole day (UTC) from `burn_in` after the first
/// origin on that has a forecast and a target at half of its origins or more: start of the day, share
/// covered, targets.
pub fn by_day(
    series: &Series,
    plan: &Plan,
    forecasts: &Forecasts,
    k: usize,
    burn_in: Span,
) -> Vec<(Instant, f64, usize)> {
    let horizons = plan.horizons.len();
    let ahead = plan.steps(series.step)[k];
    let from = series.at(plan.first) + burn_in;
    let end = series.at(series.values.len());
    let mut days: Vec<(Instant, usize, usize)> = Vec::new();
    for target in targets(series, plan, ahead) {
        let at = series.at(target.index);
        let day = Instant(at.0 - at.0 % Span::DAY.0);
        let Some(quantiles) = forecasts.quantiles[target.place * horizons + k] else { continue };
        if day < from || day + Span::DAY > end {
            continue;
        }
        if days.last().is_none_or(|(last, ..)| *last != day) {
            days.push((day, 0, 0));
        }
        if let Some((_, inside, n)) = days.last_mut() {
            *inside += usize::from(covered(&target, &quantiles, plan, k));
            *n += 1;
        }
    }
    let whole = (Span::DAY.0 / (series.step.0 * plan.every.max(1) as u64).max(1)) as usize;
    let enough = |(day, inside, n): (Instant, usize, usize)| {
        (n > 0 && 2 * n >= whole).then(|| (day, inside as f64 / n as f64, n))
    };
    days.into_iter().filter_map(enough).collect()
}
