//! Coverage of our 90 % interval day by day, and after the load doubles: `cargo xtask coverage`.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Result, bail};
use homeostat_core::Span;
use homeostat_core::draw::Key;
use homeostat_forecast::backtest::{self, AUTOMATIC, Forecasts, LEVELS, Plan};
use homeostat_forecast::score::pit;
use homeostat_forecast::{Series, Settings, Value};

use crate::peers::recorded::{Recorded, TRACES};
use crate::peers::tables;

const HORIZONS: [u64; 3] = [5, 15, 60];
const DAY: usize = 1_440;
/// Minutes from origin to origin: prime, about 200 a day.
const EVERY: usize = 7;
/// Days that a forecaster has seen when the load doubles, at most.
const BEFORE: usize = 14 * DAY;
/// Doublings per trace, spread over the test part.
const DOUBLINGS: usize = 6;
/// Windows of 6 hours, the first from 2 hours after the doubling on.
const WINDOWS: usize = 4;

/// Prints the table and puts it into the docs.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut table = String::from(
        "| trace | min | full days | within 85–95 % | below | above | mean | windows after doubling | ≥ 85 % |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for trace in &TRACES {
        let Some(recorded) = trace.read(root)? else { bail!("the recorded data are needed") };
        let days = days(&recorded);
        let windows = doublings(&recorded);
        for (k, horizon) in HORIZONS.iter().enumerate() {
            let (days, windows) = (&days[k], &windows[k]);
            let share = |n: usize, of: usize| 100.0 * n as f64 / of.max(1) as f64;
            let count = |wanted: &dyn Fn(f64) -> bool| days.iter().filter(|c| wanted(**c)).count();
            let mean = 100.0 * days.iter().sum::<f64>() / days.len() as f64;
            let back = windows.iter().filter(|c| **c >= 0.85).count();
            writeln!(
                table,
                "| {} | {horizon} | {} | {:.0} % | {} | {} | {mean:.1} % | {} | {:.0} % |",
                trace.name,
                days.len(),
                share(count(&|c| (0.85..=0.95).contains(&c)), days.len()),
                count(&|c| c < 0.85),
                count(&|c| c > 0.95),
                windows.len(),
                share(back, windows.len()),
            )?;
        }
    }
    print!("{table}");
    tables::place(root, "coverage", &table)
}

fn plan(first: usize, every: usize, recorded: &Recorded) -> Plan {
    let horizons = HORIZONS.map(|h| Span::MINUTE * h).to_vec();
    Plan { horizons, first, every, tuning: recorded.cut, count: recorded.count, seed: 1 }
}

/// Coverage of every full test day after two days, per horizon.
fn days(recorded: &Recorded) -> Vec<Vec<f64>> {
    let Recorded { series, cut, .. } = recorded;
    let plan = plan(*cut, EVERY, recorded);
    let said = backtest::forecast(series, &Settings::default(), &plan, AUTOMATIC, &|_| ());
    let one = |k: usize| backtest::by_day(series, &plan, &said, k, Span::DAY * 2);
    (0..HORIZONS.len()).map(|k| one(k).into_iter().map(|(_, share, _)| share).collect()).collect()
}

/// Coverage of every window after every doubling, per horizon.
fn doublings(recorded: &Recorded) -> Vec<Vec<f64>> {
    let Recorded { series, cut, .. } = recorded;
    let after = 26 * 60 + 1;
    let room = series.values.len() - cut - 2 * DAY - after;
    let mut found = vec![Vec::new(); HORIZONS.len()];
    for n in 0..DOUBLINGS {
        // A step that is no whole number of days, so that doublings fall on all hours.
        let at = cut + 2 * DAY + n * room / DOUBLINGS + n * 217 % DAY;
        let at = at.min(series.values.len() - after);
        let from = at.saturating_sub(BEFORE);
        let values = series.values[from..at + after].iter().enumerate();
        let values = values.map(|(i, v)| if from + i >= at { twice(*v) } else { *v }).collect();
        let doubled = Series { start: series.at(from), values, ..series.clone() };
        let plan = plan(at - from, 3, recorded);
        let said = backtest::forecast(&doubled, &Settings::default(), &plan, AUTOMATIC, &|_| ());
        for (k, windows) in found.iter_mut().enumerate() {
            windows.extend((0..WINDOWS).filter_map(|w| {
                let first = at - from + 120 + 360 * w;
                covered(&doubled, &plan, &said, k, first..first + 360)
            }));
        }
    }
    found
}

fn twice(value: Value) -> Value {
    match value {
        Value::Known(value) => Value::Known(2.0 * value),
        Value::AtLeast(value) => Value::AtLeast(2.0 * value),
        Value::Missing => Value::Missing,
    }
}

/// Share of the targets in `range` within the 90 % interval; `None` where half of them or more are missing.
fn covered(
    series: &Series,
    plan: &Plan,
    said: &Forecasts,
    k: usize,
    range: std::ops::Range<usize>,
) -> Option<f64> {
    let ahead = HORIZONS[k] as usize;
    let (mut inside, mut n) = (0, 0);
    for (place, origin) in plan.origins(series).enumerate() {
        let target = origin + ahead - 1;
        let quantiles = said.quantiles[place * HORIZONS.len() + k].filter(|_| range.contains(&target));
        if let (Some(quantiles), Some(actual)) = (quantiles, series.values[target].known()) {
            let draw = Key::root(1).child("pit").at(target as u64).uniform();
            let place = pit(actual, &LEVELS, &quantiles, plan.count, draw);
            inside += usize::from((0.05..=0.95).contains(&place));
            n += 1;
        }
    }
    (2 * n * plan.every >= range.len()).then(|| f64::from(inside as u32) / f64::from(n as u32))
}
