//! Time to the limit on runs to failure.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use homeostat_forecast::aging::synth::{Recipe, Redraw, history, leaking};

use super::peers::named;
use super::picture::{self, Line};
use super::stats::{at_once, quantile};

/// Kind of leak, lead in hours, relative error (positive: late), and whether the truth lies below each of the
/// quantiles.
type Error = (usize, u64, Option<f64>, Option<[bool; 3]>);

const RUNS: u64 = 200;
const KINDS: [&str; 4] = ["linear", "accelerating", "stepped", "per request"];
/// Runs that a thread has.
const PART: u64 = 20;
const LEADS: [u64; 8] = [1, 2, 3, 6, 9, 12, 18, 24];

pub(super) fn print(root: &Path, from: u64) -> Result<()> {
    println!("\n## Time to the limit: {RUNS} runs to failure, every whole hour of lead from 1 to 24\n");
    println!("Error: share of the time that is really left. A run counts from its first alarm on.\n");
    println!("| detector | of | none | median | p90 | late by over 20 % |");
    println!("|---|---|---|---|---|---|");
    let runs = |work: &(dyn Fn(Range<u64>) -> Vec<Error> + Sync)| -> Vec<Error> {
        let parts = (0..RUNS / PART).map(|part| from + part * PART..from + (part + 1) * PART);
        at_once(parts.collect(), work).concat()
    };
    let (ours, knowing) = (runs(&|seeds| errors("ours", seeds)), runs(&knowing));
    parts("ours", &ours);
    parts("knows the recipe", &knowing);
    let mut drawn = vec![
        by_lead("ours, 90 of 100", &ours, 0.9, "#c2410c", "6 4"),
        by_lead("ours, half", &ours, 0.5, "#c2410c", ""),
        by_lead("knows, 90 of 100", &knowing, 0.9, "#1f6f8b", "6 4"),
        by_lead("knows, half", &knowing, 0.5, "#1f6f8b", ""),
    ];
    for name in ["ours without load", "Theil-Sen, blocks of 1 h", "Mann-Kendall + Sen, 24 h"] {
        let errors = runs(&|seeds| errors(name, seeds));
        line(name, &sizes(&errors, |_| true));
        if name.starts_with("Theil") {
            drawn.push(by_lead("Theil-Sen, half", &errors, 0.5, "#777", ""));
        }
    }
    calibration(&ours);
    let picture = picture::draw("Error of the time to the limit, by the time left: 200 runs", &drawn);
    let file = root.join(picture::GENERATED);
    std::fs::write(&file, picture).with_context(|| format!("cannot write {}", file.display()))
}

/// Where the truth lies: a calibrated distribution has 5, 25 and 95 % of it below those quantiles.
fn calibration(errors: &[Error]) {
    println!("\n| ours | true time below the 5 % quantile | below the quarter | below the 95 % quantile |");
    println!("|---|---|---|---|");
    let row = |label: &str, wanted: &dyn Fn(&Error) -> bool| {
        let known: Vec<[bool; 3]> =
            errors.iter().filter(|error| wanted(error)).filter_map(|error| error.3).collect();
        let below = |i: usize| {
            let count = known.iter().filter(|below| below[i]).count();
            format!("{:.1} %", 100.0 * count as f64 / known.len().max(1) as f64)
        };
        println!("| {label} | {} | {} | {} |", below(0), below(1), below(2));
    };
    row("all", &|_| true);
    for (kind, label) in KINDS.iter().enumerate() {
        row(label, &|error| error.0 == kind);
    }
    for (from, to) in [(1, 3), (4, 9), (10, 24)] {
        row(&format!("lead {from} to {to} h"), &|error| (from..=to).contains(&error.1));
    }
}

/// A line of the picture: a quantile of the size of errors for each lead.
fn by_lead(name: &str, errors: &[Error], share: f64, colour: &'static str, dashes: &'static str) -> Line {
    let point = |lead: u64| {
        let sizes: Vec<f64> =
            errors.iter().filter(|error| error.1 == lead).filter_map(|error| Some(error.2?.abs())).collect();
        (!sizes.is_empty()).then(|| (lead as f64, quantile(&sizes, share)))
    };
    Line { name: name.to_owned(), colour, dashes, points: (1..=24).filter_map(point).collect() }
}

/// A line for all, for each kind of leak and for some leads.
fn parts(name: &str, errors: &[Error]) {
    line(name, &sizes(errors, |_| true));
    for (kind, label) in KINDS.iter().enumerate() {
        line(&format!("{name}: {label}"), &sizes(errors, |error| error.0 == kind));
    }
    for lead in LEADS {
        line(&format!("{name}: lead {lead} h"), &sizes(errors, |error| error.1 == lead));
    }
}

fn sizes(errors: &[Error], wanted: impl Fn(&Error) -> bool) -> Vec<Option<f64>> {
    errors.iter().filter(|error| wanted(error)).map(|error| error.2).collect()
}

/// Futures drawn for each prediction of the one who knows.
const FUTURES: u64 = 31;

/// The errors of one who knows the recipe and all that has happened, load's and noise's draws too, but not
/// the draws to come: the median of histories with the same past. What he misses nobody can tell.
fn knowing(seeds: Range<u64>) -> Vec<Error> {
    let mut errors = Vec::new();
    for seed in seeds {
        let recipe = leaking(seed);
        let Some(fails) = history(&recipe).fails_at_hours else { continue };
        for lead in LEADS {
            let now = fails - lead as f64;
            if now >= recipe.onset_hours {
                let times: Vec<f64> = (1..=FUTURES).map(|i| future(&recipe, now, i) - now).collect();
                let middle = quantile(&times, 0.5);
                errors.push(((seed % 4) as usize, lead, Some((middle - lead as f64) / lead as f64), None));
            }
        }
    }
    errors
}

/// When another history with the same past fails.
fn future(recipe: &Recipe, from_hours: f64, number: u64) -> f64 {
    let redraw = Some(Redraw { from_hours, seed: recipe.seed * 1_000_000 + number });
    history(&Recipe { redraw, ..*recipe }).fails_at_hours.unwrap_or(recipe.hours)
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

/// The errors of every run and lead after an alarm.
fn errors(name: &str, seeds: Range<u64>) -> Vec<Error> {
    let mut errors = Vec::new();
    for seed in seeds {
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
                if std::env::var_os("AGING_LOOK").is_some() && name == "ours" {
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
                let below = watch.quantiles().map(|times| times.map(|time| lead < time));
                errors.push(((seed % 4) as usize, lead as u64, error, below));
            }
        }
    }
    errors
}
