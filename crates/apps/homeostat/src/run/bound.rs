//! The clairvoyant bound of a comparison: read the requests, bound them, search schedules in the twin.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use homeostat_core::{Controller, GuardProfile, Policy, Span};
use homeostat_policy::planned::Planned;
use homeostat_policy::rejuvenate::RejuvenateSpec;
use homeostat_policy::spec::PolicySpec;
use homeostat_twin::bound::{
    Curve, Demand, Found, LowerBound, Planner, Schedule, Search, Unbounded, allowed,
};
use homeostat_twin::curve::Survey;
use homeostat_twin::{Fluid, Outcome, Silent, Stop};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::input::scenario::World;
use crate::input::traffic;
use crate::run::job::Engine;
use crate::run::progress::{Meter, Progress};
use crate::run::{Row, in_parallel, measured};

/// Attainments of the curve, besides the objective's and those near the highest possible.
const ATTAINMENTS: [f64; 6] = [0.90, 0.95, 0.99, 0.995, 0.999, 0.9999];
/// Shares of the requests by which the last attainments are below the highest possible.
const BELOW_BEST: [f64; 3] = [1e-4, 1e-5, 1e-6];
/// Below this attainment nobody asks how close a policy is to the bound.
const LEAST: f64 = 0.90;
/// Rounds of the search with the fluid twin, and request by request.
const ROUNDS: [u32; 2] = [3, 2];
/// Requests above which a run takes so long that low attainments are left out.
const LARGE: u64 = 500_000_000;
/// The least attainment that is then looked at.
const LEAST_LARGE: f64 = 0.99;

/// One attainment of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Point {
    pub(crate) attainment: f64,
    /// Of the best schedule found; `None` where none was found.
    pub(crate) best: Option<Found>,
    /// Proven.
    pub(crate) lower_cost: Option<f64>,
}

/// The bound of the first seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bound {
    pub(crate) points: Vec<Point>,
    /// Share of requests that can meet the objective at all.
    pub(crate) attainable: f64,
    /// Whether replicas leak towards a limit.
    #[serde(default)]
    leaks: bool,
    curve: Curve,
    lower: LowerBound,
}

impl Bound {
    /// The bound by the best schedule at this attainment; for the very best attainments that of the best
    /// schedule found, though it misses a few requests more.
    pub(crate) fn at(&self, attainment: f64) -> Option<f64> {
        if attainment < LEAST {
            return None;
        }
        let top = self.curve.points.last()?;
        Some(self.curve.at(attainment).unwrap_or(*top).cost)
    }

    /// Cost of a policy over the bound at its own attainment.
    pub(crate) fn over(&self, row: &Row) -> Option<f64> {
        self.at(row.first.attainment).filter(|bound| *bound > 0.0).map(|bound| row.first.cost / bound)
    }

    /// The share of the reference's regret that a policy saves. The reference is the cheapest HPA or static
    /// row that attains at least as much.
    pub(crate) fn gap_closed(&self, row: &Row, rows: &[Row]) -> Option<f64> {
        let bound = self.at(row.first.attainment)?;
        let may_refer = |other: &Row| matches!(other.kind.as_str(), "hpa" | "static");
        let attains = |other: &&Row| may_refer(other) && other.first.attainment >= row.first.attainment;
        let reference = rows.iter().filter(attains).map(|other| other.first.cost).min_by(f64::total_cmp)?;
        let gap = reference - bound;
        (gap > 0.0).then(|| (reference - row.first.cost) / gap)
    }

    /// What must be known to read it.
    pub(crate) fn remark(&self) -> Option<String> {
        let text = "Replicas leak: the best schedule has them replaced as rejuvenate does; the proven bound \
                    knows no leaks.";
        self.leaks.then(|| text.to_owned())
    }

