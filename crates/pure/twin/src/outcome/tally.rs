//! Counts requests as their outcome becomes known, and takes back what a crash undoes.

use homeostat_core::{Instant, Span};

use super::histogram::Histogram;
use super::meter::Meter;
use super::series::{Merge, Windows};

/// What became of the requests of one stretch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Window {
    pub(crate) requests: u64,
    pub(crate) met: u64,
    pub(crate) failed: u64,
    pub(crate) times: Histogram<4>,
}

impl Merge for Window {
    fn merge(&mut self, next: &Self) {
        self.requests += next.requests;
        self.met += next.met;
        self.failed += next.failed;
        self.times.merge(&next.times);
    }
}

/// The outcome of a request: when it first arrived, and how long it took if it succeeded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verdict {
    pub(crate) arrival: Instant,
    pub(crate) time: Option<Span>,
}

/// Counts of all requests so far.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    scored_from: Instant,
    objective: Span,
    pub(crate) requests: u64,
    pub(crate) met: u64,
    pub(crate) failed: u64,
    pub(crate) total_ns: u128,
    pub(crate) times: Histogram<7>,
    windows: Windows<Window>,
    /// The window of the last request and its bounds, to save a division.
    current: Window,
    current_from: u64,
    current_to: u64,
    /// Answers by the time they come, where a caller wants them.
    pub(crate) meter: Option<Box<Meter>>,
}

impl Tally {
    pub(crate) fn new(start: Instant, scored_from: Instant, objective: Span, step: Span) -> Self {
        Self {
            scored_from,
            objective,
            requests: 0,
            met: 0,
            failed: 0,
            total_ns: 0,
            times: Histogram::default(),
            windows: Windows::new(start, step),
            current: Window::default(),
            current_from: start.0,
            current_to: start.0,
            meter: None,
        }
    }

    #[inline]
    pub(crate) fn record(&mut self, verdict: Verdict) {
        let at = verdict.arrival.0;
        if !(self.current_from..self.current_to).contains(&at) {
            self.turn_to(at);
        }
        let scored = verdict.arrival >= self.scored_from;
        self.current.requests += 1;
        self.requests += u64::from(scored);
        match verdict.time {
            Some(time) => {
                let met = time <= self.objective;
                self.current.met += u64::from(met);
                self.current.times.add(time);
                if let Some(meter) = &mut self.meter {
                    meter.add(verdict.arrival, time, met);
                }
                if scored {
                    self.met += u64::from(met);
                    self.times.add(time);
                    self.total_ns += u128::from(time.0);
                }
            }
            None => {
                self.current.failed += 1;
                self.failed += u64::from(scored);
            }
        }
    }

    /// Undoes a [`Self::record`] of the same verdict.
    pub(crate) fn take_back(&mut self, verdict: Verdict) {
        self.turn_to(verdict.arrival.0);
        let scored = verdict.arrival >= self.scored_from;
        self.current.requests -= 1;
        self.requests -= u64::from(scored);
        match verdict.time {
            Some(time) => {
                let met = time <= self.objective;
                self.current.met -= u64::from(met);
                self.current.times.take_back(time);
                if let Some(meter) = &mut self.meter {
                    meter.take_back(verdict.arrival, time, met);
                }
                if scored {
                    self.met -= u64::from(met);
                    self.times.take_back(time);
                    self.total_ns -= u128::from(time.0);
                }
            }
            None => {
                self.current.failed -= 1;
                self.failed -= u64::from(scored);
            }
        }
    }

    /// Makes the window of `at` the current one.
    #[cold]
    fn turn_to(&mut self, at: u64) {
        self.put_back();
        let (window, end) = self.windows.at(at);
        self.current = std::mem::take(window);
        self.current_to = end;
        self.current_from = end - self.windows.step().0;
    }

    fn put_back(&mut self) {
        if self.current_from < self.current_to {
            let (window, _) = self.windows.at(self.current_from);
            window.merge(&self.current);
            self.current = Window::default();
        }
    }

    /// The windows so far.
    pub(crate) fn windows(&mut self) -> &mut Windows<Window> {
        self.put_back();
        (self.current_from, self.current_to) = (0, 0);
        &mut self.windows
    }
}
