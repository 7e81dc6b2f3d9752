//! Runs what a search asks for: every setting on the same load, with the same random numbers.

use homeostat_core::Span;
use homeostat_policy::space::Space;
use homeostat_policy::spec::PolicySpec;
use homeostat_twin::search::{Measured, Search, Trial};
use homeostat_twin::{Outcome, Stop};

use crate::failure::Failure;
use crate::input::policies::Entrant;
use crate::input::scenario::World;
use crate::input::traffic::{self, Survey};
use crate::run::progress::Progress;
use crate::run::{cores, in_parallel, job, stop_flag};

/// Shares of the tuning part that the rungs of a search run, short ones first; the last is all of it.
const SHARES: [f64; 2] = [1.0 / 8.0, 1.0 / 3.0];
/// A rung is at least so many warm-ups long, so that half of it is scored.
const WARM_UPS: u64 = 2;
/// A rung of more than this share of the next one saves too little.
const WORTH: f64 = 0.6;
/// Bins in which rises of the load are looked for.
const BIN: Span = Span::from_secs(300);

/// Where a search runs.
pub(crate) struct Arena<'a> {
    world: &'a World,
    /// The stretch of each rung; the last is the whole tuning part.
    rungs: Vec<Survey>,
    seed: u64,
    threads: Option<u16>,
    quiet: bool,
}

impl<'a> Arena<'a> {
    /// Rungs over the tuning part: only it is ever looked at.
    pub(crate) fn new(
        world: &'a World,
        tune: &Survey,
        seed: u64,
        threads: Option<u16>,
        quiet: bool,
    ) -> Result<Self, Failure> {
        let warm_up = world.scenario.warm_up();
        if tune.span <= warm_up {
            let stop = Stop::TooShort(tune.span, warm_up);
            return Err(Failure::new(format!("{}: the tuning part: {stop}", world.origin)));
        }
        let mut rungs = Vec::new();
        let mut next = 1.0;
        for share in SHARES.into_iter().rev() {
            let least = (warm_up * WARM_UPS).0 as f64 / tune.span.0 as f64;
            let share = f64::max(share, least);
            if share <= WORTH * next {
                let take = Span((share * tune.span.0 as f64) as u64);
                let skip = hardest(world, tune, seed, take)?;
                rungs.push(traffic::stretch(world, tune, seed, skip, take)?);
                next = share;
            }
        }
        rungs.reverse();
        rungs.push(tune.clone());
        Ok(Self { world, rungs, seed, threads, quiet })
    }

    /// The share of the tuning part that each rung runs.
    pub(crate) fn shares(&self) -> Vec<f64> {
        let whole = self.whole().span.0 as f64;
        self.rungs.iter().map(|rung| (rung.span.0 as f64 / whole).min(1.0)).collect()
    }

    /// The tuning part.
    pub(crate) fn whole(&self) -> &Survey {
        &self.rungs[self.rungs.len() - 1]
    }

    /// Runs the search to its end; `false` where it was stopped.
    pub(crate) fn search(&self, space: &Space, search: &mut dyn Search) -> Result<bool, Failure> {
        let last = self.rungs.len() - 1;
        // Searches without rungs call the full length 0.
        let shift = if search.rungs() == 1 { last } else { 0 };
        loop {
            let mut trials = search.ask();
            if trials.is_empty() {
                return Ok(true);
            }
            trials.sort_unstable();
            let load = &self.rungs[trials[0].rung + shift];
            let specs: Vec<PolicySpec> = trials.iter().map(|trial| space.policy(trial.point)).collect();
            let title = format!("{}, {:.0} of {:.0} lengths", space.family, search.spent(), search.most());
            let Some(outcomes) = self.outcomes(self.world, load, &specs, &title)? else { return Ok(false) };
            for (trial, outcome) in trials.iter().zip(outcomes) {
                search.tell(Trial { ..*trial }, measured(&outcome));
            }
        }
    }

    /// The outcomes of these policies on one load; `None` where Ctrl-C came first.
    pub(crate) fn outcomes(
        &self,
        world: &World,
        load: &Survey,
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
            .map(|entrant| job::Job { world, load, entrant, seed: self.seed, journal: None })
            .collect();
        let progress = Progress::new(jobs.len(), load, self.quiet).titled(title);
        let threads = self.threads.map_or_else(cores, usize::from).clamp(1, jobs.len().max(1));
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
