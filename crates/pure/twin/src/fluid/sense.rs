//! The metrics pipeline of a fluid run: the same names, windows, delays and gaps as [`crate::sense`].
//!
//! Replicas that take traffic share it evenly, so that one set of sums per scrape stands for all; a replica
//! that came or went in between has the part of them that lies in its own time.

use std::collections::VecDeque;

use homeostat_core::draw::Key;
use homeostat_core::observe::{FetchError, Reading, Sample};
use homeostat_core::policy::{Need, Sensing};
use homeostat_core::{Instant, Span};

use crate::fleet::memory::{Lived, hours_since};
use crate::fleet::{Fleet, Replica};
use crate::scenario::Metrics;
use crate::sense::{self, Collector};

/// Sums of one replica that takes traffic, since the start of the run.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    /// Share of its slots that were busy, times seconds.
    pub(super) busy_s: f64,
    pub(super) arrived: f64,
    /// Requests inside, times seconds.
    pub(super) inside_s: f64,
}

impl Sums {
    fn held_to(self, least: &Self, most: &Self) -> Self {
        Self {
            busy_s: self.busy_s.max(least.busy_s).min(most.busy_s),
            arrived: self.arrived.max(least.arrived).min(most.arrived),
            inside_s: self.inside_s.max(least.inside_s).min(most.inside_s),
        }
    }
}

/// The time of a replica.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stay {
    /// When its endpoint first answers.
    pub(super) answers_from: Instant,
    /// The sums when it became ready, and when it was told to stop.
    pub(super) joined: Sums,
    pub(super) left: Sums,
}

impl Stay {
    pub(super) const NOT_YET: Self = Self { answers_from: Instant::MAX, joined: ENDLESS, left: ENDLESS };
}

const ENDLESS: Sums = Sums { busy_s: f64::INFINITY, arrived: f64::INFINITY, inside_s: f64::INFINITY };

/// The state of the service at a scrape.
#[derive(Debug, Clone, Copy)]
pub(super) struct Snap {
    pub(super) at: Instant,
    pub(super) sums: Sums,
    /// Requests that have arrived at the front.
    pub(super) arrived: u64,
    /// Inside, the front included.
    pub(super) inside: f64,
    /// Waiting, the front included.
    pub(super) waiting: f64,
    /// Waiting at each replica.
    pub(super) waiting_each: f64,
    /// Inside each replica.
    pub(super) inside_each: f64,
    pub(super) held: f64,
    /// Number of the scrape.
    pub(super) number: u64,
}

/// The pipeline.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) collector: Collector,
    snaps: VecDeque<Snap>,
}

/// The newest snapshot that can be read and the one that its window starts at.
type Pair<'a> = (&'a Snap, Option<&'a Snap>);

impl Pipeline {
    pub(super) fn new(metrics: &Metrics, sensing: Option<Sensing>, start: Instant, key: Key) -> Self {
        Self { collector: Collector::new(metrics, sensing, start, key), snaps: VecDeque::new() }
    }

    /// Keeps what a scrape sees, unless it brings nothing new.
    pub(super) fn scrape(&mut self, mut snap: Snap) {
        let Some(number) = self.collector.next() else { return };
        snap.number = number;
        let reach = self.collector.reach();
        sense::keep(&mut self.snaps, snap.at.back(reach), |s| s.at, snap);
    }

    /// The answers to `needs` at `now`.
    pub(super) fn read(&self, needs: &[Need], now: Instant, fleet: &Fleet, stays: &[Stay]) -> Vec<Reading> {
        let readable = now.back(self.collector.sensing.delay);
        let out = self.collector.out(now);
        let end = self.snaps.partition_point(|s| s.at <= readable);
        let read = |need: &Need| {
            if out {
                return Reading::Failed(FetchError::Unavailable);
            }
            match need {
                Need::Resource(name) | Need::Pods(name) => self.per_replica(name, end, fleet, stays),
                Need::ContainerResource { resource, .. } => self.per_replica(resource, end, fleet, stays),
                Need::Object(name) | Need::External(name) => self.total(name, end),
            }
        };
        needs.iter().map(read).collect()
    }

    fn per_replica(&self, name: &str, end: usize, fleet: &Fleet, stays: &[Stay]) -> Reading {
        let Some(metric) = Metric::of(name) else { return Reading::Failed(FetchError::Empty) };
        let common = self.pair(end, Instant::ZERO);
        let sample = |index: &u32| {
            let (replica, stay) = (&fleet.replicas[*index as usize], &stays[*index as usize]);
            let (now, before) = if self.collector.missing > 0.0 {
                self.own_pair(end, stay.answers_from, replica.id.0)?
            } else {
                self.pair_from(common, end, stay.answers_from)?
            };
            let (milli, window) = if metric == Metric::Memory {
                (self.memory(replica, stay, now), Span::ZERO)
            } else {
                metric.value(fleet, stay, now, before)?
            };
            let milli = self.collector.noisy(name, now.at, milli);
            Some(Sample { replica: replica.id, milli, at: now.at, window })
        };
        let mut samples = Vec::with_capacity(fleet.live.len());
        samples.extend(fleet.live.iter().filter_map(sample));
        if samples.is_empty() { Reading::Failed(FetchError::Empty) } else { Reading::PerReplica(samples) }
    }

