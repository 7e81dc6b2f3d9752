//! The bound with a price on work that is carried over the end of a tile.
//!
//! [`super::dual`] lets work at the end of a tile be done in the time of the objective behind it, and counts
//! that time twice. Here it is counted once: a tile has its own time only, and what it leaves to the next
//! one is bought there at a price μ per second of work (see docs/bound.md). Tiles can be short then, so that
//! the free ends of runs are, too.

use super::dual::{Relaxed, States, Terms};
use super::load::{Load, Tile};
use super::misses::pieces;

/// The relaxed problem of one load, tiles of one length, one price on carried work.
#[derive(Debug, Clone)]
pub(super) struct Carried<'a> {
    terms: Terms,
    load: &'a Load,
    /// Price of a second of work that is carried, in replica-seconds.
    mu: f64,
}

impl<'a> Carried<'a> {
    /// `terms` are those of the load's tiles; their slack is not used. Tiles have to be at least as long as
    /// the objective.
    pub(super) fn new(load: &'a Load, terms: Terms, mu: f64) -> Self {
        Self { terms: Terms { slack_s: 0.0, ..terms }, load, mu }
    }

    /// What a tile costs with 0, 1, … replicas besides them: θ · misses + μ · (work left to the next tile −
    /// work taken from the one before), each as is cheapest. Up to where a replica more saves nothing.
    fn values(&self, index: usize, theta: f64, costs: &mut Vec<f64>) {
        let tile = &self.load.tiles[index];
        let taken = index.checked_sub(1).map_or(0.0, |before| self.load.tiles[before].tail);
        // What is left at the end of the window is done without cost.
        let last = index + 1 == self.load.tiles.len();
        let (left, work) =
            if last { (0.0, (tile.work - tile.tail).max(0.0)) } else { (tile.tail, tile.work) };
        let slopes = self.slopes(tile, left + taken, theta);
        let per_replica = self.load.ability.pace * self.terms.tile_s;
        let replicas = ((work + taken) / per_replica).ceil() as usize;
        costs.clear();
        costs.resize(replicas + 1, -self.mu * taken);
        let (mut piece, mut used, mut sum) = (0, 0.0, -self.mu * taken);
        for (n, cost) in costs.iter_mut().enumerate().rev() {
            let short = (work + taken - per_replica * n as f64).max(0.0);
            while piece < slopes.len() && used + slopes[piece].0 <= short {
                used += slopes[piece].0;
                sum += slopes[piece].0 * slopes[piece].1;
                piece += 1;
            }
            let rest = slopes.get(piece).map_or(0.0, |(_, slope)| (short - used) * slope);
            *cost = sum + rest;
        }
    }

    /// Work and cost per second of it, the cheapest first: requests left undone, and work carried.
    fn slopes(&self, tile: &Tile, carried: f64, theta: f64) -> Vec<(f64, f64)> {
        let mut slopes: Vec<(f64, f64)> = pieces(tile, &self.load.edges)
            .into_iter()
            .filter(|piece| piece.work_s > 0.0)
            .map(|piece| (piece.work_s, theta * piece.requests / piece.work_s))
            .collect();
        let at = slopes.partition_point(|(_, slope)| *slope < self.mu);
        slopes.insert(at, (carried, self.mu));
        slopes
    }
}

impl Relaxed for Carried<'_> {
    fn relaxed(&self, theta: f64) -> f64 {
        let (min, max) = (self.terms.min as usize, self.terms.max as usize);
        let mut levels: Vec<(States, usize)> = Vec::new();
        let mut costs = Vec::new();
        let mut fixed = f64::from(self.terms.min) * self.terms.span_s + theta * self.load.totals().1 as f64;
        for index in 0..self.load.tiles.len() {
            self.values(index, theta, &mut costs);
            fixed += costs[costs.len() - 1];
            for (level, pair) in costs.windows(2).enumerate() {
                // A tiny part less, so that rounding can't spoil the bound.
                let missed = (pair[0] - pair[1]) * (1.0 - 1e-9);
                if level < min {
                    continue;
                }
                if level >= max {
                    fixed += missed;
                    continue;
                }
                if levels.len() <= level {
                    levels.resize(level + 1, (States::FIRST, 0));
                }
                let (states, next) = levels[level];
                let passed = (index - next) as f64 * self.terms.tile_s;
                levels[level] = (self.terms.tile(states, passed, missed), index + 1);
            }
        }
        fixed + levels.iter().skip(min).map(|(states, _)| states.least()).sum::<f64>()
    }
}
