//! The trend behind a verdict: blocks made ready, the clock chosen, the load to come.

use homeostat_core::Instant;

use super::blocks::{Block, Blocks};
use crate::trend::median;
use crate::trend::shape::{Moment, Points, Shape, Term};

/// A load that varies by less than this share says nothing.
const STEADY: f64 = 0.01;
/// The clock of requests is tried where load varies by more than this share.
const UNEVEN: f64 = 0.1;
/// By how much the clock of requests must be better (Schwarz's criterion).
const BETTER: f64 = 6.0;
/// A day, in hours: load is expected to come back.
const DAY: f64 = 24.0;
/// A block this many times as far from the median of its neighbours as is usual is a wild value (Hampel).
const WILD: f64 = 6.0;

/// A trend fitted to blocks.
#[derive(Debug, Clone)]
pub struct Trend {
    pub(crate) shape: Shape,
    /// Middle of the newest block: zero of the clock.
    pub now: Instant,
    /// Hours of the blocks' middles before `now`, at most 0.
    pub hours: Vec<f64>,
    /// Block means in the signal's unit.
    pub values: Vec<f64>,
    /// Whether the clock counts requests instead of hours.
    pub by_requests: bool,
    clock: Vec<f64>,
    load: Vec<f64>,
    lingering: Vec<f64>,
    mean_load: f64,
}

impl Trend {
    /// Fits the blocks; `None` where load and time can't be told apart.
    pub(crate) fn fit(blocks: &Blocks, with_load: bool) -> Option<Self> {
        let whole = blocks.whole();
        let newest = whole.last()?;
        let hours: Vec<f64> = whole.iter().map(|block| f64::from(block.hours - newest.hours)).collect();
        let mut values: Vec<f64> = whole.iter().map(|block| blocks.origin + f64::from(block.value)).collect();
        tame(&mut values);
        let (load, lingering, spread) = loads(whole, with_load);
        let mean_load = load.iter().sum::<f64>() / load.len().max(1) as f64;
        let points = Points { clock: &hours, value: &values, load: &load, lingering: &lingering };
        let mut shape = Shape::fit(&points)?;
        let mut clock = hours.clone();
        let mut by_requests = false;
        if spread > UNEVEN && mean_load > 0.0 {
            let requests = exposure(&hours, &load, mean_load);
            let other = Shape::fit(&Points { clock: &requests, ..points });
            if let Some(other) = other.filter(|other| other.criterion + BETTER < shape.criterion) {
                (shape, clock, by_requests) = (other, requests, true);
            }
        }
        let now = blocks.middle(newest);
        Some(Self { shape, now, hours, values, by_requests, clock, load, lingering, mean_load })
    }

    /// What is expected so many hours from now: the load of a day before, or the mean where the history is
    /// shorter than a day.
    pub(crate) fn future(&self, ahead: f64) -> Moment {
        if self.load.is_empty() {
            return Moment { clock: ahead, ..Moment::default() };
        }
        let clock = if self.by_requests { self.requests_ahead(ahead) } else { ahead };
        let (load, lingering) = match self.a_day_before(ahead) {
            Some(index) => (self.load[index], self.lingering[index]),
            None => (self.mean_load, self.mean_load),
        };
        Moment { clock, load, lingering }
    }

    /// The block at the same time of an earlier day.
    fn a_day_before(&self, ahead: f64) -> Option<usize> {
        let back = ahead - DAY * (ahead / DAY).ceil().max(1.0);
        (self.hours[0] <= back).then(|| self.index_at(back))
    }

    /// The last block that begins at or before `hours`.
    fn index_at(&self, hours: f64) -> usize {
        self.hours.partition_point(|at| *at <= hours).saturating_sub(1)
    }

    /// Reading of the clock of requests after so many hours.
    fn requests_ahead(&self, ahead: f64) -> f64 {
        if self.hours[0] > -DAY {
            return ahead;
        }
        let day = -self.clock_at(-DAY);
        let whole = (ahead / DAY).floor();
        let part = ahead - whole * DAY;
        whole * day + self.clock_at(part - DAY) + day
    }