    /// What is wrong with the bound in the light of a policy's result, if anything is.
    pub(crate) fn defect(&self, row: &Row) -> Option<String> {
        let outcome = &row.first;
        let lower = self.lower.cost(missed(outcome)).unwrap_or(0.0);
        if outcome.cost < lower {
            return Some(format!(
                "{} costs {:.1}, less than the proven bound of {lower:.1} at its attainment: the proof or the \
                 program is wrong; please report this",
                row.name, outcome.cost
            ));
        }
        let found = self.at(outcome.attainment)?;
        (outcome.cost < found).then(|| {
            format!(
                "{} costs {:.1}, less than the best schedule found at its attainment ({found:.1}): the search \
                 for schedules fell short",
                row.name, outcome.cost
            )
        })
    }
}

fn missed(outcome: &Outcome) -> u64 {
    outcome.requests - (outcome.attainment * outcome.requests as f64).round() as u64
}

/// How the bound is computed.
pub(crate) struct Computing<'a> {
    pub(crate) world: &'a World,
    pub(crate) load: &'a traffic::Survey,
    pub(crate) seed: u64,
    pub(crate) engine: Engine,
    pub(crate) threads: usize,
    pub(crate) quiet: bool,
    pub(crate) stop: &'static AtomicBool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Computed {
    Bound(Bound),
    /// There is none, for this reason.
    Without(String),
    Stopped,
}

