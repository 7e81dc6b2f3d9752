//! What an inspection says, as data: the wording and the drawing are up to the caller.

use std::path::{Path, PathBuf};

use homeostat_core::{Instant, Span};
use serde::{Serialize, Serializer};

use super::{Survey, periods};
use crate::note::Note;
use crate::options::{Format, Measure};
use crate::read::Trace;
use crate::stamp::iso;

/// What is in a trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// The file.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// Whether times name calendar dates.
    pub calendar: bool,
    /// What values measure; `None` for event logs.
    pub measure: Option<Measure>,
    /// Usual length of a bin; `None` for event logs.
    pub step: Option<Span>,
    /// What was assumed, each thing once.
    pub notes: Vec<Note>,
    /// Start of the first item.
    #[serde(serialize_with = "as_iso")]
    pub start: Instant,
    /// End of the last item.
    #[serde(serialize_with = "as_iso")]
    pub end: Instant,
    /// From start to end.
    pub span: Span,
    /// Bins or requests in the stream.
    pub items: u64,
    /// Requests; the expected number where the trace gives rates.
    pub requests: f64,
    /// Mean rate in requests per second, over the time that is known.
    pub mean_per_second: f64,
    /// The busiest minute, or bin where bins are longer.
    pub peak: Option<Peak>,
    /// Peak over mean.
    pub peak_to_mean: Option<f64>,
    /// Burstiness of counts, for windows of a second to an hour where the bins allow.
    pub dispersion: Vec<Dispersion>,
    /// Coefficient of variation of the gaps between requests; event logs only.
    pub gap_cv: Option<f64>,
    /// Autocorrelation of the hourly load after a day; from two days of record.
    pub daily_autocorrelation: Option<f64>,
    /// Autocorrelation of the hourly load after a week; from two weeks of record.
    pub weekly_autocorrelation: Option<f64>,
    /// The strongest periods, shortest first.
    pub periods: Vec<Period>,
    /// Stretches that are missing.
    pub holes: Holes,
    /// Stretches that look wrong.
    pub findings: Vec<Finding>,
    /// Tokens of the prompts.
    pub input_tokens: Option<Summary>,
    /// Generated tokens.
    pub output_tokens: Option<Summary>,
    /// Times of service in seconds.
    pub service_seconds: Option<Summary>,
    /// Time between the points of `series`.
    pub series_step: Span,
    /// The load over time.
    pub series: Vec<RatePoint>,
}

/// The highest load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Peak {
    /// Requests per second, as the mean over `window`.
    pub per_second: f64,
    /// Start of the window.
    #[serde(serialize_with = "as_iso")]
    pub at: Instant,
    /// Length of the window.
    pub window: Span,
}

/// Index of dispersion: variance over mean of the counts in windows. 1 for independent arrivals; where
/// the trace gives rates, their own randomness comes on top.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Dispersion {
    /// Length of a window.
    pub window: Span,
    /// Windows that were counted.
    pub windows: u64,
    /// Variance over mean.
    pub index: f64,
}

/// A period of the load.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Period {
    /// Its length.
    pub period: Span,
    /// Autocorrelation there, up to 1.
    pub autocorrelation: f64,
}

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// Where it starts.
    #[serde(serialize_with = "as_iso")]
    pub start: Instant,
    /// Its length.
    pub span: Span,
}

/// Missing stretches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holes {
    /// How many.
    pub count: u64,
    /// Their length together.
    pub total: Span,
    /// The longest, at most 20, in order of time.
    pub longest: Vec<Stretch>,
}

/// What looks wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// Zeros where load was due.
    ZeroRun,
    /// Zeros at the same time every day.
    DailyZeros,
    /// A value that does not move.
    ConstantRun,
    /// Rows that leave their grid.
    ClockJump,
    /// No request for long in an event log.
    Silence,
}

/// A stretch that looks wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What looks wrong.
    pub kind: FindingKind,
    /// Where it starts.
    #[serde(serialize_with = "as_iso")]
    pub start: Instant,
    /// Its length.
    pub span: Span,
    /// Bins, or days for daily zeros.
    pub count: u64,
    /// One sentence.
    pub text: String,
    /// The option that takes it out of the trace.
    pub suggestion: Option<String>,
}

/// A distribution in brief.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Summary {
    /// Values.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

/// A point of the load over time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RatePoint {
    /// Start of the stretch that the point stands for.
    #[serde(serialize_with = "as_iso")]
    pub at: Instant,
    /// Mean requests per second; `None` where more than half is missing.
    pub mean: Option<f64>,
    /// The highest part of the stretch.
    pub peak: Option<f64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn as_iso<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&iso(*at))
}

/// Puts the survey of a trace into words and numbers.
pub(super) fn inspection(path: &Path, trace: &Trace, survey: Survey, points: usize) -> Inspection {
    let mean = survey.mean_per_second();
    let start = survey.start.unwrap_or_default();
    let meter = &survey.meter;
    let cell = meter.width();
    let per_hour = (Span::HOUR.0 / cell.0).max(1) as usize;
    let (rates, hourly) = (meter.rates(1), meter.rates(per_hour));
    let hour = cell * per_hour as u64;
    let factor = meter.len().div_ceil(points).max(1);
    let series = meter.rates(factor).into_iter().zip(meter.peaks(factor)).enumerate();
    let series = series
        .map(|(index, (mean, peak))| {
            let at = meter.origin() + cell * (index * factor) as u64;
            RatePoint { at, mean, peak }
        })
        .collect();
    let peak = survey.scales.peak();
    let (holes, findings) = survey.suspects.finish(mean);
    Inspection {
        path: path.to_owned(),
        format: trace.format,
        calendar: trace.calendar,
        measure: trace.measure,
        step: trace.step,
        notes: trace.notes.clone(),
        start,
        end: survey.end,
        span: survey.end.since(start),
        items: survey.items,
        requests: survey.requests,
        mean_per_second: mean,
        peak,
        peak_to_mean: peak.filter(|_| mean > 0.0).map(|peak| peak.per_second / mean),
        dispersion: survey.scales.dispersion(),
        gap_cv: survey.gaps.cv(),
        daily_autocorrelation: periods::at(&hourly, hour, Span::DAY),
        weekly_autocorrelation: periods::at(&hourly, hour, Span::DAY * 7),
        periods: periods::find(&rates, cell),
        holes,
        findings,
        input_tokens: survey.sizes.input.summary(),
        output_tokens: survey.sizes.output.summary(),
        service_seconds: survey.sizes.service_s.summary(),
        series_step: cell * factor as u64,
        series,
    }
}
