//! Rows as they come to one value per time, in order of time.

use std::collections::BTreeMap;

use homeostat_core::{Instant, Span};

use super::{Note, Point, Reason};

/// Points in order of time, one per time, and what was done.
pub(super) struct Ordered {
    pub(super) points: Vec<Point>,
    pub(super) notes: Vec<Note>,
}

/// Notes of one kind, added up.
#[derive(Default)]
struct Tally(BTreeMap<Reason, Note>);

impl Tally {
    fn add(&mut self, reason: Reason, at: Instant) {
        let note = self.0.entry(reason).or_insert(Note { reason, from: at, until: at, count: 0 });
        (note.from, note.until) = (note.from.min(at), note.until.max(at));
        note.count += 1;
    }
}

/// Sorts points, averages those of one time, and turns values that can't be into NaN.
pub(super) fn ordered(points: &[Point]) -> Ordered {
    let mut tally = Tally::default();
    let mut back = false;
    let mut highest = Instant::ZERO;
    let mut before: Option<Instant> = None;
    for point in points {
        back |= before.is_some_and(|before| point.at < before);
        if point.at < highest {
            tally.add(Reason::Unordered, point.at);
        }
        (highest, before) = (highest.max(point.at), Some(point.at));
        if !point.value.is_finite() {
            tally.add(Reason::NotANumber, point.at);
        } else if point.value < 0.0 {
            tally.add(Reason::Negative, point.at);
        }
    }
    let usable = |value: f64| if value.is_finite() && value >= 0.0 { value } else { f64::NAN };
    let mut sorted: Vec<Point> =
        points.iter().map(|point| Point { value: usable(point.value), ..*point }).collect();
    sorted.sort_by_key(|point| point.at);
    let mut out: Vec<Point> = Vec::with_capacity(sorted.len());
    for same in sorted.chunk_by(|a, b| a.at == b.at) {
        for extra in &same[1..] {
            tally.add(Reason::Duplicate, extra.at);
        }
        out.push(mean(same));
    }
    let mut notes = tally.0;
    // A clock that ran over many times again, rather than rows out of place.
    let rows = |notes: &BTreeMap<Reason, Note>, reason| notes.get(&reason).map_or(0, |n: &Note| n.count);
    if back && rows(&notes, Reason::Duplicate) * 2 > rows(&notes, Reason::Unordered) {
        notes.remove(&Reason::Unordered);
        if let Some(note) = notes.remove(&Reason::Duplicate) {
            notes.insert(Reason::ClockBack, Note { reason: Reason::ClockBack, ..note });
        }
    }
    Ordered { points: out, notes: notes.into_values().collect() }
}

/// The mean of the known values of one time.
fn mean(same: &[Point]) -> Point {
    let known: Vec<f64> = same.iter().map(|point| point.value).filter(|value| !value.is_nan()).collect();
    let value = if known.is_empty() { f64::NAN } else { known.iter().sum::<f64>() / known.len() as f64 };
    Point { at: same[0].at, value, saturated: same.iter().any(|point| point.saturated) }
}

/// The usual time between points: the most frequent difference where most of them agree, else the median.
/// `None` for fewer than two points.
pub(super) fn usual_step(points: &[Point]) -> Option<Span> {
    let mut steps: Vec<Span> = points.windows(2).map(|pair| pair[1].at.since(pair[0].at)).collect();
    steps.sort_unstable();
    let median = *steps.get(steps.len().saturating_sub(1) / 2)?;
    let most = steps.chunk_by(|a, b| a == b).max_by_key(|run| run.len())?;
    Some(if most.len() * 2 > steps.len() { most[0] } else { median })
}
