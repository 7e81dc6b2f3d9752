//! What a series costs: `cargo xtask bench --only forecast`.
//!
//! A generated series (a day, a week, noise, and bursts at fixed minutes) is taken step by step; the median
//! of rounds of CPU time per update, and per update with 100 paths of the next hour, and the memory in the
//! end.

#![allow(missing_docs, reason = "a program, not an interface")]
#![allow(clippy::unwrap_used, reason = "a benchmark may stop anywhere")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the process's CPU clock")]

use homeostat_core::draw::Key;
use homeostat_core::{Instant, Span, num};
use homeostat_forecast::{Forecaster, Settings, Value};

const ROUNDS: usize = 3;
const DAYS: u64 = 10;

fn main() {
    println!("| step | steps | µs per update | µs per update and an hour of paths | kB per series |");
    println!("|---|---|---|---|---|");
    for (step_s, days) in [(60, DAYS), (15, 2)] {
        let step = Span::from_secs(step_s);
        let values = series(step, days);
        let measure = |paths: bool| {
            let mut times: Vec<f64> = (0..ROUNDS).map(|_| run(step, &values, paths).0).collect();
            times.sort_by(f64::total_cmp);
            times[ROUNDS / 2]
        };
        let (update, both) = (measure(false), measure(true));
        let kb = run(step, &values, false).1 as f64 / 1_000.0;
        println!("| {step_s} s | {} | {update:.1} | {both:.1} | {kb:.0} |", values.len());
    }
}

/// CPU microseconds per step, and bytes in the end.
fn run(step: Span, values: &[f64], paths: bool) -> (f64, usize) {
    let mut forecaster = Forecaster::new(Settings { step, ..Settings::default() });
    let before = cpu_seconds();
    for (index, value) in values.iter().enumerate() {
        forecaster.update(Instant::ZERO + step * index as u64, Value::Known(*value));
        if paths {
            std::hint::black_box(forecaster.paths(Span::HOUR));
        }
    }
    ((cpu_seconds() - before) * 1e6 / values.len() as f64, forecaster.bytes())
}

fn series(step: Span, days: u64) -> Vec<f64> {
    let mut draws = Key::root(1).at(0);
    let at = |index: u64| {
        let seconds = index * step.0 / Span::SECOND.0;
        let turn = |period: u64| num::sin(std::f64::consts::TAU * seconds as f64 / period as f64);
        let burst = if seconds % 1_800 / 60 == 2 { 2.0 } else { 1.0 };
        let level = 100.0 * num::exp(0.6 * turn(86_400) + 0.2 * turn(604_800)) * burst;
        level * num::exp(0.1 * draws.normal())
    };
    (0..days * Span::DAY.0 / step.0).map(at).collect()
}

/// CPU time of this process, in seconds.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}
