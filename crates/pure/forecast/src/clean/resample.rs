//! Points to means over equal steps.

use homeostat_core::{Instant, Span};

use super::{Measure, Note, Point, Reason};
use crate::series::Value;

/// Where the mean over a step is built up.
#[derive(Clone, Copy, Default)]
struct Cell {
    /// Value × seconds.
    sum: f64,
    /// Seconds that are known.
    known_s: f64,
    /// Seconds in which the service was saturated.
    saturated_s: f64,
}

/// Grid of the steps: the first begins at `start`.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    pub(super) start: Instant,
    pub(super) step: Span,
    pub(super) steps: usize,
}

/// Share of a step that must be known.
const ENOUGH: f64 = 0.5;

/// Means over the steps of the grid; missing where less than half is known. Each point covers `native`, or
/// the time to the next point where that is less than one and a half times it. With notes of the gaps.
pub(super) fn resample(
    points: &[Point],
    measure: Measure,
    native: Span,
    grid: Grid,
) -> (Vec<Value>, Vec<Note>) {
    let mut cells = vec![Cell::default(); grid.steps];
    for (index, point) in points.iter().enumerate() {
        let next = points.get(index + 1).map(|next| next.at.since(point.at));
        let span = match next {
            Some(next) if next.0 / 3 <= native.0 / 2 => next,
            _ => native,
        };
        if !point.value.is_nan() {
            let bin = native.min(span).as_secs_f64();
            let per_second = if measure == Measure::Count { point.value / bin } else { point.value };
            spread(&mut cells, grid, point, span, per_second);
        }
    }
    let step_s = grid.step.as_secs_f64();
    let value = |cell: &Cell| {
        if cell.known_s < ENOUGH * step_s {
            return Value::Missing;
        }
        let mean = cell.sum / cell.known_s;
        if cell.saturated_s * 2.0 >= cell.known_s { Value::AtLeast(mean) } else { Value::Known(mean) }
    };
    let values: Vec<Value> = cells.iter().map(value).collect();
    let notes = runs(&values, grid, Value::Missing, Reason::Gap);
    let saturated = |value: &Value| matches!(value, Value::AtLeast(_));
    let flags: Vec<Value> =
        values.iter().map(|v| if saturated(v) { Value::AtLeast(0.0) } else { Value::Missing }).collect();
    let limits = runs(&flags, grid, Value::AtLeast(0.0), Reason::Saturated);
    (values, notes.into_iter().chain(limits).collect())
}

fn spread(cells: &mut [Cell], grid: Grid, point: &Point, span: Span, per_second: f64) {
    let (mut at, end) = (point.at.max(grid.start), point.at + span);
    while at < end {
        let index = (at.since(grid.start).0 / grid.step.0) as usize;
        let Some(cell) = cells.get_mut(index) else { return };
        let until = end.min(grid.start + grid.step * (index as u64 + 1));
        let seconds = until.since(at).as_secs_f64();
        cell.sum += per_second * seconds;
        cell.known_s += seconds;
        if point.saturated {
            cell.saturated_s += seconds;
        }
        at = until;
    }
}

/// A note for every run of steps with this value.
fn runs(values: &[Value], grid: Grid, wanted: Value, reason: Reason) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    for (index, _) in values.iter().enumerate().filter(|(_, value)| **value == wanted) {
        let from = grid.start + grid.step * index as u64;
        let until = from + grid.step;
        match notes.last_mut() {
            Some(last) if last.until == from => (last.until, last.count) = (until, last.count + 1),
            _ => notes.push(Note { reason, from, until, count: 1 }),
        }
    }
    notes
}