    /// Memory in thousandths of bytes as this scrape saw it.
    fn memory(&self, replica: &Replica, stay: &Stay, now: &Snap) -> i64 {
        let joined = stay.joined.arrived;
        let served = if joined.is_finite() { now.sums.arrived.min(stay.left.arrived) - joined } else { 0.0 };
        let lived = Lived {
            hours: hours_since(replica.ready_at.filter(|ready| *ready <= now.at), now.at),
            served: served.max(0.0),
            inside: now.inside_each,
        };
        let key = self.collector.key.nth(now.number);
        let mib = replica.growth.total_mib(lived);
        replica.growth.shown_bytes(mib, key, replica.id.0) as i64 * 1_000
    }

    /// The snapshots for one whose first is not before `from`.
    fn pair(&self, end: usize, from: Instant) -> Option<Pair<'_>> {
        let first = if from == Instant::ZERO { 0 } else { self.snaps.partition_point(|s| s.at < from) };
        let last = end.checked_sub(1).filter(|last| *last >= first)?;
        let now = &self.snaps[last];
        let since = now.at.back(self.collector.sensing.window);
        let start = self.snaps.partition_point(|s| s.at <= since).saturating_sub(1).max(first);
        Some((now, (start < last).then(|| &self.snaps[start])))
    }

    /// The same, most often those of all.
    fn pair_from<'a>(&'a self, common: Option<Pair<'a>>, end: usize, from: Instant) -> Option<Pair<'a>> {
        let (now, before) = common?;
        let all = before.is_some_and(|before| before.at >= from);
        if all { Some((now, before)) } else { self.pair(end, from) }
    }

    /// The same, with the scrapes that were lost for this replica left out.
    fn own_pair(&self, end: usize, from: Instant, id: u64) -> Option<Pair<'_>> {
        let kept = |s: &&Snap| {
            s.at >= from && !self.collector.key.nth(s.number).at(id).chance(self.collector.missing)
        };
        let now = self.snaps.iter().take(end).rev().find(kept)?;
        let since = now.at.back(self.collector.sensing.window);
        let before = self.snaps.iter().rev().filter(|s| s.at <= since).find(kept);
        let before = before.or_else(|| self.snaps.iter().find(kept)).filter(|b| b.at < now.at);
        Some((now, before))
    }

    fn total(&self, name: &str, end: usize) -> Reading {
        let Some((now, before)) = self.pair(end, Instant::ZERO) else {
            return Reading::Failed(FetchError::Empty);
        };
        let whole = |count: f64| (count.max(0.0) + 0.5) as i64 * 1_000;
        let milli = match name {
            "requests_per_second" => {
                let Some(before) = before else { return Reading::Failed(FetchError::Empty) };
                sense::per_second(now.arrived - before.arrived, now.at.since(before.at))
            }
            "concurrency" => whole(now.inside),
            "queue_length" => whole(now.waiting),
            "activator_concurrency" => whole(now.held),
            _ => return Reading::Failed(FetchError::Empty),
        };
        Reading::Total { milli: vec![self.collector.noisy(name, now.at, milli)], at: now.at }
    }
}

/// What can be read of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Metric {
    Cpu,
    Memory,
    Rate,
    Concurrency,
    Queue,
}

impl Metric {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "cpu" => Self::Cpu,
            "memory" => Self::Memory,
            "requests_per_second" => Self::Rate,
            "concurrency" => Self::Concurrency,
            "queue_length" => Self::Queue,
            _ => return None,
        })
    }

    fn value(self, fleet: &Fleet, stay: &Stay, now: &Snap, before: Option<&Snap>) -> Option<(i64, Span)> {
        match self {
            Self::Memory => return None,
            Self::Queue => {
                let takes = now.sums.busy_s >= stay.joined.busy_s && now.sums.busy_s <= stay.left.busy_s;
                let waiting = if takes { now.waiting_each } else { 0.0 };
                return Some(((waiting * 1_000.0) as i64, Span::ZERO));
            }
            Self::Cpu | Self::Rate | Self::Concurrency => {}
        }
        let before = before?;
        let window = now.at.since(before.at);
        // One that is not ready yet has joined at the end of time, and shows nothing.
        let (to, from) = if stay.joined.busy_s.is_finite() {
            (now.sums.held_to(&stay.joined, &stay.left), before.sums.held_to(&stay.joined, &stay.left))
        } else {
            (Sums::default(), Sums::default())
        };
        let per_milli = 1_000.0 / window.as_secs_f64();
        let milli = match self {
            Self::Cpu => (to.busy_s - from.busy_s) * per_milli / 1_000.0 * f64::from(fleet.spec.cpu_milli),
            Self::Rate => (to.arrived - from.arrived) * per_milli,
            Self::Concurrency | Self::Memory | Self::Queue => (to.inside_s - from.inside_s) * per_milli,
        };
        Some(((milli + 0.5) as i64, window))
    }
}
