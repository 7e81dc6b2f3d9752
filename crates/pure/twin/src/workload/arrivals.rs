//! From bins to single requests, in order of time.
//!
//! A counted bin keeps its count: the times are the order statistics of independent uniforms, made as
//! partial sums of exponentials (Devroye, *Non-Uniform Random Variate Generation*, ch. V.2); large bins
//! are first split at their median order statistic, a beta variate, so that memory stays bounded. A rate
//! gives a Poisson count with the same construction, or renewals with gamma or Weibull gaps whose first
//! gap is drawn as the rest of one under way. Bin *b* draws from (seed, "arrivals", b) alone.

use homeostat_core::draw::{Draws, Key};
use homeostat_core::load::{BinLoad, Gaps, LoadError, LoadItem, LoadStream, RequestSize};
use homeostat_core::{Instant, Span, num};

/// Requests that are expanded at a time.
const CHUNK: u64 = 1 << 14;

/// A request as it comes from outside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrival {
    /// When.
    pub at: Instant,
    /// What the trace knows of its work.
    pub size: RequestSize,
}

/// A piece of a counted bin that is still to be expanded.
#[derive(Debug, Clone, Copy)]
struct Piece {
    start: f64,
    span: f64,
    count: u64,
}

/// An iterator over requests. Ends at the first error of the trace, which [`Arrivals::error`] holds.
pub struct Arrivals {
    stream: LoadStream,
    key: Key,
    bins: u64,
    /// The item that comes next, already taken from the stream.
    ahead: Option<LoadItem>,
    /// Pieces of the present bin, the last one next.
    pieces: Vec<Piece>,
    draws: Draws,
    /// Expanded times, next at `at`.
    times: Vec<u64>,
    at: usize,
    gaps: Vec<f64>,
    end: Instant,
    error: Option<LoadError>,
}

impl Arrivals {
    /// Requests of `stream` under this seed key.
    pub fn new(stream: LoadStream, key: Key) -> Self {
        let key = key.child("arrivals");
        let mut new = Self {
            stream,
            key,
            bins: 0,
            ahead: None,
            pieces: Vec::new(),
            draws: key.at(0),
            times: Vec::new(),
            at: 0,
            gaps: Vec::new(),
            end: Instant::ZERO,
            error: None,
        };
        new.look_ahead();
        new
    }

    /// The start of the first item, before any request was taken.
    pub fn start(&self) -> Option<Instant> {
        self.ahead.as_ref().map(LoadItem::start)
    }

    /// The end of the last item seen so far.
    pub const fn end(&self) -> Instant {
        self.end
    }

    /// Why the requests ended early, if they did.
    pub fn error(&mut self) -> Option<LoadError> {
        self.error.take()
    }

    /// The times of the next requests before `horizon`, as far as they are expanded already and `out`
    /// has room. They have no recorded size. Returns how many.
    #[inline]
    pub fn fill_before(&mut self, horizon: u64, out: &mut [u64]) -> usize {
        let ahead = &self.times[self.at..];
        let ahead = &ahead[..ahead.len().min(out.len())];
        let count = ahead.iter().take_while(|at| **at < horizon).count();
        out[..count].copy_from_slice(&ahead[..count]);
        self.at += count;
        count
    }

    /// The last `count` requests that [`Self::fill_before`] gave come again.
    pub const fn put_back(&mut self, count: usize) {
        self.at -= count;
    }

    fn look_ahead(&mut self) {
        self.ahead = match self.stream.next() {
            Some(Ok(item)) => Some(item),
            Some(Err(error)) => {
                self.error = Some(error);
                None
            }
            None => None,
        };
    }

    /// Takes the next bin and all that share its start.
    #[cold]
    fn take_bins(&mut self) {
        self.times.clear();
        self.at = 0;
        let mut first = None;
        while let Some(LoadItem::Bin { start, span, load }) = self.ahead {
            if *first.get_or_insert(start) != start {
                break;
            }
            self.end = self.end.max(start + span);
            self.look_ahead();
            self.take_bin(start, span, load, first);
        }
        if !self.times.is_empty() {
            self.times.sort_unstable();
        }
    }

    fn take_bin(&mut self, start: Instant, span: Span, load: BinLoad, first: Option<Instant>) {
        self.draws = self.key.at(self.bins);
        self.bins += 1;
        let count = match load {
            BinLoad::Missing => 0,
            BinLoad::Count(count) => count,
            BinLoad::Rate { per_second, gaps: Gaps::Poisson } => {
                self.draws.poisson(per_second * span.as_secs_f64())
            }
            BinLoad::Rate { per_second, gaps } => {
                self.renewals(start, span, per_second, gaps);
                return;
            }
        };
        let piece = Piece { start: start.0 as f64, span: span.0 as f64, count };
        let shared = matches!(self.ahead, Some(LoadItem::Bin { start, .. }) if Some(start) == first);
        if shared || !self.times.is_empty() {
            self.expand_all(piece);
        } else {
            self.pieces.push(piece);
        }
    }

    /// Expands all of a bin that overlaps others.
    fn expand_all(&mut self, piece: Piece) {
        self.pieces.push(piece);
        let mut all = std::mem::take(&mut self.times);
        while let Some(piece) = self.pieces.pop() {
            self.expand(piece);
            all.append(&mut self.times);
        }
        (self.times, self.at) = (all, 0);
    }

