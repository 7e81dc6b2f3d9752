//! What known events do to the load: each kind has a ratio, learned from its past occurrences.
//!
//! The ratio of an occurrence is the mean of the load over what it would have been: the level before the
//! event, going on as the day usually does. The first occurrence teaches, the next ones are foreseen.

use homeostat_core::Instant;

use crate::calendar::Event;

/// Least weight of a new occurrence.
const WEIGHT: f64 = 0.3;
/// Events that may overlap.
const OVERLAP: usize = 8;

#[derive(Debug, Clone, Default)]
pub(crate) struct Events {
    /// Beginning, end and kind, in order of the beginning.
    all: Vec<(Instant, Instant, usize)>,
    effects: Vec<Effect>,
    open: Option<Open>,
}

/// The logarithm of a kind's ratio, and occurrences.
#[derive(Debug, Clone, Copy, Default)]
struct Effect {
    log: f64,
    count: u32,
}

/// An event that is on.
#[derive(Debug, Clone, Copy)]
struct Open {
    kind: usize,
    until: Instant,
    /// Level at its beginning less the season there.
    before: f64,
    sum: f64,
    count: u32,
}

impl Events {
    pub(crate) fn new(events: &[Event]) -> Self {
        let mut kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let kind = |event: &Event| kinds.partition_point(|kind| *kind < event.kind.as_str());
        let mut all: Vec<_> = events.iter().map(|event| (event.from, event.until, kind(event))).collect();
        all.sort_unstable();
        Self { all, effects: vec![Effect::default(); kinds.len()], open: None }
    }

    fn on(&self, at: Instant) -> impl Iterator<Item = (Instant, usize)> {
        let begun = self.all.partition_point(|(from, ..)| *from <= at);
        let last = &self.all[begun.saturating_sub(OVERLAP)..begun];
        last.iter().filter(move |(_, until, _)| at < *until).map(|(_, until, kind)| (*until, *kind))
    }

    /// Sum of the logarithms of the ratios of the events at `at`.
    pub(crate) fn at(&self, at: Instant) -> f64 {
        if self.all.is_empty() { 0.0 } else { self.on(at).map(|(_, kind)| self.effects[kind].log).sum() }
    }

    /// Learns from the step at `at`: its value without events and less the season, and the level before it.
    pub(crate) fn learn(&mut self, at: Instant, rest: Option<f64>, level: f64) {
        if self.all.is_empty() {
            return;
        }
        if let Some(open) = self.open.filter(|open| at >= open.until) {
            let effect = &mut self.effects[open.kind];
            if open.count > 0 {
                effect.count += 1;
                let came = effect.log + open.sum / f64::from(open.count) - open.before;
                effect.log +=
                    WEIGHT.max(1.0 / f64::from(effect.count)) * (came.clamp(-3.0, 3.0) - effect.log);
            }
            self.open = None;
        }
        if self.open.is_none() {
            let begun = self.on(at).next();
            self.open = begun.map(|(until, kind)| Open { kind, until, before: level, sum: 0.0, count: 0 });
        }
        if let (Some(open), Some(rest)) = (&mut self.open, rest) {
            open.sum += rest;
            open.count += 1;
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.all.capacity() * 24 + self.effects.capacity() * 16
    }
}
