//! Forecasts beside what then happened: the notes of the decisions in windows, at the times they speak of.

use homeostat_core::decision::{FORECAST_LEVELS, ForecastNote};
use homeostat_core::{Instant, Span};
use serde::{Deserialize, Serialize};

use super::series::{Merge, Windows};

/// Levels of the quantiles.
const LEVELS: usize = FORECAST_LEVELS.len();

/// What a service's policy expected over time and what came, one value per window; `None` where nothing
/// was expected or measured.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ForecastSeries {
    /// Name of the service.
    pub service: String,
    /// Length of a window in seconds.
    pub step_s: f64,
    /// From a decision to the middle of the stretch that it expected something of, mean in seconds.
    pub ahead_s: f64,
    /// Quantiles of the load in requests per second at the levels of [`FORECAST_LEVELS`], in the window in
    /// which the middle of their stretch falls; the mean where several do.
    pub expected: [Vec<Option<f64>>; LEVELS],
    /// Requests per second that arrived, retries included.
    pub arrived: Vec<Option<f64>>,
}

/// What is known of one window.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    notes: u64,
    milli: [i64; LEVELS],
    arrived: u64,
    elapsed: Span,
}

impl Merge for Cell {
    fn merge(&mut self, next: &Self) {
        self.notes += next.notes;
        for (sum, more) in self.milli.iter_mut().zip(next.milli) {
            *sum += more;
        }
        self.arrived += next.arrived;
        self.elapsed += next.elapsed;
    }
}

impl Cell {
    fn expected(&self, level: usize) -> Option<f64> {
        (self.notes > 0).then(|| self.milli[level] as f64 / 1e3 / self.notes as f64)
    }

    fn arrived(&self) -> Option<f64> {
        (self.elapsed > Span::ZERO).then(|| self.arrived as f64 / self.elapsed.as_secs_f64())
    }
}

/// The notes of one service.
#[derive(Debug, Clone)]
pub(crate) struct Forecasts {
    windows: Windows<Cell>,
    /// The last decision, and what had arrived until then.
    last: (Instant, u64),
    notes: u64,
    ahead: u128,
}

impl Forecasts {
    pub(crate) const fn new(start: Instant, step: Span) -> Self {
        Self { windows: Windows::new(start, step), last: (start, 0), notes: 0, ahead: 0 }
    }

    /// A decision at `now`, until which `arrived` requests had arrived. Keeps nothing before the first note.
    pub(crate) fn decided(&mut self, now: Instant, arrived: u64, note: Option<&ForecastNote>) {
        let (before, had) = std::mem::replace(&mut self.last, (now, arrived));
        if self.notes > 0 && now > before {
            let cell = self.windows.at(middle(before, now).0).0;
            cell.arrived += arrived - had;
            cell.elapsed += now.since(before);
        }
        if let Some(note) = note {
            let at = middle(note.from, note.until);
            self.notes += 1;
            self.ahead += u128::from(at.since(now).0);
            let cell = self.windows.at(at.0).0;
            cell.notes += 1;
            for (sum, milli) in cell.milli.iter_mut().zip(note.milli) {
                *sum += milli;
            }
        }
    }

    /// All of it up to `span` after the start; `None` where nothing was ever forecast.
    pub(crate) fn series(&self, service: &str, span: Span) -> Option<ForecastSeries> {
        if self.notes == 0 {
            return None;
        }
        let step = self.windows.step();
        let cells = || self.windows.items().iter().take(span.0.div_ceil(step.0) as usize);
        Some(ForecastSeries {
            service: service.to_owned(),
            step_s: step.as_secs_f64(),
            ahead_s: self.ahead as f64 / self.notes as f64 / 1e9,
            expected: std::array::from_fn(|level| cells().map(|cell| cell.expected(level)).collect()),
            arrived: cells().map(Cell::arrived).collect(),
        })
    }
}

const fn middle(from: Instant, until: Instant) -> Instant {
    Instant(u64::midpoint(from.0, until.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: Span = Span::from_secs(10);

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Span::from_secs(seconds)
    }

    fn note(from: u64, until: u64, median: i64) -> ForecastNote {
        ForecastNote { from: at(from), until: at(until), milli: [1, median, 3, 4, 5].map(|m| m * 1_000) }
    }

    #[test]
    fn a_note_stands_where_it_looks_and_arrivals_where_they_came() {
        let mut forecasts = Forecasts::new(at(0), STEP);
        forecasts.decided(at(5), 100, Some(&note(20, 30, 2)));
        forecasts.decided(at(15), 150, Some(&note(24, 28, 3)));
        forecasts.decided(at(25), 150, None);
        let series = forecasts.series("web", Span::from_secs(25)).unwrap();
        assert_eq!(series.expected[1], [None, None, Some(2.5)]);
        assert_eq!(series.expected[4], [None, None, Some(5.0)]);
        assert_eq!(series.arrived, [None, Some(5.0), Some(0.0)]);
        assert_eq!((series.ahead_s, series.step_s), (15.5, 10.0));
    }

    #[test]
    fn windows_merge_to_means_and_nothing_is_kept_without_a_forecast() {
        let mut forecasts = Forecasts::new(at(0), STEP);
        for k in 0..3_000 {
            forecasts.decided(at(k * 10), k * 40, Some(&note(k * 10, k * 10 + 10, 2 + (k % 2) as i64)));
        }
        let series = forecasts.series("web", Span::from_secs(30_000)).unwrap();
        assert_eq!((series.step_s, series.arrived.len()), (40.0, 750));
        assert!(series.expected[1].iter().all(|median| *median == Some(2.5)));
        assert!(series.arrived.iter().all(|rate| *rate == Some(4.0)));
        let mut none = Forecasts::new(at(0), STEP);
        none.decided(at(10), 100, None);
        assert_eq!(none.series("web", Span::HOUR), None);
    }
}
