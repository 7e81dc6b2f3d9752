//! What became of the requests: shares instead of single verdicts, times from the curve's histograms.

use homeostat_core::{Instant, Span};

use super::work::Work;
use crate::curve::ServiceCurve;
use crate::outcome::{Histogram, Merge, Windows};

/// Kinds of waits behind a backlog, from none to the longest.
const WAITS: usize = 96;
/// Steps per octave of the times of windows.
const COARSE: u32 = 4;
const FINE: u32 = 7;

/// Requests that fared alike.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch {
    pub(super) requests: f64,
    pub(super) late: f64,
    pub(super) failed: f64,
    /// Whose times they have.
    pub(super) kind: Kind,
}

/// Where the times of requests come from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A steady state: a point of the curve's grid.
    Steady(usize),
    /// A backlog: the work after a wait between these seconds.
    Behind(f64, f64),
}

/// One stretch of time.
#[derive(Debug, Clone, Default)]
struct Window {
    requests: u64,
    late: f64,
    failed: f64,
    /// Requests by kind, those that occur.
    kinds: Vec<(u16, f32)>,
}

impl Window {
    fn add(&mut self, kind: usize, served: f64) {
        match self.kinds.iter_mut().find(|(k, _)| usize::from(*k) == kind) {
            Some((_, weight)) => *weight += served as f32,
            None => self.kinds.push((kind as u16, served as f32)),
        }
    }
}

impl Merge for Window {
    fn merge(&mut self, next: &Self) {
        self.requests += next.requests;
        self.late += next.late;
        self.failed += next.failed;
        for (kind, weight) in &next.kinds {
            self.add((*kind).into(), f64::from(*weight));
        }
    }
}

/// Sums over the scored part, and windows over all of it.
#[derive(Debug)]
pub(super) struct Tally {
    scored_from: Instant,
    pub(super) requests: u64,
    pub(super) late: f64,
    pub(super) failed: f64,
    kinds: Vec<f64>,
    points: usize,
    longest_s: f64,
    windows: Windows<Window>,
    current: Window,
    current_from: u64,
    /// End of the present window.
    pub(super) current_to: u64,
}

/// Quantiles in milliseconds.
pub(super) type Quantiles = [Option<f64>; 3];

const AT: [f64; 3] = [0.5, 0.95, 0.99];

impl Tally {
    pub(super) fn new(
        start: Instant,
        scored_from: Instant,
        step: Span,
        points: usize,
        longest_s: f64,
    ) -> Self {
        Self {
            scored_from,
            requests: 0,
            late: 0.0,
            failed: 0.0,
            kinds: vec![0.0; points + WAITS],
            points,
            longest_s,
            windows: Windows::new(start, step),
            current: Window::default(),
            current_from: start.0,
            current_to: start.0,
        }
    }

    /// Makes the window of `at` the present one; batches are of requests that arrive within it.
    pub(super) fn turn_to(&mut self, at: Instant) {
        if (self.current_from..self.current_to).contains(&at.0) {
            return;
        }
        self.put_back();
        let (window, end) = self.windows.at(at.0);
        self.current = std::mem::take(window);
        self.current_to = end;
        self.current_from = end - self.windows.step().0;
    }

    fn put_back(&mut self) {
        if self.current_from < self.current_to {
            let current = std::mem::take(&mut self.current);
            self.windows.at(self.current_from).0.merge(&current);
        }
    }

    /// Counts requests that arrived at `at`, whatever becomes of them.
    pub(super) fn arrived(&mut self, at: Instant, requests: u64) {
        self.turn_to(at);
        self.current.requests += requests;
        if at >= self.scored_from {
            self.requests += requests;
        }
    }

    /// What became of requests that arrived at `at`.
    pub(super) fn fared(&mut self, at: Instant, batch: Batch) {
        if !(self.current_from..self.current_to).contains(&at.0) {
            self.turn_to(at);
        }
        let (from_s, to_s) = match batch.kind {
            Kind::Steady(point) => {
                self.add(at, point, &batch, 1.0);
                return;
            }
            Kind::Behind(from_s, to_s) => (from_s, to_s),
        };
        let (low, high) = (self.wait(from_s.min(to_s)), self.wait(from_s.max(to_s)));
        let share = 1.0 / (high - low + 1) as f64;
        for wait in low..=high {
            self.add(at, self.points + wait, &batch, share);
        }
    }

    fn add(&mut self, at: Instant, kind: usize, batch: &Batch, share: f64) {
        let served = (batch.requests - batch.failed).max(0.0) * share;
        self.current.late += batch.late * share;
        self.current.failed += batch.failed * share;
        if served > 0.0 {
            self.current.add(kind, served);
        }
        if at >= self.scored_from {
            self.late += batch.late * share;
            self.failed += batch.failed * share;
            self.kinds[kind] += served;
        }
    }

