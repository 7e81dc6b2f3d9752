//! The rates before a load begins: what a policy with a forecaster is warmed on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use homeostat_core::load::{BinLoad, LoadItem, LoadStream};
use homeostat_core::{Instant, Span};
use homeostat_forecast::{Series, Value};

use crate::failure::Failure;

/// Steps that are kept at most, the latest ones: five weeks of minutes and some.
const STEPS: usize = 250_000;

/// The pasts of one load that were asked for, by step and seed: each is read once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pasts(Arc<Mutex<Read>>);

type Read = BTreeMap<(Span, u64), Option<Arc<Series>>>;

impl Pasts {
    /// The past in this step, read with `read` the first time.
    pub(crate) fn get(
        &self,
        step: Span,
        seed: u64,
        read: impl FnOnce() -> Result<Option<Series>, Failure>,
    ) -> Result<Option<Arc<Series>>, Failure> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = known.get(&(step, seed)) {
            return Ok(series.clone());
        }
        let series = read()?.map(Arc::new);
        known.insert((step, seed), series.clone());
        Ok(series)
    }
}

/// The same rates for a service that is visited so often per request.
pub(crate) fn scaled(series: &Arc<Series>, visits: f64) -> Arc<Series> {
    if visits == 1.0 {
        return Arc::clone(series);
    }
    let values = series.values.iter().map(|value| match value {
        Value::Known(rate) => Value::Known(rate * visits),
        Value::AtLeast(rate) => Value::AtLeast(rate * visits),
        Value::Missing => Value::Missing,
    });
    Arc::new(Series { start: series.start, step: series.step, values: values.collect() })
}

/// One step while it is being added up.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    requests: f64,
    missing_s: f64,
}

/// Rates in requests per second, `factor` times those of `stream`, in steps that end at `end`. Items at or
/// after `end` are left out. A step of which half or more is missing is missing. `None` for less than one
/// step.
pub(crate) fn series(
    stream: LoadStream,
    end: Instant,
    step: Span,
    factor: f64,
) -> Result<Option<Series>, Failure> {
    let mut sums: Vec<Sum> = Vec::new();
    // Steps are counted backwards from the end: step k covers [end − (k + 1)·step, end − k·step).
    let mut start = None;
    for item in stream {
        let item = item.map_err(Failure::new)?;
        let at = item.start();
        if at >= end {
            break;
        }
        let first = *start.get_or_insert_with(|| {
            let steps = (end.since(at).0 / step.0).min(STEPS as u64);
            sums = vec![Sum::default(); steps as usize];
            end.back(step * steps)
        });
        add(&mut sums, first, step, &item);
    }
    let Some(start) = start.filter(|_| !sums.is_empty()) else { return Ok(None) };
    let length = step.as_secs_f64();
    let value = |sum: &Sum| {
        let known = length - sum.missing_s;
        if known * 2.0 > length { Value::Known(sum.requests * factor / known) } else { Value::Missing }
    };
    Ok(Some(Series { start, step, values: sums.iter().map(value).collect() }))
}

/// Spreads an item over the steps that it covers.
fn add(sums: &mut [Sum], start: Instant, step: Span, item: &LoadItem) {
    let (at, span, load) = match *item {
        LoadItem::Request { at, .. } => (at, Span(1), BinLoad::Count(1)),
        LoadItem::Bin { start, span, load } => (start, span.max(Span(1)), load),
    };
    let until = at + span;
    let mut from = at.max(start);
    while from < until {
        let index = (from.since(start).0 / step.0) as usize;
        let Some(sum) = sums.get_mut(index) else { return };
        let to = until.min(start + step * (index as u64 + 1));
        let share = to.since(from).as_secs_f64() / span.as_secs_f64();
        match load {
            BinLoad::Count(count) => sum.requests += count as f64 * share,
            BinLoad::Rate { per_second, .. } => sum.requests += per_second * span.as_secs_f64() * share,
            BinLoad::Missing => sum.missing_s += to.since(from).as_secs_f64(),
        }
        from = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_spread_over_the_steps_before_the_end() {
        let minute = |n: u64| Instant::ZERO + Span::MINUTE * n;
        let bin = |n, load| Ok(LoadItem::Bin { start: minute(n), span: Span::MINUTE, load });
        let items = vec![
            bin(0, BinLoad::Count(60)),
            bin(1, BinLoad::Missing),
            bin(2, BinLoad::Count(120)),
            bin(3, BinLoad::Count(600)),
        ];
        let end = minute(3);
        let half = Span::from_secs(30);
        let found = series(Box::new(items.clone().into_iter()), end, half, 2.0).unwrap().unwrap();
        let known = Value::Known;
        let missing = Value::Missing;
        assert_eq!(found.values, [known(2.0), known(2.0), missing, missing, known(4.0), known(4.0)]);
        assert_eq!((found.start, found.step), (minute(0), half));
        let two = series(Box::new(items.into_iter()), end, Span::from_secs(120), 1.0).unwrap().unwrap();
        assert_eq!((two.start, two.values), (minute(1), vec![missing]));
        assert!(series(Box::new(std::iter::empty()), end, half, 1.0).unwrap().is_none());
    }
}
