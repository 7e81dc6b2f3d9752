//! The load as the bound sees it: per tile of time, how many requests arrive and how much work they are.
//!
//! One pass over the arrivals, each with its realised work: the same draws as in every run. Works are
//! counted by size, so that it is known how much work goes with the largest of a tile's requests. Sums
//! that a bound must not overstate are rounded down, those that it must not understate up.

use homeostat_core::draw::Key;
use homeostat_core::load::LoadStream;
use homeostat_core::{Instant, Span};

use super::Unbounded;
use crate::scenario::{Batches, FaultKind, Sampler, Scenario, Server, Service};
use crate::workload::Arrivals;

/// Classes of size: half octaves of work below the limit, the last one open.
pub(super) const CLASSES: usize = 12;
/// Requests whose work is drawn in a row.
const ROW: usize = 256;
/// Sums of single precision are moved by this share, so that rounding can't spoil a bound.
const SAFE: f64 = 1e-6;

/// What a replica can do, as far as the bound needs it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ability {
    /// Work that a replica can do per second, in seconds: its slots, or the top of its curve.
    pub(super) pace: f64,
    /// Work above this can't meet the objective even alone on an idle replica.
    pub(super) limit: Span,
}

/// The requests of one tile.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tile {
    /// Requests.
    pub(super) requests: u32,
    /// Those of them that can't meet the objective whatever happens.
    pub(super) lost: u32,
    /// Work of all but the lost, in seconds.
    pub(super) work: f64,
    /// Work of the lost, in seconds.
    pub(super) lost_work: f32,
    /// Work that may still be done after the tile: what arrives within the objective of its end, in
    /// seconds, rounded up.
    pub(super) tail: f64,
    /// The others by size, the largest class first.
    pub(super) counts: [u32; CLASSES],
    /// Work by size, in seconds, rounded up.
    pub(super) works: [f32; CLASSES],
}

/// The scored requests of a scenario in tiles.
#[derive(Debug, Clone)]
pub(super) struct Load {
    /// Length of a tile.
    pub(super) tile: Span,
    /// The tiles, from the start of the scored window on.
    pub(super) tiles: Vec<Tile>,
    /// The objective: how long after a tile its work may still be done.
    pub(super) slack: Span,
    /// Length of the scored window.
    pub(super) span: Span,
    /// Time from the start of the load to the scored window.
    pub(super) warm_up: Span,
    /// Work of the fullest tile before the scored window, in seconds.
    pub(super) opening: f64,
    /// Largest work of each class, in seconds.
    pub(super) edges: [f64; CLASSES],
    /// What a replica can do.
    pub(super) ability: Ability,
}

impl Tile {
    /// Takes in the tile that follows.
    fn append(&mut self, next: &Self) {
        self.requests += next.requests;
        self.lost += next.lost;
        self.work += next.work;
        self.lost_work += next.lost_work;
        for i in 0..CLASSES {
            self.counts[i] += next.counts[i];
            self.works[i] = (f64::from(self.works[i] + next.works[i]) * (1.0 + SAFE)) as f32;
        }
    }
}

