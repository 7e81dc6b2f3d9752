//! One series, from its values to sample paths of its future.

use homeostat_core::draw::Key;
use homeostat_core::{Instant, Span};

use crate::analogs::{self, Analogs};
use crate::calendar::Calendar;
use crate::choice::{Choice, Score, Why};
use crate::history::History;
use crate::model::Place;
use crate::paths::Paths;
use crate::series::Value;
use crate::spread::{LEVELS, Spread, TRAJECTORIES, Trajectories};

/// How to forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Length of a step, at least a second.
    pub step: Span,
    /// Furthest future.
    pub horizon: Span,
    /// Number of sample paths, at least 100.
    pub paths: usize,
    /// Seed of the paths.
    pub seed: u64,
    /// Local time and events.
    pub calendar: Calendar,
    /// Use this model of [`crate::model::NAMES`] alone, for comparisons: the median of the paths is then what
    /// it says, without correction; `None` lets the errors choose.
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

/// The model in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    /// Its name; `none` without data.
    pub model: &'static str,
    /// Why.
    pub why: Why,
}

/// Most steps of a gap that are lived through one by one; what came before a longer gap is forgotten.
const LONGEST_GAP: u64 = 35 * 1_440;

/// Larger values are no measurements: paths hold 32-bit numbers.
const LARGEST: f64 = 1e30;

/// Forecasts one series on line.
pub struct Forecaster {
    settings: Settings,
    steps: usize,
    knots: Vec<usize>,
    history: History,
    choice: Choice,
    spread: Spread,
    trajectories: Trajectories,
    analogs: Option<Analogs>,
    /// When the next step begins; `None` before the first value.
    next: Option<Instant>,
    rejected: u64,
}

impl Forecaster {
    /// A forecaster that knows nothing yet.
    pub fn new(settings: Settings) -> Self {
        let settings = Settings { step: settings.step.max(Span::SECOND), ..settings };
        let steps = settings.horizon.0.div_ceil(settings.step.0).max(1) as usize;
        let knots = knots(steps);
        let history = History::new(settings.step, &settings.calendar.events);
        Self {
            steps,
            choice: Choice::new(&knots, settings.step.as_secs_f64(), settings.only),
            spread: Spread::new(&knots, history.step_s() as f64, settings.only.is_some()),
            trajectories: Trajectories::new(steps),
            analogs: settings.only.is_none().then(|| Analogs::new(&knots)),
            history,
            knots,
            settings,
            next: None,
            rejected: 0,
        }
    }

    /// The settings.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is remembered of the series.
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// Values that were refused so far: not a number, negative, above 1e30, or of a step that was given
    /// before. The first three are taken as missing.
    pub const fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Takes the value of the step that begins at `at`. Steps left out are taken as missing; a step that
    /// was given before is ignored.
    pub fn update(&mut self, at: Instant, value: Value) {
        let step = self.settings.step;
        if let Some(next) = self.next {
            if at < next {
                self.rejected += 1;
                return;
            }
            let gap = at.since(next).0 / step.0;
            if gap > LONGEST_GAP {
                *self = Self { rejected: self.rejected, ..Self::new(self.settings.clone()) };
            } else {
                (0..gap).for_each(|skipped| self.learn(next + step * skipped, Value::Missing));
            }
        }
        let sound = |value: f64| (0.0..=LARGEST).contains(&value);
        let value = match value {
            Value::Known(number) | Value::AtLeast(number) if !sound(number) => {
                self.rejected += 1;
                Value::Missing
            }
            value => value,
        };
        self.learn(at, value);
    }

    fn learn(&mut self, at: Instant, value: Value) {
        let place = self.place(at);
        if let Some(before) = self.history.push(value, place) {
            let after = self.history.scale();
            let map = |z: f64| after.z(before.value(z));
            self.choice.rescale(&map);
            self.spread.rescale(&map);
            self.trajectories.rescale(&map);
            self.analogs.iter_mut().for_each(|analogs| analogs.rescale(&map));
        }
        self.next = Some(at + self.settings.step);
        if self.history.known() == 0 {
            return;
        }
        let scale = self.history.scale();
        self.choice.update(&self.history, value.known());
        let places: Vec<Place> = self.knots.iter().map(|ahead| self.ahead(*ahead)).collect();
        let z = value.known().map(|value| scale.z(value));
        let middles = self.middles(&places);
        self.spread.update(&self.history, z, &places, &middles);
        self.trajectories.update(z);
        self.compare(z);
        if self.trajectories.due() && z.is_some() {
            let places: Vec<Place> = (1..=self.steps).map(|ahead| self.ahead(ahead)).collect();
            let middles = self.middles(&places).into_iter().map(|z| z as f32).collect();
            let around = self.spread.around(&self.history, &places);
            let scales = around.iter().map(|around| around.scale as f32).collect();
            self.trajectories.begin(middles, scales);
        }
    }

