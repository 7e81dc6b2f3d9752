//! Scores of forecasts on a series, for tuning: `score FILE PART [MODEL …]`.
//!
//! FILE is plain text: `START_SECONDS STEP_SECONDS`, then one value per line, `nan` where missing. PART is
//! `tune` (the first 40 %, cut at midnight UTC) or `rest`. MODEL is a name of `model::NAMES` or `automatic`.

#![allow(clippy::disallowed_methods, reason = "a tool around the pure half, not part of it")]

use std::process::ExitCode;

use homeostat_core::{Instant, Span};
use homeostat_forecast::score::pinball;
use homeostat_forecast::{Forecaster, Settings, Value, model};

const HORIZONS: [usize; 3] = [5, 15, 60];
const LEVELS: [f64; 5] = [0.05, 0.5, 0.9, 0.95, 0.99];
const DAY_S: u64 = 86_400;

struct Trace {
    start_s: u64,
    step_s: u64,
    values: Vec<f64>,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let trace = match args.first().map(|path| read(path)) {
        Some(Ok(trace)) if args.len() >= 2 => trace,
        Some(Err(error)) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
        _ => {
            eprintln!("score FILE tune|rest [MODEL …]");
            return ExitCode::from(2);
        }
    };
    let names: Vec<&str> = match &args[2..] {
        [] => vec!["last", "automatic"],
        names => names.iter().map(String::as_str).collect(),
    };
    println!("model            min  wape   ratio  p50    p90     p99     cover  days%  width  ms");
    for name in names {
        report(&trace, args[1] == "tune", name);
    }
    ExitCode::SUCCESS
}

fn read(path: &str) -> Result<Trace, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let mut numbers = text.split_whitespace().map(|word| word.parse::<f64>().map_err(|_| word.to_owned()));
    let mut next = || numbers.next().unwrap_or(Err("the end".into())).map_err(|e| format!("{path}: {e}"));
    let (start_s, step_s) = (next()? as u64, next()? as u64);
    let values = numbers.collect::<Result<_, _>>().map_err(|word| format!("{path}: {word} is no number"))?;
    Ok(Trace { start_s, step_s, values })
}

/// Sums at one horizon.
#[derive(Default)]
struct Sums {
    actual: f64,
    error: f64,
    last: f64,
    pinball: [f64; 3],
    width: f64,
    days: Vec<(u32, u32)>,
}

fn report(trace: &Trace, tune: bool, name: &str) {
    let only = model::NAMES.into_iter().find(|known| *known == name);
    let step = Span::from_secs(trace.step_s);
    let horizon = step * 60;
    let mut forecaster = Forecaster::new(Settings { step, horizon, only, ..Settings::default() });
    let cut_s = trace.start_s + (trace.values.len() as u64 * trace.step_s * 2 / 5) / DAY_S * DAY_S;
    let cut_s = cut_s / DAY_S * DAY_S;
    let burn_s = (trace.start_s / DAY_S + 3) * DAY_S;
    let mut sums: [Sums; 3] = Default::default();
    let mut last = f64::NAN;
    let mut shares = [const { std::collections::BTreeMap::<&str, u32>::new() }; 3];
    let began = std::time::Instant::now();
    for (index, value) in trace.values.iter().enumerate() {
        let at_s = trace.start_s + index as u64 * trace.step_s;
        let known = if value.is_nan() { Value::Missing } else { Value::Known(*value) };
        forecaster.update(Instant::ZERO + Span::from_secs(at_s), known);
        last = if value.is_nan() { last } else { *value };
        let scored = if tune { at_s >= burn_s && at_s < cut_s } else { at_s >= cut_s };
        if !scored {
            if tune && at_s >= cut_s {
                break;
            }
            continue;
        }
        let paths = forecaster.paths(horizon);
        for ((sums, share), ahead) in sums.iter_mut().zip(&mut shares).zip(HORIZONS) {
            let Some(actual) = trace.values.get(index + ahead).filter(|value| !value.is_nan()) else {
                continue;
            };
            let day = ((at_s + ahead as u64 * trace.step_s) / DAY_S - burn_s / DAY_S) as usize;
            *share.entry(forecaster.chosen_at(step * ahead as u64).model).or_default() += 1;
            sums.add(*actual, last, paths.quantiles(ahead - 1, LEVELS), day);
        }
    }
    let ms = began.elapsed().as_millis();
    for (sums, ahead) in sums.iter().zip(HORIZONS) {
        sums.print(name, ahead, ms);
    }
    println!("  steps per model {shares:?}; {} bytes", forecaster.bytes());
}

impl Sums {
    fn add(&mut self, actual: f64, last: f64, quantiles: [f64; 5], day: usize) {
        let [low, middle, upper, high, top] = quantiles;
        self.actual += actual;
        self.error += (actual - middle).abs();
        self.last += (actual - last).abs();
        let levels = [(middle, 0.5), (upper, 0.9), (top, 0.99)];
        for (sum, (quantile, level)) in self.pinball.iter_mut().zip(levels) {
            *sum += pinball(actual, quantile, level);
        }
        self.width += high - low;
        self.days.resize(self.days.len().max(day + 1), (0, 0));
        self.days[day].0 += u32::from(actual >= low && actual <= high);
        self.days[day].1 += 1;
    }

    fn print(&self, name: &str, ahead: usize, ms: u128) {
        let full = || {
            self.days.iter().filter(|(_, all)| *all > 700).map(|(in_, all)| f64::from(*in_) / f64::from(*all))
        };
        let good = full().filter(|share| (0.85..=0.95).contains(share)).count() as f64
            / full().count().max(1) as f64;
        let (inside, all) = self.days.iter().fold((0, 0), |(a, b), (x, y)| (a + x, b + y));
        println!(
            "{name:16} {ahead:3}  {:.4} {:.3}  {:.4} {:.5} {:.5}  {:.3}  {:4.0}%  {:.3} {ms}",
            self.error / self.actual,
            self.error / self.last,
            self.pinball[0] / self.actual,
            self.pinball[1] / self.actual,
            self.pinball[2] / self.actual,
            f64::from(inside) / f64::from(all),
            100.0 * good,
            self.width / self.actual,
        );
    }
}
