//! Schedules that know the load: as many replicas in each tile as its queue needs, switched by level.
//!
//! The same fall-apart into levels as in the bound, with three differences: what a replica saves comes
//! from the service curve, which knows queues; a level is on for whole tiles and pays its whole start-up;
//! and the path is kept. The curve is made convex tile by tile first, so that levels stay nested.

use homeostat_core::{Instant, Span, num};

use super::{Demand, allowed};
use crate::scenario::Scenario;

/// Replicas over time: the count asked for from the start of each tile on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Length of a tile.
    pub tile: Span,
    /// From the start of the load to the first tile.
    pub offset: Span,
    /// Count before the first tile, enough for anything in the warm-up.
    pub before: u32,
    /// Counts asked for, one per tile; replicas that start are in them.
    pub counts: Vec<u32>,
}

/// What a replica saves in a tile, by the service curve.
#[derive(Debug, Clone, Copy)]
struct Gain {
    tile: u32,
    misses: f32,
}

/// Makes schedules for one load.
#[derive(Debug, Clone)]
pub struct Planner {
    levels: Vec<Vec<Gain>>,
    tiles: usize,
    tile: Span,
    offset: Span,
    before: u32,
    /// Tiles from the order of a replica until it takes traffic.
    lead: usize,
    min: u32,
    max: u32,
    requests: u64,
    /// Misses that remain with as many replicas as help.
    unavoidable: f64,
}

impl Planner {
    /// A planner for `demand` in tiles of this length, one of [`Demand::tiles`]. `late` is the share of
    /// requests that miss the objective in steady state with so many replicas under the work of so many
    /// (the service curve), and `lead` the time from the order of a replica until it certainly takes
    /// traffic.
    pub fn new(
        scenario: &Scenario,
        demand: &Demand,
        tile: Span,
        lead: Span,
        late: impl Fn(f64, f64) -> f64,
    ) -> Self {
        let load = demand.in_tiles(tile);
        let bounds = scenario.services[0].replicas;
        let per_replica = load.ability.pace * load.tile.as_secs_f64();
        let (mut levels, mut unavoidable) = (Vec::new(), 0.0);
        for (index, tile) in load.tiles.iter().enumerate() {
            let requests = f64::from(tile.requests);
            let busy = (tile.work + f64::from(tile.lost_work)) / per_replica;
            let misses = misses(requests, busy, bounds.max, &late);
            unavoidable += misses.last().copied().unwrap_or(0.0);
            file(&mut levels, index as u32, &misses);
        }
        let before = (load.opening / per_replica * 1.3).ceil() as u32 + 2;
        Self {
            levels,
            tiles: load.tiles.len(),
            tile: load.tile,
            offset: load.warm_up,
            before: before.clamp(bounds.min, bounds.max),
            lead: lead.0.div_ceil(load.tile.0) as usize,
            min: bounds.min,
            max: bounds.max,
            requests: load.totals().0,
            unavoidable,
        }
    }

    /// The cheapest schedule that misses about `share` of the requests by the service curve. Also gives
    /// the share it is expected to miss.
    pub fn plan(&self, share: f64) -> (Schedule, f64) {
        let wanted = allowed(self.requests, 1.0 - share) as f64;
        // Prices of a miss in seconds of a replica, on a logarithmic scale.
        let (mut low, mut high) = (-12.0, 24.0);
        let mut best = self.path(num::exp(high));
        for _ in 0..26 {
            let middle = 0.5 * (low + high);
            let path = self.path(num::exp(middle));
            if path.1 <= wanted {
                (high, best) = (middle, path);
            } else {
                low = middle;
            }
        }
        let expected = best.1 / self.requests.max(1) as f64;
        (self.schedule(&best.0), expected)
    }

    /// Counts to ask for by the time of day (UTC), one per `slot`, a divisor of the day: the cheapest
    /// that the same day after day can be at this price of a miss in seconds of a replica, for a load
    /// that begins at `start`. Each slot has what all its tiles together are worth, and holds what is
    /// needed up to one start-up after its end.
    pub fn daily(&self, start: Instant, slot: Span, price: f64) -> Vec<u32> {
        let slots = (Span::DAY.0 / slot.0).max(1) as usize;
        let slot_of = |tile: usize| {
            let at = start + self.offset + self.tile * tile as u64;
            ((at.0 % Span::DAY.0) / slot.0) as usize % slots
        };
        let mut tiles = vec![0_u32; slots];
        for tile in 0..self.tiles {
            tiles[slot_of(tile)] += 1;
        }
        let mut ready = vec![self.min; slots];
        for gains in self.levels.iter().take(self.max as usize).skip(self.min as usize) {
            let mut misses = vec![0.0; slots];
            for gain in gains {
                misses[slot_of(gain.tile as usize)] += f64::from(gain.misses);
            }
            for (slot, saved) in misses.iter().enumerate() {
                let cost = f64::from(tiles[slot]) * self.tile.as_secs_f64();
                ready[slot] += u32::from(price * saved > cost);
            }
        }
        let lead = (self.tile * self.lead as u64).0.div_ceil(slot.0) as usize;
        let held = |slot: usize| (0..=lead).map(|ahead| ready[(slot + ahead) % slots]).max();
        (0..slots).map(|slot| held(slot).unwrap_or(self.min)).collect()
    }

