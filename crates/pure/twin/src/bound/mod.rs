//! How cheap any schedule could have been: a lower bound with a proof, and the best schedule found.
//!
//! [`LowerBound`] holds for every policy, also one that knows the future; `docs/bound.md` proves it.
//! [`Planner`] makes schedules from the same tiles with the headroom that queues need; the twin runs them,
//! and what they attain at what cost is the clairvoyant curve that policies are measured by.

mod bare;
mod carry;
mod dual;
mod load;
mod misses;
mod schedule;
mod search;
#[cfg(test)]
mod tests;

use homeostat_core::Span;
use homeostat_core::load::{LoadError, LoadStream};
use serde::{Deserialize, Serialize};

use crate::scenario::Scenario;
use bare::Bare;
use carry::Carried;
use dual::{Dual, Relaxed, Terms};
use load::Load;
pub use schedule::{Planner, Schedule};
pub use search::{Curve, Found, Search};

/// Length of the shortest tile of the lower bound; shorter ones never bounded more.
const TILE: Span = Span::from_secs(15);
/// Length of the tiles of a schedule that follows bursts of seconds, a divisor of [`TILE`].
const FINE: Span = Span::from_secs(5);
/// Tiles that are tried, as multiples of the shortest. Each gives a bound, and the largest holds.
const MULTIPLES: [usize; 6] = [1, 2, 4, 8, 20, 40];

/// Loads of more tiles than this (17 days) are bounded by the forms that are best on a part of them.
const LONG: usize = 100_000;
/// Rounds of the search for the best price: usually, and for such a load.
const ROUNDS: [u32; 2] = [12, 2];
/// Tiles of that part.
const SCOUTED: usize = 20_000;
/// Tiles up to this length are tried with a price on carried work.
const LONGEST_CARRY: Span = Span::from_secs(60);
/// Prices of carried work, as shares of what a second of work costs on a replica that is never idle.
const PRICES: [f64; 3] = [0.5, 0.8, 1.0];

/// Why there is no bound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unbounded {
    /// Requests visit several services.
    #[error("there is no bound for a graph of services yet: only for one service")]
    Graph,
    /// The trace could not be read.
    #[error(transparent)]
    Trace(#[from] LoadError),
    /// The caller asked to end.
    #[error("stopped on request")]
    Asked,
    /// The trace holds nothing.
    #[error("the trace holds no load at all")]
    Empty,
}

/// What no schedule can undercut: lines (cost at no miss, what a miss saves), each of which every schedule
/// lies above. Costs in replica-seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LowerBound {
    lines: Vec<(f64, f64)>,
    lost: u64,
    price_per_hour: f64,
}

/// The requests of a scenario under one seed, read once for the bound and for schedules.
#[derive(Debug, Clone)]
pub struct Demand {
    load: Load,
    /// In tiles of [`FINE`], unless it is long.
    fine: Option<Load>,
}

impl Demand {
    /// Reads all requests of a load that lasts about `span`. Takes some tens of nanoseconds per request and
    /// memory for the tiles alone. `stop` is asked once per tile; when it says yes, reading ends at once.
    pub fn read(
        scenario: &Scenario,
        seed: u64,
        span: Span,
        stream: LoadStream,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Self, Unbounded> {
        if span.0 / TILE.0 > LONG as u64 {
            return Ok(Self { load: Load::collect(scenario, seed, stream, TILE, stop)?, fine: None });
        }
        let fine = Load::collect(scenario, seed, stream, FINE, stop)?;
        Ok(Self { load: fine.coarser((TILE.0 / FINE.0) as usize), fine: Some(fine) })
    }

    /// Lengths of tiles in which schedules can be planned, the usual one first. Longer tiles smooth what
    /// queues smooth as well; shorter ones follow bursts of seconds.
    pub fn tiles(&self) -> Vec<Span> {
        std::iter::once(&self.load).chain(&self.fine).map(|load| load.tile).collect()
    }

    /// The load in tiles of this length, or in the usual ones.
    fn in_tiles(&self, tile: Span) -> &Load {
        self.fine.as_ref().filter(|fine| fine.tile == tile).unwrap_or(&self.load)
    }

    /// Requests in the scored window.
    pub fn requests(&self) -> u64 {
        self.load.totals().0
    }

    /// Work of the fullest tile as a number of replicas that are never idle.
    pub fn peak_replicas(&self) -> f64 {
        let per_replica = self.load.ability.pace * self.load.tile.as_secs_f64();
        let busy = |tile: &load::Tile| (tile.work + f64::from(tile.lost_work)) / per_replica;
        self.load.tiles.iter().map(busy).fold(0.0, f64::max)
    }

    /// The attainment that no schedule can exceed: some requests are too much work for the objective.
    pub fn attainable(&self) -> f64 {
        let (requests, lost) = self.load.totals();
        1.0 - lost as f64 / requests.max(1) as f64
    }
}

impl LowerBound {
    /// The bound for one scenario and its requests, at its best where these numbers of misses are allowed.
    pub fn new(scenario: &Scenario, demand: &Demand, allowed: &[u64]) -> Self {
        Self::of(scenario, &demand.load, allowed, demand.load.tiles.len() > LONG)
    }

