//! The metrics pipeline: scrape, window, delay, gaps. Policies see only what comes out here.
//!
//! | name | per replica (`Pods`, `Resource`) | whole service (`Object`, `External`) |
//! |---|---|---|
//! | `cpu` | busy share of the slots × CPU request over the window | |
//! | `memory` | bytes at the scrape | |
//! | `requests_per_second` | taken in over the window | arrived at the front over the window |
//! | `concurrency` | mean number inside over the window | number inside at the scrape, front included |
//! | `queue_length` | waiting at the scrape | waiting at the scrape, front included |
//! | `activator_concurrency` | | held at the front because no replica is ready |

use std::collections::VecDeque;

use homeostat_core::draw::Key;
use homeostat_core::observe::{FetchError, Reading, Sample};
use homeostat_core::policy::{Need, Sensing};
use homeostat_core::{Instant, Span};

use crate::fleet::{Fleet, Replica};
use crate::scenario::{Metrics, Outage};
use crate::station::Counters;

/// What a scrape of one replica saw.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Snap {
    at: Instant,
    counters: Counters,
    waiting: u32,
    memory_bytes: u64,
}

/// What a scrape of the front of a service saw.
#[derive(Debug, Clone, Copy)]
struct FrontSnap {
    at: Instant,
    arrived: u64,
    inside: u64,
    waiting: u64,
    held: u64,
}

/// The front of a service at a moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Front {
    /// Requests that have arrived.
    pub(crate) arrived: u64,
    /// Requests held because no replica is ready.
    pub(crate) held: u64,
}

/// When a pipeline collects, and what gets lost on the way: the same for every engine.
#[derive(Debug)]
pub(crate) struct Collector {
    pub(crate) sensing: Sensing,
    pub(crate) missing: f64,
    stale: f64,
    noise: f64,
    outages: Vec<Outage>,
    start: Instant,
    pub(crate) key: Key,
    scrapes: u64,
}

impl Collector {
    pub(crate) fn new(metrics: &Metrics, sensing: Option<Sensing>, start: Instant, key: Key) -> Self {
        let own = Sensing { scrape: metrics.scrape, window: metrics.window, delay: metrics.delay };
        Self {
            sensing: sensing.unwrap_or(own),
            missing: metrics.missing,
            stale: metrics.stale,
            noise: metrics.noise,
            outages: metrics.outages.clone(),
            start,
            key: key.child("metrics"),
            scrapes: 0,
        }
    }

    /// The number of this scrape, unless it brings nothing new.
    pub(crate) fn next(&mut self) -> Option<u64> {
        let number = self.scrapes;
        self.scrapes += 1;
        let stale = self.stale > 0.0 && self.key.at(number).chance(self.stale);
        (!stale).then_some(number)
    }

    /// How far back a value can reach.
    pub(crate) fn reach(&self) -> Span {
        self.sensing.window + self.sensing.delay + self.sensing.scrape * 2
    }

    /// The value of a metric as the scrape at `at` reports it: off by the noise.
    pub(crate) fn noisy(&self, name: &str, at: Instant, milli: i64) -> i64 {
        if self.noise == 0.0 {
            return milli;
        }
        let draw = self.key.child("noise").child(name).at(at.0).uniform();
        (milli as f64 * (1.0 + self.noise * (2.0 * draw - 1.0))).round() as i64
    }

    /// Whether the metrics source doesn't answer.
    pub(crate) fn out(&self, now: Instant) -> bool {
        let since = now.since(self.start);
        self.outages.iter().any(|o| since >= o.at && since < o.at + o.lasts)
    }
}

/// The pipeline of one service.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) collector: Collector,
    front: VecDeque<FrontSnap>,
}

/// Whether the twin can answer this need.
pub fn answers(need: &Need) -> bool {
    match need {
        Need::Resource(name) | Need::ContainerResource { resource: name, .. } => {
            matches!(name.as_str(), "cpu" | "memory")
        }
        Need::Pods(name) => matches!(name.as_str(), "requests_per_second" | "concurrency" | "queue_length"),
        Need::Object(name) | Need::External(name) => matches!(
            name.as_str(),
            "requests_per_second" | "concurrency" | "queue_length" | "activator_concurrency"
        ),
    }
}

impl Pipeline {
    pub(crate) fn new(metrics: &Metrics, sensing: Option<Sensing>, start: Instant, key: Key) -> Self {
        Self { collector: Collector::new(metrics, sensing, start, key), front: VecDeque::new() }
    }

