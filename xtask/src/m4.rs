//! M4 Hourly: `cargo xtask m4`. One configuration for all 414 series, 48 steps ahead, season of 24.
//!
//! The 48 last hours of the training rows stand in for the test rows with `--train`: for work on the models.
//! Without it the test rows are read, for the figures that are reported. Names of models show each of them
//! alone.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;
use homeostat_core::{Instant, Span};
use homeostat_forecast::{Forecaster, Settings, Value, model};

use crate::peers::{outside, recorded, tables};

const AHEAD: usize = 48;
const SEASON: usize = 24;
/// Where outside programs leave their forecasts.
const KEPT: &str = "target/peers/m4";

/// A series: what is known and what came.
struct Case {
    known: Vec<f64>,
    came: Vec<f64>,
}

/// Prints MASE, sMAPE and OWA of ours, of the reference methods, and of what
/// `testing/peers/forecast/m4.py` forecasts, and puts them into the docs.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    let folder = recorded::folder(root).join("forecasting");
    let mut cases = cases(&folder)?;
    let train = args.iter().any(|arg| arg == "--train");
    if train {
        for case in &mut cases {
            case.came = case.known.split_off(case.known.len() - AHEAD);
        }
    }
    let naive2 = mean(&cases, |case| naive2(&case.known));
    let mut lines = vec!["| method | MASE | sMAPE, % | OWA |\n|---|---|---|---|\n".to_owned()];
    let mut show = |name: &str, (mase, smape): (f64, f64)| {
        let owa = f64::midpoint(mase / naive2.0, smape / naive2.1);
        lines.push(format!("| {name} | {mase:.3} | {smape:.2} | {owa:.3} |\n"));
    };
    show("**homeostat**", mean(&cases, |case| ours(&case.known, None)));
    for name in model::NAMES.into_iter().filter(|name| args.iter().any(|arg| arg == name)) {
        show(name, mean(&cases, |case| ours(&case.known, Some(name))));
    }
    if !train {
        outside::m4(root, &folder.join("m4_hourly_train.csv.gz"), &root.join(KEPT))?;
    }
    for (name, forecasts) in if train { Vec::new() } else { kept(&root.join(KEPT))? } {
        ensure!(forecasts.len() == cases.len(), "{name}: {} series", forecasts.len());
        let mut rows = forecasts.into_iter();
        show(&name, mean(&cases, |_| rows.next().unwrap_or_default()));
    }
    show("seasonal naive", mean(&cases, |case| seasonal_naive(&case.known)));
    show("naive 2", naive2);
    let table = lines.concat();
    print!("{table}");
    if train { Ok(()) } else { tables::place(root, "m4", &table) }
}

fn cases(folder: &Path) -> Result<Vec<Case>> {
    let known = rows(&folder.join("m4_hourly_train.csv.gz"))?;
    let came = rows(&folder.join("m4_hourly_test.csv.gz"))?;
    ensure!(known.len() == 414 && came.len() == 414, "414 series");
    Ok(known.into_iter().zip(came).map(|(known, came)| Case { known, came }).collect())
}

/// Numbers of each row; the first column is a name, empty cells end a row.
fn rows(path: &Path) -> Result<Vec<Vec<f64>>> {
    let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    let mut text = String::new();
    GzDecoder::new(file).read_to_string(&mut text)?;
    let cells = |line: &str| -> Result<Vec<f64>> {
        let cells = line.split(',').skip(1).map(|cell| cell.trim_matches('"'));
        Ok(cells.filter(|cell| !cell.is_empty()).map(str::parse).collect::<Result<_, _>>()?)
    };
    text.lines().skip(1).map(cells).collect()
}

/// MASE and sMAPE (in percent), the means over all series.
fn mean(cases: &[Case], mut forecast: impl FnMut(&Case) -> Vec<f64>) -> (f64, f64) {
    let scores = cases.iter().map(|case| score(case, &forecast(case)));
    let (mase, smape) = scores.fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    (mase / cases.len() as f64, smape / cases.len() as f64)
}

fn score(case: &Case, forecast: &[f64]) -> (f64, f64) {
    let naive: f64 = case.known.windows(SEASON + 1).map(|w| (w[SEASON] - w[0]).abs()).sum();
    let scale = naive / (case.known.len() - SEASON) as f64;
    let (mut error, mut relative) = (0.0, 0.0);
    for (came, said) in case.came.iter().zip(forecast) {
        error += (came - said).abs();
        relative += 200.0 * (came - said).abs() / (came.abs() + said.abs());
    }
    let n = case.came.len() as f64;
    (error / n / scale, relative / n)
}

