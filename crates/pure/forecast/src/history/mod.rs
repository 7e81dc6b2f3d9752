//! What is remembered of a series: minutes for a day, ten minutes for five weeks, and what they show.
//!
//! All models read the same history, so a series costs its memory once. Everything is on the scale of
//! [`scale::Scale`] and in local time, so that seasons follow it across daylight saving: the hour that
//! spring leaves out is a hole, the hour that autumn repeats overwrites itself.

mod detail;
mod events;
mod ring;
mod scale;

use homeostat_core::{Span, num};

use crate::calendar::Event;
use crate::model::Place;
use crate::series::Value;
use detail::Detail;
pub(crate) use detail::ECHOES;
use events::Events;
use ring::{Profile, Ring};
pub(crate) use scale::Scale;

/// Seconds of a day.
const DAY_S: i64 = 86_400;
/// Levels: means over about these times (in seconds, and at least these steps).
const LEVELS: [(f64, f64); 5] =
    [(180.0, 1.2), (600.0, 3.0), (1_800.0, 8.0), (7_200.0, 24.0), (43_200.0, 168.0)];
/// Number of levels.
pub(crate) const LEVEL_COUNT: usize = LEVELS.len();
/// Values kept one by one.
pub(crate) const RECENT: usize = 64;

/// What is remembered of a series.
#[derive(Debug, Clone)]
pub struct History {
    step_s: i64,
    scale: Scale,
    now: Option<Place>,
    began_s: i64,
    /// Known values so far.
    known: u64,
    /// Steps without a value since the last known one.
    missing: u64,
    /// Whether all known values were the same, and which.
    constant: Option<f64>,
    varied: bool,
    last_known: f64,
    recent: [f32; RECENT],
    steps: usize,
    fine: Ring,
    coarse: Ring,
    open_fine: Bucket,
    open_coarse: Bucket,
    day: Profile,
    /// As `day`, but the arithmetic mean in the unit of the series: one great day outweighs quiet ones.
    mean_day: Profile,
    week: Profile,
    detail: Option<Detail>,
    events: Events,
    weights: [f64; LEVEL_COUNT],
    levels: [f64; LEVEL_COUNT],
    last: f64,
    /// Mean day and mean week at the last step, before that was learned.
    season: f64,
    season_week: f64,
    season_mean: f64,
    moves: [f64; 2],
}

/// A bucket that is being filled.
#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    number: i64,
    sum: f64,
    count: u32,
}

impl Bucket {
    /// The mean of what was added, and an empty bucket `next` in its place.
    fn close(&mut self, next: i64) -> (i64, Option<f64>) {
        let mean = (self.count > 0).then(|| self.sum / f64::from(self.count));
        let closed = (self.number, mean);
        *self = Self { number: next, sum: 0.0, count: 0 };
        closed
    }

    /// Adds a value of bucket `number`, after which bucket `next` comes; gives the buckets that end.
    fn add(&mut self, number: i64, next: i64, value: Option<f64>) -> [Option<(i64, Option<f64>)>; 2] {
        let before = (number != self.number).then(|| self.close(number));
        if let Some(value) = value {
            self.sum += value;
            self.count += 1;
        }
        [before, (next != number).then(|| self.close(next))]
    }
}

impl History {
    /// An empty history of a series with steps of length `step`.
    pub(crate) fn new(step: Span, events: &[Event]) -> Self {
        let step_s = (step.0 / Span::SECOND.0).max(1) as i64;
        let (fine_s, coarse_s) = (step_s.max(60), step_s.max(600));
        let weight =
            |(seconds, steps): (f64, f64)| 1.0 - num::exp(-1.0 / (seconds / step_s as f64).max(steps));
        Self {
            step_s,
            scale: Scale::new(),
            now: None,
            began_s: 0,
            known: 0,
            missing: 0,
            constant: None,
            varied: false,
            last_known: 0.0,
            recent: [f32::NAN; RECENT],
            steps: 0,
            fine: Ring::new(fine_s, DAY_S),
            coarse: Ring::new(coarse_s, 35 * DAY_S),
            open_fine: Bucket::default(),
            open_coarse: Bucket::default(),
            day: Profile::new(coarse_s, DAY_S, 0.22),
            mean_day: Profile::new(coarse_s, DAY_S, 0.2),
            week: Profile::new(coarse_s, 7 * DAY_S, 0.4),
            detail: (2 * fine_s <= coarse_s).then(|| Detail::new(fine_s)),
            events: Events::new(events),
            weights: LEVELS.map(weight),
            levels: [0.0; LEVEL_COUNT],
            last: 0.0,
            season: f64::NAN,
            season_week: f64::NAN,
            season_mean: f64::NAN,
            moves: [0.0; 2],
        }
    }

