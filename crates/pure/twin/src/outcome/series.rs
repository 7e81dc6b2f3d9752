//! Values over time in a bounded number of windows: when the trace outgrows them, neighbours merge.

use homeostat_core::{Instant, Span};
use serde::{Deserialize, Serialize};

/// Windows at most; above it the step doubles.
const MOST: usize = 1_440;

/// What windows hold.
pub trait Merge: Default {
    /// Adds the next window to this one.
    fn merge(&mut self, next: &Self);
}

/// Windows of equal length from a start.
#[derive(Debug, Clone)]
pub struct Windows<T> {
    start: u64,
    step: u64,
    items: Vec<T>,
}

impl<T: Merge> Windows<T> {
    /// No windows yet, of `step` to begin with.
    pub const fn new(start: Instant, step: Span) -> Self {
        Self { start: start.0, step: step.0, items: Vec::new() }
    }

    /// Length of a window.
    pub const fn step(&self) -> Span {
        Span(self.step)
    }

    /// The windows.
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// The window of `at` and its end.
    pub fn at(&mut self, at: u64) -> (&mut T, u64) {
        let mut index = (at.saturating_sub(self.start) / self.step) as usize;
        while index >= MOST {
            self.double();
            index /= 2;
        }
        if index >= self.items.len() {
            self.items.resize_with(index + 1, T::default);
        }
        (&mut self.items[index], self.start + self.step * (index as u64 + 1))
    }

    fn double(&mut self) {
        let mut merged = Vec::with_capacity(MOST);
        let mut items = std::mem::take(&mut self.items).into_iter();
        while let Some(mut first) = items.next() {
            if let Some(second) = items.next() {
                first.merge(&second);
            }
            merged.push(first);
        }
        self.items = merged;
        self.step *= 2;
    }

    /// Doubles the step until it is at least `step`.
    pub fn widen(&mut self, step: Span) {
        while self.step < step.0 {
            self.double();
        }
    }
}

/// Everything over time, one value per window.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Series {
    /// Length of a window in seconds.
    pub step_s: f64,
    /// Requests that arrived.
    pub requests: Vec<u64>,
    /// Those of them that missed the objective, late or failed.
    pub missed: Vec<u64>,
    /// Those of them that failed.
    pub failed: Vec<u64>,
    /// Arrivals as a number of replicas of the first service that are never idle.
    pub demand_replicas: Vec<f64>,
    /// Replicas that take traffic, mean over the window, all services.
    pub ready: Vec<f64>,
    /// Replicas ordered and not ready.
    pub starting: Vec<f64>,
    /// Count asked for.
    pub desired: Vec<f64>,
    /// Median time in ms; `None` where no request succeeded.
    pub p50_ms: Vec<Option<f64>>,
    /// 95th percentile in ms.
    pub p95_ms: Vec<Option<f64>>,
    /// 99th percentile in ms.
    pub p99_ms: Vec<Option<f64>>,
}
