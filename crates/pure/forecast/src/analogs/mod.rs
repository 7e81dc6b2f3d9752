//! What came after the most similar moments of the past (analogs; Lorenz 1969, Delle Monache et al. 2013).
//!
//! Bursts that come at their minute, but not every time, have two futures: it comes, or it does not. A middle
//! with a spread around it cannot say so. Where the history shows a short period, the moments at the same
//! place of the last few hundred periods are compared with the present, and what came after the nearest of
//! them are the sample paths. A rolling pinball loss decides whether they are used.

mod past;
mod rating;

use std::cmp::Ordering;

use homeostat_core::draw::{Draws, Key};
use homeostat_core::num;

use past::{Past, decoded};
use rating::Rating;

/// Nearest moments of which paths are made, and the least.
const NEAREST: usize = 200;
const LEAST: usize = 20;
/// Moments are near up to twice the distance of this one, and this much.
const NEAR: (usize, f32) = (20, 0.1);
/// Periods before analogs are looked for.
const PERIODS: usize = 48;
/// Steps between two ratings.
const RATED: u64 = 4;
/// Steps after which the distance of now from an analog counts 1/e.
const FADES: f32 = 8.0;

/// Levels of the pinball loss.
pub(crate) const LEVELS: [f64; 3] = [0.5, 0.9, 0.99];

/// Analogs of one series.
#[derive(Debug, Clone)]
pub(crate) struct Analogs {
    past: Past,
    rating: Rating,
    steps: u64,
}

/// A moment of the past beside the present, on the logarithmic scale.
#[derive(Debug, Clone, Copy)]
struct Moment {
    /// Steps ago.
    back: usize,
    /// How much the present's base is above that of then.
    base: f32,
    /// How much the present is above its base beyond what then was.
    off: f32,
    /// The present's base, and by which share of it what comes is moved.
    now: f32,
    blur: f32,
}

impl Moment {
    /// A value of then, moved to the present. The blur is that of the base: a burst on top of it stays as
    /// high.
    fn moved(&self, value: f32, fades: f32) -> f32 {
        let value = value + self.base + self.off * fades;
        if self.blur == 0.0 {
            return value;
        }
        let share = num::exp_fast(f64::from(self.now - value)).min(1.0);
        value + num::ln(1.0 + f64::from(self.blur) * share) as f32
    }
}

impl Analogs {
    /// Without a period yet; `knots` are the distances at which they are rated.
    pub(crate) fn new(knots: &[usize]) -> Self {
        Self { past: Past::new(), rating: Rating::new(knots), steps: 0 }
    }

    /// Takes the newest value on the logarithmic scale, in a series with a short period of `period` steps
    /// (0: none).
    pub(crate) fn update(&mut self, z: Option<f64>, period: usize) {
        self.past.push(z, period);
        self.rating.came(z, self.steps);
        self.steps += 1;
    }

    /// The scale of the history moved.
    pub(crate) fn rescale(&mut self, map: &dyn Fn(f64) -> f64) {
        self.past.rescale(map);
        self.rating.forget();
    }

    /// Whether the paths are to be made of analogs.
    pub(crate) fn used(&self) -> bool {
        self.past.periods() >= PERIODS && self.rating.better()
    }

    /// Whether [`Self::rate`] should be called now.
    pub(crate) fn due(&self) -> bool {
        self.steps.is_multiple_of(RATED) && self.past.periods() >= PERIODS
    }

    /// Takes note of what both forecasts say: `others` gives the other's quantiles at a distance.
    pub(crate) fn rate(&mut self, others: &dyn Fn(usize) -> [f64; LEVELS.len()]) {
        let furthest = self.rating.furthest(self.past.period());
        let mut moments = self.nearest(furthest);
        if moments.len() < LEAST {
            return;
        }
        self.blur(moments.iter_mut().map(|(_, moment)| moment), &mut Key::root(self.steps).at(0));
        for knot in self.rating.knots(self.past.period()) {
            let fades = fades(knot);
            let mut values: Vec<f32> =
                moments.iter().map(|(_, moment)| self.after(moment, knot, fades)).collect();
            values.sort_unstable_by(f32::total_cmp);
            self.rating.said(self.steps, knot, &values, others(knot));
        }
    }

    /// `count` paths of `steps` steps on the logarithmic scale, path after path; none where too little is
    /// alike.
    pub(crate) fn paths(&self, steps: usize, count: usize, key: Key) -> Option<Vec<f32>> {
        let mut moments = self.nearest(steps);
        if moments.len() < LEAST {
            return None;
        }
        moments.sort_unstable_by(nearer);
        let mut draws = key.at(0);
        for index in (1..moments.len()).rev() {
            moments.swap(index, draws.below(index as u64 + 1) as usize);
        }
        let mut moments: Vec<Moment> =
            moments.iter().cycle().take(count).map(|(_, moment)| *moment).collect();
        self.blur(moments.iter_mut(), &mut draws);
        let fades: Vec<f32> = (1..=steps).map(fades).collect();
        let mut paths = Vec::with_capacity(count * steps);
        for moment in &moments {
            let (sooner, later) = self.past.after(moment.back, steps);
            let (soon, late) = fades.split_at(sooner.len());
            for (values, fades) in [(sooner, soon), (later, late)] {
                paths.extend(
                    values.iter().zip(fades).map(|(value, fades)| moment.moved(decoded(*value), *fades)),
                );
            }
        }
        Some(paths)
    }

