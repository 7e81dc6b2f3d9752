//! Runs: every policy under every seed, on all cores, results in their order.

pub(crate) mod against;
pub(crate) mod bound;
pub(crate) mod forecast;
pub(crate) mod hindsight;
mod job;
pub(crate) mod journal;
pub(crate) mod limit;
pub(crate) mod money;
pub(crate) mod progress;
pub(crate) mod search;
pub(crate) mod shard;
mod stats;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use homeostat_core::Span;
use homeostat_twin::outcome::Aging;
use homeostat_twin::{Fluid, Outcome, ServiceCurve, Stop, curve};
use serde::{Deserialize, Serialize};

use crate::cli::{Fidelity, RunArgs};
use crate::failure::{Code, Failure};
use crate::input::policies::Entrant;
use crate::input::scenario::World;
use crate::input::traffic::Survey;
use bound::{Bound, Computed, Computing};
use progress::Progress;

pub(crate) use job::Done;
pub(crate) use stats::Figures;

/// All of a comparison but its outcomes: with them it can be drawn up anywhere, to the same bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) scenario: String,
    pub(crate) description: String,
    /// The scenario's file, for messages.
    origin: String,
    pub(crate) currency: Option<String>,
    pub(crate) latency_ms: f64,
    pub(crate) attainment_wanted: f64,
    warm_up: Span,
    pub(crate) seeds: Vec<u64>,
    pub(crate) policies: Vec<Contestant>,
    pub(crate) load: Survey,
    /// How the twin works.
    pub(crate) fidelity: Fidelity,
    /// Why the twin of this scenario is not to be believed, if it was found so.
    doubt: Option<String>,
    /// Whether the bound is asked for.
    pub(crate) bound: bool,
    /// The command that makes the report again.
    pub(crate) command: String,
}

/// A policy as tables and reports name it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Contestant {
    pub(crate) name: String,
    /// The name of its guard profile.
    pub(crate) guards: String,
    pub(crate) source: String,
    /// `hpa`, `static`, …, as policy files write it.
    pub(crate) kind: String,
}

/// The results of one policy.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) guards: String,
    pub(crate) source: String,
    pub(crate) kind: String,
    /// Means over the seeds.
    pub(crate) mean: Figures,
    /// 95 % intervals of the means, with several seeds.
    pub(crate) interval: Option<[Figures; 2]>,
    /// One entry per seed.
    pub(crate) runs: Vec<Figures>,
    /// The run with the first seed.
    pub(crate) first: Outcome,
    /// What aging did, summed over the seeds; nothing where no service has a memory limit.
    pub(crate) aging: Aging,
    /// CPU seconds of all its runs.
    pub(crate) cpu_seconds: f64,
}

/// A comparison.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) scenario: String,
    pub(crate) description: String,
    pub(crate) currency: Option<String>,
    pub(crate) fidelity: Fidelity,
    pub(crate) latency_ms: f64,
    pub(crate) attainment_wanted: f64,
    pub(crate) seeds: Vec<u64>,
    /// Requests scored per run.
    pub(crate) requests: u64,
    /// Length of the scored window, in hours.
    pub(crate) scored_hours: f64,
    pub(crate) rows: Vec<Row>,
    /// The clairvoyant bound, of the first seed.
    pub(crate) bound: Option<Bound>,
    /// What has to be said about the bound, or about its absence.
    pub(crate) bound_notes: Vec<String>,
    /// Policies that were not run to the end.
    pub(crate) unfinished: Vec<String>,
    /// Whether Ctrl-C ended it.
    pub(crate) stopped: bool,
    /// Why the twin of this scenario is not to be believed, if it was found so.
    pub(crate) doubt: Option<String>,
}

