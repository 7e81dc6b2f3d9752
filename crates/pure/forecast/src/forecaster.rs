//! One series, from its values to sample paths of its future.

use homeostat_core::draw::Key;
use homeostat_core::{Instant, Span};

use crate::calendar::Calendar;
use crate::model::{Last, Model, Place};
use crate::paths::Paths;
use crate::series::Value;

/// How to forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Length of a step.
    pub step: Span,
    /// Furthest future.
    pub horizon: Span,
    /// Number of sample paths, at least 100.
    pub paths: usize,
    /// Seed of the paths.
    pub seed: u64,
    /// Local time and events.
    pub calendar: Calendar,
    /// Use this model of [`crate::model::NAMES`] alone, for comparisons; `None` lets the errors choose.
    pub only: Option<&'static str>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            step: Span::MINUTE,
            horizon: Span::HOUR,
            paths: 100,
            seed: 1,
            calendar: Calendar::default(),
            only: None,
        }
    }
}

/// Why a model is the one in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nothing else has learned enough yet.
    OnlyOne,
    /// Its error of late is the least.
    LeastError,
    /// A simpler model is as good as the one with the least error.
    SimplestAsGood,
    /// No value was ever known: there is no forecast.
    NoData,
}

/// The model in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    /// Its name; `none` without data.
    pub model: &'static str,
    /// Why.
    pub why: Why,
}

/// Largest relative errors that are kept.
const ERRORS: usize = 1_440;

/// Forecasts one series on line.
pub struct Forecaster {
    settings: Settings,
    last: Last,
    /// When the next step begins; `None` before the first value.
    next: Option<Instant>,
    /// One-step changes, for the paths.
    errors: Vec<f64>,
    seen: usize,
}

impl Forecaster {
    /// A forecaster that knows nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, last: Last::default(), next: None, errors: Vec::new(), seen: 0 }
    }

    /// The settings.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Takes the value of the step that begins at `at`. Steps left out are taken as missing; a step that was
    /// given before is ignored.
    pub fn update(&mut self, at: Instant, value: Value) {
        if self.next.is_some_and(|next| at < next) {
            return;
        }
        let place = self.place(at);
        let mut before = [0.0];
        if self.last.predict(&[place], &mut before)
            && let Some(value) = value.known()
        {
            let error = value - before[0];
            if self.errors.len() < ERRORS {
                self.errors.push(error);
            } else {
                self.errors[self.seen % ERRORS] = error;
            }
            self.seen += 1;
        }
        self.last.update(value, place);
        self.next = Some(at + self.settings.step);
    }

    /// The model in use and why.
    pub fn chosen(&self) -> Chosen {
        match self.next {
            Some(_) => Chosen { model: self.last.name(), why: Why::OnlyOne },
            None => Chosen { model: "none", why: Why::NoData },
        }
    }

    /// Sample paths of the next steps up to `horizon` (at most that of the settings). No paths while
    /// nothing is known: never a silent zero.
    pub fn paths(&self, horizon: Span) -> Paths {
        let step = self.settings.step;
        let from = self.next.unwrap_or(Instant::ZERO);
        let steps = horizon.min(self.settings.horizon).0.div_ceil(step.0.max(1)) as usize;
        let mut paths = Paths { from, step, steps, values: Vec::new() };
        let mut middle = [0.0];
        if !self.last.predict(&[self.place(from)], &mut middle) {
            return paths;
        }
        let key = Key::root(self.settings.seed).child("paths").nth(from.0);
        for path in 0..self.settings.paths {
            let mut draws = key.at(path as u64);
            let mut level = middle[0];
            for _ in 0..steps {
                if !self.errors.is_empty() {
                    level = (level + self.errors[draws.below(self.errors.len() as u64) as usize]).max(0.0);
                }
                paths.values.push(level as f32);
            }
        }
        paths
    }

    fn place(&self, at: Instant) -> Place {
        Place { at, local_seconds: self.settings.calendar.local_seconds(at) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_data_there_are_no_paths() {
        let forecaster = Forecaster::new(Settings::default());
        assert_eq!(forecaster.paths(Span::HOUR).count(), 0);
        assert_eq!(forecaster.chosen().why, Why::NoData);
    }

    #[test]
    fn a_constant_goes_on_and_the_paths_are_the_same_again() {
        let mut forecaster = Forecaster::new(Settings::default());
        for minute in 0..10 {
            forecaster.update(Instant::ZERO + Span::MINUTE * minute, Value::Known(5.0));
        }
        let paths = forecaster.paths(Span::MINUTE * 15);
        assert_eq!((paths.count(), paths.steps), (100, 15));
        assert!(paths.values.iter().all(|value| *value == 5.0));
        assert_eq!(paths, forecaster.paths(Span::MINUTE * 15));
    }
}
