//! Where requests come from: a recorded trace or a generator, and how it is scaled.

use homeostat_core::Span;
use homeostat_core::load::RequestSize;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A generated series with a daily shape, noise, bursts and flash crowds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Generated {
    /// Length of the series. Default 2 days.
    pub length: Span,
    /// Step of the series. Default 60 s.
    pub step: Span,
    /// Mean rate in requests per second. Default 100.
    pub mean_rps: f64,
    /// Swing of the day: 0 is flat, 0.9 goes from a tenth of the mean to nearly twice. Default 0.6.
    pub daily: f64,
    /// Share by which weekends are lower. Default 0.
    pub weekend: f64,
    /// Standard deviation of the slow noise (its memory is one hour), as a share. Default 0.08.
    pub drift: f64,
    /// Standard deviation of the noise from step to step, as a share. Default 0.03.
    pub noise: f64,
    /// Bursts: how many a day, how high (as a multiple of the present rate), how long.
    pub bursts: Bursts,
    /// Flash crowds: rare, high, rising within minutes and falling within hours.
    pub flash_crowds: Bursts,
    /// A regular burst, as scheduled jobs make: every so often, so high, so long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regular: Option<Regular>,
}

/// Random surges.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Bursts {
    /// Mean number per day.
    pub per_day: f64,
    /// Mean height above the present rate, as a multiple of it.
    pub height: f64,
    /// Mean length.
    pub lasts: Span,
}

/// Surges by the clock.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Regular {
    /// Time between two.
    pub every: Span,
    /// Offset of the first.
    #[serde(default)]
    pub offset: Span,
    /// Height above the present rate, as a multiple of it.
    pub height: f64,
    /// Length.
    pub lasts: Span,
}

impl Default for Generated {
    fn default() -> Self {
        Self {
            length: Span::DAY * 2,
            step: Span::MINUTE,
            mean_rps: 100.0,
            daily: 0.6,
            weekend: 0.0,
            drift: 0.08,
            noise: 0.03,
            bursts: Bursts::default(),
            flash_crowds: Bursts::default(),
            regular: None,
        }
    }
}

/// A recorded trace.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// The file, relative to the scenario file. `data:PATH` is looked for under the folder that the
    /// environment variable `HOMEOSTAT_DATA` names.
    pub file: String,
    /// The format, where the guess is wrong: `values`, `series`, `events`, `azure-llm`, `mooncake`,
    /// `servegen` or `prometheus`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Which columns mean what, for example `time=TimeStamp,rate=Value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<String>,
    /// Step of a series that has no times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Span>,
    /// Runs of zeros at least this long are missing data, not idleness.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_zeros: Option<Span>,
    /// What to do about a duplicate time: `first`, `sum` or `mean`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_duplicate: Option<String>,
    /// Keep only rows with this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Rows may come in any order: sort them first.
    #[serde(default)]
    pub sort: bool,
    /// Time of the first row, where the file has no dates, for example `2026-03-01T00:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// Daily windows in which the record is known to be wrong, for example `23:31:01-24:00`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artefacts: Vec<String>,
    /// Time zone of times without one. Default UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
}

/// Where requests come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A recorded trace.
    Trace(Recorded),
    /// A generated series.
    Generate(Generated),
    /// One of the six shapes of Gandhi et al. (2012), reconstructed: `slowly_varying`, `quickly_varying`,
    /// `big_spike`, `dual_phase`, `large_variations`, `steep_tri_phase`; two hours, peak 800 req/s.
    Shape(crate::workload::Shape),
    /// A constant rate of independent arrivals.
    Constant(Constant),
}

/// A constant rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// Requests per second.
    pub rps: f64,
    /// For how long.
    pub length: Span,
}

/// How a trace is made larger or smaller.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Multiply every count and rate.
    Factor(f64),
    /// Such that the mean load is the work of this many replicas of the first service.
    MeanReplicas(f64),
}

/// Work of a request from its tokens: `fixed + per_input · input + per_output · output`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceFromTokens {
    /// Time that every request takes.
    pub fixed: Span,
    /// Time per prompt token.
    pub per_input: Span,
    /// Time per generated token.
    pub per_output: Span,
}

/// A part of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// For tuning: the first 40 %, cut at midnight UTC.
    Tune,
    /// For reporting: the rest.
    Test,
}

/// The requests of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// Where they come from.
    pub source: Source,
    /// How they are scaled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
    /// Replace counts by the mean rate over stretches of this length, with independent arrivals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resample: Option<Span>,
    /// Work from tokens, where the trace has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<ServiceFromTokens>,
    /// Use only a part of the trace: `tune` is its first 40 %, cut at midnight UTC (traces of less than
    /// about 2.5 days: at 40 %), `test` the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// Leave out this much at the start of the trace.
    #[serde(default)]
    pub skip: Span,
    /// Use at most this much of the trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take: Option<Span>,
}

impl Traffic {
    /// What the trace says about the work of a request, if it says anything.
    #[inline]
    pub fn recorded_work(&self, size: &RequestSize) -> Option<Span> {
        if let (Some(tokens), Some(input)) = (self.tokens, size.input_tokens) {
            let output = size.output_tokens.unwrap_or(0);
            return Some(tokens.fixed + tokens.per_input * input.into() + tokens.per_output * output.into());
        }
        size.service
    }
}