    /// Lets the analogs learn, and rates them against the spread.
    fn compare(&mut self, z: Option<f64>) {
        let Some(mut analogs) = self.analogs.take() else { return };
        let step_s = self.history.step_s() as u64;
        let period = self.history.short_period_s().filter(|period| period.is_multiple_of(step_s));
        analogs.update(z, period.map_or(0, |period| (period / step_s) as usize));
        if analogs.due() && z.is_some() {
            let said = |ahead: usize| {
                let places = [self.ahead(ahead)];
                let middle = self.middles(&places)[0];
                let around = self.spread.around(&self.history, &places)[0];
                analogs::LEVELS.map(|level| middle + around.offsets[LEVELS.partition_point(|at| *at < level)])
            };
            analogs.rate(&said);
        }
        self.analogs = Some(analogs);
    }

    /// The model in use at the horizon of the settings, and why.
    pub fn chosen(&self) -> Chosen {
        self.chosen_at(self.settings.horizon)
    }

    /// The model in use at `horizon`, and why.
    pub fn chosen_at(&self, horizon: Span) -> Chosen {
        if self.history.known() == 0 {
            return Chosen { model: "none", why: Why::NoData };
        }
        if self.analogs.as_ref().is_some_and(Analogs::used) {
            return Chosen { model: "analogs", why: Why::LeastError };
        }
        let (model, why) = self.choice.chosen(self.steps_to(horizon).max(1));
        Chosen { model, why }
    }

    /// The rolling error of every model at the distances where they are compared.
    pub fn scores(&self) -> Vec<Score> {
        self.choice.scores()
    }

    /// Memory in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.history.bytes()
            + self.choice.bytes()
            + self.spread.bytes()
            + self.trajectories.bytes()
            + self.analogs.as_ref().map_or(0, Analogs::bytes)
    }

    /// Sample paths of the next steps up to `horizon` (at most that of the settings). No paths while
    /// nothing is known: never a silent zero.
    pub fn paths(&self, horizon: Span) -> Paths {
        let step = self.settings.step;
        let from = self.next.unwrap_or(Instant::ZERO);
        let steps = self.steps_to(horizon);
        let count = self.settings.paths.max(1);
        let mut paths = Paths { from, step, steps, values: Vec::new() };
        if self.history.known() == 0 {
            return paths;
        }
        if let Some(value) = self.history.constant() {
            paths.values = vec![value as f32; count * steps];
            return paths;
        }
        let key = Key::root(self.settings.seed).child("paths").nth(from.0);
        if let Some(alike) = self.analogs.as_ref().filter(|analogs| analogs.used())
            && let Some(logs) = alike.paths(steps, count, key)
        {
            let scale = self.history.scale();
            paths.values = logs.into_iter().map(|z| scale.value(f64::from(z)) as f32).collect();
            return paths;
        }
        let places: Vec<Place> = (1..=steps).map(|ahead| self.ahead(ahead)).collect();
        let middles = self.middles(&places);
        let around = self.spread.around(&self.history, &places);
        let copies = count.div_ceil(TRAJECTORIES);
        let shares = rank_shares(copies);
        let all = TRAJECTORIES * copies;
        let scale = self.history.scale();
        let mut sorted = Vec::with_capacity(steps * all);
        for (middle, around) in middles.iter().zip(&around) {
            let at = around.offsets.map(|offset| scale.value(middle + offset) as f32);
            for (level, shares) in at.windows(2).zip(&shares) {
                sorted.extend(shares.iter().map(|share| level[0] + (level[1] - level[0]) * share));
            }
        }
        let order = Trajectories::order(key);
        let ranks = &self.trajectories.ranks()[..steps];
        paths.values = vec![0.0; count * steps];
        for (path, values) in paths.values.chunks_exact_mut(steps).enumerate() {
            let (copy, trajectory) = (path / TRAJECTORIES, usize::from(order[path % TRAJECTORIES]));
            let mut place = copy;
            for (value, ranks) in values.iter_mut().zip(ranks) {
                *value = sorted[place + usize::from(ranks[trajectory]) * copies];
                place += all;
            }
        }
        paths
    }

    fn steps_to(&self, horizon: Span) -> usize {
        horizon.min(self.settings.horizon).0.div_ceil(self.settings.step.0) as usize
    }

    /// Middles on the logarithmic scale.
    fn middles(&self, places: &[Place]) -> Vec<f64> {
        let mut out = vec![0.0; places.len()];
        if !self.choice.middle(&self.history, places, &mut out) {
            out.fill(self.history.last_known().unwrap_or(0.0));
        }
        let scale = self.history.scale();
        for value in &mut out {
            *value = scale.z(*value);
        }
        out
    }

    fn ahead(&self, ahead: usize) -> Place {
        let next = self.next.unwrap_or(Instant::ZERO);
        self.place(next + self.settings.step * (ahead as u64 - 1))
    }

    fn place(&self, at: Instant) -> Place {
        Place { at, local_seconds: self.settings.calendar.local_seconds(at) }
    }
}

