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

/// Length of the shortest tile.
const TILE: Span = Span::from_secs(15);
/// Tiles that are tried, as multiples of the shortest. Each gives a bound, and the largest holds.
const MULTIPLES: [usize; 6] = [1, 2, 4, 8, 20, 40];

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
}

impl Demand {
    /// Reads all requests. Takes some tens of nanoseconds per request and memory for the tiles alone.
    /// `stop` is asked once per tile; when it says yes, reading ends at once.
    pub fn read(
        scenario: &Scenario,
        seed: u64,
        stream: LoadStream,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Self, Unbounded> {
        Ok(Self { load: Load::collect(scenario, seed, stream, TILE, stop)? })
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
        let service = &scenario.services[0];
        let load = &demand.load;
        let (requests, lost) = load.totals();
        let work_s: f64 = load.tiles.iter().map(|tile| tile.work).sum();
        let each_s = (work_s / requests.max(1) as f64 / load.ability.pace).max(1e-6);
        let loads: Vec<Load> = MULTIPLES.iter().map(|multiple| load.coarser(*multiple)).collect();
        let mut problems: Vec<Box<dyn Relaxed + '_>> = Vec::new();
        problems.push(Box::new(Bare::new(&loads[2])));
        for load in &loads {
            let terms = terms(scenario, load);
            problems.push(Box::new(Dual::new(load, terms)));
            if load.tile >= load.slack && load.tile <= LONGEST_CARRY {
                let price = |share: &f64| Carried::new(load, terms, share / load.ability.pace);
                problems.extend(PRICES.iter().map(|share| Box::new(price(share)) as Box<dyn Relaxed>));
            }
        }
        let curves: Vec<Vec<(f64, f64)>> = problems.iter().map(|problem| problem.curve(each_s)).collect();
        let mut lines: Vec<(f64, f64)> =
            curves.iter().flatten().map(|(theta, relaxed)| (*relaxed, *theta)).collect();
        for missed in allowed {
            // Only the problem that bounds best on the grid of prices is looked at more closely.
            let missed = *missed as f64;
            let value = |i: &usize| {
                let at = curves[*i].iter().map(|(theta, relaxed)| relaxed - theta * missed);
                at.fold(f64::NEG_INFINITY, f64::max)
            };
            let best = (0..problems.len()).max_by(|a, b| value(a).total_cmp(&value(b))).unwrap_or(0);
            lines.push(problems[best].best(&curves[best], missed));
        }
        Self { lines, lost, price_per_hour: service.price_per_hour }
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

/// What a level may do in tiles of this length.
fn terms(scenario: &Scenario, load: &Load) -> Terms {
    let replicas = scenario.services[0].replicas;
    Terms {
        tile_s: load.tile.as_secs_f64(),
        start_s: scenario.least_start().as_secs_f64(),
        slack_s: scenario.objective.latency.as_secs_f64(),
        span_s: load.span.as_secs_f64(),
        // A replica lost to a fault is below the least count for a while.
        min: if scenario.faults.is_empty() { replicas.min } else { 0 },
        max: replicas.max,
    }
}

/// Requests that may be missed at this attainment, at most.
pub fn allowed(requests: u64, attainment: f64) -> u64 {
    ((1.0 - attainment) * requests as f64 + 1e-6).floor().max(0.0) as u64
}
