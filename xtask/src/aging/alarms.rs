//! False alarms on leak-free runs, and leaks found in time.

use homeostat_forecast::aging::synth::{History, Leak, history, innocent, leaking};

use super::peers::{NAMES, named};
use super::stats::{quantile, upper95};

const RUNS: usize = 200;
const KINDS: [&str; 5] = ["plain", "warm-up", "saw-teeth", "ramp", "deploys"];

pub(super) fn print(from: u64) {
    println!("\n## False alarms and leaks found: {RUNS} runs of 72 h each\n");
    println!(
        "| detector | runs with a false alarm | upper 95 % limit | plain, warm-up, saw-teeth, ramp, deploys | \
         leaks found with half of the time left | linear, accelerating, stepped, per request | lead left, median |"
    );
    println!("|---|---|---|---|---|---|---|");
    let free: Vec<(f64, History)> = (0..RUNS as u64)
        .map(|i| innocent(from + i))
        .map(|recipe| (recipe.limit_mib, history(&recipe)))
        .collect();
    let leaks: Vec<_> =
        (0..RUNS as u64).map(|i| leaking(from + i)).map(|recipe| (recipe, history(&recipe))).collect();
    let only = std::env::var("AGING_LOOK").unwrap_or_default();
    for name in NAMES.into_iter().filter(|name| only.is_empty() || *name == only) {
        let mut alarms = [0; KINDS.len()];
        for (i, (limit, made)) in free.iter().enumerate() {
            let alarm = first_alarm(name, *limit, made, 0.0);
            if let Some((hours, said)) = alarm.as_ref().filter(|_| looks()) {
                let recipe = innocent(from + i as u64);
                eprintln!(
                    "false alarm {} at {hours:.1} h: noise {} {} {:?} {said}",
                    recipe.seed, recipe.noise_mib, recipe.memory, recipe.lookalike
                );
            }
            alarms[(from as usize + i) % 5] += usize::from(alarm.is_some());
        }
        let mut found = [0; 4];
        let mut of = [0; 4];
        let mut left = Vec::new();
        for (recipe, made) in &leaks {
            let Some(fails) = made.fails_at_hours else { continue };
            let kind = kind(recipe.leak);
            of[kind] += 1;
            let at = first_alarm(name, recipe.limit_mib, made, recipe.onset_hours);
            let share = at.as_ref().map_or(0.0, |(at, _)| (fails - at) / (fails - recipe.onset_hours));
            if name == "ours" && share < 0.5 && looks() {
                eprintln!(
                    "late {} {share:.2}, {fails:.1} h: noise {} {} {:?} onset {:.1} {at:?}",
                    recipe.seed, recipe.noise_mib, recipe.memory, recipe.leak, recipe.onset_hours
                );
            }
            left.push(share);
            found[kind] += usize::from(share >= 0.5);
        }
        let hits: usize = alarms.iter().sum();
        let (all, whole): (usize, usize) = (found.iter().sum(), of.iter().sum());
        println!(
            "| {name} | {hits} | {:.1} % | {} | {all} of {whole} ({:.1} %) | {} | {:.0} % |",
            100.0 * upper95(hits, RUNS),
            alarms.map(|n| n.to_string()).join(", "),
            100.0 * all as f64 / whole as f64,
            found.iter().zip(of).map(|(n, of)| format!("{n}/{of}")).collect::<Vec<_>>().join(", "),
            100.0 * quantile(&left, 0.5),
        );
    }
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