impl Computing<'_> {
    /// Computes the bound.
    pub(crate) fn run(&self) -> Result<Computed, Failure> {
        let scenario = &self.world.scenario;
        let stream = traffic::stream(self.world, self.load, self.seed)?;
        let mut stop = || self.stop.load(Ordering::Relaxed);
        let demand = match Demand::read(scenario, self.seed, self.load.span, stream, &mut stop) {
            Ok(demand) => demand,
            Err(Unbounded::Asked) => return Ok(Computed::Stopped),
            Err(reason @ Unbounded::Graph) => return Ok(Computed::Without(reason.to_string())),
            Err(error) => return Err(Failure::new(format!("{}: {error}", self.world.origin))),
        };
        let attainable = demand.attainable();
        let attainments = attainments(scenario.objective.attainment, attainable);
        let missed: Vec<u64> = attainments.iter().map(|a| allowed(demand.requests(), *a)).collect();
        let lower = LowerBound::new(scenario, &demand, &missed);
        let Some(curve) = self.search(&demand, &attainments)? else { return Ok(Computed::Stopped) };
        let point = |attainment: &f64| Point {
            attainment: *attainment,
            best: curve.at(*attainment),
            lower_cost: lower.cost(allowed(demand.requests(), *attainment)),
        };
        let points = attainments.iter().map(point).collect();
        Ok(Computed::Bound(Bound { points, attainable, leaks: scenario.leaks(), curve, lower }))
    }

    /// The best schedules; `None` when stopped.
    fn search(&self, demand: &Demand, attainments: &[f64]) -> Result<Option<Curve>, Failure> {
        let scenario = &self.world.scenario;
        let most = ((1.5 * demand.peak_replicas()) as u32 + 4).min(scenario.services[0].replicas.max);
        let curve = match &self.engine {
            Engine::Requests => Arc::new(measured(&Survey::new(scenario, most, self.seed), self.threads)),
            Engine::Fluid(curve) => Arc::clone(curve),
        };
        let lead = scenario.services[0].start_up.almost_all();
        let search = |tile: Span| {
            let late = |replicas, busy| curve.late_share(replicas, busy);
            let planner = Planner::new(scenario, demand, tile, lead, late);
            Search::new(planner, attainments, demand.attainable())
        };
        let rough = matches!(self.engine, Engine::Requests) && Fluid::check(scenario).is_ok();
        // Without a rough run nothing tells which length of tiles is better.
        let tiles = demand.tiles().into_iter().take(if rough { usize::MAX } else { 1 });
        let mut searches: Vec<Search> = tiles.map(search).collect();
        if rough {
            let fluid = Engine::Fluid(Arc::clone(&curve));
            for search in &mut searches {
                self.rounds(search, &fluid, ROUNDS[0])?;
            }
        }
        let wanted = scenario.objective.attainment;
        let Some(mut search) = cheapest(searches, wanted) else { return Ok(None) };
        let large = demand.requests() > LARGE && matches!(self.engine, Engine::Requests);
        let least = if large { LEAST_LARGE } else { 0.0 };
        let asked: Vec<f64> = attainments.iter().copied().filter(|a| *a >= least).collect();
        search.settle(&asked);
        let whole = self.rounds(&mut search, &self.engine, ROUNDS[1])?;
        Ok(whole.then(|| search.curve()))
    }

    /// Rounds of a search on one engine; false when stopped.
    fn rounds(&self, search: &mut Search, engine: &Engine, rounds: u32) -> Result<bool, Failure> {
        for _ in 0..rounds {
            let schedules = search.round();
            let progress = Progress::new(schedules.len(), self.load, self.quiet);
            let run =
                |index: usize, schedule: &Schedule| self.simulate(schedule, engine, &progress.of(index));
            let results = in_parallel(&schedules, self.threads, run);
            progress.finish();
            let mut found = Vec::new();
            for result in results {
                let Some(outcome) = result? else { return Ok(false) };
                let Outcome { attainment, cost, replica_hours, .. } = outcome;
                found.push(Found { attainment, cost, replica_hours });
            }
            search.tell(&found);
        }
        Ok(true)
    }

    /// Runs a schedule in the twin; `None` when stopped.
    fn simulate(
        &self,
        schedule: &Schedule,
        engine: &Engine,
        meter: &Meter,
    ) -> Result<Option<Outcome>, Failure> {
        let scenario = &self.world.scenario;
        let policy = Planned {
            from: self.load.start + schedule.offset,
            tile: schedule.tile,
            before: schedule.before,
            counts: Arc::from(schedule.counts.as_slice()),
        };
        let service = &scenario.services[0];
        let mut policies: Vec<Box<dyn Policy>> = vec![Box::new(policy)];
        if scenario.leaks() {
            // Counts alone would end in kills: whoever knows the load must replace replicas as well.
            let outlook = scenario.outlook(self.load.start, self.load.peak_rate);
            let replacing = service.policies(&PolicySpec::Rejuvenate(RejuvenateSpec::default()), &outlook);
            policies.extend(replacing.map_err(|error| Failure::new(error.to_string()))?);
        }
        let controller = Controller::new(policies, GuardProfile::bounds_only(), service.replicas);
        let mut ask = |now| {
            meter.at(now);
            self.stop.load(Ordering::Relaxed)
        };
        let (world, load) = (self.world, self.load);
        match engine.run(world, load, self.seed, vec![controller], &mut Silent, &mut ask)? {
            Ok(outcome) => {
                meter.done();
                Ok(Some(outcome))
            }
            Err(Stop::Asked) => Ok(None),
            Err(error) => Err(Failure::new(format!("{}: {error}", self.world.origin))),
        }
    }
}

/// The search that has found the cheapest schedule at this attainment; the first where none has found one.
fn cheapest(searches: Vec<Search>, attainment: f64) -> Option<Search> {
    let cost = |search: &Search| search.curve().at(attainment).map_or(f64::INFINITY, |found| found.cost);
    searches.into_iter().min_by(|a, b| cost(a).total_cmp(&cost(b)))
}

/// Where the curve is looked at, rising: usual ones, the objective's, and those near the highest possible.
fn attainments(objective: f64, attainable: f64) -> Vec<f64> {
    let usual = ATTAINMENTS.into_iter().chain([objective]).filter(|a| *a < attainable);
    let best = BELOW_BEST.map(|share| attainable - share).into_iter().filter(|a| *a > 0.0);
    let mut all: Vec<f64> = usual.chain(best).collect();
    all.sort_by(f64::total_cmp);
    all.dedup_by(|a, b| (*a - *b).abs() < 1e-9);
    all
}