/// What is going to be run, with everything that can be refused before the first run.
pub(crate) fn plan(
    world: &World,
    load: &Survey,
    entrants: &[Entrant],
    args: &RunArgs,
    command: String,
) -> Result<Plan, Failure> {
    let Some(end) = args.seed.checked_add(args.seeds) else {
        return Err(Failure::new(format!(
            "--seed {} leaves no room for --seeds {}; expected a smaller seed, for example --seed 1",
            args.seed, args.seeds
        )));
    };
    let scenario = &world.scenario;
    let (span, warm_up) = (load.span, scenario.warm_up());
    if span <= warm_up {
        return Err(Failure::new(format!("{}: {}", world.origin, Stop::TooShort(span, warm_up))));
    }
    // Build everything once before the first run, so that bad input is told at once.
    for entrant in entrants {
        job::controllers(world, load, entrant, args.seed)?;
    }
    let contestant = |entrant: &Entrant| Contestant {
        name: entrant.name.clone(),
        guards: entrant.guards.name.clone(),
        source: entrant.policy.source().to_owned(),
        kind: entrant.policy.counted_by().to_owned(),
    };
    Ok(Plan {
        scenario: scenario.name.clone(),
        description: scenario.description.clone(),
        origin: world.origin.clone(),
        currency: scenario.currency.clone(),
        latency_ms: scenario.objective.latency.as_millis_f64(),
        attainment_wanted: scenario.objective.attainment,
        warm_up,
        seeds: (args.seed..end).collect(),
        policies: entrants.iter().map(contestant).collect(),
        load: load.clone(),
        fidelity: args.fidelity,
        doubt: doubt(scenario),
        bound: !args.no_bound,
        command,
    })
}

impl Plan {
    /// Number of runs: every policy under every seed, seeds innermost.
    pub(crate) const fn runs(&self) -> usize {
        self.policies.len() * self.seeds.len()
    }

    /// Number of jobs: the runs, and last the bound where it is asked for.
    pub(crate) const fn jobs(&self) -> usize {
        self.runs() + self.bound as usize
    }
}

/// Runs those jobs of a plan whose numbers are `mine`; `None` for those that were stopped.
pub(crate) fn execute(
    plan: &Plan,
    world: &World,
    entrants: &[Entrant],
    args: &RunArgs,
    mine: impl Fn(usize) -> bool,
) -> Result<Vec<(usize, Option<Done>)>, Failure> {
    let stop = stop_flag()?;
    let engine = engine(world, args.fidelity, args.seed, threads(args.threads))?;
    let all = entrants.iter().flat_map(|entrant| plan.seeds.iter().map(move |seed| (entrant, *seed)));
    let jobs: Vec<(usize, job::Job)> = all
        .enumerate()
        .filter(|(number, _)| mine(*number))
        .map(|(number, (entrant, seed))| {
            let journal = args.journal.as_deref().filter(|_| seed == args.seed);
            (number, job::Job { world, load: &plan.load, entrant, seed, journal, engine: &engine })
        })
        .collect();
    let progress = Progress::new(jobs.len(), &plan.load, args.quiet);
    let threads = threads(args.threads).min(jobs.len().max(1));
    let results = in_parallel(&jobs, threads, |index, (_, job)| job.run(stop, &progress.of(index)));
    progress.finish();
    jobs.iter().zip(results).map(|((number, _), result)| Ok((*number, result?))).collect()
}

/// The bound of a plan, with its first seed.
pub(crate) fn bound(plan: &Plan, world: &World, args: &RunArgs) -> Result<Computed, Failure> {
    let (stop, threads) = (stop_flag()?, threads(args.threads));
    let engine = engine(world, args.fidelity, args.seed, threads)?;
    let (load, seed, quiet) = (&plan.load, args.seed, args.quiet);
    Computing { world, load, seed, engine, threads, quiet, stop }.run()
}

/// What runs the jobs. A curve is measured once and serves all of them.
fn engine(world: &World, fidelity: Fidelity, seed: u64, threads: usize) -> Result<job::Engine, Failure> {
    if fidelity == Fidelity::Requests {
        return Ok(job::Engine::Requests);
    }
    let scenario = &world.scenario;
    Fluid::check(scenario).map_err(|error| Failure::new(format!("{}: {error}", world.origin)))?;
    let survey = curve::Survey::new(scenario, scenario.services[0].replicas.max, seed);
    Ok(job::Engine::Fluid(Arc::new(measured(&survey, threads))))
}

