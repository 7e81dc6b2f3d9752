//! Scores of outside models and of ours, by the same code, and how sure the differences are.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use homeostat_core::Span;
use homeostat_forecast::backtest::{self, AUTOMATIC, Forecasts, Plan, Row};
use homeostat_forecast::score::difference;
use homeostat_forecast::{Forecaster, Series, Settings};

use super::conformal::conformal;
use super::exchange::{Answer, HORIZONS, Parts};
use super::files::{Difference, Losses, Scored};
use crate::cpu::cpu_seconds;

/// Ours in the tables.
pub(crate) const OURS: &str = "homeostat";
/// Levels whose losses are compared, with their places in [`backtest::LEVELS`].
const COMPARED: [(f64, usize); 2] = [(0.9, 2), (0.99, 4)];

/// Scores of the outside models on the test part, and the losses of the best of them.
pub(crate) fn outside(trace: &str, parts: &Parts, answers: &[Answer]) -> (Vec<Scored>, Vec<Losses>) {
    let (series, plan) = &parts.test;
    let mut chosen: Vec<(Forecasts, Vec<Choice>)> = Vec::new();
    for answer in answers {
        chosen.push(choose(answer, parts));
    }
    let all: Vec<Forecasts> = chosen.iter().map(|(forecasts, _)| forecasts.clone()).collect();
    let mut rows = Vec::new();
    for row in backtest::scores(series, plan, &all) {
        let place = all.iter().position(|f| f.name == row.model).unwrap_or(0);
        let choice = &chosen[place].1[horizon_place(&row)];
        let mut scored = Scored::of(trace, &row, choice.intervals, Some(answers[place].cpu_us));
        scored.tuning_90 = choice.tuning[0];
        scored.tuning_99 = choice.tuning[1];
        rows.push(scored);
    }
    let losses = best(trace, parts, &all, &rows);
    (rows, losses)
}

fn horizon_place(row: &Row) -> usize {
    HORIZONS.iter().position(|h| Span::MINUTE * *h == row.horizon).unwrap_or(0)
}

/// The interval that a model gets at one horizon and its losses at 0.9 and 0.99 on the tuning part.
struct Choice {
    intervals: &'static str,
    tuning: [Option<f64>; 2],
}

/// Own or conformal intervals, whichever lost less on the tuning part (product of the losses at 0.9 and
/// 0.99), horizon by horizon.
fn choose(answer: &Answer, parts: &Parts) -> (Forecasts, Vec<Choice>) {
    let (series, plan) = &parts.tuning;
    let whole = &parts.test.0;
    let variants = [
        ("own", Answer { name: answer.name.clone(), said: answer.said.clone(), cpu_us: answer.cpu_us }),
        ("conformal", conformal(answer, whole, false)),
        ("conformal, relative", conformal(answer, whole, true)),
    ];
    let tuned: Vec<Forecasts> = variants.iter().map(|(_, answer)| answer.at(&parts.tuning)).collect();
    let rows = backtest::scores(series, plan, &tuned);
    let mut test = variants[0].1.at(&parts.test);
    let mut choices = Vec::new();
    for k in 0..HORIZONS.len() {
        let rows = &rows[k * variants.len()..][..variants.len()];
        let lost = |row: &Row| row.pinball_90.zip(row.pinball_99).map_or(f64::INFINITY, |(a, b)| a * b);
        let best = (0..rows.len()).min_by(|a, b| lost(&rows[*a]).total_cmp(&lost(&rows[*b]))).unwrap_or(0);
        let better = variants[best].1.at(&parts.test);
        for place in (k..test.quantiles.len()).step_by(HORIZONS.len()) {
            test.quantiles[place] = better.quantiles[place];
        }
        let tuning = [rows[best].pinball_90, rows[best].pinball_99];
        choices.push(Choice { intervals: variants[best].0, tuning });
    }
    (test, choices)
}

/// Losses of the outside model that was best on the tuning part, and of the one that was best on the test
/// part, which nobody could know.
fn best(trace: &str, parts: &Parts, all: &[Forecasts], rows: &[Scored]) -> Vec<Losses> {
    let (series, plan) = &parts.test;
    let mut found = Vec::new();
    for (k, horizon) in HORIZONS.into_iter().enumerate() {
        for (level, place) in COMPARED {
            let by = |role: &str, row: &Scored| match (role, place) {
                ("tuning", 2) => row.tuning_90,
                ("tuning", _) => row.tuning_99,
                (_, 2) => row.pinball_90,
                _ => row.pinball_99,
            };
            for role in ["tuning", "hindsight"] {
                let least = rows
                    .iter()
                    .filter(|row| row.horizon_min == horizon)
                    .filter_map(|row| Some((by(role, row)?, &row.model)))
                    .min_by(|a, b| a.0.total_cmp(&b.0));
                let Some(theirs) = least.and_then(|(_, name)| all.iter().find(|f| f.name == *name)) else {
                    continue;
                };
                let (losses, mean) = backtest::losses(series, plan, &[theirs], k, place);
                found.push(Losses {
                    trace: trace.to_owned(),
                    horizon_min: horizon,
                    level,
                    role: role.to_owned(),
                    model: theirs.name.clone(),
                    losses: losses[0].iter().map(|loss| loss / mean).collect(),
                });
            }
        }
    }
    found
}

