//! One value after the other: what is no load told from no load, by what was seen before.
//!
//! Five things are looked for. An **outage**: traffic that was clearly there falls to under 5 % of its level
//! so fast that chance is out of the question (the squared fall over the noise, summed over the steps, is at
//! least 20: for Poisson counts the chance of that is e⁻²⁰), and has not come back to 20 %. A **silence**:
//! zeros five times as long as the series has ever been quiet, for an hour at least, after two days of
//! history. A **spike**: one value 50 times all recent ones. A **stuck** source: exactly the same value many
//! times where values used to differ. A series that fades into the night, is mostly zero, or is switched off
//! at the same time every day keeps its zeros.

use std::collections::VecDeque;

use homeostat_core::{Instant, Span, num};

use super::Reason;
use super::plateau::Plateau;
use crate::series::Value;

/// Known values that the level and its noise are taken from.
const RECENT: usize = 10;
/// Evidence, as −ln of a chance, beyond which a fall is not chance.
const SURE: f64 = 20.0;
/// Below this share of the level traffic has gone.
const GONE: f64 = 0.05;
/// Above this share of the level it has come back.
const BACK: f64 = 0.2;
/// A low level that lasts so long is the new level.
const NEW_LEVEL: Span = Span(2 * Span::HOUR.0);
/// Zeros that last so long are real.
const REAL_ZERO: Span = Span(3 * Span::DAY.0);
/// How far the time of day of a daily switch-off may move.
const SLACK: Span = Span(75 * Span::MINUTE.0);
/// Switch-offs at the same time of day that make a habit.
const HABIT: usize = 3;
/// A value above so many times all recent ones is a spike.
const SPIKE: f64 = 50.0;
/// Equal values in a row where values used to differ.
const STUCK: usize = 20;

/// What was made of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Screened {
    /// The value for the forecaster.
    pub value: Value,
    /// Why it isn't the value that was seen; `None` where it is.
    pub reason: Option<Reason>,
    /// Since when, where earlier values would have been judged alike.
    pub since: Option<Instant>,
}

/// Traffic fell.
#[derive(Debug, Clone, Copy)]
struct Fall {
    since: Instant,
    /// Level before.
    level: f64,
    /// Noise variance before.
    noise: f64,
    /// Values since, and how many of them were not zero.
    values: usize,
    nonzero: usize,
    sure: bool,
}

/// Judges the values of one series as they come.
#[derive(Debug, Clone)]
pub struct Screen {
    step: Span,
    count: Option<f64>,
    recent: VecDeque<f64>,
    fall: Option<Fall>,
    /// Since when all values are zero.
    quiet: Option<Instant>,
    longest: Span,
    zero_share: f64,
    known: u64,
    /// Starts of long falls.
    offs: VecDeque<Instant>,
    spike: Option<f64>,
    /// Values equal to the one before, in the present run and before it (of how many).
    equal: usize,
    before: (f64, f64),
    plateau: Plateau,
    last: Option<(Instant, f64)>,
}

impl Screen {
    /// A screen of values at steps of `step`; `count` is the size of one count in their unit, where they
    /// are counts (1 / 60 for requests per second from counts per minute).
    pub fn new(step: Span, count: Option<f64>) -> Self {
        Self {
            step,
            count,
            recent: VecDeque::new(),
            fall: None,
            quiet: None,
            longest: Span::ZERO,
            zero_share: 0.0,
            known: 0,
            offs: VecDeque::new(),
            spike: None,
            equal: 0,
            before: (0.0, 0.0),
            plateau: Plateau::default(),
            last: None,
        }
    }

    /// Judges the value of the step that begins at `at`: `None` where nothing was measured.
    pub fn screen(&mut self, at: Instant, raw: Option<f64>, saturated: bool) -> Screened {
        let missing = |reason| Screened { value: Value::Missing, reason: Some(reason), since: None };
        if self.last.is_some_and(|(last, _)| at <= last) {
            return missing(Reason::ClockBack);
        }
        let Some(value) = raw else { return missing(Reason::Gap) };
        if !value.is_finite() {
            return missing(Reason::NotANumber);
        }
        if value < 0.0 {
            return missing(Reason::Negative);
        }
        let verdict = if saturated {
            Some((Reason::Saturated, at))
        } else {
            let stuck = self.stuck(at, value);
            let silence = self.silence(at, value);
            let limit = self.plateau.since(at, value).map(|since| (Reason::Saturated, since));
            let outage = self.outage(at, value).or(silence);
            if outage.is_some() {
                self.plateau.forget();
            }
            outage.or_else(|| self.spike(at, value)).or(limit).or(stuck)
        };
        self.last = Some((at, value));
        self.known += 1;
        match verdict {
            None => {
                if self.fall.is_none() {
                    self.remember(value);
                }
                Screened { value: Value::Known(value), reason: None, since: None }
            }
            Some((Reason::Saturated, since)) => {
                Screened { value: Value::AtLeast(value), reason: Some(Reason::Saturated), since: Some(since) }
            }
            Some((reason, since)) => {
                Screened { value: Value::Missing, reason: Some(reason), since: Some(since) }
            }
        }
    }

    fn remember(&mut self, value: f64) {
        self.recent.push_back(value);
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        let day = (Span::DAY.0 / self.step.0.max(1)).max(1) as f64;
        let zero = f64::from(u8::from(value == 0.0));
        self.zero_share += (zero - self.zero_share) / (self.known as f64 + 1.0).min(day);
    }

