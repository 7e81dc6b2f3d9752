//! What watching costs.

use homeostat_forecast::aging::synth::{Leak, Recipe, history};
use homeostat_forecast::aging::{Detector, Settings};

use crate::cpu::cpu_seconds;

const SIGNALS: usize = 50_000;
const WATCHED: usize = 500;

pub(super) fn print() {
    let made = history(&Recipe { leak: Leak::PerRequest, life_hours: 90.0, ..Recipe::default() });
    let mut detectors = vec![Detector::new(Settings::default(), Some(2_048.0)); WATCHED];
    let before = resident();
    println!("\n## Cost of watching: 10 000 replicas × 5 signals, a reading a minute\n");
    println!("| hours | of one core |");
    println!("|---|---|");
    for (day, minutes) in made.minutes.chunks(60 * 12).enumerate() {
        let start = cpu_seconds();
        for minute in minutes {
            for detector in &mut detectors {
                detector.update(minute.at, Some(minute.value), Some(minute.load));
            }
        }
        let each = (cpu_seconds() - start) / (minutes.len() * WATCHED) as f64;
        println!("| {} to {} | {:.2} % |", day * 12, day * 12 + 12, each * SIGNALS as f64 / 60.0 * 100.0);
    }
    let grown = resident().saturating_sub(before) as f64 / WATCHED as f64 * SIGNALS as f64;
    println!("\nMemory: {:.0} MB.", grown / 1e6);
}

/// Resident memory of this process in bytes; 0 where the system doesn't tell.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1_024
}