/// Our forecasts on the test part: the automatic choice.
pub(crate) fn ours(series: &Series, plan: &Plan) -> Forecasts {
    Forecasts { name: OURS.to_owned(), ..backtest::forecast(series, &settings(), plan, AUTOMATIC, &|_| ()) }
}

/// Scores of our own models, each alone, or of the choice among them.
pub(crate) fn of_models(trace: &str, series: &Series, plan: &Plan, models: &[&'static str]) -> Vec<Scored> {
    let forecasts: Vec<Forecasts> =
        models.iter().map(|model| backtest::forecast(series, &settings(), plan, model, &|_| ())).collect();
    let rows = backtest::scores(series, plan, &forecasts);
    rows.iter().map(|row| Scored::of(trace, row, "own", None)).collect()
}

fn settings() -> Settings {
    Settings::default()
}

/// Scores of ours and of the last value with conformal intervals.
pub(crate) fn our_rows(trace: &str, parts: &Parts, ours: &Forecasts) -> Vec<Scored> {
    let (series, plan) = &parts.test;
    let (last, choices) = choose(&last_value(parts), parts);
    let rows = backtest::scores(series, plan, &[ours.clone(), last]);
    let intervals = |row: &Row| if row.model == OURS { "own" } else { choices[horizon_place(row)].intervals };
    rows.iter().map(|row| Scored::of(trace, row, intervals(row), None)).collect()
}

/// The last known value, for ever and for sure.
fn last_value(parts: &Parts) -> Answer {
    let mut said = BTreeMap::new();
    for (series, plan) in [&parts.tuning, &parts.test] {
        for origin in plan.origins(series) {
            let last = series.values[..origin].iter().rev().find_map(|value| value.known()).unwrap_or(0.0);
            said.extend(HORIZONS.map(|h| ((origin, h), [last; 5])));
        }
    }
    Answer { name: "last".to_owned(), said, cpu_us: 0.0 }
}

/// Differences between our losses and the kept ones of the best outside models; blocks of a day.
pub(crate) fn differences(
    trace: &str,
    parts: &Parts,
    ours: &Forecasts,
    kept: &[Losses],
) -> Result<Vec<Difference>> {
    let (series, plan) = &parts.test;
    let block = 1_440 / plan.every.max(1);
    let mut found = Vec::new();
    for theirs in kept.iter().filter(|l| l.trace == trace) {
        let k = HORIZONS.iter().position(|h| *h == theirs.horizon_min).context("an unknown horizon")?;
        let place = COMPARED.iter().find(|c| c.0 == theirs.level).context("an unknown level")?.1;
        let (own, mean) = backtest::losses(series, plan, &[ours], k, place);
        let own: Vec<f64> = own[0].iter().map(|loss| loss / mean).collect();
        if own.len() != theirs.losses.len() {
            anyhow::bail!("{trace}: other origins than in losses.csv: run `cargo xtask peers` anew");
        }
        let interval = difference(&own, &theirs.losses, block, 1).context("no targets")?;
        let average = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
        let (ours, them) = (average(&own), average(&theirs.losses));
        found.push(Difference { of: theirs.clone(), n: own.len(), ours, theirs: them, interval });
    }
    Ok(found)
}

/// CPU time in µs of an update and a forecast of 60 minutes, where one is made each minute of the last week
/// of the series.
pub(crate) fn our_cpu_us(series: &Series) -> f64 {
    let mut forecaster = Forecaster::new(settings());
    let week = series.values.len().saturating_sub(7 * 1_440);
    for (i, value) in series.values[..week].iter().enumerate() {
        forecaster.update(series.at(i), *value);
    }
    let before = cpu_seconds();
    let mut sum = 0.0;
    for (i, value) in series.values.iter().enumerate().skip(week) {
        forecaster.update(series.at(i), *value);
        let paths = forecaster.paths(Span::HOUR);
        sum += HORIZONS.map(|h| paths.quantiles(h as usize - 1, backtest::LEVELS)[0]).iter().sum::<f64>();
    }
    std::hint::black_box(sum);
    (cpu_seconds() - before) * 1e6 / (series.values.len() - week) as f64
}