    /// Level and noise variance of the recent values.
    fn level(&self) -> Option<(f64, f64)> {
        if self.recent.len() < RECENT {
            return None;
        }
        let mean = self.recent.iter().sum::<f64>() / RECENT as f64;
        let steps = self.recent.iter().zip(self.recent.iter().skip(1));
        let noise = steps.map(|(a, b)| (b - a) * (b - a)).sum::<f64>() / (2.0 * (RECENT - 1) as f64);
        let floor = self.count.map_or(0.05 * 0.05 * mean * mean, |count| count * mean);
        Some((mean, noise.max(floor)))
    }

    fn outage(&mut self, at: Instant, value: f64) -> Option<(Reason, Instant)> {
        let Some(mut fall) = self.fall.take() else {
            let (level, noise) = self.level()?;
            if level <= 0.0 || value > GONE * level || self.zero_share > BACK {
                return None;
            }
            let fall = Fall { since: at, level, noise, values: 0, nonzero: 0, sure: false };
            return self.fallen(fall, at, value);
        };
        if value > if fall.sure { BACK * fall.level } else { GONE * fall.level } {
            self.end(&mut fall, at);
            return None;
        }
        self.fallen(fall, at, value)
    }

    /// One more low value.
    fn fallen(&mut self, mut fall: Fall, at: Instant, value: f64) -> Option<(Reason, Instant)> {
        fall.values += 1;
        fall.nonzero += usize::from(value > 0.0);
        let depth = fall.level - value;
        fall.sure |= depth * depth / fall.noise * fall.values.min(RECENT) as f64 >= SURE;
        let lasted = (at + self.step).since(fall.since);
        let new_level = lasted > NEW_LEVEL && fall.nonzero * 10 > fall.values;
        if new_level || lasted > REAL_ZERO || (!fall.sure && fall.values >= RECENT) {
            self.recent.clear();
            return None;
        }
        let (sure, since) = (fall.sure, fall.since);
        let habit = self.habit(since);
        self.fall = Some(fall);
        (sure && !habit).then_some((Reason::Outage, since))
    }

    fn end(&mut self, fall: &mut Fall, at: Instant) {
        if fall.sure && at.since(fall.since) >= NEW_LEVEL {
            self.offs.push_back(fall.since);
            if self.offs.len() > 14 {
                self.offs.pop_front();
            }
        }
    }

    /// Whether traffic has often been switched off at this time of day.
    fn habit(&self, since: Instant) -> bool {
        same_time_of_day(self.offs.iter().copied(), since) >= HABIT
    }

    fn silence(&mut self, at: Instant, value: f64) -> Option<(Reason, Instant)> {
        let known = |fall: Fall| !fall.sure || self.habit(fall.since);
        if value > 0.0 {
            let quiet = self.fall.is_none_or(known);
            if let Some(since) = self.quiet.take()
                && quiet
            {
                self.longest = self.longest.max(at.since(since));
            }
            return None;
        }
        let since = *self.quiet.get_or_insert(at);
        let length = (at + self.step).since(since);
        let steps = length.0 / self.step.0.max(1);
        let history = self.step * self.known.saturating_sub(steps);
        if self.fall.is_some_and(|fall| fall.sure && self.habit(fall.since)) {
            return None;
        }
        if history < Span::DAY * 2 || length < Span::HOUR || length > REAL_ZERO {
            return None;
        }
        let chance = -num::ln(self.zero_share.clamp(1e-6, 1.0)) * steps as f64;
        (length >= self.longest * 5 && chance >= SURE).then_some((Reason::Silence, since))
    }

    fn spike(&mut self, at: Instant, value: f64) -> Option<(Reason, Instant)> {
        let least = self.recent.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.recent.iter().copied().fold(0.0, f64::max);
        let high = self.recent.len() == RECENT && least > 0.0 && value > SPIKE * most;
        let again = self.spike.take().is_some_and(|before| value >= before / 2.0);
        if !high {
            return None;
        }
        if again {
            self.recent.clear();
            return None;
        }
        self.spike = Some(value);
        Some((Reason::Spike, at))
    }

    fn stuck(&mut self, at: Instant, value: f64) -> Option<(Reason, Instant)> {
        if self.last.is_some_and(|(_, last)| last == value) {
            self.equal += 1;
        } else {
            // A run counts once it has ended: a long one must not excuse itself.
            let day = (Span::DAY.0 / self.step.0.max(1)).max(1) as f64;
            let (equal, all) = self.before;
            let keep = if all > day { 0.5 } else { 1.0 };
            self.before = (keep * (equal + self.equal as f64), keep * (all + self.equal as f64 + 1.0));
            self.equal = 0;
        }
        let (equal, all) = self.before;
        let unusual = all >= (RECENT * 6) as f64 && equal < 0.1 * all;
        (unusual && value > 0.0 && self.equal + 1 >= STUCK)
            .then(|| (Reason::Stuck, at.back(self.step * self.equal as u64)))
    }
}

/// How many of the times are at the time of day of `at`, and not on the same day.
pub(super) fn same_time_of_day(times: impl Iterator<Item = Instant>, at: Instant) -> usize {
    let near = |time: &Instant| {
        let apart = time.0.abs_diff(at.0);
        let phase = apart % Span::DAY.0;
        apart > Span::DAY.0 / 2 && phase.min(Span::DAY.0 - phase) <= SLACK.0
    };
    times.filter(near).count()
}
