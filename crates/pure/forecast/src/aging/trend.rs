//! The trend behind a verdict: blocks made ready, the clock chosen, the load to come.

use homeostat_core::Instant;

use super::blocks::{Block, Blocks};
use super::outlook::Outlook;
use super::reach::{Reach, reach};
use crate::trend::blend::Blend;
use crate::trend::median;
use crate::trend::shape::{Clock, LOADS, Moment, Points, Shape, Term};

/// A load that varies by less than this share says nothing.
const STEADY: f64 = 0.01;
/// The clock of requests is tried where load varies by more than this share.
const UNEVEN: f64 = 0.1;
/// A day, in hours.
const DAY: f64 = 24.0;
/// A block this many times as far from the median of its neighbours as is usual is a wild value (Hampel).
const WILD: f64 = 6.0;

/// Probabilities by which times are told: the low end, the time itself, the high end. Too late costs more
/// than too early, hence a quarter.
const SHARES: [f64; 3] = [0.05, 0.25, 0.95];

/// A trend fitted to blocks.
#[derive(Debug, Clone)]
pub struct Trend {
    pub(crate) blend: Blend,
    /// Middle of the newest block: zero of the clock.
    pub now: Instant,
    /// Hours of the blocks' middles before `now`, at most 0.
    pub hours: Vec<f64>,
    /// Block means in the signal's unit.
    pub values: Vec<f64>,
    moments: Vec<Moment>,
    /// Load to come, as it is and as it lingers, where load varies.
    outlook: Option<[Outlook; LOADS]>,
    mean_load: f64,
    /// A shape counts in requests.
    by_requests: bool,
}

/// The growth behind a slope, as one shape has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Growth {
    /// For how many hours.
    pub(crate) hours: f64,
    /// By how much.
    pub(crate) by: f64,
    /// The later half brought at least twice as much as the earlier.
    pub(crate) convex: bool,
    /// What it gave back at once, at least.
    pub(crate) fell: f64,
}

impl Trend {
    /// Fits the blocks; `None` where load and time can't be told apart.
    pub(crate) fn fit(blocks: &Blocks, with_load: bool) -> Option<Self> {
        let whole = blocks.whole();
        let newest = whole.last()?;
        let hours: Vec<f64> = whole.iter().map(|block| f64::from(block.hours - newest.hours)).collect();
        let mut values: Vec<f64> = whole.iter().map(|block| blocks.origin + f64::from(block.value)).collect();
        tame(&mut values);
        let (mean_load, spread) = load_spread(whole);
        let varies = with_load && spread >= STEADY;
        let requests = with_load && spread > UNEVEN && mean_load > 0.0;
        let moments = moments(whole, &hours, requests.then_some(mean_load));
        let points = Points { moments: &moments, values: &values, load: varies, requests };
        let blend = Blend::fit(&points)?;
        let series = |i: usize| -> Outlook {
            Outlook::new(&hours, &moments.iter().map(|moment| moment.load[i]).collect::<Vec<_>>())
        };
        let outlook = varies.then(|| std::array::from_fn(series));
        let now = blocks.middle(newest);
        let by_requests = blend.shapes.iter().any(|(_, shape)| shape.terms.iter().any(counts_requests));
        Some(Self { blend, now, hours, values, moments, outlook, mean_load, by_requests })
    }

    /// What is expected so many hours from now, with the load of earlier days.
    fn future(&self, ahead: f64) -> Moment {
        let Some(loads) = &self.outlook else {
            return Moment { hours: ahead, requests: ahead, ..Moment::default() };
        };
        Moment {
            hours: ahead,
            requests: if self.by_requests { self.requests_ahead(ahead, &loads[0]) } else { ahead },
            load: std::array::from_fn(|i| loads[i].at(ahead)),
        }
    }

    /// Reading of the clock of requests after so many hours: whole days bring the mean.
    fn requests_ahead(&self, ahead: f64, load: &Outlook) -> f64 {
        if self.mean_load <= 0.0 {
            return ahead;
        }
        let part = ahead % DAY;
        let pieces = part.ceil().max(1.0);
        let sum: f64 = (0..pieces as u32).map(|i| load.at(part * (f64::from(i) + 0.5) / pieces)).sum();
        ahead - part + part * sum / pieces / self.mean_load
    }

