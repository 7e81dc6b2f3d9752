//! Runs what a search asks for: every setting on the same load, with the same random numbers.

use homeostat_core::Span;
use homeostat_policy::space::Space;
use homeostat_policy::spec::PolicySpec;
use homeostat_twin::search::{Measured, Rung, Search};
use homeostat_twin::{Fluid, Outcome, Stop};

use crate::cli::{Fidelity, Scan, SearchArgs, SearchKind};
use crate::failure::Failure;
use crate::input::policies::Entrant;
use crate::input::scenario::World;
use crate::input::traffic::{self, Survey};
use crate::run::progress::Progress;
use crate::run::{self, engine, in_parallel, job, stop_flag};

/// Shares of the tuning part that the rungs of a search run, short ones first; the last is all of it.
const SHARES: [f64; 1] = [1.0 / 8.0];
/// A rung is at least so many warm-ups long, so that half of it is scored.
const WARM_UPS: u64 = 2;
/// A rung of more than this share of the next one saves too little.
const WORTH: f64 = 0.6;
/// Requests, if the peak lasted, above which the fluid twin makes the scan.
const LARGE: f64 = 1e7;
/// Bins in which rises of the load are looked for.
const BIN: Span = Span::from_secs(300);

/// A stretch of the tuning part and what runs it.
struct Stage {
    load: Survey,
    engine: job::Engine,
    fluid: bool,
}

/// Where a search runs.
pub(crate) struct Arena<'a> {
    world: &'a World,
    /// By rung; the last is the whole tuning part.
    stages: Vec<Stage>,
    seed: u64,
    threads: Option<u16>,
    quiet: bool,
}

/// How many runs a search made.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Effort {
    /// Full lengths of the tuning part, request by request.
    pub(crate) requests: f64,
    /// Full lengths on the fluid twin.
    pub(crate) fluid: f64,
}

impl Effort {
    fn add(&mut self, more: Self) {
        self.requests += more.requests;
        self.fluid += more.fluid;
    }
}

impl<'a> Arena<'a> {
    /// Rungs over the tuning part: only it is ever looked at. `scan` says what runs them.
    pub(crate) fn new(world: &'a World, tune: &Survey, args: &SearchArgs) -> Result<Self, Failure> {
        let warm_up = world.scenario.warm_up();
        if tune.span <= warm_up {
            let stop = Stop::TooShort(tune.span, warm_up);
            return Err(Failure::new(format!("{}: the tuning part: {stop}", world.origin)));
        }
        let (seed, threads, quiet) = (args.seed, args.threads, args.quiet);
        let mut arena = Self { world, stages: Vec::new(), seed, threads, quiet };
        let engine = |fidelity| engine(world, fidelity, seed, run::threads(threads));
        let whole = |fidelity| {
            let (engine, fluid) = (engine(fidelity)?, fidelity == Fidelity::Fluid);
            Ok::<_, Failure>(Stage { load: tune.clone(), engine, fluid })
        };
        let exhaustive = args.kind == SearchKind::Exhaustive;
        match args.fidelity {
            Scan::Auto if !exhaustive && large(tune) && Fluid::check(&world.scenario).is_ok() => {
                arena.stages = vec![whole(Fidelity::Fluid)?, whole(Fidelity::Requests)?];
            }
            scan => {
                let fidelity = if scan == Scan::Fluid { Fidelity::Fluid } else { Fidelity::Requests };
                let last = whole(fidelity)?;
                if !exhaustive {
                    arena.stages = arena.short(tune, &last)?;
                }
                arena.stages.push(last);
            }
        }
        Ok(arena)
    }

    /// Short stretches, as long as they save something.
    fn short(&self, tune: &Survey, last: &Stage) -> Result<Vec<Stage>, Failure> {
        let mut stages = Vec::new();
        let mut next = 1.0;
        let warm_up = self.world.scenario.warm_up();
        for share in SHARES.into_iter().rev() {
            let least = (warm_up * WARM_UPS).0 as f64 / tune.span.0 as f64;
            let share = f64::max(share, least);
            if share <= WORTH * next {
                let take = Span((share * tune.span.0 as f64) as u64);
                let skip = hardest(self.world, tune, self.seed, take)?;
                let load = traffic::stretch(self.world, tune, self.seed, skip, take)?;
                stages.push(Stage { load, engine: last.engine.clone(), fluid: last.fluid });
                next = share;
            }
        }
        stages.reverse();
        Ok(stages)
    }

    /// The length of each rung as a share of the tuning part, and its price: the scan on the fluid twin
    /// costs nothing where requests are counted.
    pub(crate) fn rungs(&self) -> Vec<Rung> {
        let whole = self.whole().span.0 as f64;
        let by_request = !self.last().fluid;
        let rung = |stage: &Stage| {
            let length = (stage.load.span.0 as f64 / whole).min(1.0);
            Rung { length, price: if stage.fluid && by_request { 0.0 } else { length } }
        };
        self.stages.iter().map(rung).collect()
    }

    fn last(&self) -> &Stage {
        &self.stages[self.stages.len() - 1]
    }

    /// The tuning part.
    pub(crate) fn whole(&self) -> &Survey {
        &self.last().load
    }