    /// The bound, for a `long` load by the forms that are best on a part of it.
    fn of(scenario: &Scenario, load: &Load, allowed: &[u64], long: bool) -> Self {
        let (requests, lost) = load.totals();
        let work_s: f64 = load.tiles.iter().map(|tile| tile.work).sum();
        let each_s = (work_s / requests.max(1) as f64 / load.ability.pace).max(1e-6);
        let all = Form::all(load);
        let (forms, least) = if long { scouted(scenario, load, &all, allowed, each_s) } else { (all, 0.0) };
        let loads = coarsened(load);
        let problems: Vec<Box<dyn Relaxed + '_>> =
            forms.iter().map(|form| form.problem(scenario, &loads)).collect();
        let curves: Vec<Vec<(f64, f64)>> =
            problems.iter().map(|problem| problem.curve(each_s, least)).collect();
        let mut lines: Vec<(f64, f64)> =
            curves.iter().flatten().map(|(theta, relaxed)| (*relaxed, *theta)).collect();
        for missed in allowed {
            // Only the problem that bounds best on the grid of prices is looked at more closely.
            let best = strongest(&curves, *missed as f64);
            lines.push(problems[best].best(&curves[best], *missed as f64, ROUNDS[usize::from(long)]));
        }
        Self { lines, lost, price_per_hour: scenario.services[0].price_per_hour }
    }

    /// No schedule that misses at most `missed` of the scored requests costs less. `None` where more are
    /// missed inevitably.
    pub fn cost(&self, missed: u64) -> Option<f64> {
        if missed < self.lost {
            return None;
        }
        let seconds = self.lines.iter().map(|(relaxed, theta)| relaxed - theta * missed as f64);
        Some(seconds.fold(0.0, f64::max) / 3_600.0 * self.price_per_hour)
    }
}

/// A relaxation, with the index of the length of its tiles in [`MULTIPLES`].
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    /// The bare work.
    Bare(usize),
    /// The slack of the objective counted with each tile.
    Slack(usize),
    /// A price on carried work, as a share of what a second of work costs on a replica that is never idle.
    Carried(usize, f64),
}

impl Form {
    /// All that are tried on a load.
    fn all(load: &Load) -> Vec<Self> {
        let mut forms = vec![Self::Bare(2)];
        for (index, multiple) in MULTIPLES.into_iter().enumerate() {
            forms.push(Self::Slack(index));
            let tile = load.tile * multiple as u64;
            if tile >= load.slack && tile <= LONGEST_CARRY {
                forms.extend(PRICES.map(|share| Self::Carried(index, share)));
            }
        }
        forms
    }

    /// The relaxed problem of this form; `loads` is one load in tiles of all lengths.
    fn problem<'a>(self, scenario: &Scenario, loads: &'a [Load]) -> Box<dyn Relaxed + 'a> {
        let (Self::Bare(index) | Self::Slack(index) | Self::Carried(index, _)) = self;
        let load = &loads[index];
        match self {
            Self::Bare(_) => Box::new(Bare::new(load)),
            Self::Slack(_) => Box::new(Dual::new(load, terms(scenario, load))),
            Self::Carried(_, share) => {
                Box::new(Carried::new(load, terms(scenario, load), share / load.ability.pace))
            }
        }
    }
}

/// A load in tiles of all lengths.
fn coarsened(load: &Load) -> Vec<Load> {
    MULTIPLES.iter().map(|multiple| load.coarser(*multiple)).collect()
}

/// The forms that bound best on a part of a long load, and the least price worth a look. Both change little
/// with the length of the load, and every form is a bound at every price, so that the choice needs no proof.
fn scouted(
    scenario: &Scenario,
    load: &Load,
    forms: &[Form],
    allowed: &[u64],
    each_s: f64,
) -> (Vec<Form>, f64) {
    let part = load.part(SCOUTED);
    let share = part.totals().0 as f64 / load.totals().0.max(1) as f64;
    let loads = coarsened(&part);
    let curve = |form: &Form| form.problem(scenario, &loads).curve(each_s, 0.0);
    let curves: Vec<Vec<(f64, f64)>> = forms.iter().map(curve).collect();
    let best = |missed: &u64| {
        let missed = *missed as f64 * share;
        let form = strongest(&curves, missed);
        let line = |(theta, relaxed): &(f64, f64)| relaxed - theta * missed;
        let prices = curves[form].iter().max_by(|a, b| line(a).total_cmp(&line(b)));
        (form, prices.map_or(0.0, |(theta, _)| *theta))
    };
    let found: Vec<(usize, f64)> = allowed.iter().map(best).collect();
    let chosen = |index: &usize| found.iter().any(|(form, _)| form == index);
    let least = found.iter().map(|(_, theta)| *theta).fold(f64::INFINITY, f64::min);
    // Two steps of the grid lower, so that the best price is between two of them.
    let least = if least.is_finite() { least / 2.0 } else { 0.0 };
    ((0..forms.len()).filter(chosen).map(|index| forms[index]).collect(), least)
}

/// The curve that is highest where `missed` requests may be missed.
fn strongest(curves: &[Vec<(f64, f64)>], missed: f64) -> usize {
    let value = |curve: &[(f64, f64)]| {
        let at = curve.iter().map(|(theta, relaxed)| relaxed - theta * missed);
        at.fold(f64::NEG_INFINITY, f64::max)
    };
    (0..curves.len()).max_by(|a, b| value(&curves[*a]).total_cmp(&value(&curves[*b]))).unwrap_or(0)
}

/// What a level may do in tiles of this length.
fn terms(scenario: &Scenario, load: &Load) -> Terms {
    let replicas = scenario.services[0].replicas;
    Terms {
        tile_s: load.tile.as_secs_f64(),
        start_s: scenario.least_start().as_secs_f64(),
        slack_s: scenario.objective.latency.as_secs_f64(),
        span_s: load.span.as_secs_f64(),
        // A replica lost to a fault or to its leak is below the least count for a while.
        min: if scenario.faults.is_empty() && !scenario.leaks() { replicas.min } else { 0 },
        max: replicas.max,
    }
}

/// Requests that may be missed at this attainment, at most.
pub fn allowed(requests: u64, attainment: f64) -> u64 {
    ((1.0 - attainment) * requests as f64 + 1e-6).floor().max(0.0) as u64
}
