//! Streams made larger, smoother or shorter.

use homeostat_core::load::{BinLoad, Gaps, LoadItem, LoadStream};
use homeostat_core::{Instant, Span};

/// Every count and rate multiplied by `factor`. Counts stay whole: what is cut off is carried over, so
/// that the sum is right to one request. Single requests are repeated or left out by the same rule;
/// copies come at the time of the original.
pub fn scaled(stream: LoadStream, factor: f64) -> LoadStream {
    if factor == 1.0 {
        return stream;
    }
    let mut carried = 0.0_f64;
    let mut whole = move |amount: f64| {
        carried += amount;
        let taken = carried.floor();
        carried -= taken;
        taken as u64
    };
    Box::new(stream.flat_map(move |item| {
        let (item, copies) = match item {
            Ok(LoadItem::Bin { start, span, load }) => {
                let load = match load {
                    BinLoad::Count(count) => BinLoad::Count(whole(count as f64 * factor)),
                    BinLoad::Rate { per_second, gaps } => {
                        BinLoad::Rate { per_second: per_second * factor, gaps }
                    }
                    BinLoad::Missing => BinLoad::Missing,
                };
                (Ok(LoadItem::Bin { start, span, load }), 1)
            }
            Ok(request @ LoadItem::Request { .. }) => (Ok(request), whole(factor)),
            Err(error) => (Err(error), 1),
        };
        std::iter::repeat_n(item, copies as usize)
    }))
}

/// The mean rate over stretches of `step`, with independent arrivals. Stretches without any known bin
/// are missing.
pub fn resampled(mut stream: LoadStream, step: Span) -> LoadStream {
    let mut ahead = None;
    Box::new(std::iter::from_fn(move || {
        let first = match ahead.take().or_else(|| stream.next())? {
            Ok(item) => item,
            Err(error) => return Some(Err(error)),
        };
        let start = first.start();
        let mut sum = Sum::default();
        sum.add(&first);
        loop {
            match stream.next() {
                Some(Ok(item)) if item.start() < start + step => sum.add(&item),
                Some(other) => {
                    ahead = Some(other);
                    break;
                }
                None => break,
            }
        }
        Some(Ok(LoadItem::Bin { start, span: step, load: sum.load(step) }))
    }))
}

#[derive(Default)]
struct Sum {
    requests: f64,
    known: f64,
    events: bool,
}

impl Sum {
    fn add(&mut self, item: &LoadItem) {
        match item {
            LoadItem::Request { .. } => {
                self.requests += 1.0;
                self.events = true;
            }
            LoadItem::Bin { span, load, .. } => {
                let (requests, known) = match load {
                    BinLoad::Count(count) => (*count as f64, span.as_secs_f64()),
                    BinLoad::Rate { per_second, .. } => (per_second * span.as_secs_f64(), span.as_secs_f64()),
                    BinLoad::Missing => (0.0, 0.0),
                };
                self.requests += requests;
                self.known += known;
            }
        }
    }

    fn load(&self, step: Span) -> BinLoad {
        let seconds = if self.events { step.as_secs_f64() } else { self.known };
        if seconds > 0.0 {
            BinLoad::Rate { per_second: self.requests / seconds, gaps: Gaps::Poisson }
        } else {
            BinLoad::Missing
        }
    }
}

/// The part of a stream from `skip` after its start, at most `take` long.
pub fn windowed(stream: LoadStream, skip: Span, take: Option<Span>) -> LoadStream {
    if skip.is_zero() && take.is_none() {
        return stream;
    }
    let mut bounds: Option<(Instant, Instant)> = None;
    let stream = stream.map(move |item| {
        let within = item.as_ref().map_or((true, true), |item| {
            let begin = item.start();
            let (from, to) = *bounds.get_or_insert_with(|| {
                let from = begin + skip;
                (from, take.map_or(Instant::MAX, |take| from + take))
            });
            (begin >= from, begin < to)
        });
        (item, within)
    });
    let stream = stream.skip_while(|(_, (begun, _))| !begun).take_while(|(_, (_, goes_on))| *goes_on);
    Box::new(stream.map(|(item, _)| item))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins(counts: &[u64]) -> LoadStream {
        let bins: Vec<_> = (0..)
            .zip(counts)
            .map(|(i, count)| {
                let start = Instant::ZERO + Span::MINUTE * i;
                Ok(LoadItem::Bin { start, span: Span::MINUTE, load: BinLoad::Count(*count) })
            })
            .collect();
        Box::new(bins.into_iter())
    }

    fn counts(stream: LoadStream) -> Vec<BinLoad> {
        let load = |item| match item {
            Ok(LoadItem::Bin { load, .. }) => load,
            other => panic!("{other:?}"),
        };
        stream.map(load).collect()
    }

    #[test]
    fn scaling_carries_what_it_cuts_off() {
        let scaled = counts(scaled(bins(&[1, 1, 1, 1]), 0.5));
        assert_eq!(scaled, [0, 1, 0, 1].map(BinLoad::Count));
    }

    #[test]
    fn resampling_gives_the_mean_rate() {
        let rates = counts(resampled(bins(&[60, 180, 60]), Span::MINUTE * 2));
        let rate = |per_second| BinLoad::Rate { per_second, gaps: Gaps::Poisson };
        assert_eq!(rates, [rate(2.0), rate(1.0)]);
    }

    #[test]
    fn windows_cut_both_ends() {
        let cut = counts(windowed(bins(&[1, 2, 3, 4]), Span::MINUTE, Some(Span::MINUTE * 2)));
        assert_eq!(cut, [2, 3].map(BinLoad::Count));
    }
}