/// The distances at which models are compared and spreads are learned, for a horizon of `steps`: 1, 2, 5,
/// 10, 15, 30, 45 and 60 of 60.
fn knots(steps: usize) -> Vec<usize> {
    let mut knots: Vec<usize> =
        [1, 2, 5, 10, 15, 30, 45, 60].iter().map(|of_60| (steps * of_60).div_ceil(60)).collect();
    knots[0] = 1;
    knots.dedup();
    knots
}

/// For each level but the last, the paths from there to the next in the order of their ranks: how far on they
/// are. The lowest path stands at level 0 and the highest at 1, so that quantiles of the paths (type 7) are
/// those of the distribution.
fn rank_shares(copies: usize) -> [Vec<f32>; LEVELS.len() - 1] {
    let mut shares = [const { Vec::new() }; LEVELS.len() - 1];
    let all = TRAJECTORIES * copies;
    for rank in 0..all {
        let level = rank as f64 / (all - 1) as f64;
        let below = LEVELS.partition_point(|at| *at <= level).clamp(1, LEVELS.len() - 1) - 1;
        shares[below].push(((level - LEVELS[below]) / (LEVELS[below + 1] - LEVELS[below])) as f32);
    }
    shares
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

    /// Two weeks of days that go from 20 to 180, with noise, in steps of `step`.
    fn daily(step: Span) -> Vec<f64> {
        let mut draws = Key::root(4).at(0);
        let steps = 14 * Span::DAY.0 / step.0;
        let turn = |n: u64| std::f64::consts::TAU * (n * step.0) as f64 / Span::DAY.0 as f64;
        let course = |n: u64| 100.0 + 80.0 * homeostat_core::num::sin(turn(n));
        (0..steps).map(|n| course(n) * (1.0 + 0.03 * draws.normal())).collect()
    }

    #[test]
    fn the_median_of_a_model_alone_is_what_it_says() {
        let settings = Settings { only: Some("last"), ..Settings::default() };
        let mut forecaster = Forecaster::new(settings);
        let values = daily(Span::MINUTE);
        let (mut ours, mut plain) = (0.0, 0.0);
        for (minute, value) in values.iter().enumerate() {
            forecaster.update(Instant::ZERO + Span::MINUTE * minute as u64, Value::Known(*value));
            let Some(came) = values.get(minute + 60).filter(|_| minute > 2_880 && minute % 7 == 0) else {
                continue;
            };
            let paths = forecaster.paths(Span::HOUR);
            for ahead in [5, 15, 60] {
                let [median] = paths.quantiles(ahead - 1, [0.5]);
                assert!((median / value - 1.0).abs() < 0.02, "{median} after {value}, {ahead} ahead");
            }
            ours += (came - paths.quantiles(59, [0.5])[0]).abs();
            plain += (came - value).abs();
        }
        assert!((ours / plain - 1.0).abs() < 0.02, "{ours} instead of {plain}");
    }

    #[test]
    fn hours_two_days_ahead_follow_the_day() {
        let horizon = Span::HOUR * 48;
        let mut forecaster = Forecaster::new(Settings { step: Span::HOUR, horizon, ..Settings::default() });
        let values = daily(Span::HOUR);
        let (known, came) = values.split_at(values.len() - 48);
        for (hour, value) in known.iter().enumerate() {
            forecaster.update(Instant::ZERO + Span::HOUR * hour as u64, Value::Known(*value));
        }
        let paths = forecaster.paths(horizon);
        let error: f64 = came.iter().enumerate().map(|(n, v)| (v - paths.quantiles(n, [0.5])[0]).abs()).sum();
        let wape = error / came.iter().sum::<f64>();
        assert!(wape < 0.06, "{wape}, noise has 0.024");
        let models: Vec<_> = (1..=48).map(|hour| forecaster.chosen_at(Span::HOUR * hour).model).collect();
        assert!(models.iter().all(|model| *model == models[0]), "one model at all distances: {models:?}");
    }

    #[test]
    fn knots_grow_from_one_step_to_the_horizon() {
        assert_eq!(knots(60), [1, 2, 5, 10, 15, 30, 45, 60]);
        assert_eq!(knots(48), [1, 2, 4, 8, 12, 24, 36, 48]);
        assert_eq!(knots(1), [1]);
    }
}
