//! One point of a curve: stations under Poisson traffic, with the same requests at every point.

use homeostat_core::draw::Key;
use homeostat_core::{Instant, Span};

use crate::balance::{Picker, Ready};
use crate::outcome::Histogram;
use crate::scenario::{Scenario, Server};
use crate::station::fcfs::Fcfs;
use crate::station::{Accepted, Station, Task};

/// Requests at points of low use, and at the highest: the nearer to saturation, the longer a state lasts
/// (by 1/(1 − ρ)² requests).
const REQUESTS: [(f64, usize); 4] = [(0.99, 600_000), (0.98, 400_000), (0.95, 300_000), (0.0, 150_000)];
/// Few replicas vary more, and cost less: so many times as many requests up to this count.
const MORE: [(u32, usize); 3] = [(1, 3), (3, 2), (u32::MAX, 1)];
/// Share of the requests before anything is counted.
const WARM_UP: f64 = 0.1;

/// The requests of all points.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    works: Vec<Span>,
    gaps: Vec<f64>,
    key: Key,
    picker: Picker,
    station: Fcfs,
    mean_ns: f64,
    slots: u32,
    objective: Span,
    timeout: Span,
    /// Share of requests whose work alone is longer than the objective.
    pub(super) inevitable: f64,
}

/// What was counted at one point.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    pub(crate) requests: u64,
    /// Late or failed though the work alone would have met the objective.
    pub(crate) evitable: u64,
    pub(crate) failed: u64,
    /// Mean time inside a replica over the mean work.
    pub(crate) stay: f64,
    /// Mean time of those served, in nanoseconds.
    pub(crate) mean_ns: f64,
    /// Times of those served.
    pub(crate) times: Histogram<7>,
}

impl Measured {
    /// Nobody waits.
    pub(super) fn idle() -> Self {
        Self { requests: 0, evitable: 0, failed: 0, stay: 1.0, mean_ns: 0.0, times: Histogram::default() }
    }
}

/// Replicas that are all ready.
struct Row(Vec<Station>);

impl Ready for Row {
    #[inline]
    fn count(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn station(&mut self, k: usize) -> &mut Station {
        &mut self.0[k]
    }
}

impl Sample {
    pub(super) fn new(scenario: &Scenario, key: Key) -> Self {
        let service = &scenario.services[0];
        let (slots, queue) = match service.server {
            Server::Fcfs(slots) => (slots.slots, slots.queue),
            Server::Sharing(sharing) => (sharing.cores, u32::MAX),
            Server::Batch(batch) => (batch.max_batch, u32::MAX),
        };
        let most = REQUESTS[0].1 * MORE[0].1;
        let mut works = vec![Span::ZERO; most];
        service.service_time.sampler().fill(key.child("size"), 0, &mut works);
        let gaps = key.child("gaps");
        Self {
            works,
            gaps: (0..most as u64).map(|i| gaps.at(i).exponential()).collect(),
            key: key.child("balance"),
            picker: Picker::new(service.balancer),
            station: Fcfs::new(slots, queue, scenario.client.cancels),
            mean_ns: service.service_time.mean().0 as f64,
            slots,
            objective: scenario.objective.latency,
            timeout: scenario.client.timeout,
            inevitable: service.service_time.beyond(scenario.objective.latency.min(scenario.client.timeout)),
        }
    }

    /// `replicas` at this share of their capacity.
    pub(super) fn measure(&self, replicas: u32, used: f64) -> Measured {
        let mut row = Row(vec![Station::Fcfs(self.station.clone()); replicas as usize]);
        let mut picker = self.picker.clone();
        let gap = self.mean_ns / (used * f64::from(self.slots) * f64::from(replicas));
        let requests = REQUESTS.iter().find(|(above, _)| used >= *above).map_or(0, |(_, n)| *n);
        let requests = requests * MORE.iter().find(|(up_to, _)| replicas <= *up_to).map_or(1, |(_, n)| *n);
        let counted_from = (requests as f64 * WARM_UP) as usize;
        let mut found = Measured::idle();
        let (mut at, mut inside, mut total) = (0.0, 0_u128, 0_u128);
        for i in 0..requests {
            at += gap * self.gaps[i];
            let now = Instant(at as u64);
            let k = picker.pick(&mut row, now, self.key.at(i as u64).bits());
            let deadline = now + self.timeout;
            let task = Task { tag: i as u64, arrival: now, work: self.works[i], deadline };
            let accepted = row.station(k).accept(&task);
            if i < counted_from {
                continue;
            }
            let stays = match accepted {
                Accepted::Serves(end) => {
                    let time = end.since(now);
                    found.times.add(time);
                    total += u128::from(time.0);
                    found.evitable += u64::from(time > self.objective && self.works[i] <= self.objective);
                    time
                }
                Accepted::GivesUp(end) => {
                    found.failed += 1;
                    found.evitable += u64::from(self.works[i] <= self.objective.min(self.timeout));
                    end.since(now)
                }
                Accepted::Later | Accepted::Rejected => {
                    found.failed += 1;
                    found.evitable += u64::from(self.works[i] <= self.objective.min(self.timeout));
                    Span::ZERO
                }
            };
            inside += u128::from(stays.0);
        }
        found.requests = (requests - counted_from) as u64;
        found.stay = inside as f64 / found.requests.max(1) as f64 / self.mean_ns;
        found.mean_ns = total as f64 / (found.requests - found.failed).max(1) as f64;
        found
    }
}
