//! Slope error and coverage against least squares with full knowledge of the noise.

use homeostat_core::Instant;
use homeostat_forecast::aging::synth::{History, Leak, Recipe, history};
use homeostat_forecast::aging::{Detector, Settings};

use super::stats::at_once;

const RUNS: u64 = 100;
/// MiB per hour.
const SLOPE: f64 = 12.0;

pub(super) fn print(from: u64) {
    println!("\n## Leak slope: 72 h, {SLOPE} MiB/h, swinging load, {RUNS} seeds each\n");
    println!(
        "| noise, MiB | memory | RMS error | least squares' standard error | bar | coverage | without load: RMS error | coverage |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let noises = [5.0, 20.0, 60.0].into_iter();
    let rows: Vec<(f64, f64)> = noises.flat_map(|mib| [0.0, 0.5, 0.95].map(|memory| (mib, memory))).collect();
    for row in at_once(rows, |(mib, memory)| row(from, mib, memory)) {
        println!("{row}");
    }
}

fn row(from: u64, noise_mib: f64, memory: f64) -> String {
    let mut ours = Tally::default();
    let mut without = Tally::default();
    let mut theory = 0.0;
    for seed in from..from + RUNS {
        // The limit lies far enough for the leak to last.
        let recipe = Recipe {
            seed,
            noise_mib,
            memory,
            leak: Leak::Linear,
            base_mib: 700.0,
            limit_mib: 700.0 + 160.0 + SLOPE * 144.0,
            life_hours: 144.0,
            ..Recipe::default()
        };
        let made = history(&recipe);
        ours.add(&made, &Settings::default());
        without.add(&made, &Settings { load: false, ..Settings::default() });
        theory += least_squares(&made, noise_mib, memory) / RUNS as f64;
    }
    let bar = f64::max(0.1 * SLOPE, 1.3 * theory);
    let (error, coverage) = ours.figures();
    let (error_without, coverage_without) = without.figures();
    let mark = |text: String, holds: bool| if holds { text } else { format!("**{text}**") };
    format!(
        "| {noise_mib} | {memory} | {} | {theory:.3} | {bar:.3} | {} | {error_without:.3} | {coverage_without:.1} % |",
        mark(format!("{error:.3}"), error <= bar),
        mark(format!("{coverage:.1} %"), (85.0..=95.0).contains(&coverage)),
    )
}

#[derive(Default)]
struct Tally {
    errors: Vec<f64>,
    inside: usize,
}

impl Tally {
    fn add(&mut self, made: &History, settings: &Settings) {
        let mut detector = Detector::new(*settings, Some(1e6));
        for minute in &made.minutes {
            detector.update(minute.at, Some(minute.value), Some(minute.load));
        }
        let verdict = detector.verdict();
        if std::env::var_os("AGING_LOOK").is_some() {
            let trend = detector.trend();
            eprintln!(
                "{:.2} [{:.2}, {:.2}] age {:.0} {:?}",
                verdict.slope_per_hour,
                verdict.slope_low,
                verdict.slope_high,
                detector.age_hours(),
                trend.as_ref().map(homeostat_forecast::aging::Trend::terms),
            );
        }
        self.errors.push(verdict.slope_per_hour - SLOPE);
        self.inside += usize::from(verdict.slope_low <= SLOPE && SLOPE <= verdict.slope_high);
    }

    fn figures(&self) -> (f64, f64) {
        let n = self.errors.len() as f64;
        let square: f64 = self.errors.iter().map(|error| error * error).sum();
        ((square / n).sqrt(), 100.0 * self.inside as f64 / n)
    }
}

/// Standard error of the least-squares slope of value on time, load and lagged load, minute by minute, when
/// noise is AR(1) with known deviation and memory: the closed form x'Γx with x the part of time that the
/// loads don't explain.
fn least_squares(made: &History, noise: f64, memory: f64) -> f64 {
    let n = made.minutes.len();
    let mut lagged = made.minutes[0].load;
    let mut columns = [vec![1.0; n], Vec::with_capacity(n), Vec::with_capacity(n)];
    for minute in &made.minutes {
        lagged += (minute.load - lagged) / 30.0;
        columns[1].push(minute.load);
        columns[2].push(lagged);
    }
    let hours = |at: Instant| at.since(Instant::ZERO).as_hours_f64();
    let mut time: Vec<f64> = made.minutes.iter().map(|minute| hours(minute.at)).collect();
    for i in 0..columns.len() {
        let (done, rest) = columns.split_at_mut(i);
        for other in done.iter() {
            take_out(&mut rest[0], other);
        }
        take_out(&mut time, &rest[0]);
    }
    let size: f64 = time.iter().map(|x| x * x).sum();
    let (mut sum, mut before) = (0.0, 0.0);
    for x in &time {
        sum += x * (x + 2.0 * before);
        before = memory * (before + x);
    }
    noise * sum.sqrt() / size
}

fn take_out(values: &mut [f64], column: &[f64]) {
    let along: f64 = values.iter().zip(column).map(|(a, b)| a * b).sum();
    let size: f64 = column.iter().map(|b| b * b).sum();
    values.iter_mut().zip(column).for_each(|(value, b)| *value -= along / size * b);
}
