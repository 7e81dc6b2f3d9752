//! What outside programs get and give: series and origins as CSV, quantiles and CPU times as CSV.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use homeostat_core::Span;
use homeostat_forecast::Series;
use homeostat_forecast::backtest::{Forecasts, Plan};

use super::recorded::{Recorded, Trace, filled};

/// Minutes ahead.
pub(crate) const HORIZONS: [u64; 3] = [5, 15, 60];
/// Origins on the tuning and on the test part, about.
const WANTED: (usize, usize) = (300, 400);
/// Minutes a day.
const DAY: usize = 1_440;

/// The tuning part and where forecasts are made on it; the whole and where they are made on the test part.
pub(crate) struct Parts {
    pub(crate) tuning: (Series, Plan),
    pub(crate) test: (Series, Plan),
}

impl Parts {
    pub(crate) fn of(recorded: &Recorded) -> Self {
        let Recorded { series, cut, count } = recorded;
        let horizons = || HORIZONS.map(|h| Span::MINUTE * h).to_vec();
        let head = Series { values: series.values[..*cut].to_vec(), ..series.clone() };
        // The last ten days of the tuning part, but two days at least have passed.
        let first = cut.saturating_sub(10 * DAY).max(2 * DAY).max(cut / 2 / DAY * DAY);
        let plan = |series, first, wanted| Plan {
            tuning: *cut,
            count: *count,
            ..Plan::spread(series, horizons(), first, wanted)
        };
        let tuning = plan(&head, first, WANTED.0);
        let test = plan(series, *cut, WANTED.1);
        Self { tuning: (head, tuning), test: (series.clone(), test) }
    }
}

/// Writes what an outside program needs into `folder`.
pub(crate) fn write(folder: &Path, trace: &Trace, recorded: &Recorded, parts: &Parts) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut text = String::from("rate\n");
    for value in filled(&recorded.series.values) {
        writeln!(text, "{value}")?;
    }
    std::fs::write(folder.join("series.csv"), text)?;
    let minutes = recorded.series.start.0 / Span::MINUTE.0;
    let mut text = format!("key,value\nstart_min,{minutes}\n");
    for period in trace.periods {
        writeln!(text, "period_min,{period}")?;
    }
    std::fs::write(folder.join("about.csv"), text)?;
    let mut text = String::from("origin\n");
    for (series, plan) in [&parts.tuning, &parts.test] {
        let steps = plan.steps(series.step);
        let known = |at: usize| series.values[at].known().is_some();
        for origin in plan.origins(series).filter(|o| steps.iter().any(|s| known(o + s - 1))) {
            writeln!(text, "{origin}")?;
        }
    }
    std::fs::write(folder.join("origins.csv"), text)?;
    Ok(())
}

/// What an outside model said: quantiles by origin and minutes ahead, and its CPU time.
pub(crate) struct Answer {
    pub(crate) name: String,
    pub(crate) said: BTreeMap<(usize, u64), [f64; 5]>,
    /// CPU time per forecast in µs where one is made each minute and the refit is once a day.
    pub(crate) cpu_us: f64,
}

/// All whole answers in `folder`, by name; a model that was cut short is left out with a word about it.
pub(crate) fn answers(folder: &Path) -> Result<Vec<Answer>> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .with_context(|| format!("no forecasts in {}: run `cargo xtask peers`", folder.display()))?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".cpu.csv").map(str::to_owned))
        .collect();
    names.sort();
    let wanted = HORIZONS.len() * numbers(&folder.join("origins.csv"))?.len();
    let mut found = Vec::new();
    for name in names {
        let answer = answer(folder, name)?;
        if answer.said.len() == wanted {
            found.push(answer);
        } else {
            eprintln!("left out: {} in {}: not finished", answer.name, folder.display());
        }
    }
    Ok(found)
}

fn answer(folder: &Path, name: String) -> Result<Answer> {
    let mut said = BTreeMap::new();
    for row in numbers(&folder.join(format!("{name}.csv")))? {
        let [origin, horizon, quantiles @ ..] = row.as_slice() else { continue };
        let quantiles: [f64; 5] = quantiles.try_into().context("five quantiles a row")?;
        said.insert((*origin as usize, *horizon as u64), quantiles);
    }
    let times = numbers(&folder.join(format!("{name}.cpu.csv")))?;
    let sum = |column: usize| -> f64 { times.iter().map(|row| row[column]).sum() };
    let cpu_us = 1e6 * (sum(2) / (times.len() * DAY) as f64 + sum(3) / sum(1));
    Ok(Answer { name, said, cpu_us })
}

fn numbers(path: &Path) -> Result<Vec<Vec<f64>>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let row = |line: &str| line.split(',').map(str::parse).collect::<Result<Vec<f64>, _>>();
    text.lines().skip(1).map(row).collect::<Result<_, _>>().with_context(|| path.display().to_string())
}

impl Answer {
    /// The quantiles at the origins of a plan.
    pub(crate) fn at(&self, (series, plan): &(Series, Plan)) -> Forecasts {
        let mut forecasts = Forecasts::silent(&self.name, series, plan);
        for (place, origin) in plan.origins(series).enumerate() {
            for (k, horizon) in HORIZONS.iter().enumerate() {
                forecasts.quantiles[place * HORIZONS.len() + k] = self.said.get(&(origin, *horizon)).copied();
            }
        }
        forecasts
    }
}