/// A service curve, its points on all threads.
fn measured(survey: &curve::Survey, threads: usize) -> ServiceCurve {
    let points: Vec<usize> = (0..survey.len()).collect();
    let grid = in_parallel(&points, threads, |_, point| survey.measure(*point));
    ServiceCurve::of(survey, grid)
}

fn threads(asked: Option<u16>) -> usize {
    asked.map_or_else(cores, usize::from).max(1)
}

impl Comparison {
    /// Takes in what came of the bound.
    pub(crate) fn take(&mut self, computed: Computed) {
        match computed {
            Computed::Stopped => self.stopped = true,
            Computed::Without(reason) => self.bound_notes.push(format!("No bound: {reason}.")),
            Computed::Bound(bound) => {
                let defects = self.rows.iter().filter_map(|row| bound.defect(row));
                self.bound_notes = bound.remark().into_iter().chain(defects).collect();
                self.bound = Some(bound);
            }
        }
    }

    /// Cost over the bound at the policy's own attainment.
    pub(crate) fn over_bound(&self, row: &Row) -> Option<f64> {
        self.bound.as_ref()?.over(row)
    }

    /// Share of the gap between the reference and the bound that the policy closes.
    pub(crate) fn gap_closed(&self, row: &Row) -> Option<f64> {
        self.bound.as_ref()?.gap_closed(row, &self.rows)
    }
}

/// Runs all jobs on this many threads; results in the order of the jobs.
fn in_parallel<J: Sync, R: Send>(jobs: &[J], threads: usize, run: impl Fn(usize, &J) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<R>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, jobs.len().max(1)) {
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

/// Draws up a comparison from all its outcomes, in the order of the jobs.
pub(crate) fn gather(plan: &Plan, outcomes: Vec<Option<Done>>) -> Result<Comparison, Failure> {
    let mut comparison = Comparison {
        scenario: plan.scenario.clone(),
        description: plan.description.clone(),
        currency: plan.currency.clone(),
        fidelity: plan.fidelity,
        latency_ms: plan.latency_ms,
        attainment_wanted: plan.attainment_wanted,
        seeds: plan.seeds.clone(),
        requests: 0,
        scored_hours: (plan.load.span - plan.warm_up).as_hours_f64(),
        rows: Vec::new(),
        bound: None,
        bound_notes: Vec::new(),
        unfinished: Vec::new(),
        stopped: false,
        doubt: plan.doubt.clone(),
    };
    let mut outcomes = outcomes.into_iter();
    for contestant in &plan.policies {
        let done: Vec<Done> = outcomes.by_ref().take(plan.seeds.len()).flatten().collect();
        if done.len() < plan.seeds.len() {
            comparison.unfinished.push(contestant.name.clone());
            comparison.stopped = true;
            continue;
        }
        comparison.rows.push(row(contestant, done));
    }
    comparison.requests = comparison.rows.first().map_or(0, |row| row.first.requests);
    if comparison.requests == 0 && !comparison.rows.is_empty() {
        return Err(Failure::new(format!(
            "{}: traffic: no request arrives after the warm-up of {}, so there is nothing to score; use a \
             longer trace, more load, or a shorter `warm_up` in the scenario, for example warm_up: 10m",
            plan.origin, plan.warm_up
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

fn row(contestant: &Contestant, done: Vec<Done>) -> Row {
    let runs: Vec<Figures> = done.iter().map(|d| Figures::of(&d.outcome)).collect();
    let (mean, interval) = stats::summarize(&runs);
    let mut aging = Aging::default();
    for found in done.iter().filter_map(|d| d.outcome.aging.as_ref()) {
        aging.add(found);
    }
    let cpu_seconds = done.iter().map(|d| d.cpu_seconds).sum();
    let mut outcomes = done.into_iter().map(|d| d.outcome);
    Row {
        name: contestant.name.clone(),
        guards: contestant.guards.clone(),
        source: contestant.source.clone(),
        kind: contestant.kind.clone(),
        mean,
        interval,
        runs,
        first: outcomes.next().unwrap_or_else(|| unreachable!("one run per seed")),
        aging,
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
