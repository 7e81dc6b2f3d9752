//! Stretches that look wrong: zeros where load is expected, values that do not move, clock jumps.

use homeostat_core::{Instant, Span};

use super::pieces::Piece;
use super::report::{Finding, FindingKind, Holes, Stretch};
use super::runs::Longest;
use crate::options::Artefact;

/// Requests that a stretch of zeros must have swallowed to look like an outage.
const EXPECTED: f64 = 50.0;
/// Equal values in a row that look like a stuck sensor.
const STUCK_BINS: u64 = 30;
/// Findings of one kind that are listed.
const LISTED: usize = 10;
/// Weight of a new bin in the local rate.
const WEIGHT: f64 = 1.0 / 30.0;
const DAY_NS: u64 = Span::DAY.0;
/// How far the daily zeros may move.
const SLACK: Span = Span::from_secs(300);

/// A run of equal bins.
#[derive(Debug, Clone, Copy)]
struct Run {
    start: Instant,
    end: Instant,
    bins: u64,
    value: f64,
    /// Rate before the run, in requests per second.
    before: f64,
}

impl Run {
    fn span(&self) -> Span {
        self.end.since(self.start)
    }
}

/// Watches bins go by.
#[derive(Debug)]
pub(crate) struct Suspects {
    run: Option<Run>,
    local: Option<f64>,
    hole: Option<Stretch>,
    holes: Longest<Stretch>,
    zeros: Longest<Run>,
    stuck: Longest<Run>,
    silences: Longest<Stretch>,
    grid: Option<(Instant, Span)>,
    phase: u64,
    on_grid: u64,
    jumps: Longest<Stretch>,
}

impl Default for Suspects {
    fn default() -> Self {
        Self {
            run: None,
            local: None,
            hole: None,
            holes: Longest::new(20),
            zeros: Longest::new(128),
            stuck: Longest::new(LISTED),
            silences: Longest::new(LISTED),
            grid: None,
            phase: 0,
            on_grid: 0,
            jumps: Longest::new(LISTED),
        }
    }
}

impl Suspects {
    /// A stretch without requests in an event log.
    pub(crate) fn silence(&mut self, start: Instant, span: Span) {
        self.silences.offer(span, Stretch { start, span });
    }

    pub(crate) fn bin(&mut self, piece: Piece) {
        let Some(requests) = piece.requests else {
            self.close_run();
            let stretch = self.hole.get_or_insert(Stretch { start: piece.start, span: Span::ZERO });
            stretch.span = piece.end().since(stretch.start);
            return;
        };
        self.close_hole();
        self.clock(piece);
        let rate = piece.rate().unwrap_or_default();
        match &mut self.run {
            Some(run) if run.value == requests => (run.bins, run.end) = (run.bins + 1, piece.end()),
            _ => {
                self.close_run();
                let before = self.local.unwrap_or_default();
                self.run =
                    Some(Run { start: piece.start, end: piece.end(), bins: 1, value: requests, before });
            }
        }
        if requests > 0.0 {
            let local = self.local.get_or_insert(rate);
            *local += (rate - *local) * WEIGHT;
        }
    }

    fn close_run(&mut self) {
        match self.run.take() {
            Some(run) if run.value == 0.0 => self.zeros.offer(run.span(), run),
            Some(run) if run.bins >= STUCK_BINS && run.value >= 10.0 => self.stuck.offer(run.span(), run),
            _ => {}
        }
    }

    fn close_hole(&mut self) {
        if let Some(hole) = self.hole.take() {
            self.holes.offer(hole.span, hole);
        }
    }

    /// Notices rows that leave the grid of the first bin.
    fn clock(&mut self, piece: Piece) {
        let (origin, step) = *self.grid.get_or_insert((piece.start, piece.span));
        if piece.span != step {
            return;
        }
        self.on_grid += 1;
        let phase = piece.start.since(origin).0 % step.0;
        if phase != self.phase {
            self.phase = phase;
            self.jumps.offer(Span(phase), Stretch { start: piece.start, span: Span(phase) });
        }
    }

