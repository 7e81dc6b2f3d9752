//! Time to the limit on runs to failure.

use homeostat_forecast::aging::synth::{history, leaking};

use super::peers::named;
use super::stats::quantile;

const RUNS: u64 = 200;
const LEADS: [u64; 8] = [1, 2, 3, 6, 9, 12, 18, 24];

pub(super) fn print(from: u64) {
    println!("\n## Time to the limit: {RUNS} runs to failure, every whole hour of lead from 1 to 24\n");
    println!("Error: share of the time that is really left. A run counts from its first alarm on.\n");
    println!("| detector | of | none | median | p90 | late by over 20 % |");
    println!("|---|---|---|---|---|---|");
    for name in ["ours", "ours without load", "Theil-Sen, blocks of 1 h", "Mann-Kendall + Sen, 24 h"] {
        let errors = errors(name, from);
        line(name, &errors.iter().map(|(_, _, error)| *error).collect::<Vec<_>>());
        if name == "ours" {
            for (kind, label) in ["linear", "accelerating", "stepped", "per request"].iter().enumerate() {
                let of: Vec<_> =
                    errors.iter().filter(|(k, ..)| *k == kind).map(|(_, _, error)| *error).collect();
                line(&format!("ours: {label}"), &of);
            }
            for lead in LEADS {
                let of: Vec<_> =
                    errors.iter().filter(|(_, l, _)| *l == lead).map(|(_, _, error)| *error).collect();
                line(&format!("ours: lead {lead} h"), &of);
            }
        }
    }
}

fn line(label: &str, errors: &[Option<f64>]) {
    let known: Vec<f64> = errors.iter().flatten().copied().collect();
    let sizes: Vec<f64> = known.iter().map(|error| error.abs()).collect();
    let late = known.iter().filter(|error| **error > 0.2).count();
    println!(
        "| {label} | {} | {} | {:.1} % | {:.1} % | {:.1} % |",
        errors.len(),
        errors.len() - known.len(),
        100.0 * quantile(&sizes, 0.5),
        100.0 * quantile(&sizes, 0.9),
        100.0 * late as f64 / known.len().max(1) as f64,
    );
}

/// Kind of leak, lead in hours and relative error (positive: late) of every run and lead after an alarm.
fn errors(name: &str, from: u64) -> Vec<(usize, u64, Option<f64>)> {
    let mut errors = Vec::new();
    for seed in from..from + RUNS {
        let recipe = leaking(seed);
        let made = history(&recipe);
        let Some(fails) = made.fails_at_hours else { continue };
        let mut watch = named(name, recipe.limit_mib);
        let mut alarm = false;
        for (i, minute) in made.minutes.iter().enumerate() {
            alarm |= watch.minute(minute) && i as f64 / 60.0 >= recipe.onset_hours;
            let left = fails - i as f64 / 60.0;
            let lead = left.round();
            if alarm && (1.0..=24.0).contains(&lead) && (left - lead).abs() < 1e-6 {
                let error = watch.to_limit().map(|hours| (hours - lead) / lead);
                if std::env::var_os("AGING_LOOK").is_some() && name == "ours" && lead % 3.0 == 0.0 {
                    eprintln!(
                        "{:?} {seed} noise {} {} onset {:.1} lead {lead} error {:.2} {}",
                        recipe.leak,
                        recipe.noise_mib,
                        recipe.memory,
                        recipe.onset_hours,
                        error.unwrap_or(f64::NAN),
                        watch.said()
                    );
                }
                errors.push(((seed % 4) as usize, lead as u64, error));
            }
        }
    }
    errors
}