    /// Takes the value of the next step. Gives the scale before where it moved.
    pub(crate) fn push(&mut self, value: Value, place: Place) -> Option<Scale> {
        let value = self.demand(value, place);
        let moved = value.and_then(|value| self.note(value));
        let detail = self.detail_at(place);
        let z = value.map(|value| self.scale.z(value));
        let bare = z.map(|z| z - detail);
        let season = Some(self.day_at(place)).filter(|day| !day.is_nan()).unwrap_or(0.0);
        self.events.learn(place.at, bare.map(|bare| bare - season), self.levels[1] - season);
        self.level(place, bare);
        self.remember(place, z, bare);
        self.recent[self.steps % RECENT] = bare.map_or(f32::NAN, |bare| bare as f32);
        self.steps += 1;
        self.now = Some(place);
        moved
    }

    /// What a value says of demand: a lower bound above what is expected counts as the value, one below
    /// says nothing.
    fn demand(&self, value: Value, place: Place) -> Option<f64> {
        match value {
            Value::Known(value) => Some(value),
            Value::AtLeast(least) => {
                let expected = self.scale.value(self.levels[0] + self.detail_at(place));
                (self.known == 0 || least > expected).then_some(least)
            }
            Value::Missing => None,
        }
    }

    fn note(&mut self, value: f64) -> Option<Scale> {
        self.varied |= self.constant.is_some_and(|constant| constant != value);
        self.constant.get_or_insert(value);
        self.last_known = value;
        self.known += 1;
        let before = self.scale.learn(value)?;
        let after = self.scale;
        let map = |z: f64| after.z(before.value(z));
        self.fine.map(map);
        self.coarse.map(map);
        self.day.map(map);
        self.week.map(map);
        self.levels = self.levels.map(map);
        self.last = map(self.last);
        self.season = map(self.season);
        self.season_week = map(self.season_week);
        self.season_mean = map(self.season_mean);
        self.recent = self.recent.map(|z| map(f64::from(z)) as f32);
        self.open_fine = Bucket { number: self.open_fine.number, ..Bucket::default() };
        self.open_coarse = Bucket { number: self.open_coarse.number, ..Bucket::default() };
        Some(before)
    }

    /// Fills the rings, and teaches the profiles the buckets that have ended.
    fn remember(&mut self, place: Place, z: Option<f64>, bare: Option<f64>) {
        let (from, until) = (place.local_seconds, place.local_seconds + self.step_s);
        let (fine, coarse) = (self.fine.bucket(from), self.coarse.bucket(from));
        if self.now.is_none() {
            (self.open_fine.number, self.open_coarse.number) = (fine, coarse);
            self.began_s = from;
        }
        for (number, mean) in self.open_fine.add(fine, self.fine.bucket(until), z).into_iter().flatten() {
            self.fine.set(number, mean.map_or(f32::NAN, |mean| mean as f32));
            if let Some(detail) = &mut self.detail {
                detail.learn(&self.fine, number);
            }
        }
        for (number, mean) in
            self.open_coarse.add(coarse, self.coarse.bucket(until), bare).into_iter().flatten()
        {
            self.coarse.set(number, mean.map_or(f32::NAN, |mean| mean as f32));
            if let Some(mean) = mean {
                self.day.learn(number, mean);
                self.mean_day.learn(number, self.scale.value(mean));
                self.week.learn(number, mean);
            }
        }
    }

