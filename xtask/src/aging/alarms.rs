//! False alarms on leak-free runs, and leaks found in time.

use homeostat_forecast::aging::synth::{History, Leak, Recipe, history, innocent, leaking};

use super::peers::{NAMES, named};
use super::stats::{at_once, quantile, upper95};

const RUNS: usize = 200;
/// Parts of the runs that have a thread each.
const PARTS: usize = 4;
const KINDS: [&str; 5] = ["plain", "warm-up", "saw-teeth", "ramp", "deploys"];

pub(super) fn print(from: u64) {
    println!("\n## False alarms and leaks found: {RUNS} runs of 72 h each\n");
    println!(
        "| detector | runs with a false alarm | upper 95 % limit | plain, warm-up, saw-teeth, ramp, deploys | \
         leaks found with half of the time left | linear, accelerating, stepped, per request | lead left, median |"
    );
    println!("|---|---|---|---|---|---|---|");
    let free: Free = (0..RUNS as u64)
        .map(|i| innocent(from + i))
        .map(|recipe| (recipe.limit_mib, history(&recipe)))
        .collect();
    let leaks: Leaks =
        (0..RUNS as u64).map(|i| leaking(from + i)).map(|recipe| (recipe, history(&recipe))).collect();
    let only = std::env::var("AGING_LOOK").unwrap_or_default();
    let names: Vec<&str> = NAMES.into_iter().filter(|name| only.is_empty() || *name == only).collect();
    for row in at_once(names, |name| row(name, from, &free, &leaks)) {
        println!("{row}");
    }
}

/// Runs without a leak, with their limits, and runs that leak.
type Free = Vec<(f64, History)>;
type Leaks = Vec<(Recipe, History)>;

fn row(name: &str, from: u64, free: &Free, leaks: &Leaks) -> String {
    let chunk = free.len().div_ceil(PARTS).max(1);
    let parts: Vec<_> = free.chunks(chunk).zip((from..).step_by(chunk)).collect();
    let alarms = at_once(parts, |(free, from)| false_alarms(name, from, free));
    let alarms = alarms.iter().fold([0; KINDS.len()], |sum, part| std::array::from_fn(|i| sum[i] + part[i]));
    let hits: usize = alarms.iter().sum();
    let parts: Vec<_> = leaks.chunks(leaks.len().div_ceil(PARTS).max(1)).collect();
    let lefts = at_once(parts, |leaks| left(name, leaks)).concat();
    let of = |kind: usize| lefts.iter().filter(|(of, _)| *of == kind).count();
    let found = |kind: usize| lefts.iter().filter(|(of, share)| *of == kind && *share >= 0.5).count();
    let (all, whole): (usize, usize) = ((0..4).map(found).sum(), lefts.len());
    let shares: Vec<f64> = lefts.iter().map(|(_, share)| *share).collect();
    format!(
        "| {name} | {hits} | {:.1} % | {} | {all} of {whole} ({:.1} %) | {} | {:.0} % |",
        100.0 * upper95(hits, RUNS),
        alarms.map(|n| n.to_string()).join(", "),
        100.0 * all as f64 / whole as f64,
        (0..4).map(|kind| format!("{}/{}", found(kind), of(kind))).collect::<Vec<_>>().join(", "),
        100.0 * quantile(&shares, 0.5),
    )
}

/// Runs with an alarm, by what they look like.
fn false_alarms(name: &str, from: u64, free: &[(f64, History)]) -> [usize; KINDS.len()] {
    let mut alarms = [0; KINDS.len()];
    for ((limit, made), seed) in free.iter().zip(from..) {
        let Some((hours, said)) = first_alarm(name, *limit, made, 0.0) else { continue };
        if looks() {
            let recipe = innocent(seed);
            eprintln!(
                "false alarm {seed} at {hours:.1} h: noise {} {} {:?} {said}",
                recipe.noise_mib, recipe.memory, recipe.lookalike
            );
        }
        alarms[(seed % 5) as usize] += 1;
    }
    alarms
}

/// Kind of each run that leaks and the share of its time that is left at the alarm.
fn left(name: &str, leaks: &[(Recipe, History)]) -> Vec<(usize, f64)> {
    let mut all = Vec::new();
    for (recipe, made) in leaks {
        let Some(fails) = made.fails_at_hours else { continue };
        let at = first_alarm(name, recipe.limit_mib, made, recipe.onset_hours);
        let share = at.as_ref().map_or(0.0, |(at, _)| (fails - at) / (fails - recipe.onset_hours));
        if name == "ours" && share < 0.5 && looks() {
            eprintln!(
                "late {} {share:.2}, {fails:.1} h: noise {} {} {:?} onset {:.1} {at:?}",
                recipe.seed, recipe.noise_mib, recipe.memory, recipe.leak, recipe.onset_hours
            );
        }
        all.push((kind(recipe.leak), share));
    }
    all
}

fn kind(leak: Leak) -> usize {
    match leak {
        Leak::None | Leak::Linear => 0,
        Leak::Accelerating => 1,
        Leak::Stepped(_) => 2,
        Leak::PerRequest => 3,
    }
}

/// Whether to say more about single runs.
fn looks() -> bool {
    std::env::var_os("AGING_LOOK").is_some()
}

/// The first alarm from the onset on, in hours, and what was said then: one before it finds nothing.
fn first_alarm(name: &str, limit: f64, made: &History, onset: f64) -> Option<(f64, String)> {
    let mut watch = named(name, limit);
    let mut minutes = made.minutes.iter().enumerate();
    minutes.find_map(|(i, minute)| {
        let hours = i as f64 / 60.0;
        (watch.minute(minute) && hours >= onset).then(|| (hours, watch.said()))
    })
}
