//! What a series costs: `cargo xtask bench --only forecast`.
//!
//! Generated series, with and without bursts at fixed minutes, are taken step by step. Per control tick:
//! CPU time of updates alone, and of updates each with 100 paths of the next hour, the least of rounds
//! (machines are shared) over a forecaster that has seen days. Per series: CPU time of five weeks of steps,
//! every one of them an update after which a forecast could be made, and how much resident memory the loaded
//! forecasters hold, in a process of their own.

#![allow(missing_docs, reason = "a program, not an interface")]
#![allow(clippy::unwrap_used, reason = "a benchmark may stop anywhere")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the process's CPU clock and memory")]

use std::process::Command;

use homeostat_core::draw::Key;
use homeostat_core::{Instant, Span, num};
use homeostat_forecast::{Forecaster, Settings, Value};

const ROUNDS: usize = 5;
/// Days before anything is timed, and timed.
const DAYS: (u64, u64) = (2, 1);
/// Seconds of a control tick.
const TICK_S: u64 = 15;
/// Series loaded, and what they stand for.
const LOADED: u64 = 40;
const FLEET: f64 = 10_000.0;
/// Days that are loaded.
const DAYS_LOADED: u64 = 35;
/// Bytes of a page of memory.
const PAGE: f64 = 4_096.0;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if let Some(place) = args.iter().position(|arg| arg == "--load") {
        let number = |after: usize| args[place + after].parse::<f64>().unwrap();
        return load(&args[place + 3], Span::from_secs(number(1) as u64), number(2));
    }
    println!("| series | step | µs per update | µs per hour of paths | µs per control tick, bar 20 |");
    println!("|---|---|---|---|---|");
    for (name, burst) in [("plain", 1.0), ("bursts", 2.0)] {
        for step_s in [60, 30, 15] {
            let step = Span::from_secs(step_s);
            let values = series(1, step, DAYS.0 + DAYS.1, burst);
            let (update, both) = (least(|| tick(step, &values, false)), least(|| tick(step, &values, true)));
            let amortised = both * TICK_S as f64 / step_s as f64;
            println!("| {name} | {step_s} s | {update:.1} | {:.1} | {amortised:.1} |", both - update);
        }
    }
    println!();
    println!(
        "| series | step | CPU ms to load five weeks | 10 000 series, CPU s, bar 15 | kB resident | \
         kB by its own count | 10 000 series, MB, bar 500 |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (name, burst, step_s) in [("plain", 1, 60), ("bursts", 2, 60), ("plain", 1, 600)] {
        let mut own = Command::new(std::env::current_exe().unwrap());
        own.args(["--load", &step_s.to_string(), &burst.to_string(), name]);
        assert!(own.status().unwrap().success());
    }
}

fn least(measure: impl Fn() -> f64) -> f64 {
    (0..ROUNDS).map(|_| measure()).fold(f64::INFINITY, f64::min)
}

/// CPU microseconds per step, of the last days.
fn tick(step: Span, values: &[f64], paths: bool) -> f64 {
    let mut forecaster = Forecaster::new(Settings { step, ..Settings::default() });
    let first = (DAYS.0 * Span::DAY.0 / step.0) as usize;
    let mut before = 0.0;
    for (index, value) in values.iter().enumerate() {
        if index == first {
            before = cpu_seconds();
        }
        forecaster.update(Instant::ZERO + step * index as u64, Value::Known(*value));
        if paths && index >= first {
            std::hint::black_box(forecaster.paths(Span::HOUR));
        }
    }
    (cpu_seconds() - before) * 1e6 / (values.len() - first) as f64
}

/// Prints per series: CPU time of loading five weeks, resident bytes that it adds, and what it says itself.
fn load(name: &str, step: Span, burst: f64) {
    let mut loaded = Vec::new();
    let mut one = |seed: u64| {
        let values = series(seed, step, DAYS_LOADED, burst);
        let before = cpu_seconds();
        let mut forecaster = Forecaster::new(Settings { step, ..Settings::default() });
        for (index, value) in values.iter().enumerate() {
            forecaster.update(Instant::ZERO + step * index as u64, Value::Known(*value));
        }
        let (cpu_s, bytes) = (cpu_seconds() - before, forecaster.bytes() as f64);
        loaded.push(forecaster);
        (cpu_s, bytes)
    };
    // memory that comes and goes is there after the first
    one(0);
    let resident = resident();
    let (mut cpu_s, mut bytes) = (0.0, 0.0);
    for seed in 1..=LOADED {
        let (own_s, own_bytes) = one(seed);
        (cpu_s, bytes) = (cpu_s + own_s / LOADED as f64, bytes + own_bytes / LOADED as f64);
    }
    let resident = (self::resident() - resident) / LOADED as f64;
    println!(
        "| {name} | {} s | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} |",
        step.as_secs_f64(),
        cpu_s * 1e3,
        cpu_s * FLEET,
        resident / 1e3,
        bytes / 1e3,
        resident * FLEET / 1e6,
    );
}

/// A day, a week and noise; every half-hour its third minute is `burst` times as high.
fn series(seed: u64, step: Span, days: u64, burst: f64) -> Vec<f64> {
    let mut draws = Key::root(seed).at(0);
    let at = |index: u64| {
        let seconds = index * step.0 / Span::SECOND.0;
        let turn = |period: u64| num::sin(std::f64::consts::TAU * seconds as f64 / period as f64);
        let burst = if seconds % 1_800 / 60 == 2 { burst } else { 1.0 };
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

/// Resident memory of this process, in bytes.
fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * PAGE
}
