//! From rates as they are scraped to the steps of the forecaster.

use std::collections::VecDeque;
use std::sync::Arc;

use homeostat_core::{Instant, Span};
use homeostat_forecast::{Forecaster, Paths, Series, Settings, Value};

/// How far back the rate of now is taken.
const NOW: Span = Span::from_secs(30);

/// A rate of zero where so many requests were to be expected is no measurement, but for as long.
const EXPECTED: f64 = 30.0;
const SILENCE: Span = Span::HOUR;

/// Feeds a forecaster.
pub(super) struct Meter {
    forecaster: Forecaster,
    /// What it is warmed on at the first reading.
    history: Option<Arc<Series>>,
    /// When the first step began, and the step that is being added up.
    start: Instant,
    step: Span,
    index: u64,
    requests: f64,
    covered: Span,
    /// Rates of late with the stretch that each covers.
    recent: VecDeque<(Instant, Instant, f64)>,
    last: Option<Instant>,
    /// Since when nothing comes at all, where that can't be.
    silent: Option<Instant>,
    /// Kept until the next step.
    paths: Option<Paths>,
}

impl Meter {
    pub(super) fn new(settings: Settings, history: Option<Arc<Series>>, start: Instant) -> Self {
        let step = settings.step;
        Self {
            forecaster: Forecaster::new(settings),
            history,
            start,
            step,
            index: 0,
            requests: 0.0,
            covered: Span::ZERO,
            recent: VecDeque::new(),
            last: None,
            silent: None,
            paths: None,
        }
    }

    /// Takes the mean rate up to `at`; it covers the time since the last one, at first `window`.
    pub(super) fn take(&mut self, at: Instant, rate: f64, window: Span) {
        if let Some(history) = self.history.take() {
            for (index, value) in history.values.iter().enumerate() {
                self.forecaster.update(history.at(index), *value);
            }
        }
        let mut from = self.last.unwrap_or_else(|| at.back(window)).max(self.start);
        if self.last.is_some_and(|last| at <= last) {
            return;
        }
        self.listen(at, rate, at.since(from));
        self.last = Some(at);
        if self.absurd() {
            self.turn_to(at.since(self.start).0 / self.step.0);
            return;
        }
        self.recent.push_back((from, at, rate));
        while self.recent.len() > 1 && self.recent.front().is_some_and(|(_, end, _)| *end <= at.back(NOW)) {
            self.recent.pop_front();
        }
        while from < at {
            let index = from.since(self.start).0 / self.step.0;
            self.turn_to(index);
            let to = at.min(self.start + self.step * (index + 1));
            self.requests += rate * to.since(from).as_secs_f64();
            self.covered += to.since(from);
            from = to;
        }
        if self.covered >= self.step {
            self.turn_to(self.index + 1);
        }
    }

    /// Notes since when nothing at all comes, where much came just before.
    fn listen(&mut self, at: Instant, rate: f64, time: Span) {
        let expected = self.now().unwrap_or(0.0) * time.as_secs_f64();
        let silent = rate <= 0.0 && (self.silent.is_some() || expected >= EXPECTED);
        self.silent = silent.then(|| self.silent.unwrap_or(at));
    }

    /// Whether the newest rate is not to be believed: a silence of the metrics, for an hour.
    pub(super) fn absurd(&self) -> bool {
        self.silent.zip(self.last).is_some_and(|(since, last)| last.since(since) < SILENCE)
    }

    /// Ends the present step if `index` is a later one.
    fn turn_to(&mut self, index: u64) {
        if index == self.index {
            return;
        }
        let value = if self.covered * 2 > self.step {
            Value::Known(self.requests / self.covered.as_secs_f64())
        } else {
            Value::Missing
        };
        self.forecaster.update(self.start + self.step * self.index, value);
        (self.index, self.requests, self.covered, self.paths) = (index, 0.0, Span::ZERO, None);
    }

    /// The mean rate of late.
    pub(super) fn now(&self) -> Option<f64> {
        let length = |(from, to, _): &(Instant, Instant, f64)| to.since(*from).as_secs_f64();
        let time: f64 = self.recent.iter().map(length).sum();
        let requests: f64 = self.recent.iter().map(|own| own.2 * length(own)).sum();
        (time > 0.0).then(|| requests / time)
    }

    /// Sample paths up to `until`.
    pub(super) fn paths(&mut self, until: Instant) -> &Paths {
        let from = self.start + self.step * self.index;
        let horizon = until.since(from).min(self.forecaster.settings().horizon);
        let enough = |paths: &Paths| paths.step * paths.steps as u64 >= horizon;
        if !self.paths.as_ref().is_some_and(enough) {
            self.paths = None;
        }
        let forecaster = &mut self.forecaster;
        self.paths.get_or_insert_with(|| forecaster.paths(horizon))
    }
}

/// Mean of one path over `from` to `until`; beyond its end the last step goes on.
pub(super) fn mean(paths: &Paths, path: &[f32], from: Instant, until: Instant) -> f64 {
    let place = |at: Instant| at.since(paths.from).0 as f64 / paths.step.0 as f64;
    let (from, until) = (place(from), place(until));
    let last = path.len().saturating_sub(1);
    let (mut sum, mut at) = (0.0, from);
    while at < until {
        let next = (at.floor() + 1.0).min(until);
        sum += f64::from(path[(at as usize).min(last)]) * (next - at);
        at = next;
    }
    if until > from { sum / (until - from) } else { f64::from(path[(from as usize).min(last)]) }
}