impl Load {
    /// Reads all requests of `stream` under `seed`.
    pub(super) fn collect(
        scenario: &Scenario,
        seed: u64,
        stream: LoadStream,
        tile: Span,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Self, Unbounded> {
        let ability = ability(scenario)?;
        let mut counting = Counting::new(scenario, seed, stream, tile, ability)?;
        counting.run(stop)?;
        if let Some(error) = counting.arrivals.error() {
            return Err(Unbounded::Trace(error));
        }
        Ok(counting.finish())
    }

    /// The same load in tiles `times` as long.
    pub(super) fn coarser(&self, times: usize) -> Self {
        let reach = self.slack.0.div_ceil(self.tile.0) as usize;
        let merged = |tiles: &[Tile]| {
            let mut all = Tile::default();
            for tile in tiles {
                all.append(tile);
            }
            let whole = |tile: &Tile| if reach > 1 { tile.work * (1.0 + 3.0 * SAFE) } else { tile.tail };
            all.tail = tiles.iter().rev().take(reach).map(whole).sum();
            all
        };
        Self {
            tile: self.tile * times as u64,
            tiles: self.tiles.chunks(times).map(merged).collect(),
            ..self.clone_without_tiles()
        }
    }

    /// About `tiles` of the tiles: hours spread evenly over the load, put together.
    pub(super) fn part(&self, tiles: usize) -> Self {
        let hour = (Span::HOUR.0 / self.tile.0.max(1)).max(1) as usize;
        let every = (self.tiles.len() / tiles.max(1)).max(1);
        let tiles: Vec<Tile> = self.tiles.chunks(hour).step_by(every).flatten().copied().collect();
        Self { span: self.tile * tiles.len() as u64, tiles, ..self.clone_without_tiles() }
    }

    fn clone_without_tiles(&self) -> Self {
        Self {
            tile: self.tile,
            tiles: Vec::new(),
            slack: self.slack,
            span: self.span,
            warm_up: self.warm_up,
            opening: self.opening,
            edges: self.edges,
            ability: self.ability,
        }
    }

    /// Requests in the scored window, and those that can't meet the objective.
    pub(super) fn totals(&self) -> (u64, u64) {
        let sum = |pick: fn(&Tile) -> u32| self.tiles.iter().map(|tile| u64::from(pick(tile))).sum();
        (sum(|tile| tile.requests), sum(|tile| tile.lost))
    }
}

/// What a replica of the only service can do.
fn ability(scenario: &Scenario) -> Result<Ability, Unbounded> {
    let [service] = scenario.services.as_slice() else {
        return Err(Unbounded::Graph);
    };
    let quickened = scenario.faults.iter().map(|fault| match fault.kind {
        FaultKind::Slow { factor, .. } => 1.0 / factor,
        FaultKind::Crash | FaultKind::NodeLoss | FaultKind::Deploy(_) => 1.0,
    });
    let nodes = scenario.nodes.iter().map(|pool| pool.speed).fold(1.0, f64::max);
    let fastest = quickened.fold(1.0, f64::max) * nodes;
    let objective = scenario.objective.latency;
    let (pace, limit) = match service.server {
        Server::Fcfs(slots) => (f64::from(slots.slots), objective),
        // The best of the curve; alone, a request is served at full speed.
        Server::Sharing(_) => {
            let mean = service.service_time.mean().as_secs_f64().max(1e-9);
            (service.capacity_per_second() * mean, objective)
        }
        // Work is the share of a full batch; the whole batch has to be done within the objective.
        Server::Batch(batch) if alone(batch, fastest) > objective => (1.0, Span::ZERO),
        Server::Batch(batch) => return Ok(Ability { pace: fastest, limit: share_of_batch(batch) }),
    };
    Ok(Ability { pace: pace * fastest, limit: Span((limit.0 as f64 * fastest) as u64) })
}

/// Time that a batch of one takes.
fn alone(batch: Batches, speed: f64) -> Span {
    Span(((batch.fixed + batch.each).0 as f64 / speed) as u64)
}

/// Work of a request in a full batch, which is the least, rounded down.
fn share_of_batch(batch: Batches) -> Span {
    Span(batch.fixed.0 / u64::from(batch.max_batch) + batch.each.0)
}

/// How the work of a request comes about.
enum Work {
    Drawn(Sampler, Key),
    Fixed(Span),
}

impl Work {
    fn of(service: &Service, seed: Key) -> Self {
        match service.server {
            Server::Batch(batch) => Self::Fixed(share_of_batch(batch)),
            _ => Self::Drawn(service.service_time.sampler(), seed.child(&service.name).child("size")),
        }
    }

    fn fill(&self, first: u64, out: &mut [Span]) {
        match self {
            Self::Drawn(sampler, key) => sampler.fill(*key, first, out),
            Self::Fixed(span) => out.fill(*span),
        }
    }
}

/// A pass over the requests.
struct Counting<'a> {
    scenario: &'a Scenario,
    arrivals: Arrivals,
    work: Work,
    start: Instant,
    /// Start of the scored window.
    from: u64,
    /// End of the tile under way.
    until: u64,
    /// Start of the time before its end in which arrivals may be served after it.
    tail_from: u64,
    tile: Span,
    tiles: Vec<Tile>,
    opening: f64,
    now: Current,
    limit: u64,
    next_id: u64,
    ability: Ability,
}

/// The tile under way.
#[derive(Default)]
struct Current {
    requests: u32,
    lost: u32,
    work_ns: u64,
    lost_ns: u64,
    tail_ns: u64,
    counts: [u32; CLASSES],
    works_ns: [u64; CLASSES],
}

/// The half octave of a work, counted downwards from that of the limit. The bits of a float hold the
/// octave, and the first one behind it which half.
#[inline]
fn class(limit_bits: u32, work_ns: u64) -> usize {
    let bits = (work_ns as f32).to_bits() >> 22;
    (limit_bits.saturating_sub(bits) as usize).min(CLASSES - 1)
}

fn half_octave(ns: u64) -> u32 {
    (ns as f32).to_bits() >> 22
}

