//! Searching a space of settings for the cheapest that reach an attainment.
//!
//! A search is a state machine: [`Search::ask`] names runs, the caller makes them in any order and on any
//! number of threads and gives the results to [`Search::tell`]; what is asked next depends on the
//! results only. It knows points by their index on a grid and nothing of policies, traces or engines.
//!
//! Runs have rungs: a rung is a share of the full length, or a cheaper way to run it. The budget is counted
//! in full lengths, so that ten runs over a tenth cost as much as one over the whole. Only runs of the last
//! rung are results.

use serde::{Deserialize, Serialize};

mod bisect;
mod exhaustive;
mod frontier;
mod grid;
mod halving;
mod model;

pub use bisect::Bisection;
pub use exhaustive::Exhaustive;
pub use frontier::{Found, cheapest, frontier, nearest};
pub use halving::{Halving, Plan, Rung};

/// What a run measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Share of requests that met the objective.
    pub attainment: f64,
    /// Replica-hours times price.
    pub cost: f64,
    /// Replica-hours.
    pub replica_hours: f64,
}

/// A run that a search asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trial {
    /// Index of the point.
    pub point: usize,
    /// Index of the rung; the last is the full length.
    pub rung: usize,
}

/// A search, as a state machine.
pub trait Search {
    /// The next runs to make, each of them new; none when the search is over. All of them must be told
    /// before the next call.
    fn ask(&mut self) -> Vec<Trial>;

    /// The result of a run that was asked for.
    fn tell(&mut self, trial: Trial, measured: Measured);

    /// The points that ran over the full length, in the order of their index.
    fn found(&self) -> Vec<Found>;

    /// Number of rungs.
    fn rungs(&self) -> usize {
        1
    }

    /// Full lengths run so far.
    fn spent(&self) -> f64;

    /// Full lengths that it will run at most.
    fn most(&self) -> f64;
}