    /// Runs the search to its end; `None` where it was stopped.
    pub(crate) fn search(&self, space: &Space, search: &mut dyn Search) -> Result<Option<Effort>, Failure> {
        // Searches without rungs know the full length only.
        let shift = self.stages.len() - search.rungs();
        let mut effort = Effort::default();
        loop {
            let mut trials = search.ask();
            if trials.is_empty() {
                return Ok(Some(effort));
            }
            trials.sort_unstable();
            let rung = trials[0].rung + shift;
            let specs: Vec<PolicySpec> = trials.iter().map(|trial| space.policy(trial.point)).collect();
            let title = format!("{}, {:.0} of {:.0} lengths", space.family, search.spent(), search.most());
            let Some(measured) = self.measure(rung, &specs, &title)? else { return Ok(None) };
            effort.add(self.effort(rung, trials.len()));
            for (trial, measured) in trials.iter().zip(measured) {
                search.tell(*trial, measured);
            }
        }
    }

    /// What runs on the whole tuning part measure; `None` where Ctrl-C came first.
    pub(crate) fn scan(&self, specs: &[PolicySpec], title: &str) -> Result<Option<Vec<Measured>>, Failure> {
        self.measure(self.stages.len() - 1, specs, title)
    }

    /// The effort of so many runs over the whole tuning part.
    pub(crate) fn scanned(&self, runs: usize) -> Effort {
        self.effort(self.stages.len() - 1, runs)
    }

    fn effort(&self, rung: usize, runs: usize) -> Effort {
        let lengths = self.rungs()[rung].length * runs as f64;
        if self.stages[rung].fluid {
            Effort { fluid: lengths, ..Effort::default() }
        } else {
            Effort { requests: lengths, ..Effort::default() }
        }
    }

    fn measure(
        &self,
        rung: usize,
        specs: &[PolicySpec],
        title: &str,
    ) -> Result<Option<Vec<Measured>>, Failure> {
        let stage = &self.stages[rung];
        let outcomes = self.run(self.world, &stage.load, &stage.engine, specs, title)?;
        Ok(outcomes.map(|outcomes| outcomes.iter().map(measured).collect()))
    }

    /// The outcomes of these policies over a load, request by request; `None` where Ctrl-C came first.
    pub(crate) fn outcomes(
        &self,
        world: &World,
        load: &Survey,
        specs: &[PolicySpec],
        title: &str,
    ) -> Result<Option<Vec<Outcome>>, Failure> {
        self.run(world, load, &job::Engine::Requests, specs, title)
    }

    fn run(
        &self,
        world: &World,
        load: &Survey,
        engine: &job::Engine,
        specs: &[PolicySpec],
        title: &str,
    ) -> Result<Option<Vec<Outcome>>, Failure> {
        let stop = stop_flag()?;
        let entrants: Vec<Entrant> = specs
            .iter()
            .map(|spec| Entrant {
                name: title.to_owned(),
                policy: spec.clone(),
                guards: spec.guard_profile(),
            })
            .collect();
        let jobs: Vec<job::Job> = entrants
            .iter()
            .map(|entrant| job::Job { world, load, entrant, seed: self.seed, journal: None, engine })
            .collect();
        let progress = Progress::new(jobs.len(), load, self.quiet).titled(title);
        let threads = run::threads(self.threads).min(jobs.len().max(1));
        let results = in_parallel(&jobs, threads, |index, job| job.run(stop, &progress.of(index)));
        progress.finish();
        let mut outcomes = Vec::with_capacity(results.len());
        for result in results {
            let Some(done) = result? else { return Ok(None) };
            if done.outcome.requests == 0 {
                return Err(Failure::new(format!(
                    "{}: no request arrives after the warm-up of {} in a stretch of {} that is tuned or \
                     tested on; use a longer trace, more load, or a shorter `warm_up` in the scenario, for \
                     example warm_up: 10m",
                    world.origin,
                    world.scenario.warm_up(),
                    load.span
                )));
            }
            outcomes.push(done.outcome);
        }
        Ok(Some(outcomes))
    }
}

/// Whether the fluid twin pays: its curve of the service costs as much as some millions of requests.
fn large(tune: &Survey) -> bool {
    tune.peak_rate * tune.span.as_secs_f64() > LARGE
}

/// What a search needs of an outcome.
pub(crate) fn measured(outcome: &Outcome) -> Measured {
    Measured { attainment: outcome.attainment, cost: outcome.cost, replica_hours: outcome.replica_hours }
}

/// Where the stretch of this length begins in which the load rises most after the warm-up: rises are
/// what policies fail on.
fn hardest(world: &World, tune: &Survey, seed: u64, take: Span) -> Result<Span, Failure> {
    let bin = BIN.min(Span((take.0 / 20).max(Span::SECOND.0)));
    let load = traffic::profile(world, tune, seed, bin)?;
    let rises: Vec<f64> = load.windows(2).map(|pair| (pair[1] - pair[0]).max(0.0)).collect();
    let bins = |span: Span| (span.0 / bin.0) as usize;
    let (length, warm_up) = (bins(take), bins(world.scenario.warm_up()));
    let step = (length / 8).max(1);
    let starts = (0..).map(|i| i * step).take_while(|start| start + length <= bins(tune.span));
    let sum = |start: usize| -> f64 {
        let end = (start + length).min(rises.len());
        rises[(start + warm_up).min(end)..end].iter().sum()
    };
    let mut best = (0, f64::NEG_INFINITY);
    for start in starts {
        let height = sum(start);
        if height > best.1 {
            best = (start, height);
        }
    }
    Ok(bin * best.0 as u64)
}