impl<'a> Counting<'a> {
    fn new(
        scenario: &'a Scenario,
        seed: u64,
        stream: LoadStream,
        tile: Span,
        ability: Ability,
    ) -> Result<Self, Unbounded> {
        let key = Key::root(seed);
        let mut arrivals = Arrivals::new(stream, key);
        let Some(start) = arrivals.start() else {
            return Err(arrivals.error().map_or(Unbounded::Empty, Unbounded::Trace));
        };
        let from = (start + scenario.warm_up()).0;
        let work = Work::of(&scenario.services[0], key);
        let until =
            if from > start.0 { from - (from - start.0 - 1) / tile.0 * tile.0 } else { from + tile.0 };
        Ok(Self {
            scenario,
            arrivals,
            work,
            start,
            from,
            // Tiles before the scored window end with it.
            until,
            tail_from: until.saturating_sub(scenario.objective.latency.0),
            opening: 0.0,
            tile,
            tiles: Vec::new(),
            now: Current::default(),
            limit: ability.limit.0,
            next_id: 0,
            ability,
        })
    }

    fn run(&mut self, stop: &mut dyn FnMut() -> bool) -> Result<(), Unbounded> {
        let (mut times, mut works) = ([0; ROW], [Span::ZERO; ROW]);
        let mut asked = 0;
        while let Some(arrival) = self.arrivals.next() {
            let recorded = self.scenario.traffic.recorded_work(&arrival.size);
            let mut one = [recorded.unwrap_or_default()];
            if recorded.is_none() {
                self.work.fill(self.next_id, &mut one);
            }
            self.next_id += 1;
            self.add(arrival.at.0, one[0].0);
            loop {
                let count = self.arrivals.fill_before(u64::MAX, &mut times);
                if count == 0 {
                    break;
                }
                self.work.fill(self.next_id, &mut works[..count]);
                self.next_id += count as u64;
                for (at, work) in times[..count].iter().zip(&works) {
                    self.add(*at, work.0);
                }
            }
            if self.until != asked {
                asked = self.until;
                if stop() {
                    return Err(Unbounded::Asked);
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn add(&mut self, at: u64, work_ns: u64) {
        if at >= self.until {
            self.turn_to(at);
        }
        self.now.requests += 1;
        if work_ns > self.limit {
            self.now.lost += 1;
            self.now.lost_ns += work_ns;
            return;
        }
        let class = class(half_octave(self.limit), work_ns);
        self.now.work_ns += work_ns;
        if at >= self.tail_from {
            self.now.tail_ns += work_ns;
        }
        self.now.counts[class] += 1;
        self.now.works_ns[class] += work_ns;
    }

    #[cold]
    fn turn_to(&mut self, at: u64) {
        while at >= self.until {
            self.put();
            self.until += self.tile.0;
            self.tail_from = self.until.saturating_sub(self.scenario.objective.latency.0);
        }
    }

    /// Ends the tile under way. Of those before the scored window only the fullest matters.
    fn put(&mut self) {
        let tile = std::mem::take(&mut self.now).tile();
        if self.until > self.from {
            self.tiles.push(tile);
        } else {
            self.opening = self.opening.max(tile.work + f64::from(tile.lost_work));
        }
    }

    fn finish(mut self) -> Load {
        let end = self.arrivals.end().0;
        self.put();
        let span = Span(end.saturating_sub(self.from));
        // The end of a trace may be missing: nothing arrives there, but replicas are still paid.
        self.tiles.resize(span.0.div_ceil(self.tile.0).max(1) as usize, Tile::default());
        let highest = half_octave(self.limit);
        let mut edges = [0.0; CLASSES];
        for (i, edge) in edges.iter_mut().enumerate() {
            // The least float of the next half octave.
            let above = f32::from_bits((highest - i as u32 + 1) << 22);
            *edge = (f64::from(above) / 1e9).min(Span(self.limit).as_secs_f64());
        }
        let warm_up = Instant(self.from).since(self.start);
        Load {
            tile: self.tile,
            tiles: self.tiles,
            slack: self.scenario.objective.latency,
            span,
            warm_up,
            opening: self.opening,
            edges,
            ability: self.ability,
        }
    }
}

impl Current {
    fn tile(self) -> Tile {
        Tile {
            requests: self.requests,
            lost: self.lost,
            lost_work: Span(self.lost_ns).as_secs_f64() as f32,
            tail: Span(self.tail_ns).as_secs_f64() * (1.0 + SAFE),
            work: Span(self.work_ns).as_secs_f64() * (1.0 - SAFE),
            counts: self.counts,
            works: self.works_ns.map(|ns| (Span(ns).as_secs_f64() * (1.0 + SAFE)) as f32),
        }
    }
}
