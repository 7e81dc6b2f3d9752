//! Rolling-origin back-tests: every forecaster meets the same origins in order of time and knows only what
//! was before each.
//!
//! The target is the mean of the step that ends the horizon after the origin. Targets that are not known are
//! left out for all, and so are origins at which a compared forecaster says nothing.

mod table;

pub use table::{Row, by_day, losses, scores};

use homeostat_core::Span;

use crate::forecaster::{Forecaster, Settings};
use crate::model;
use crate::series::Series;

/// Levels of the quantiles that are scored.
pub const LEVELS: [f64; 5] = [0.05, 0.5, 0.9, 0.95, 0.99];

/// Name of the forecaster that chooses its model itself.
pub const AUTOMATIC: &str = "automatic";

/// Where forecasts are made.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// How far ahead; rounded up to whole steps, at least one.
    pub horizons: Vec<Span>,
    /// Index of the first step that is not known at the first origin.
    pub first: usize,
    /// Steps from origin to origin.
    pub every: usize,
    /// Steps of the tuning part: MASE is relative to the last value's error there.
    pub tuning: usize,
    /// Size of one count in the unit of the series, where values are counts: coverage is then by
    /// randomised PIT on whole counts.
    pub count: Option<f64>,
    /// Seed of what coverage draws.
    pub seed: u64,
}

/// Origins that a plan has at least, where the series allows.
pub const FEWEST: usize = 300;

impl Plan {
    /// About `wanted` origins (at least [`FEWEST`]) from step `first` on. The distance between them is a
    /// prime number of steps, so that origins fall on every minute of the hour.
    pub fn spread(series: &Series, horizons: Vec<Span>, first: usize, wanted: usize) -> Self {
        let mut plan = Self { horizons, first, every: 1, tuning: first, count: None, seed: 1 };
        let room = plan.origins(series).count();
        plan.every = largest_prime(room / wanted.max(FEWEST));
        plan
    }

    /// Steps ahead of each horizon.
    pub fn steps(&self, step: Span) -> Vec<usize> {
        self.horizons.iter().map(|h| (h.0.div_ceil(step.0.max(1)) as usize).max(1)).collect()
    }

    /// The origins: index of the first step that is not known. Every target lies within the series.
    pub fn origins(&self, series: &Series) -> impl Iterator<Item = usize> + use<> {
        let furthest = self.steps(series.step).into_iter().max().unwrap_or(1);
        let end = (series.values.len() + 1).saturating_sub(furthest);
        (self.first.max(1)..end).step_by(self.every.max(1))
    }
}

/// The largest prime number up to `n`, at least 1.
fn largest_prime(n: usize) -> usize {
    let prime = |n: &usize| (2..*n).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d));
    (2..=n).rev().find(prime).unwrap_or(1)
}

/// What one forecaster said at every origin. Forecasts of others come in the same form.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecasts {
    /// The forecaster.
    pub name: String,
    /// Quantiles at [`LEVELS`], origin after origin, within one horizon after horizon; `None` where it said
    /// nothing.
    pub quantiles: Vec<Option<[f64; 5]>>,
    /// The model in use at each origin; empty where that is not told.
    pub used: Vec<&'static str>,
}

impl Forecasts {
    /// The forecaster `name`, which has said nothing yet at the plan's origins.
    pub fn silent(name: &str, series: &Series, plan: &Plan) -> Self {
        let places = plan.origins(series).count() * plan.horizons.len();
        Self { name: name.to_owned(), quantiles: vec![None; places], used: Vec::new() }
    }
}

/// Names of the forecasters that are compared: every model alone, then the automatic choice.
pub fn names() -> impl Iterator<Item = &'static str> {
    model::NAMES.into_iter().chain([AUTOMATIC])
}

/// Runs one forecaster of [`names`] over the series. `at` hears the index of every origin.
pub fn forecast(
    series: &Series,
    settings: &Settings,
    plan: &Plan,
    name: &'static str,
    at: &dyn Fn(usize),
) -> Forecasts {
    let steps = plan.steps(series.step);
    let furthest = steps.iter().max().map_or(Span::ZERO, |steps| series.step * *steps as u64);
    let mut forecaster = Forecaster::new(Settings {
        step: series.step,
        horizon: settings.horizon.max(furthest),
        only: (name != AUTOMATIC).then_some(name),
        ..settings.clone()
    });
    let mut said = Forecasts::silent(name, series, plan);
    let mut next = 0;
    for (place, origin) in plan.origins(series).enumerate() {
        for index in next..origin {
            forecaster.update(series.at(index), series.values[index]);
        }
        next = origin;
        at(origin);
        let paths = forecaster.paths(furthest);
        said.used.push(forecaster.chosen().model);
        for (k, ahead) in steps.iter().enumerate().filter(|_| paths.count() > 0) {
            said.quantiles[place * steps.len() + k] = Some(paths.quantiles(ahead - 1, LEVELS));
        }
    }
    said
}

/// Runs and scores all forecasters of [`names`], one after the other.
pub fn run(series: &Series, settings: &Settings, plan: &Plan) -> Vec<Row> {
    let all: Vec<Forecasts> = names().map(|name| forecast(series, settings, plan, name, &|_| ())).collect();
    scores(series, plan, &all)
}

#[cfg(test)]
mod tests;