    fn wait(&self, wait_s: f64) -> usize {
        ((wait_s / self.longest_s * WAITS as f64) as usize).min(WAITS - 1)
    }

    /// Times of one kind as shares of the buckets of a histogram, and their mean in seconds.
    fn times<const BITS: u32>(&self, kind: usize, curve: &ServiceCurve, work: &Work) -> (Vec<f64>, f64) {
        if kind < self.points {
            let measured = &curve.grid()[kind];
            let total = measured.times.total().max(1) as f64;
            let mut shares = vec![0.0; Histogram::<BITS>::bucket(1 << 45)];
            for (bucket, count) in measured.times.counts().iter().enumerate().filter(|(_, c)| **c > 0) {
                let middle = Histogram::<FINE>::middle(bucket);
                shares[Histogram::<BITS>::bucket(middle)] += f64::from(*count) / total;
            }
            return (shares, measured.mean_ns / 1e9);
        }
        let wait_s = ((kind - self.points) as f64 + 0.5) / WAITS as f64 * self.longest_s;
        let end = Histogram::<BITS>::bucket(1 << 45);
        let edge = |bucket: usize| work.beyond(Histogram::<BITS>::least(bucket) as f64 / 1e9 - wait_s);
        let shares: Vec<f64> = (0..end).map(|bucket| edge(bucket) - edge(bucket + 1)).collect();
        (shares, wait_s + work.mean_s())
    }

    /// Quantiles of all scored requests, and the mean of those served, in milliseconds.
    pub(super) fn quantiles(&self, curve: &ServiceCurve, work: &Work) -> (Quantiles, f64) {
        let mut sum = vec![0.0; Histogram::<FINE>::bucket(1 << 45)];
        let (mut total, mut mean) = (0.0, 0.0);
        for (kind, weight) in self.kinds.iter().enumerate().filter(|(_, w)| **w > 0.0) {
            let (shares, mean_s) = self.times::<FINE>(kind, curve, work);
            for (sum, share) in sum.iter_mut().zip(&shares) {
                *sum += weight * share;
            }
            total += weight;
            mean += weight * mean_s;
        }
        let mean_ms = if total > 0.0 { mean / total * 1e3 } else { 0.0 };
        (quantiles::<FINE>(&sum, self.failed), mean_ms)
    }

    /// The windows: requests, missed, failed, quantiles.
    pub(super) fn windows(
        &mut self,
        least: Span,
        curve: &ServiceCurve,
        work: &Work,
    ) -> (Span, Vec<(u64, u64, u64, Quantiles)>) {
        self.put_back();
        (self.current_from, self.current_to) = (0, 0);
        self.windows.widen(least);
        let mut times: Vec<Option<Vec<f64>>> = vec![None; self.kinds.len()];
        for kind in self.windows.items().iter().flat_map(|w| &w.kinds).map(|(kind, _)| usize::from(*kind)) {
            if times[kind].is_none() {
                times[kind] = Some(self.times::<COARSE>(kind, curve, work).0);
            }
        }
        let (mut late, mut failed) = (Whole::default(), Whole::default());
        let mut sum = vec![0.0; Histogram::<COARSE>::bucket(1 << 45)];
        let items = self.windows.items().iter().map(|window| {
            sum.fill(0.0);
            for (kind, weight) in &window.kinds {
                for (sum, share) in sum.iter_mut().zip(times[usize::from(*kind)].iter().flatten()) {
                    *sum += f64::from(*weight) * share;
                }
            }
            let failed = failed.next(window.failed, window.requests);
            let missed = late.next(window.late, window.requests).max(failed);
            (window.requests, missed, failed, quantiles::<COARSE>(&sum, window.failed))
        });
        (self.windows.step(), items.collect())
    }
}

/// Makes whole numbers of parts; what is cut off is carried on.
#[derive(Debug, Default)]
struct Whole(f64);

impl Whole {
    fn next(&mut self, amount: f64, most: u64) -> u64 {
        self.0 += amount;
        let whole = ((self.0 + 1e-6).max(0.0) as u64).min(most);
        self.0 -= whole as f64;
        whole
    }
}

fn quantiles<const BITS: u32>(sum: &[f64], failed: f64) -> Quantiles {
    let all = sum.iter().sum::<f64>() + failed;
    let mut found = [None; 3];
    let (mut seen, mut next) = (0.0, 0);
    for (bucket, weight) in sum.iter().enumerate().filter(|(_, w)| **w > 0.0) {
        seen += weight;
        while next < AT.len() && seen >= AT[next] * all * (1.0 - 1e-9) {
            found[next] = Some(Histogram::<BITS>::middle(bucket) as f64 / 1e6);
            next += 1;
        }
    }
    found
}
