//! The lower bound: a price on misses, and for each level of capacity the cheapest way to be on and off.
//!
//! `docs/bound.md` has the proof. With a price θ per miss the problem falls apart into levels ("at least
//! ℓ replicas run"), each a dynamic programme over the tiles in which it saves something; the sum is the
//! least of cost + θ · misses over all schedules, relaxed. Less θ times the misses allowed it is a lower
//! bound of the cost for every θ ≥ 0, and the best θ is looked for.

use super::load::Load;
use super::misses::{Gain, gains};

/// A relaxed problem with a price on misses.
pub(super) trait Relaxed {
    /// The least of cost + θ · misses over all relaxed schedules, in replica-seconds.
    fn relaxed(&self, theta: f64) -> f64;

    /// Prices from far below to far above what a miss can be worth, with the relaxed least at each, those
    /// from `least` on. `each_s` is the time that a replica takes for a request.
    fn curve(&self, each_s: f64, least: f64) -> Vec<(f64, f64)> {
        let step = |j: i32| {
            let half = if j % 2 == 1 { std::f64::consts::SQRT_2 } else { 1.0 };
            each_s / 8.0 * f64::from(1_u32 << (j / 2)) * half
        };
        let prices = std::iter::once(0.0).chain((0..34).map(step));
        prices.filter(|theta| *theta >= least).map(|theta| (theta, self.relaxed(theta))).collect()
    }

    /// The line that bounds best where `allowed` requests may be missed: [`Self::relaxed`] at a price, and
    /// the price. `curve` holds prices and the relaxed least at them; `rounds` narrow the price down, each
    /// to 62 %.
    fn best(&self, curve: &[(f64, f64)], allowed: f64, rounds: u32) -> (f64, f64) {
        let at = |(theta, relaxed): &(f64, f64)| relaxed - theta * allowed;
        let best = (0..curve.len()).max_by(|a, b| at(&curve[*a]).total_cmp(&at(&curve[*b]))).unwrap_or(0);
        let left = best.saturating_sub(1);
        let right = (best + 1).min(curve.len() - 1);
        let (price, cost) = self.climb((curve[left].0, curve[right].0), allowed, rounds);
        let (theta, relaxed) = curve[best];
        if at(&curve[best]) > cost { (relaxed, theta) } else { (cost + price * allowed, price) }
    }

    /// Golden-section search for the best price between two; the bound is concave in it.
    fn climb(&self, (mut low, mut high): (f64, f64), allowed: f64, rounds: u32) -> (f64, f64) {
        const GOLDEN: f64 = 0.618_033_988_749_895;
        let value = |theta: f64| self.relaxed(theta) - theta * allowed;
        let (mut a, mut b) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
        let (mut at_a, mut at_b) = (value(a), value(b));
        for _ in 0..rounds {
            if at_a > at_b {
                (high, b, at_b) = (b, a, at_a);
                a = high - GOLDEN * (high - low);
                at_a = value(a);
            } else {
                (low, a, at_a) = (a, b, at_b);
                b = low + GOLDEN * (high - low);
                at_b = value(b);
            }
        }
        if at_a > at_b { (a, at_a) } else { (b, at_b) }
    }
}

/// What a level may do and what it costs, in seconds of one replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Terms {
    /// Length of a tile.
    pub(super) tile_s: f64,
    /// Least time from the order of a replica until it takes traffic.
    pub(super) start_s: f64,
    /// Time of the objective: work of a tile may still be done so long after it.
    pub(super) slack_s: f64,
    /// Length of the scored window.
    pub(super) span_s: f64,
    /// Levels up to this one are always on.
    pub(super) min: u32,
    /// Levels above this one are always off.
    pub(super) max: u32,
}

/// The relaxed problem of one load in tiles of one length.
#[derive(Debug, Clone)]
pub(super) struct Dual {
    terms: Terms,
    levels: Vec<Vec<Gain>>,
    /// Requests that can't meet the objective.
    lost: f64,
}

/// The least costs of a level up to some tile, by what it does there.
#[derive(Debug, Clone, Copy)]
pub(super) struct States {
    off: f64,
    /// On, and the tile is the first that this run touches: the next one is paid already.
    fresh: f64,
    /// On for at least two tiles.
    on: f64,
}

impl States {
    /// Before the window a level may have been on, as if it had touched a tile before the first.
    pub(super) const FIRST: Self = Self { off: 0.0, fresh: 0.0, on: f64::INFINITY };

    /// The least cost, whatever it does now.
    pub(super) const fn least(self) -> f64 {
        self.off.min(self.fresh).min(self.on)
    }
}

impl Terms {
    /// What a run pays for its first two tiles: its start-up, less the slack of a tile, in which it may
    /// have ended. One that begins within a start-up of the window is dearer than one that is on at once.
    fn start(&self) -> f64 {
        (self.start_s - self.slack_s).max(0.0)
    }

    /// The least of cost + θ · misses of a level that saves `gains`.
    pub(super) fn level(&self, gains: &[Gain], theta: f64) -> f64 {
        let mut states = States::FIRST;
        let mut next = 0;
        for gain in gains {
            let passed = f64::from(gain.tile - next) * self.tile_s;
            states = self.tile(states, passed, theta * f64::from(gain.misses));
            next = gain.tile + 1;
        }
        states.least()
    }

    /// One tile, `passed` seconds of tiles without gain after the last; being off costs `missed`.
    pub(super) fn tile(&self, before: States, passed: f64, missed: f64) -> States {
        let least = before.least();
        let on = (before.fresh + passed).min(before.on + passed + self.tile_s);
        // A run may end and another begin within one tile: then both touch it.
        let fresh = least.min(on) + self.start();
        States { off: least + missed, fresh, on }
    }
}

impl Dual {
    pub(super) fn new(load: &Load, terms: Terms) -> Self {
        let levels = gains(load, terms.tile_s + terms.slack_s);
        Self { terms, levels, lost: load.totals().1 as f64 }
    }
}

impl Relaxed for Dual {
    fn relaxed(&self, theta: f64) -> f64 {
        let min = self.terms.min as usize;
        let max = self.terms.max as usize;
        let free = self.levels.iter().take(max).skip(min);
        let free: f64 = free.map(|gains| self.terms.level(gains, theta)).sum();
        let barred: f64 = self.levels.iter().skip(max).flatten().map(|gain| f64::from(gain.misses)).sum();
        free + f64::from(self.terms.min) * self.terms.span_s + theta * (self.lost + barred)
    }
}
