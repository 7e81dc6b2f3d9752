//! From times to bins: the length of a bin is known only from the rows after it.
//!
//! A look-ahead of up to [`FIRST_LOOK`] times finds the usual step; later [`LOOK`] times tell a hole in
//! the record (one long step) from a change of the step (several equal ones).

use std::collections::VecDeque;
use std::path::PathBuf;

use homeostat_core::load::{BinLoad, LoadItem};
use homeostat_core::{Instant, Span};

use super::merge::{Merge, Merged};
use crate::error::{Place, TraceError};

/// Times that are looked at to find the step.
const FIRST_LOOK: usize = 64;
/// Times that are held later on.
const LOOK: usize = 5;

/// Turns loads at times into bins that cover the time line.
pub(crate) struct Bins {
    path: PathBuf,
    input: Merge,
    /// The step that the caller gave.
    fixed: bool,
    /// What a hole between rows means: nothing known, or a rate of zero.
    hole: BinLoad,
    step: Option<Span>,
    /// Steps vary: only a hole of several steps counts as one.
    irregular: bool,
    loads: VecDeque<Merged>,
    times: VecDeque<Instant>,
    ended: bool,
    failure: Option<TraceError>,
    current: Option<(Instant, Span)>,
    pending_hole: Option<LoadItem>,
}

impl Bins {
    pub(crate) fn new(path: PathBuf, input: Merge, step: Option<Span>, hole: BinLoad) -> Self {
        Self {
            path,
            input,
            fixed: step.is_some(),
            hole,
            step,
            irregular: false,
            loads: VecDeque::new(),
            times: VecDeque::new(),
            ended: false,
            failure: None,
            current: None,
            pending_hole: None,
        }
    }

    /// Reads the first rows and settles the step. Fails early when the first rows are bad.
    pub(crate) fn prime(&mut self) -> Result<(), TraceError> {
        self.look(FIRST_LOOK);
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        if self.step.is_none() {
            let (step, irregular) = usual_step(&self.times).ok_or_else(|| {
                Place::file(&self.path).refuse(
                    "the length of a bin cannot be told from fewer than two times",
                    "the length of a bin with --step",
                    "--step 1m",
                )
            })?;
            (self.step, self.irregular) = (Some(step), irregular);
        }
        Ok(())
    }

    /// The usual step, and whether rows keep to it.
    pub(crate) fn step(&self) -> Option<(Span, bool)> {
        self.step.map(|step| (step, !self.irregular))
    }

    /// Reads on until `most` different times are held.
    fn look(&mut self, most: usize) {
        while !self.ended && self.times.len() <= most {
            match self.input.next() {
                None => self.ended = true,
                Some(Err(error)) => {
                    self.ended = true;
                    self.failure = Some(error);
                }
                Some(Ok(load)) => {
                    if self.times.back() != Some(&load.at) {
                        self.times.push_back(load.at);
                    }
                    self.loads.push_back(load);
                }
            }
        }
    }

    /// Length of the bin at the front of the queue, and of the hole behind it.
    fn measure(&mut self) -> (Span, Span) {
        let step = self.step.unwrap_or(Span::SECOND);
        let (Some(now), Some(next)) = (self.times.front(), self.times.get(1)) else {
            return (step, Span::ZERO);
        };
        let delta = next.since(*now);
        if self.fixed {
            let span = delta.min(step);
            return (span, delta - span);
        }
        let most = if self.irregular { step * 3 } else { Span(step.0 / 2 + step.0) };
        let settled = delta != step && self.settled(delta);
        if settled {
            self.step = Some(delta);
        }
        if settled || delta <= most { (delta, Span::ZERO) } else { (step, delta - step) }
    }

    /// Whether the steps after the next one are equal to it.
    fn settled(&self, delta: Span) -> bool {
        self.times.len() > LOOK - 1
            && self
                .times
                .iter()
                .zip(self.times.iter().skip(1))
                .take(LOOK - 1)
                .all(|(a, b)| b.since(*a) == delta)
    }
}

/// The step that most of the first rows keep, or their median; and whether rows stray from it.
fn usual_step(times: &VecDeque<Instant>) -> Option<(Span, bool)> {
    let mut deltas: Vec<Span> = times.iter().zip(times.iter().skip(1)).map(|(a, b)| b.since(*a)).collect();
    deltas.sort_unstable();
    let mut best = (0, *deltas.get(deltas.len() / 2)?);
    for run in deltas.chunk_by(|a, b| a == b) {
        if run.len() > best.0 {
            best = (run.len(), run[0]);
        }
    }
    if best.0 * 2 >= deltas.len() { Some((best.1, false)) } else { Some((deltas[deltas.len() / 2], true)) }
}

impl Iterator for Bins {
    type Item = Result<LoadItem, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some((start, span)) = self.current {
            if let Some(merged) = self.loads.pop_front_if(|load| load.at == start) {
                return Some(Ok(LoadItem::Bin { start, span, load: merged.load }));
            }
            self.current = None;
            self.times.pop_front();
            if let Some(hole) = self.pending_hole.take() {
                return Some(Ok(hole));
            }
        }
        self.look(LOOK);
        let Some(start) = self.times.front().copied() else {
            return self.failure.take().map(Err);
        };
        if self.failure.is_some() && self.times.len() == 1 {
            // The last time before a failure may be incomplete; what came before was whole.
            self.times.clear();
            return self.failure.take().map(Err);
        }
        let (span, hole) = self.measure();
        if !hole.is_zero() {
            self.pending_hole = Some(LoadItem::Bin { start: start + span, span: hole, load: self.hole });
        }
        self.current = Some((start, span));
        self.next()
    }
}