    /// Moves the levels to the value; without one they go on as the day usually does.
    fn level(&mut self, place: Place, bare: Option<f64>) {
        let season = self.day_at(place);
        self.season_week = self.week_at(place);
        self.season_mean = self.mean_day_at(place);
        if let Some(z) = bare {
            self.last = z;
            if self.known > 1 {
                let change = (z - self.levels[0]).abs();
                self.moves[0] += self.weights[1] * (change - self.moves[0]);
                self.moves[1] += self.weights[4].max(1.0 / self.known as f64) * (change - self.moves[1]);
            }
            for (level, weight) in self.levels.iter_mut().zip(self.weights) {
                *level += weight.max(1.0 / self.known as f64) * (z - *level);
            }
            self.missing = 0;
        } else {
            self.missing += 1;
            let change = season - self.season;
            if change.is_finite() {
                self.last += change;
                self.levels.iter_mut().for_each(|level| *level += change);
            }
        }
        self.season = season;
    }

    /// Expected detail at a place and the effect of the events there, on the logarithmic scale.
    pub(crate) fn detail_at(&self, place: Place) -> f64 {
        let bucket = self.fine.bucket(place.local_seconds);
        self.detail.as_ref().map_or(0.0, |detail| detail.at(bucket)) + self.events.at(place.at)
    }

    /// The mean day at a place; NaN where unknown.
    pub(crate) fn day_at(&self, place: Place) -> f64 {
        self.day.between(place.local_seconds, self.step_s)
    }

    /// The arithmetic mean day at a place, on the logarithmic scale; NaN where unknown.
    pub(crate) fn mean_day_at(&self, place: Place) -> f64 {
        self.scale.z(self.mean_day.between(place.local_seconds, self.step_s))
    }

    /// The mean week at a place; NaN where unknown.
    pub(crate) fn week_at(&self, place: Place) -> f64 {
        self.week.between(place.local_seconds, self.step_s)
    }

    /// The latest known same time of day (`period_s` a day) or week before a place that may lie ahead.
    pub(crate) fn before(&self, place: Place, period_s: i64) -> f64 {
        self.nth_before(place, period_s, 0)
    }

    /// As [`Self::before`], `further` periods before that.
    pub(crate) fn nth_before(&self, place: Place, period_s: i64, further: i64) -> f64 {
        let Some(now) = self.now else { return f64::NAN };
        let ahead = place.local_seconds - now.local_seconds;
        let periods = (ahead + period_s - 1).div_euclid(period_s).max(1);
        self.coarse.between(place.local_seconds - (periods + further) * period_s, self.step_s)
    }

    /// Mean of `span_s` seconds from the local second `from_s` on; NaN where unknown.
    pub(crate) fn coarse_mean(&self, from_s: i64, span_s: i64) -> f64 {
        let buckets = self.coarse.bucket(from_s)..=self.coarse.bucket(from_s + span_s - 1);
        let known = buckets.map(|bucket| self.coarse.get(bucket)).filter(|value| !value.is_nan());
        let (sum, count) = known.fold((0.0_f32, 0_u32), |(sum, count), value| (sum + value, count + 1));
        f64::from(sum) / f64::from(count)
    }

    /// Seconds of the buckets that are kept for weeks.
    pub(crate) const fn coarse_s(&self) -> i64 {
        self.coarse.bucket_s()
    }

    /// The value of the step that began at `local_s` weeks ago or less, from ten-minute means; NaN where
    /// unknown.
    pub(crate) fn past(&self, local_s: i64) -> f64 {
        self.coarse.between(local_s, self.step_s)
    }

    /// The mean of the ten minutes from `local_s` on; NaN where unknown.
    pub(crate) fn past_mean(&self, local_s: i64) -> f64 {
        self.coarse.between(local_s, self.coarse.bucket_s())
    }

    /// Local second of the first step.
    pub(crate) const fn began_s(&self) -> i64 {
        self.began_s
    }

    /// As [`Self::before`], from single minutes of the last day; NaN where unknown.
    pub(crate) fn yesterday(&self, place: Place) -> f64 {
        f64::from(self.fine.get(self.fine.bucket(place.local_seconds - DAY_S)))
    }