    /// Moves each moment's level by chance: how the present goes on is known less well than how that went on.
    fn blur<'a>(&self, moments: impl Iterator<Item = &'a mut Moment>, draws: &mut Draws) {
        let blur = self.rating.blur();
        moments.for_each(|moment| moment.blur = (num::exp_fast(blur * draws.normal()) - 1.0) as f32);
    }

    /// The moments most like the present whose future of `steps` steps is known, and how far they are from
    /// it, in no order.
    fn nearest(&self, steps: usize) -> Vec<(f32, Moment)> {
        let now = self.past.look(0);
        let period = self.past.period();
        let first = steps.div_ceil(period.max(1)).max(1);
        let moment = |back: usize| {
            let then = self.past.look(back);
            let (base, off) = (now.base - then.base, now.short() - then.short());
            let moment = Moment { back, base, off, now: now.base, blur: 0.0 };
            (now.distance(&then), moment)
        };
        let mut all: Vec<(f32, Moment)> = (first..self.past.periods())
            .map(|periods| periods * period)
            .filter(|back| self.past.known(*back, steps))
            .map(moment)
            .filter(|(distance, _)| !distance.is_nan())
            .collect();
        if all.len() > NEAR.0 {
            let far = 2.0 * all.select_nth_unstable_by(NEAR.0, nearer).1.0 + NEAR.1;
            all.retain(|(distance, _)| *distance <= far);
        }
        if all.len() > NEAREST {
            all.select_nth_unstable_by(NEAREST, nearer);
            all.truncate(NEAREST);
        }
        all
    }

    /// The step `ahead` after a moment, moved to the present; of what is off now the share `fades` is left.
    fn after(&self, moment: &Moment, ahead: usize, fades: f32) -> f32 {
        moment.moved(self.past.at(moment.back - ahead), fades)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.past.bytes() + self.rating.bytes()
    }
}

/// By distance, then by age.
fn nearer(a: &(f32, Moment), b: &(f32, Moment)) -> Ordering {
    a.0.total_cmp(&b.0).then(a.1.back.cmp(&b.1.back))
}

/// What is left after `ahead` steps of a distance.
fn fades(ahead: usize) -> f32 {
    num::exp_fast(-f64::from(ahead as f32 / FADES)) as f32
}

#[cfg(test)]
mod tests {
    use homeostat_core::draw::Key;
    use homeostat_core::{Instant, Span};

    use crate::{Forecaster, Settings, Value};

    /// Load of 100 with 5 % of noise; in every second half-hour or so five times as much, from minute 2 to 8.
    fn bursts(days: u64) -> Vec<f64> {
        let mut draws = Key::root(11).at(0);
        let mut values = Vec::new();
        for _ in 0..48 * days {
            let comes = draws.uniform() < 0.4;
            for step in 0..60 {
                let level = if comes && (4..16).contains(&step) { 500.0 } else { 100.0 };
                values.push(level * (1.0 + 0.05 * draws.normal()));
            }
        }
        values
    }

    #[test]
    fn bursts_that_come_at_their_minute_or_do_not_have_two_futures() {
        let step = Span::from_secs(30);
        let settings = Settings { step, horizon: Span::MINUTE * 15, paths: 200, ..Settings::default() };
        let mut forecaster = Forecaster::new(settings);
        let values = bursts(4);
        for (n, value) in values.iter().enumerate() {
            forecaster.update(Instant::ZERO + step * n as u64, Value::Known(*value));
        }
        assert_eq!(forecaster.chosen().model, "analogs");
        // The next half-hour begins now: its burst, if it comes, lasts from step 4 to 15.
        let paths = forecaster.paths(Span::MINUTE * 15);
        let share = |step: usize| {
            let high = paths.iter().filter(|path| path[step] > 300.0).count();
            high as f64 / paths.count() as f64
        };
        assert_eq!((share(2), share(25)), (0.0, 0.0), "quiet before and after");
        assert!((0.25..0.55).contains(&share(8)), "{}", share(8));
        let [low, high] = paths.quantiles(8, [0.05, 0.95]);
        assert!((80.0..120.0).contains(&low) && (430.0..580.0).contains(&high), "{low} {high}");
        assert_eq!(paths, forecaster.paths(Span::MINUTE * 15), "the same again");
    }

    #[test]
    fn without_a_short_period_there_are_none() {
        let mut forecaster = Forecaster::new(Settings::default());
        let mut draws = Key::root(3).at(0);
        for minute in 0..4 * 1_440 {
            let value = 100.0 * (1.0 + 0.1 * draws.normal());
            forecaster.update(Instant::ZERO + Span::MINUTE * minute, Value::Known(value));
        }
        assert_ne!(forecaster.chosen().model, "analogs");
    }
}