    /// Reads all endpoints of a service.
    pub(crate) fn scrape(&mut self, now: Instant, fleet: &mut Fleet, front: Front) {
        let Some(number) = self.collector.next() else { return };
        let (key, missing) = (self.collector.key.nth(number), self.collector.missing);
        let horizon = now.back(self.collector.reach());
        let (mut inside, mut waiting) = (front.held, front.held);
        for index in &fleet.live {
            let replica = &mut fleet.replicas[*index as usize];
            if !replica.scraped() {
                continue;
            }
            inside += u64::from(replica.station.outstanding(now));
            waiting += u64::from(replica.station.waiting(now));
            let lost = missing > 0.0 && key.at(replica.id.0).chance(missing);
            if !lost {
                let lived = replica.lived(now);
                let mib = replica.growth.total_mib(lived);
                let memory_bytes = replica.growth.shown_bytes(mib, key, replica.id.0);
                keep(
                    &mut replica.snaps,
                    horizon,
                    |s| s.at,
                    Snap {
                        at: now,
                        counters: replica.station.counters(now),
                        waiting: replica.station.waiting(now),
                        memory_bytes,
                    },
                );
            }
        }
        let snap = FrontSnap { at: now, arrived: front.arrived, inside, waiting, held: front.held };
        keep(&mut self.front, horizon, |s| s.at, snap);
    }

    /// The answers to `needs` at `now`.
    pub(crate) fn read(&self, needs: &[Need], now: Instant, fleet: &Fleet) -> Vec<Reading> {
        let readable = now.back(self.collector.sensing.delay);
        let read = |need: &Need| {
            if self.collector.out(now) {
                return Reading::Failed(FetchError::Unavailable);
            }
            match need {
                Need::Resource(name) | Need::Pods(name) => self.per_replica(name, readable, fleet),
                Need::ContainerResource { resource, .. } => self.per_replica(resource, readable, fleet),
                Need::Object(name) | Need::External(name) => self.total(name, readable),
            }
        };
        needs.iter().map(read).collect()
    }

    fn per_replica(&self, name: &str, readable: Instant, fleet: &Fleet) -> Reading {
        let sample = |index: &u32| {
            let replica = &fleet.replicas[*index as usize];
            let (now, before) = self.pair(&replica.snaps, |s| s.at, readable)?;
            let (milli, window) = value(name, replica, fleet, now, before)?;
            let milli = self.collector.noisy(name, now.at, milli);
            Some(Sample { replica: replica.id, milli, at: now.at, window })
        };
        let samples: Vec<Sample> = fleet.live.iter().filter_map(sample).collect();
        if samples.is_empty() { Reading::Failed(FetchError::Empty) } else { Reading::PerReplica(samples) }
    }

    fn total(&self, name: &str, readable: Instant) -> Reading {
        let Some((now, before)) = self.pair(&self.front, |s| s.at, readable) else {
            return Reading::Failed(FetchError::Empty);
        };
        let milli = match name {
            "requests_per_second" => {
                let Some(before) = before else { return Reading::Failed(FetchError::Empty) };
                per_second(now.arrived - before.arrived, now.at.since(before.at))
            }
            "concurrency" => now.inside as i64 * 1_000,
            "queue_length" => now.waiting as i64 * 1_000,
            "activator_concurrency" => now.held as i64 * 1_000,
            _ => return Reading::Failed(FetchError::Empty),
        };
        Reading::Total { milli: vec![self.collector.noisy(name, now.at, milli)], at: now.at }
    }

    /// The newest readable snapshot and the newest one at least a window before it, or the oldest.
    fn pair<'a, T>(
        &self,
        snaps: &'a VecDeque<T>,
        at: impl Fn(&T) -> Instant,
        readable: Instant,
    ) -> Option<(&'a T, Option<&'a T>)> {
        let end = snaps.partition_point(|s| at(s) <= readable);
        let now = snaps.get(end.checked_sub(1)?)?;
        let from = at(now).back(self.collector.sensing.window);
        let start = snaps.partition_point(|s| at(s) <= from).saturating_sub(1);
        Some((now, (start + 1 < end).then(|| &snaps[start])))
    }
}

/// Appends, and drops from the front what is older than the one snapshot before `horizon`.
pub(crate) fn keep<T>(snaps: &mut VecDeque<T>, horizon: Instant, at: impl Fn(&T) -> Instant, snap: T) {
    while snaps.len() > 1 && at(&snaps[1]) <= horizon {
        snaps.pop_front();
    }
    snaps.push_back(snap);
}

pub(crate) fn per_second(count: u64, window: Span) -> i64 {
    (count as f64 * 1_000.0 / window.as_secs_f64()).round() as i64
}

fn value(
    name: &str,
    replica: &Replica,
    fleet: &Fleet,
    now: &Snap,
    before: Option<&Snap>,
) -> Option<(i64, Span)> {
    match name {
        "memory" => return Some((now.memory_bytes as i64 * 1_000, Span::ZERO)),
        "queue_length" => return Some((i64::from(now.waiting) * 1_000, Span::ZERO)),
        _ => {}
    }
    let before = before?;
    let window = now.at.since(before.at);
    let mean = |integral: u128| integral as f64 / window.0 as f64;
    let milli = match name {
        "cpu" => {
            let busy = mean(now.counters.busy_ns - before.counters.busy_ns);
            busy / f64::from(replica.station.slots()) * f64::from(fleet.spec.cpu_milli)
        }
        "concurrency" => mean(now.counters.inside_ns - before.counters.inside_ns) * 1_000.0,
        "requests_per_second" => {
            let arrived = now.counters.arrived - before.counters.arrived;
            return Some((per_second(arrived, window), window));
        }
        _ => return None,
    };
    Some((milli.round() as i64, window))
}
