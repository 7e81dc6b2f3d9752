//! The data block of the page: what the script draws.

use serde_json::{Value, json};

use crate::data::{Demand, PolicyReport, ReportData, Series};
use crate::reasons::Reasons;
use crate::{encode, marks, table, thin};

/// Room for all series together, in bytes of the page.
const SERIES_BYTES: usize = 3_200_000;
/// Room for all decisions together, in bytes of the page.
const DECISION_BYTES: usize = 1_400_000;
/// Most windows per series: some ten per pixel column.
const MOST_WINDOWS: usize = 12_000;
/// Bytes of one window: eleven arrays, two bytes each, as base64.
const WINDOW_BYTES: usize = 30;

/// Compact JSON, not yet escaped for its script element.
pub(crate) fn json(data: &ReportData) -> String {
    let policies = data.policies.len().max(1);
    let windows = (SERIES_BYTES / policies / WINDOW_BYTES).min(MOST_WINDOWS);
    let bound = data.bound.as_ref().map(|points| {
        let point = |p: &crate::BoundPoint| json!([p.attainment, p.cost, p.lower_cost]);
        points.iter().map(point).collect::<Vec<_>>()
    });
    let styles = table::styles(data);
    let room = DECISION_BYTES / policies;
    let mut reasons = Reasons::default();
    let drawn = data.policies.iter().zip(styles);
    let policies_drawn: Vec<Value> =
        drawn.map(|(p, style)| policy(p, style, windows, room, &mut reasons)).collect();
    json!({
        "start": data.trace.start_unix_s,
        "span": data.trace.span_s,
        "scoredFrom": data.trace.scored_from_s,
        "latencyMs": data.objective.latency_ms,
        "attainment": data.objective.attainment,
        "costUnit": data.cost_unit,
        "bound": bound,
        "demand": demand(&data.demand),
        "policies": policies_drawn,
        "reasons": reasons.into_sentences(),
    })
    .to_string()
}

fn demand(full: &Demand) -> Value {
    let merged = thin::demand(full, MOST_WINDOWS);
    json!({
        "start": merged.start_s,
        "step": merged.step_s,
        "mean": encode::linear(&merged.mean_replicas),
        "peak": encode::linear(&merged.peak_replicas),
    })
}

fn policy(
    policy: &PolicyReport,
    style: usize,
    windows: usize,
    room_bytes: usize,
    reasons: &mut Reasons,
) -> Value {
    let marks = marks::select(&policy.decisions, room_bytes, reasons);
    let summary = &policy.summary;
    json!({
        "name": policy.name,
        "style": style,
        "guards": policy.guards,
        "attainment": summary.attainment,
        "cost": summary.cost,
        "costCi": summary.ci.get("cost"),
        "attainmentCi": summary.ci.get("attainment"),
        "marksTotal": policy.decisions_total.max(policy.decisions.len() as u64),
        "marks": marks,
        "series": series(&policy.series, windows),
    })
}

fn series(full: &Series, windows: usize) -> Value {
    let merged = thin::series(full, windows);
    let latency =
        |values: &[Option<f32>]| encode::logarithmic(values.iter().map(|value| value.map(f64::from)));
    json!({
        "start": merged.start_s,
        "step": merged.step_s,
        "readyMin": encode::linear(&merged.ready.min),
        "readyMax": encode::linear(&merged.ready.max),
        "held": encode::linear(&thin::held(full, windows)),
        "starting": encode::linear(&merged.starting),
        "desired": encode::linear(&merged.desired),
        "requests": encode::counts(&merged.requests),
        "missed": encode::counts(&merged.missed),
        "failed": encode::counts(&merged.failed),
        "p50": latency(&merged.p50_ms),
        "p95": latency(&merged.p95_ms),
        "p99": latency(&merged.p99_ms),
    })
}