    /// Closes what is open and gives the holes and the findings, given the mean rate of the trace.
    pub(crate) fn finish(mut self, mean: f64) -> (Holes, Vec<Finding>) {
        self.close_run();
        self.close_hole();
        let mut findings = Vec::new();
        let mut zeros: Vec<Run> = self.zeros.iter().collect();
        findings.extend(daily(&mut zeros));
        findings.extend(outages(zeros, mean).into_iter().map(outage_finding));
        findings.extend(self.stuck.iter().map(stuck_finding));
        if self.jumps.count * 50 <= self.on_grid {
            findings.extend(self.jumps.iter().map(jump_finding));
        }
        let silent = |stretch: &Stretch| {
            let expected = mean * stretch.span.as_secs_f64();
            expected >= EXPECTED
        };
        findings.extend(self.silences.iter().filter(silent).map(silence_finding));
        let mut longest: Vec<Stretch> = self.holes.iter().collect();
        longest.sort_by_key(|stretch| stretch.start);
        (Holes { count: self.holes.count, total: self.holes.total, longest }, findings)
    }
}

/// Takes out the zeros that come at the same time, for about as long, on most days of their stretch.
fn daily(zeros: &mut Vec<Run>) -> Option<Finding> {
    let clock = |run: &Run| run.start.0 % DAY_NS;
    let alike = |a: &Run, b: &Run| {
        let (short, long) = (a.span().min(b.span()), a.span().max(b.span()));
        clock(a).abs_diff(clock(b)) <= SLACK.0 && short.0 * 3 >= long.0 * 2
    };
    let together = |run: &Run| -> u64 {
        zeros.iter().filter(|other| alike(run, other)).map(|other| other.span().0 / 1_000_000_000).sum()
    };
    let long = zeros.iter().filter(|run| run.span() >= SLACK && run.span() < Span::DAY);
    let model = *long.max_by_key(|run| together(run))?;
    let (mut same, rest): (Vec<Run>, Vec<Run>) = zeros.iter().copied().partition(|run| alike(&model, run));
    let first = same.first()?.start;
    let covered = same.last()?.start.since(first).0 / DAY_NS + 1;
    let days = same.len() as u64;
    if days < 3 || days * 2 < covered {
        return None;
    }
    *zeros = rest;
    same.sort_by_key(clock);
    let from = Span(clock(&same[same.len() / 2]));
    let end = same.iter().map(|run| clock(run) + run.span().0).max()?;
    let window = Artefact { from, to: Span(end.min(DAY_NS)) };
    Some(Finding {
        kind: FindingKind::DailyZeros,
        start: first,
        span: window.to - window.from,
        count: days,
        text: format!("zero in {window} on {days} days: rather a hole in the record than an outage"),
        suggestion: Some(format!("--artefact {window}")),
    })
}

/// The runs that swallowed most, in order of time.
fn outages(mut zeros: Vec<Run>, mean: f64) -> Vec<Run> {
    let lost = |run: &Run| run.before.min(mean) * run.span().as_secs_f64();
    zeros.retain(|run| lost(run) >= EXPECTED);
    zeros.sort_by(|a, b| lost(b).total_cmp(&lost(a)));
    zeros.truncate(LISTED);
    zeros.sort_by_key(|run| run.start);
    zeros
}

fn outage_finding(run: Run) -> Finding {
    let span = run.span();
    let expected = run.before * span.as_secs_f64();
    Finding {
        kind: FindingKind::ZeroRun,
        start: run.start,
        span,
        count: run.bins,
        text: format!(
            "zero for {span} from {}, where about {expected:.0} requests were due: an outage or a hole",
            run.start.to_utc_string()
        ),
        suggestion: Some(format!("--missing-zeros {span}")),
    }
}

fn stuck_finding(run: Run) -> Finding {
    let (span, value, bins) = (run.span(), run.value, run.bins);
    Finding {
        kind: FindingKind::ConstantRun,
        start: run.start,
        span,
        count: bins,
        text: format!(
            "the same value {value} in {bins} bins from {}: filled in or stuck",
            run.start.to_utc_string()
        ),
        suggestion: None,
    }
}

fn jump_finding(stretch: Stretch) -> Finding {
    Finding {
        kind: FindingKind::ClockJump,
        start: stretch.start,
        span: stretch.span,
        count: 1,
        text: format!("rows leave their grid at {}, by {}", stretch.start.to_utc_string(), stretch.span),
        suggestion: None,
    }
}

fn silence_finding(stretch: Stretch) -> Finding {
    Finding {
        kind: FindingKind::Silence,
        start: stretch.start,
        span: stretch.span,
        count: 1,
        text: format!(
            "no request for {} from {}: an outage or a hole",
            stretch.span,
            stretch.start.to_utc_string()
        ),
        suggestion: None,
    }
}
