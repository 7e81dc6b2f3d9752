//! What is known to be wrong becomes missing: daily windows, and zeros that last too long.

use std::collections::VecDeque;

use homeostat_core::load::{BinLoad, LoadItem};
use homeostat_core::{Instant, Span};

use super::Items;
use crate::error::TraceError;
use crate::options::Artefact;

const fn missing(start: Instant, span: Span) -> LoadItem {
    LoadItem::Bin { start, span, load: BinLoad::Missing }
}

/// Takes daily windows out: bins that touch one become missing, requests in one give way to a missing
/// bin of the window.
pub(crate) struct Artefacts {
    windows: Vec<Artefact>,
    input: Items,
    out: VecDeque<LoadItem>,
    /// Event logs: windows up to here are dealt with.
    done: Option<Instant>,
}

impl Artefacts {
    pub(crate) fn new(windows: Vec<Artefact>, input: Items) -> Self {
        Self { windows, input, out: VecDeque::new(), done: None }
    }

    /// The first window that ends after `from`, cut to begin there at the earliest.
    fn next_window(&self, from: Instant) -> Option<(Instant, Instant)> {
        let midnight = Instant(from.0 - from.0 % Span::DAY.0);
        let days = [midnight, midnight + Span::DAY];
        let all = days.iter().flat_map(|day| self.windows.iter().map(|w| (*day + w.from, *day + w.to)));
        all.filter(|(_, to)| *to > from).min().map(|(start, to)| (start.max(from), to))
    }

    fn touches(&self, start: Instant, span: Span) -> bool {
        self.next_window(start).is_some_and(|(window, _)| window < start + span)
    }

    fn request(&mut self, at: Instant, item: LoadItem) {
        let mut done = self.done.unwrap_or(at);
        while let Some((from, to)) = self.next_window(done) {
            if from > at {
                break;
            }
            self.out.push_back(missing(from, to.since(from)));
            done = to;
        }
        self.done = Some(done);
        if done <= at {
            self.out.push_back(item);
        }
    }
}

impl Iterator for Artefacts {
    type Item = Result<LoadItem, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.out.pop_front() {
                return Some(Ok(item));
            }
            match self.input.next()? {
                Ok(LoadItem::Bin { start, span, .. }) if self.touches(start, span) => {
                    return Some(Ok(missing(start, span)));
                }
                Ok(item @ LoadItem::Request { at, .. }) => self.request(at, item),
                other => return Some(other),
            }
        }
    }
}

/// Turns runs of zeros that last at least `least` into missing bins. Holds the zeros of one run until
/// it is long enough.
pub(crate) struct ZeroRuns {
    least: Span,
    input: Items,
    held: VecDeque<LoadItem>,
    out: VecDeque<LoadItem>,
    run_start: Option<Instant>,
    failure: Option<TraceError>,
}

impl ZeroRuns {
    pub(crate) fn new(least: Span, input: Items) -> Self {
        let (held, out) = (VecDeque::new(), VecDeque::new());
        Self { least, input, held, out, run_start: None, failure: None }
    }

    fn zero(&mut self, start: Instant, span: Span, item: LoadItem) {
        let from = *self.run_start.get_or_insert(start);
        self.held.push_back(item);
        if (start + span).since(from) >= self.least {
            let blank = |item: LoadItem| match item {
                LoadItem::Bin { start, span, .. } => missing(start, span),
                other @ LoadItem::Request { .. } => other,
            };
            self.out.extend(self.held.drain(..).map(blank));
        }
    }

    fn release(&mut self) {
        self.run_start = None;
        self.out.append(&mut self.held);
    }
}

/// Whether a load offers nothing although it is known.
pub(crate) fn is_zero(load: BinLoad) -> bool {
    match load {
        BinLoad::Count(count) => count == 0,
        BinLoad::Rate { per_second, .. } => per_second == 0.0,
        BinLoad::Missing => false,
    }
}

impl Iterator for ZeroRuns {
    type Item = Result<LoadItem, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.out.pop_front() {
                return Some(Ok(item));
            }
            if let Some(error) = self.failure.take() {
                return Some(Err(error));
            }
            match self.input.next() {
                Some(Ok(item @ LoadItem::Bin { start, span, load })) if is_zero(load) => {
                    self.zero(start, span, item);
                }
                Some(Ok(item)) => {
                    self.release();
                    self.out.push_back(item);
                }
                Some(Err(error)) => {
                    self.release();
                    self.failure = Some(error);
                }
                None if self.held.is_empty() => return None,
                None => self.release(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeostat_core::load::RequestSize;

    fn bins(counts: &[u64]) -> Items {
        let items: Vec<_> = counts
            .iter()
            .enumerate()
            .map(|(i, count)| {
                let start = Instant(i as u64 * Span::MINUTE.0);
                Ok(LoadItem::Bin { start, span: Span::MINUTE, load: BinLoad::Count(*count) })
            })
            .collect();
        Box::new(items.into_iter())
    }

    fn holes(items: impl Iterator<Item = Result<LoadItem, TraceError>>) -> Vec<bool> {
        items.map(|item| matches!(item.unwrap(), LoadItem::Bin { load: BinLoad::Missing, .. })).collect()
    }

    #[test]
    fn long_zero_runs_become_missing() {
        let items = ZeroRuns::new(Span::MINUTE * 2, bins(&[0, 1, 0, 0, 0, 2, 0, 0]));
        assert_eq!(holes(items), [false, false, true, true, true, false, true, true]);
    }

    #[test]
    fn daily_windows_become_missing() {
        let window = "00:01-00:03".parse().unwrap();
        let items = Artefacts::new(vec![window], bins(&[1, 1, 1, 1]));
        assert_eq!(holes(items), [false, true, true, false]);
    }

    #[test]
    fn requests_in_a_window_give_way() {
        let requests = [30, 90, 200]
            .map(|s| Ok(LoadItem::Request { at: Instant(s * 1_000_000_000), size: RequestSize::default() }));
        let window = "00:01-00:03".parse().unwrap();
        let items: Vec<_> =
            Artefacts::new(vec![window], Box::new(requests.into_iter())).map(Result::unwrap).collect();
        assert_eq!(items.len(), 3);
        assert_eq!(items[1], missing(Instant(60_000_000_000), Span::MINUTE * 2));
    }
}
