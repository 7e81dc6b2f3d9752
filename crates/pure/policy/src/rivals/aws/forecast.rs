//! Load by the hour: what is remembered of it, and the forecast of the next two days.
//!
//! A day's profile, weekdays and a level, multiplied: load(h) ≈ level × profile(hour of the day) × weekday.
//! The profile is the mean share of each hour in its day, a weekday counts from a week of data on, and the
//! level is that of the last 24 hours.

use std::collections::VecDeque;

use homeostat_core::{Instant, Span};

/// Hours that are remembered: 14 days.
const KEPT: usize = 14 * DAY;
/// Hours that are needed before there is a forecast.
const LEAST: usize = DAY;
const DAY: usize = 24;
const WEEK: usize = 7 * DAY;

/// Mean rates by the hour (UTC), in requests per second; `None` where nothing is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Hours {
    /// The hour, counted from the epoch, that is being added up.
    current: u64,
    sum: f64,
    /// Values or, in a series, steps that were added up.
    count: f64,
    done: VecDeque<Option<f64>>,
}

impl Hours {
    /// Adds a rate measured at `at`. Values come in order of time.
    pub(super) fn push(&mut self, at: Instant, rate: Option<f64>) {
        let hour = hour_of(at);
        if self.done.is_empty() && self.count == 0.0 {
            self.current = hour;
        }
        while self.current < hour {
            self.done.push_back((self.count > 0.0).then(|| self.sum / self.count));
            (self.sum, self.count) = (0.0, 0.0);
            self.current += 1;
            if self.done.len() > KEPT {
                self.done.pop_front();
            }
        }
        if let Some(rate) = rate {
            self.sum += rate;
            self.count += 1.0;
        }
    }

    /// The known hours and their rates, from the oldest on.
    fn known(&self) -> impl Iterator<Item = (u64, f64)> + '_ {
        let first = self.current - self.done.len() as u64;
        self.done.iter().enumerate().filter_map(move |(i, rate)| Some((first + i as u64, (*rate)?)))
    }

    /// The forecast that can be made now; `None` with less than 24 known hours.
    pub(super) fn forecast(&self) -> Option<Forecast> {
        if self.known().count() < LEAST {
            return None;
        }
        let mean = mean(self.known().map(|(_, rate)| rate));
        let mut profile = [1.0; DAY];
        for (hour, share) in profile.iter_mut().enumerate() {
            let same = self.known().filter(|(h, _)| *h as usize % DAY == hour);
            *share = ratio(same, |h| self.day_mean(h));
        }
        let mut weekdays = [1.0; 7];
        if self.known().count() >= WEEK {
            for (day, share) in weekdays.iter_mut().enumerate() {
                let same = self.known().filter(|(h, _)| weekday(*h) == day);
                *share = ratio(same, |h| mean * profile[h as usize % DAY]);
            }
        }
        let shape = |h: u64| profile[h as usize % DAY] * weekdays[weekday(h)];
        let recent = self.known().filter(|(h, _)| h + DAY as u64 >= self.current);
        let level = ratio(recent, shape);
        Some(Forecast { level, profile, weekdays })
    }

    /// Mean of the known hours of the same UTC day.
    fn day_mean(&self, hour: u64) -> f64 {
        mean(self.known().filter(|(h, _)| h / DAY as u64 == hour / DAY as u64).map(|(_, rate)| rate))
    }
}

/// Level, profile of the day, weekdays.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Forecast {
    level: f64,
    profile: [f64; DAY],
    weekdays: [f64; 7],
}

impl Forecast {
    /// Mean rate of the hour that `at` lies in, in requests per second.
    pub(super) fn rate(&self, at: Instant) -> f64 {
        let hour = hour_of(at);
        self.level * self.profile[hour as usize % DAY] * self.weekdays[weekday(hour)]
    }
}

pub(super) fn hour_of(at: Instant) -> u64 {
    at.0 / Span::HOUR.0
}

/// 0 is the weekday of the epoch, a Thursday.
const fn weekday(hour: u64) -> usize {
    (hour / DAY as u64 % 7) as usize
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

/// Σ rates / Σ of what is expected of the same hours; 1 where nothing is expected.
fn ratio(hours: impl Iterator<Item = (u64, f64)>, expected: impl Fn(u64) -> f64) -> f64 {
    let (sum, base) = hours.fold((0.0, 0.0), |(sum, base), (h, rate)| (sum + rate, base + expected(h)));
    if base > 0.0 { sum / base } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(h: u64) -> Instant {
        Instant::ZERO + Span::HOUR * h
    }

    fn hours(n: u64, rate: impl Fn(u64) -> f64) -> Hours {
        let mut hours = Hours::default();
        for h in 0..=n {
            for minute in 0..60 {
                hours.push(hour(h) + Span::MINUTE * minute, Some(rate(h)));
            }
        }
        hours
    }

    #[test]
    fn a_product_of_day_and_week_is_continued() {
        let shape = |h: u64| (10.0 + (h % 24) as f64) * if weekday(h) >= 5 { 0.5 } else { 1.0 };
        let forecast = hours(14 * 24, shape).forecast().unwrap();
        for h in 14 * 24..16 * 24 {
            let (found, expected) = (forecast.rate(hour(h)), shape(h));
            assert!((found - expected).abs() < 1e-9 * expected, "{h}: {found} instead of {expected}");
        }
    }

    #[test]
    fn the_level_is_that_of_the_last_day() {
        let forecast = hours(48, |h| if h < 24 { 100.0 } else { 300.0 }).forecast().unwrap();
        assert!((forecast.rate(hour(50)) - 300.0).abs() < 1e-9);
    }

    #[test]
    fn a_day_is_needed() {
        assert!(hours(23, |_| 5.0).forecast().is_none());
        assert!(hours(24, |_| 5.0).forecast().is_some());
    }

    #[test]
    fn holes_are_left_out() {
        let mut hours = Hours::default();
        for h in 0..=72 {
            hours.push(hour(h), (h % 24 != 7 || h > 24).then_some(8.0));
        }
        let forecast = hours.forecast().unwrap();
        assert!((forecast.rate(hour(79)) - 8.0).abs() < 1e-9);
    }
}