    /// A schedule with this share of replicas more, rounded up.
    pub(super) fn widened(&self, schedule: &Schedule, share: f64) -> Schedule {
        let more = |count: &u32| ((f64::from(*count) * (1.0 + share)).ceil() as u32).min(self.max);
        let counts = schedule.counts.iter().map(more).collect();
        Schedule { before: more(&schedule.before), counts, ..*schedule }
    }

    /// Ready replicas per tile that cost least at this price of a miss, and the misses expected.
    fn path(&self, theta: f64) -> (Vec<u32>, f64) {
        let mut change = vec![0_i32; self.tiles + 1];
        let mut missed = self.unavoidable;
        let barred = self.levels.iter().skip(self.max as usize).flatten();
        missed += barred.map(|gain| f64::from(gain.misses)).sum::<f64>();
        let free = self.levels.iter().take(self.max as usize).skip(self.min as usize);
        for gains in free {
            missed += self.level(gains, theta, &mut change);
        }
        let mut count = self.min as i32;
        let ready = change[..self.tiles].iter().map(|step| {
            count += step;
            count as u32
        });
        (ready.collect(), missed)
    }

    /// The cheapest on and off of one level, entered into `change`; returns what it misses.
    fn level(&self, gains: &[Gain], theta: f64, change: &mut [i32]) -> f64 {
        let tile_s = self.tile.as_secs_f64();
        let start_s = self.lead as f64 * tile_s;
        // Costs up to the last tile looked at, and for each tile whether it came from the other state.
        let (mut off, mut on, mut next) = (0.0_f64, 0.0_f64, 0_u32);
        let mut came = Vec::with_capacity(gains.len());
        for gain in gains {
            let stayed = on + f64::from(gain.tile - next) * tile_s;
            let started = off.min(on) + start_s.min(f64::from(gain.tile) * tile_s);
            let stopped = on < off;
            came.push((started < stayed, stopped));
            let least = off.min(on);
            on = stayed.min(started) + tile_s;
            off = least + theta * f64::from(gain.misses);
            next = gain.tile + 1;
        }
        Self::trace_back(gains, &came, on < off, change)
    }

    fn trace_back(gains: &[Gain], came: &[(bool, bool)], ends_on: bool, change: &mut [i32]) -> f64 {
        let (mut is_on, mut missed) = (ends_on, 0.0);
        for (i, gain) in gains.iter().enumerate().rev() {
            let tile = gain.tile as usize;
            let before = if i == 0 { 0 } else { gains[i - 1].tile as usize + 1 };
            let (started, stopped) = came[i];
            if is_on {
                change[tile + 1] -= 1;
                if started {
                    change[tile] += 1;
                    // Before the start it was off, or on up to the tile before.
                    is_on = stopped;
                } else {
                    // On throughout, also between the two tiles.
                    change[before] += 1;
                }
            } else {
                missed += f64::from(gain.misses);
                is_on = stopped;
            }
        }
        missed
    }

    /// Counts to ask for: a replica is ordered so early that it takes traffic in time.
    fn schedule(&self, ready: &[u32]) -> Schedule {
        let counts = (0..ready.len()).map(|i| {
            let ahead = &ready[i..ready.len().min(i + self.lead + 1)];
            ahead.iter().copied().max().unwrap_or(self.min)
        });
        let counts: Vec<u32> = counts.collect();
        let before = self.before.max(counts.first().copied().unwrap_or(0));
        Schedule { tile: self.tile, offset: self.offset, before, counts }
    }
}

/// Misses of a tile with 0, 1, … replicas, made convex, up to where a further one saves nothing.
fn misses(requests: f64, busy: f64, max: u32, late: &impl Fn(f64, f64) -> f64) -> Vec<f64> {
    if requests == 0.0 {
        return vec![0.0];
    }
    let first = (0.8 * busy).floor().min(f64::from(max)) as u32;
    let mut corners = vec![(0_u32, requests)];
    let floor = late(f64::from(u32::MAX), busy);
    for x in first.max(1)..=max {
        let share = late(f64::from(x), busy);
        push_corner(&mut corners, (x, requests * share));
        if share - floor < 1e-8 {
            break;
        }
    }
    let mut all = vec![requests];
    for pair in corners.windows(2) {
        let ((a, from), (b, to)) = (pair[0], pair[1]);
        let slope = (to - from) / f64::from(b - a);
        all.extend((1..=b - a).map(|i| from + slope * f64::from(i)));
    }
    all
}

/// Keeps the lower convex hull.
fn push_corner(corners: &mut Vec<(u32, f64)>, point: (u32, f64)) {
    while let [.., a, b] = corners.as_slice() {
        let slope = |p: &(u32, f64), q: &(u32, f64)| (q.1 - p.1) / f64::from(q.0 - p.0);
        if slope(a, b) <= slope(b, &point) {
            break;
        }
        corners.pop();
    }
    corners.push(point);
}

/// Enters what each replica saves in a tile.
fn file(levels: &mut Vec<Vec<Gain>>, tile: u32, misses: &[f64]) {
    for (level, pair) in misses.windows(2).enumerate() {
        if levels.len() <= level {
            levels.push(Vec::new());
        }
        levels[level].push(Gain { tile, misses: (pair[0] - pair[1]) as f32 });
    }
}