    /// Times of one piece, or two smaller pieces and a time between them.
    fn expand(&mut self, piece: Piece) {
        self.times.clear();
        self.at = 0;
        if piece.count > CHUNK {
            self.split(piece);
            return;
        }
        self.gaps.clear();
        let mut sum = 0.0;
        for _ in 0..piece.count {
            sum += self.draws.exponential();
            self.gaps.push(sum);
        }
        sum += self.draws.exponential();
        let factor = piece.span / sum;
        let last = ((piece.start + piece.span) as u64).saturating_sub(1).max(piece.start as u64);
        let time = |partial: &f64| ((piece.start + partial * factor) as u64).min(last);
        self.times.extend(self.gaps.iter().map(time));
    }

    /// Splits at the median order statistic: what lies below it, itself, what lies above.
    fn split(&mut self, piece: Piece) {
        let k = piece.count / 2;
        let below = self.draws.gamma(k as f64);
        let above = self.draws.gamma((piece.count + 1 - k) as f64);
        let split = piece.span * below / (below + above);
        let median = piece.start + split;
        self.pieces.push(Piece { start: median, span: piece.span - split, count: piece.count - k });
        self.pieces.push(Piece { start: median, span: 1.0, count: 1 });
        self.pieces.push(Piece { start: piece.start, span: split, count: k - 1 });
    }

    fn renewals(&mut self, start: Instant, span: Span, per_second: f64, gaps: Gaps) {
        if per_second <= 0.0 {
            return;
        }
        let mean_ns = 1e9 / per_second;
        let mut at = self.unit_gap(gaps) * self.draws.uniform() * mean_ns;
        while at < span.0 as f64 {
            self.times.push(start.0 + at as u64);
            at += self.unit_gap(gaps) * mean_ns;
        }
    }

    /// A gap with mean one.
    fn unit_gap(&mut self, gaps: Gaps) -> f64 {
        match gaps {
            Gaps::Poisson => self.draws.exponential(),
            Gaps::Gamma { cv } => {
                let shape = 1.0 / (cv * cv);
                self.draws.gamma(shape) / shape
            }
            Gaps::Weibull { shape } => self.draws.weibull(shape) / num::gamma(1.0 + 1.0 / shape),
        }
    }
}

impl Iterator for Arrivals {
    type Item = Arrival;

    #[inline]
    fn next(&mut self) -> Option<Arrival> {
        loop {
            if let Some(at) = self.times.get(self.at) {
                self.at += 1;
                return Some(Arrival { at: Instant(*at), size: RequestSize::default() });
            }
            if let Some(piece) = self.pieces.pop() {
                self.expand(piece);
                continue;
            }
            match self.ahead? {
                LoadItem::Request { at, size } => {
                    self.end = self.end.max(at);
                    self.look_ahead();
                    return Some(Arrival { at, size });
                }
                LoadItem::Bin { .. } => self.take_bins(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(load: BinLoad, seed: u64) -> Vec<u64> {
        let bin = LoadItem::Bin { start: Instant::ZERO + Span::HOUR, span: Span::HOUR, load };
        let arrivals = Arrivals::new(Box::new([Ok(bin)].into_iter()), Key::root(seed));
        arrivals.map(|a| a.at.0).collect()
    }

    #[test]
    fn counts_are_kept_and_in_order() {
        for count in [0, 1, 2, CHUNK, CHUNK + 1, 10 * CHUNK + 3] {
            let times = times(BinLoad::Count(count), 1);
            assert_eq!(times.len() as u64, count);
            assert!(times.is_sorted());
            let inside = |t: &u64| (Span::HOUR.0..2 * Span::HOUR.0).contains(t);
            assert!(times.iter().all(inside));
        }
    }

    #[test]
    fn times_are_uniform_within_a_bin() {
        let n = 200_000_u64;
        let times = times(BinLoad::Count(n), 2);
        let gap = |(i, t): (usize, &u64)| {
            ((t - Span::HOUR.0) as f64 / Span::HOUR.0 as f64 - (i as f64 + 0.5) / n as f64).abs()
        };
        let worst = times.iter().enumerate().map(gap).fold(0.0, f64::max);
        assert!(worst < 1.63 / (n as f64).sqrt(), "Kolmogorov's distance {worst}");
    }

    #[test]
    fn renewals_have_their_rate_and_variation() {
        for (gaps, cv) in [(Gaps::Gamma { cv: 2.0 }, 2.0), (Gaps::Weibull { shape: 0.5 }, 5_f64.sqrt())] {
            let times = times(BinLoad::Rate { per_second: 50.0, gaps }, 3);
            let between: Vec<f64> = times.windows(2).map(|w| (w[1] - w[0]) as f64 / 1e9).collect();
            let n = between.len() as f64;
            let mean = between.iter().sum::<f64>() / n;
            let variance = between.iter().map(|g| (g - mean) * (g - mean)).sum::<f64>() / n;
            assert!((mean * 50.0 - 1.0).abs() < 0.03, "{gaps:?}: mean {mean}");
            assert!((variance.sqrt() / mean / cv - 1.0).abs() < 0.06, "{gaps:?}");
        }
    }

    #[test]
    fn bins_with_the_same_start_are_merged() {
        let bin = |load| Ok(LoadItem::Bin { start: Instant::ZERO, span: Span::MINUTE, load });
        let gaps = Gaps::Gamma { cv: 1.5 };
        let stream =
            [bin(BinLoad::Count(100)), bin(BinLoad::Rate { per_second: 3.0, gaps }), bin(BinLoad::Count(50))];
        let arrivals = Arrivals::new(Box::new(stream.into_iter()), Key::root(9));
        let times: Vec<u64> = arrivals.map(|a| a.at.0).collect();
        assert!(times.is_sorted() && times.len() > 250);
    }
}