    fn clock_at(&self, hours: f64) -> f64 {
        let i = self.index_at(hours).min(self.hours.len().saturating_sub(2));
        let (from, to) = (self.hours[i], self.hours[i + 1]);
        self.clock[i] + (self.clock[i + 1] - self.clock[i]) * (hours - from) / (to - from)
    }

    /// The terms beside a straight line, in words: `bend`, `step` or `curve`, with hours before now.
    pub fn terms(&self) -> Vec<(&'static str, f64)> {
        let hours = |place: f64| {
            let index = self.clock.partition_point(|clock| *clock < place);
            -self.hours.get(index).copied().unwrap_or(0.0)
        };
        let word = |term: &Term| match term {
            Term::Bend(place) => ("bend", hours(*place)),
            Term::Step(place) => ("step", hours(*place)),
            Term::Curve(place) => ("curve", hours(*place)),
        };
        self.shape.terms.iter().map(word).collect()
    }

    /// Since when the present trend has lasted, by the clock (about hours before now, at most 0).
    pub(crate) fn since(&self) -> f64 {
        self.shape.since(self.clock[0])
    }

    /// The fitted level at block `index`, load included.
    pub fn fitted(&self, index: usize) -> f64 {
        let load = |loads: &[f64]| loads.get(index).copied().unwrap_or(0.0);
        let moment =
            Moment { clock: self.clock[index], load: load(&self.load), lingering: load(&self.lingering) };
        self.shape.level(&moment)
    }

    /// The level expected `ahead` hours from now, and the ends of the 90 % band of the trend.
    pub fn ahead(&self, ahead: f64) -> [f64; 3] {
        let (level, error) = self.shape.level_with_error(&self.future(ahead));
        let half = self.shape.quantile * error;
        [level - half, level, level + half]
    }
}

/// Load of the blocks and how much it varies; empty where it says nothing.
fn loads(whole: &[Block], with_load: bool) -> (Vec<f64>, Vec<f64>, f64) {
    if !with_load {
        return (Vec::new(), Vec::new(), 0.0);
    }
    let load: Vec<f64> = whole.iter().map(|block| f64::from(block.load)).collect();
    let n = load.len() as f64;
    let mean = load.iter().sum::<f64>() / n;
    let variance = load.iter().map(|load| (load - mean) * (load - mean)).sum::<f64>() / n;
    let spread = if mean == 0.0 { 0.0 } else { variance.sqrt() / mean.abs() };
    if spread < STEADY {
        return (Vec::new(), Vec::new(), spread);
    }
    (load, whole.iter().map(|block| f64::from(block.lingering)).collect(), spread)
}

/// Requests since each block until the newest, negative, in hours of the mean load.
fn exposure(hours: &[f64], load: &[f64], mean: f64) -> Vec<f64> {
    let mut clock = vec![0.0; hours.len()];
    for i in (0..hours.len().saturating_sub(1)).rev() {
        let step = (hours[i + 1] - hours[i]) * f64::midpoint(load[i], load[i + 1]) / mean;
        clock[i] = clock[i + 1] - step.max(0.0);
    }
    clock
}

/// Wild values become the median of five neighbours.
fn tame(values: &mut [f64]) {
    let smooth: Vec<f64> = (0..values.len())
        .map(|i| {
            let from = i.saturating_sub(2).min(values.len().saturating_sub(5));
            let mut near: Vec<f64> = values[from..values.len().min(from + 5)].to_vec();
            median(&mut near).unwrap_or(values[i])
        })
        .collect();
    let mut off: Vec<f64> = values.iter().zip(&smooth).map(|(value, near)| (value - near).abs()).collect();
    let usual = 1.482_6 * median(&mut off).unwrap_or(0.0);
    if usual > 0.0 {
        for (value, near) in values.iter_mut().zip(&smooth) {
            if (*value - near).abs() > WILD * usual {
                *value = *near;
            }
        }
    }
}