/// The median of our paths, by one model where named. The series have no dates: they begin at the epoch.
fn ours(known: &[f64], only: Option<&'static str>) -> Vec<f64> {
    let horizon = Span::HOUR * AHEAD as u64;
    let mut forecaster = Forecaster::new(Settings { step: Span::HOUR, horizon, only, ..Settings::default() });
    for (hour, value) in known.iter().enumerate() {
        forecaster.update(Instant::ZERO + Span::HOUR * hour as u64, Value::Known(*value));
    }
    let paths = forecaster.paths(horizon);
    (0..AHEAD).map(|step| paths.quantiles(step, [0.5])[0]).collect()
}

fn seasonal_naive(known: &[f64]) -> Vec<f64> {
    known[known.len() - SEASON..].iter().copied().cycle().take(AHEAD).collect()
}

/// M4's Naive 2: the last value after multiplicative seasonal adjustment, where the series is seasonal.
fn naive2(known: &[f64]) -> Vec<f64> {
    let indices = if seasonal(known) { indices(known) } else { vec![1.0; SEASON] };
    let n = known.len();
    let level = known[n - 1] / indices[(n - 1) % SEASON];
    (n..n + AHEAD).map(|at| level * indices[at % SEASON]).collect()
}

/// M4's test: the autocorrelation at the season is beyond 90 % limits (Bartlett).
fn seasonal(known: &[f64]) -> bool {
    let n = known.len() as f64;
    let mean = known.iter().sum::<f64>() / n;
    let moment =
        |lag: usize| -> f64 { known.iter().zip(&known[lag..]).map(|(a, b)| (a - mean) * (b - mean)).sum() };
    let acf: Vec<f64> = (1..=SEASON).map(|lag| moment(lag) / moment(0)).collect();
    let before: f64 = acf[..SEASON - 1].iter().map(|r| r * r).sum();
    acf[SEASON - 1].abs() > 1.645 * ((1.0 + 2.0 * before) / n).sqrt()
}

/// Classical multiplicative decomposition: mean ratio to the centred moving average, mean 1.
fn indices(known: &[f64]) -> Vec<f64> {
    let half = SEASON / 2;
    let (mut sums, mut counts) = (vec![0.0; SEASON], vec![0.0; SEASON]);
    for (from, window) in known.windows(SEASON + 1).enumerate() {
        let ends = f64::midpoint(window[0], window[SEASON]);
        let average = (window[1..SEASON].iter().sum::<f64>() + ends) / SEASON as f64;
        let place = (from + half) % SEASON;
        sums[place] += window[half] / average;
        counts[place] += 1.0;
    }
    let means: Vec<f64> = sums.iter().zip(&counts).map(|(sum, n)| sum / n).collect();
    let total: f64 = means.iter().sum();
    means.iter().map(|m| m * SEASON as f64 / total).collect()
}

/// Kept forecasts: a file per method, a line of 48 numbers per series.
fn kept(folder: &Path) -> Result<Vec<(String, Vec<Vec<f64>>)>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let line = |text: &str| text.split(',').map(str::parse).collect::<Result<Vec<f64>, _>>();
        let rows = std::fs::read_to_string(&path)?.lines().map(line).collect::<Result<_, _>>()?;
        found.push((name, rows));
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The competition's published figures of its two reference methods: 18.383 and 2.395 for Naive 2,
    /// 13.912 and 1.193 for the seasonal naive forecast.
    #[test]
    fn reference_methods_have_their_published_scores() {
        let folder = recorded::folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).join("forecasting");
        if !folder.exists() {
            println!("skipped: no data at {} (set HOMEOSTAT_DATA)", folder.display());
            return;
        }
        let cases = cases(&folder).unwrap();
        let (mase, smape) = mean(&cases, |case| naive2(&case.known));
        assert!((mase - 2.395).abs() < 0.001 && (smape - 18.383).abs() < 0.001, "{mase} {smape}");
        let (mase, smape) = mean(&cases, |case| seasonal_naive(&case.known));
        assert!((mase - 1.193).abs() < 0.001 && (smape - 13.912).abs() < 0.001, "{mase} {smape}");
    }
}
