//! Runs: every policy under every seed, on all cores, results in their order.

mod job;
pub(crate) mod journal;
mod progress;
mod stats;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use homeostat_twin::{Outcome, Stop};

use crate::cli::RunArgs;
use crate::failure::{Code, Failure};
use crate::input::policies::Entrant;
use crate::input::scenario::World;
use crate::input::traffic::Survey;
use progress::Progress;

pub(crate) use stats::Figures;

/// The results of one policy.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) guards: String,
    pub(crate) source: &'static str,
    /// Means over the seeds.
    pub(crate) mean: Figures,
    /// 95 % intervals of the means, with several seeds.
    pub(crate) interval: Option<[Figures; 2]>,
    /// The run with the first seed.
    pub(crate) first: Outcome,
    /// CPU seconds of all its runs.
    pub(crate) cpu_seconds: f64,
}

/// A comparison.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) scenario: String,
    pub(crate) description: String,
    pub(crate) latency_ms: f64,
    pub(crate) attainment_wanted: f64,
    pub(crate) seeds: Vec<u64>,
    /// Requests scored per run.
    pub(crate) requests: u64,
    pub(crate) rows: Vec<Row>,
    /// Policies that were not run to the end.
    pub(crate) unfinished: Vec<String>,
    /// Whether Ctrl-C ended it.
    pub(crate) stopped: bool,
    /// Why the twin of this scenario is not to be believed, if it was found so.
    pub(crate) doubt: Option<String>,
}

/// Runs every entrant under every seed.
pub(crate) fn compare(
    world: &World,
    load: &Survey,
    entrants: &[Entrant],
    args: &RunArgs,
) -> Result<Comparison, Failure> {
    let Some(end) = args.seed.checked_add(args.seeds) else {
        return Err(Failure::new(format!(
            "--seed {} leaves no room for --seeds {}; expected a smaller seed, for example --seed 1",
            args.seed, args.seeds
        )));
    };
    let seeds: Vec<u64> = (args.seed..end).collect();
    let stop = stop_flag()?;
    let (span, warm_up) = (load.span, world.scenario.warm_up());
    if span <= warm_up {
        return Err(Failure::new(format!("{}: {}", world.origin, Stop::TooShort(span, warm_up))));
    }
    // Build everything once before the first run, so that bad input is told at once.
    for entrant in entrants {
        job::controllers(&world.scenario, load, entrant)?;
    }
    let jobs: Vec<job::Job> = entrants
        .iter()
        .flat_map(|entrant| seeds.iter().map(move |seed| (entrant, *seed)))
        .map(|(entrant, seed)| job::Job {
            world,
            load,
            entrant,
            seed,
            journal: args.journal.as_deref().filter(|_| seed == args.seed),
        })
        .collect();
    let progress = Progress::new(jobs.len(), load, args.quiet);
    let threads = args.threads.map_or_else(cores, usize::from).clamp(1, jobs.len().max(1));
    let results = in_parallel(&jobs, threads, |index, job| job.run(stop, &progress.of(index)));
    progress.finish();
    gather(world, entrants, &seeds, results)
}

/// Runs all jobs on this many threads; results in the order of the jobs.
fn in_parallel<J: Sync, R: Send>(jobs: &[J], threads: usize, run: impl Fn(usize, &J) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<R>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(index) else { return };
                    let result = run(index, job);
                    *results[index].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
                }
            });
        }
    });
    results.into_iter().filter_map(|r| r.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

fn gather(
    world: &World,
    entrants: &[Entrant],
    seeds: &[u64],
    results: Vec<Result<Option<job::Done>, Failure>>,
) -> Result<Comparison, Failure> {
    let scenario = &world.scenario;
    let mut comparison = Comparison {
        scenario: scenario.name.clone(),
        description: scenario.description.clone(),
        latency_ms: scenario.objective.latency.as_millis_f64(),
        attainment_wanted: scenario.objective.attainment,
        seeds: seeds.to_vec(),
        requests: 0,
        rows: Vec::new(),
        unfinished: Vec::new(),
        stopped: false,
        doubt: doubt(scenario),
    };
    let mut results = results.into_iter();
    for entrant in entrants {
        let mut done = Vec::new();
        for result in results.by_ref().take(seeds.len()) {
            done.extend(result?);
        }
        if done.len() < seeds.len() {
            comparison.unfinished.push(entrant.name.clone());
            comparison.stopped = true;
            continue;
        }
        comparison.rows.push(row(entrant, done));
    }
    comparison.requests = comparison.rows.first().map_or(0, |row| row.first.requests);
    if comparison.requests == 0 && !comparison.rows.is_empty() {
        return Err(Failure::new(format!(
            "{}: traffic: no request arrives after the warm-up of {}, so there is nothing to score; use a \
             longer trace, more load, or a shorter `warm_up` in the scenario, for example warm_up: 10m",
            world.origin,
            scenario.warm_up()
        )));
    }
    Ok(comparison)
}

/// What `homeostat validate` found wrong with this scenario's model.
pub(crate) fn doubt(scenario: &homeostat_twin::Scenario) -> Option<String> {
    let validation = scenario.validation.as_ref()?;
    let of = if validation.record.is_empty() { String::new() } else { format!(" ({})", validation.record) };
    let problem = validation.problem()?;
    Some(format!("this model failed its validation{of}: {problem}. Don't believe these figures yet"))
}

fn row(entrant: &Entrant, done: Vec<job::Done>) -> Row {
    let figures: Vec<Figures> = done.iter().map(|d| Figures::of(&d.outcome)).collect();
    let (mean, interval) = stats::summarize(&figures);
    let cpu_seconds = done.iter().map(|d| d.cpu_seconds).sum();
    let mut outcomes = done.into_iter().map(|d| d.outcome);
    Row {
        name: entrant.name.clone(),
        guards: entrant.guards.name.clone(),
        source: entrant.policy.source(),
        mean,
        interval,
        first: outcomes.next().unwrap_or_else(|| unreachable!("one run per seed")),
        cpu_seconds,
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Set by Ctrl-C.
fn stop_flag() -> Result<&'static AtomicBool, Failure> {
    static STOP: AtomicBool = AtomicBool::new(false);
    static SET: AtomicBool = AtomicBool::new(false);
    if !SET.swap(true, Ordering::Relaxed) {
        ctrlc::set_handler(|| {
            // The second time, at once.
            if STOP.swap(true, Ordering::Relaxed) {
                std::process::exit(Code::Stopped as i32);
            }
        })?;
    }
    Ok(&STOP)
}
