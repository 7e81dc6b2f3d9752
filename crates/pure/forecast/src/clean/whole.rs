//! A whole record, with what only hindsight knows.

use homeostat_core::{Instant, Span};

use super::order::{Ordered, ordered, usual_step};
use super::resample::{Grid, resample};
use super::screen::{Screen, same_time_of_day};
use super::{Measure, Note, Point, Reason};
use crate::series::{Series, Value};

/// Most steps of a series: 19 years of minutes.
const MOST_STEPS: u64 = 10_000_000;
/// Zeros so long at the same time of most days are a switch-off, not a fault.
const SWITCHED_OFF: Span = Span(2 * Span::HOUR.0);
/// Switch-offs that make a habit, beside each one.
const OTHERS: usize = 2;

/// What is known of the points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// What values measure.
    pub measure: Measure,
    /// Length of a step of the series; longer bins of the record lengthen it.
    pub step: Span,
    /// Time between points; `None` takes the usual one.
    pub native: Option<Span>,
}

/// A series that models may learn from.
#[derive(Debug, Clone, PartialEq)]
pub struct Cleaned {
    /// The series: per second where counts were given.
    pub series: Series,
    /// Size of one count in the unit of the series, where counts were given.
    pub count: Option<f64>,
    /// What was changed, in order of time.
    pub notes: Vec<Note>,
}

/// Why there is no series.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No points at all.
    #[error("there are no values")]
    Empty,
    /// The times reach too far apart.
    #[error(
        "the times reach from {} to {}, {steps} steps: expected at most 10 000 000 (is a time wrong?)",
        from.to_utc_string(),
        until.to_utc_string()
    )]
    TooLong {
        /// The first time.
        from: Instant,
        /// The last time.
        until: Instant,
        /// Steps between them.
        steps: u64,
    },
}

/// Cleans a record.
pub fn series(points: &[Point], options: &Options) -> Result<Cleaned, Refused> {
    let Ordered { points, mut notes } = ordered(points);
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Err(Refused::Empty) };
    let native = options.native.or_else(|| usual_step(&points)).unwrap_or(options.step);
    let native = if native.is_zero() { Span::SECOND } else { native };
    let step = options.step.max(native);
    let start = Instant(first.at.0 - first.at.0 % step.0);
    let steps = last.at.since(start).0.saturating_add(native.0).div_ceil(step.0);
    if steps > MOST_STEPS {
        return Err(Refused::TooLong { from: first.at, until: last.at, steps });
    }
    let count = (options.measure == Measure::Count).then(|| 1.0 / step.as_secs_f64());
    let grid = Grid { start, step, steps: steps as usize };
    let (values, gaps) = resample(&points, options.measure, native, grid);
    notes.extend(gaps);
    let mut series = Series { start, step, values };
    let found = screened(&series, count);
    let holes = holes(&series, &points, native, &found);
    for note in &found {
        blank(&mut series, note);
        notes.push(*note);
    }
    if !holes.is_empty() {
        // Steps at the edge of a hole hold some of its zeros: their means are taken without them.
        let (values, _) = resample(&holes, options.measure, native, grid);
        for (index, value) in values.into_iter().enumerate() {
            if series.values[index] != Value::Missing {
                series.values[index] = value;
            }
        }
    }
    notes.sort_by_key(|note| (note.from, note.reason));
    Ok(Cleaned { series, count, notes })
}

/// Runs the screen over the series and takes back what hindsight doesn't bear out.
fn screened(series: &Series, count: Option<f64>) -> Vec<Note> {
    let mut screen = Screen::new(series.step, count);
    let mut notes: Vec<Note> = Vec::new();
    for (index, value) in series.values.iter().enumerate() {
        let at = series.at(index);
        let until = at + series.step;
        let (raw, saturated) = match value {
            Value::Known(value) => (Some(*value), false),
            Value::AtLeast(value) => (Some(*value), true),
            Value::Missing => (None, false),
        };
        let judged = screen.screen(at, raw, saturated);
        let (Some(reason), Some(from)) = (judged.reason, judged.since) else { continue };
        if saturated {
            continue;
        }
        match notes.last_mut() {
            Some(last) if last.reason == reason && last.from == from => last.until = until,
            _ => notes.push(Note { reason, from, until, count: 0 }),
        }
    }
    let all = notes.clone();
    notes.retain(|note| believed(series, note, &all));
    for note in &mut notes {
        note.count = (note.until.since(note.from).0 / series.step.0) as usize;
    }
    notes
}

/// Whether hindsight bears a note out: traffic came back after an outage, a spike was gone at once, and a
/// switch-off at the same time of most days is none of these.
fn believed(series: &Series, note: &Note, all: &[Note]) -> bool {
    let after = (note.until.since(series.start).0 / series.step.0) as usize;
    let next = series.values[after.min(series.values.len())..].iter().find_map(|value| value.known());
    let level = |reach: usize| {
        let from = (note.from.since(series.start).0 / series.step.0) as usize;
        let before = &series.values[from.saturating_sub(reach)..from];
        before.iter().filter_map(|value| value.known()).fold(0.0, f64::max)
    };
    match note.reason {
        Reason::Outage => {
            let long = |other: &&Note| {
                other.reason == Reason::Outage && other.until.since(other.from) >= SWITCHED_OFF
            };
            let alike = same_time_of_day(all.iter().filter(long).map(|other| other.from), note.from);
            let switched = note.until.since(note.from) >= SWITCHED_OFF && alike >= OTHERS;
            let back = next.is_none_or(|next| next > 0.05 * level(10));
            back && !switched
        }
        Reason::Spike => next.is_none_or(|next| next < 10.0 * level(10)),
        _ => true,
    }
}

/// Takes the values of a note back, or to lower bounds.
fn blank(series: &mut Series, note: &Note) {
    let from = (note.from.since(series.start).0 / series.step.0) as usize;
    let until = (note.until.since(series.start).0 / series.step.0) as usize;
    let end = until.min(series.values.len());
    for value in series.values.get_mut(from..end).unwrap_or_default() {
        *value = match (note.reason, *value) {
            (Reason::Saturated, Value::Known(value)) => Value::AtLeast(value),
            (Reason::Saturated, other) => other,
            _ => Value::Missing,
        };
    }
}

/// The points with the zeros that belong to outages and silences blanked, where a step holds several points;
/// empty where nothing changes.
fn holes(series: &Series, points: &[Point], native: Span, notes: &[Note]) -> Vec<Point> {
    let zeros: Vec<&Note> =
        notes.iter().filter(|n| matches!(n.reason, Reason::Outage | Reason::Silence)).collect();
    if native >= series.step || zeros.is_empty() {
        return Vec::new();
    }
    let mut out = points.to_vec();
    for note in zeros {
        // A step on either side may hold the beginning or the end of the hole.
        let from = out.partition_point(|p| p.at < note.from.back(series.step));
        let until = out.partition_point(|p| p.at < note.until + series.step);
        let inside = |p: &Point| p.at >= note.from && p.at < note.until;
        let touching = out[from..until].iter().map(|p| p.value == 0.0 || inside(p)).collect::<Vec<_>>();
        let core = out[from..until].iter().position(inside);
        let Some(core) = core else { continue };
        let first = touching[..core].iter().rposition(|zero| !zero).map_or(0, |i| i + 1);
        let last = touching[core..].iter().position(|zero| !zero).map_or(touching.len(), |i| core + i);
        for point in &mut out[from + first..from + last] {
            point.value = f64::NAN;
        }
    }
    out
}