    /// The times by which the limit is reached with a probability of 5, 25 and 95 %, hours from `now`, where
    /// load jitters with this standard deviation, and whether each shape reaches it within its hours of
    /// `near`.
    pub(crate) fn reaches(&self, limit: f64, jitter: f64, near: &[f64]) -> Reach<3> {
        let future = |ahead: f64| {
            let error = self.outlook.as_ref().map_or(0.0, |loads| loads[0].error(ahead));
            (self.future(ahead), error)
        };
        reach(&self.blend, limit, jitter, SHARES, near, future)
    }

    /// The parts of the likeliest shape beside level and load, in words, with hours before now.
    pub fn terms(&self) -> Vec<(&'static str, f64)> {
        let word = |term: &Term| match term {
            Term::Line(Clock::Hours) => ("line", 0.0),
            Term::Line(Clock::Requests) => ("line by requests", 0.0),
            Term::Bend(Clock::Hours, place) => ("bend", -place),
            Term::Bend(Clock::Requests, place) => ("bend by requests", -place),
            Term::Curve(place) => ("curve", -place),
            Term::Plateau(_, constant) => ("plateau", *constant),
            Term::Step(place, _) => ("step", -place),
        };
        self.blend.first().terms.iter().map(word).collect()
    }

    /// The growth since the present trend began, by each shape.
    pub(crate) fn growths(&self) -> Vec<Growth> {
        let (first, last) = (self.moments[0], self.moments[self.moments.len() - 1]);
        let middle = self.moments[self.hours.partition_point(|at| *at < first.hours / 2.0)];
        let growth = |shape: &Shape| {
            let from = shape.since().map_or(first.hours, |since| since.max(first.hours));
            let since = self.moments[self.hours.partition_point(|at| *at < from).min(self.moments.len() - 1)];
            let (early, late) = (shape.grown(&first, &middle), shape.grown(&middle, &last));
            Growth {
                hours: -since.hours,
                by: shape.grown(&since, &last),
                convex: late > 0.0 && late >= 2.0 * early,
                fell: shape.deepest_fall(),
            }
        };
        self.blend.shapes.iter().map(|(_, shape)| growth(shape)).collect()
    }

    /// The fitted level at block `index`, load included.
    pub fn fitted(&self, index: usize) -> f64 {
        self.blend.mean(|shape| shape.level(&self.moments[index]).0)
    }

    /// The level expected `ahead` hours from now, and the ends of the 90 % band of the trend.
    pub fn ahead(&self, ahead: f64) -> [f64; 3] {
        self.blend.level(&self.future(ahead))
    }
}

/// Whether a term's place in time is a count of requests.
const fn counts_requests(term: &Term) -> bool {
    matches!(term, Term::Line(Clock::Requests) | Term::Bend(Clock::Requests, _))
}

/// Mean load of the blocks and by what share of it load varies.
fn load_spread(whole: &[Block]) -> (f64, f64) {
    let n = whole.len() as f64;
    let load = || whole.iter().map(|block| f64::from(block.load[0]));
    let mean = load().sum::<f64>() / n;
    let variance = load().map(|load| (load - mean) * (load - mean)).sum::<f64>() / n;
    (mean, if mean == 0.0 { 0.0 } else { variance.sqrt() / mean.abs() })
}

/// The regressors of the blocks; the clock of requests, in hours of the mean load, where that is given.
fn moments(whole: &[Block], hours: &[f64], mean_load: Option<f64>) -> Vec<Moment> {
    let load: Vec<f64> = whole.iter().map(|block| f64::from(block.load[0])).collect();
    let requests = mean_load.map_or_else(|| hours.to_vec(), |mean| exposure(hours, &load, mean));
    let block =
        |i: usize| Moment { hours: hours[i], requests: requests[i], load: whole[i].load.map(f64::from) };
    (0..whole.len()).map(block).collect()
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