    /// The place in the period of fast patterns, and how many there are; `None` where there is no period.
    pub(crate) fn slot(&self, place: Place) -> Option<(usize, usize)> {
        let period = self.detail.as_ref().map_or(0, Detail::period);
        let slot = self.fine.bucket(place.local_seconds).rem_euclid(period.max(1) as i64);
        (period > 0).then_some((slot as usize, period))
    }

    /// Details that a place of the period of fast patterns had the last times, the latest first; 0 where
    /// unknown.
    pub(crate) fn echoes(&self, place: Place) -> [f64; ECHOES] {
        let bucket = self.fine.bucket(place.local_seconds);
        let found = self.detail.as_ref().filter(|detail| detail.period() > 0);
        found.map_or([0.0; ECHOES], |detail| std::array::from_fn(|back| detail.echo(bucket, back + 1)))
    }

    /// The period of fast patterns in seconds, where one was found.
    pub fn short_period_s(&self) -> Option<u64> {
        let period = self.detail.as_ref().map_or(0, Detail::period);
        (period > 0).then(|| period as u64 * self.step_s.max(60) as u64)
    }

    /// The values of the last steps on the logarithmic scale without detail, the newest first; NaN where
    /// missing.
    pub(crate) fn recent(&self) -> impl Iterator<Item = f64> {
        let have = self.steps.min(RECENT);
        (1..=have).map(|back| f64::from(self.recent[(self.steps - back) % RECENT]))
    }

    /// The scale.
    pub(crate) const fn scale(&self) -> Scale {
        self.scale
    }

    /// Means over longer and longer times, on the logarithmic scale without detail.
    pub(crate) const fn levels(&self) -> &[f64; LEVEL_COUNT] {
        &self.levels
    }

    /// The last value on the logarithmic scale without detail.
    pub(crate) const fn last(&self) -> f64 {
        self.last
    }

    /// The last known value, in the unit of the series; `None` before the first.
    pub(crate) fn last_known(&self) -> Option<f64> {
        (self.known > 0).then_some(self.last_known)
    }

    /// Mean one-step change of late, and over a day, on the logarithmic scale.
    pub(crate) const fn moves(&self) -> [f64; 2] {
        self.moves
    }

    /// The mean day, the mean week and the arithmetic mean day at the last step, as known before it; NaN
    /// where unknown.
    pub(crate) const fn seasons(&self) -> [f64; 3] {
        [self.season, self.season_week, self.season_mean]
    }

    /// The last step's value on the logarithmic scale without detail; `None` where it was missing.
    pub(crate) fn newest(&self) -> Option<f64> {
        (self.steps > 0 && self.missing == 0).then_some(self.last)
    }

    /// Steps from the last one to `place`, at least 1.
    pub(crate) fn ahead(&self, place: Place) -> usize {
        let since = self.now.map_or(0, |now| place.at.since(now.at).0 / Span::SECOND.0);
        (since / self.step_s as u64).max(1) as usize
    }

    /// Where the step `ahead` of the last one stands, should local time not jump.
    pub(crate) fn place_ahead(&self, ahead: usize) -> Option<Place> {
        let seconds = self.step_s * ahead as i64;
        self.now.map(|now| Place {
            at: now.at + Span::from_secs(seconds as u64),
            local_seconds: now.local_seconds + seconds,
        })
    }

    /// Where the last step stood.
    pub(crate) const fn now(&self) -> Option<Place> {
        self.now
    }

    /// Known values so far.
    pub const fn known(&self) -> u64 {
        self.known
    }

    /// The value of a series that never changed.
    pub(crate) fn constant(&self) -> Option<f64> {
        self.constant.filter(|_| !self.varied)
    }

    /// Seconds of a step.
    pub(crate) const fn step_s(&self) -> i64 {
        self.step_s
    }

    /// Memory in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.fine.bytes()
            + self.coarse.bytes()
            + self.day.bytes()
            + self.mean_day.bytes()
            + self.week.bytes()
            + self.events.bytes()
            + self.detail.as_ref().map_or(0, Detail::bytes)
    }
}
