//! From a comparison to the report's records, and to disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use homeostat_report::{
    Aging, BoundPoint, DecisionMark, Demand, Envelope, Forecast, Objective, PolicyReport, ReplicaAge,
    ReportData, Series, Summary, TraceFacts,
};
use homeostat_twin::Outcome;

use crate::cli::Fidelity;
use crate::failure::Failure;
use crate::input::traffic::Survey;
use crate::run::bound::{Bound, Point};
use crate::run::{Comparison, Row};
use crate::show::{json, write_whole};

/// Writes `report.html` and `result.json` to `folder`; returns the path of the report.
pub(crate) fn write(
    folder: &Path,
    comparison: &Comparison,
    extra: &json::Extra<'_>,
    load: &Survey,
    command: &str,
) -> Result<PathBuf, Failure> {
    let html = homeostat_report::render(&data(comparison, load, command));
    fs::create_dir_all(folder)
        .map_err(|error| Failure::new(format!("cannot make the folder {}: {error}", folder.display())))?;
    write_whole(&folder.join("result.json"), &json::render(comparison, extra, false)?)?;
    let path = folder.join("report.html");
    write_whole(&path, &html)?;
    Ok(path)
}

/// Tells before a long run, and without making anything, whether a folder can be made and written to.
pub(crate) fn can_hold(folder: &Path) -> Result<(), Failure> {
    let cannot = |problem: &str| {
        let problem = format!("cannot write to the folder {}: {problem}", folder.display());
        Err(Failure::new(problem))
    };
    let absolute = std::path::absolute(folder)?;
    let Some(there) = absolute.ancestors().find(|path| path.exists()) else { return Ok(()) };
    if !there.is_dir() {
        return cannot(&format!("{} is a file", there.display()));
    }
    if fs::metadata(there)?.permissions().readonly() {
        return cannot(&format!("{} is read-only", there.display()));
    }
    Ok(())
}

fn data(comparison: &Comparison, load: &Survey, command: &str) -> ReportData {
    let first = comparison.rows.first().map(|row| &row.first);
    ReportData {
        title: format!("{}: autoscaling policies compared", comparison.scenario),
        scenario: comparison.scenario.clone(),
        description: comparison.description.clone(),
        command: command.to_owned(),
        generated_by: format!("homeostat {}", env!("CARGO_PKG_VERSION")),
        objective: Objective { latency_ms: comparison.latency_ms, attainment: comparison.attainment_wanted },
        trace: TraceFacts {
            name: String::new(),
            start_unix_s: load.calendar.then_some((load.start.0 / 1_000_000_000) as i64),
            span_s: load.span.as_secs_f64(),
            scored_from_s: first.map_or(0.0, |o| o.warm_up.as_secs_f64()),
            requests: comparison.requests,
        },
        cost_unit: comparison.currency.clone().unwrap_or_default(),
        notes: notes(comparison, load),
        bound: comparison.bound.as_ref().map(bound),
        demand: first.map(demand).unwrap_or_default(),
        policies: comparison.rows.iter().map(|row| policy(row, comparison)).collect(),
    }
}

fn notes(comparison: &Comparison, load: &Survey) -> Vec<String> {
    let mut notes = load.notes.clone();
    notes.extend(comparison.bound_notes.iter().cloned());
    if comparison.fidelity == Fidelity::Fluid {
        notes.push(
            "A fluid run: by rates and backlogs, not request by request; percentiles are nearly right."
                .to_owned(),
        );
    }
    notes.extend(comparison.doubt.clone());
    if comparison.seeds.len() > 1 {
        let seeds = comparison.seeds.len();
        notes.push(format!("Figures are means over {seeds} seeds; the curves show the first of them."));
    }
    if comparison.stopped {
        notes.push(format!("Stopped early; not run to the end: {}.", comparison.unfinished.join(", ")));
    }
    notes
}

fn floats(values: &[f64]) -> Vec<f32> {
    values.iter().map(|v| *v as f32).collect()
}

fn demand(outcome: &Outcome) -> Demand {
    Demand {
        start_s: 0.0,
        step_s: outcome.series.step_s,
        mean_replicas: floats(&outcome.series.demand_replicas),
        peak_replicas: Vec::new(),
    }
}

/// The curve as far as schedules were found.
fn bound(bound: &Bound) -> Vec<BoundPoint> {
    let point = |point: &Point| {
        point.best.map(|best| BoundPoint {
            attainment: point.attainment,
            cost: best.cost,
            replica_hours: best.replica_hours,
            lower_cost: point.lower_cost,
        })
    };
    bound.points.iter().filter_map(point).collect()
}

fn policy(row: &Row, comparison: &Comparison) -> PolicyReport {
    let outcome = &row.first;
    let decisions = outcome.marks.iter().map(|mark| DecisionMark {
        at_s: mark.at_s,
        from: mark.from,
        to: mark.to,
        text: mark.text.clone(),
    });
    PolicyReport {
        name: row.name.clone(),
        guards: row.guards.clone(),
        source: row.source.clone(),
        summary: summary(row, comparison),
        series: series(outcome),
        decisions: decisions.collect(),
        decisions_total: 0,
        forecasts: outcome.forecasts.iter().map(forecast).collect(),
        aging: outcome.aging.as_ref().map(|first| aging(first, row)),
    }
}

fn forecast(source: &homeostat_twin::outcome::ForecastSeries) -> Forecast {
    let rates = |values: &[Option<f64>]| values.iter().map(|v| v.map(|v| v as f32)).collect();
    let [p5, p50, _, p95, p99] = &source.expected;
    Forecast {
        service: source.service.clone(),
        ahead_s: source.ahead_s,
        start_s: 0.0,
        step_s: source.step_s,
        p5: rates(p5),
        p50: rates(p50),
        p95: rates(p95),
        p99: rates(p99),
        arrived: rates(&source.arrived),
    }
}

/// Counts over all seeds, replicas of the first.
fn aging(first: &homeostat_twin::outcome::Aging, row: &Row) -> Aging {
    let age = |age: &homeostat_twin::outcome::ReplicaAge| ReplicaAge {
        replica: age.replica,
        age_hours: age.age_hours,
        requests: age.requests,
        memory_mib: age.memory_mib,
        leaked_mib: age.leaked_mib,
        limit_mib: age.limit_mib,
    };
    let sum = &row.aging;
    Aging {
        oom_kills: sum.oom_kills,
        rejuvenations: sum.rejuvenations,
        lost_to_oom: sum.lost_to_oom,
        lost_to_rejuvenation: sum.lost_to_rejuvenation,
        replicas: first.replicas.iter().map(age).collect(),
    }
}

fn summary(row: &Row, comparison: &Comparison) -> Summary {
    let ms = |value: f64| value.is_finite().then_some(value);
    let mean = &row.mean;
    let ci = row.interval.iter().flat_map(|[low, high]| {
        low.named()
            .into_iter()
            .zip(high.named())
            .map(|((name, low), (_, high))| (name.to_owned(), [low, high]))
    });
    Summary {
        attainment: mean.attainment,
        failed: mean.failed,
        p50_ms: ms(mean.p50_ms),
        p95_ms: ms(mean.p95_ms),
        p99_ms: ms(mean.p99_ms),
        replica_hours: mean.replica_hours,
        cost: mean.cost,
        monthly_cost: Some(comparison.monthly(mean.cost)),
        cost_over_bound: comparison.over_bound(row),
        gap_closed: comparison.gap_closed(row),
        scale_events: mean.scale_events.round() as u64,
        flips_per_hour: mean.flips_per_hour,
        ci: ci.filter(|(_, pair)| pair.iter().all(|v| v.is_finite())).collect::<BTreeMap<_, _>>(),
    }
}

fn series(outcome: &Outcome) -> Series {
    let source = &outcome.series;
    let n = source.requests.len().min(source.ready.len());
    let ms = |values: &[Option<f64>]| values[..n].iter().map(|v| v.map(|v| v as f32)).collect();
    Series {
        start_s: 0.0,
        step_s: source.step_s,
        ready: Envelope::exact(floats(&source.ready[..n])),
        starting: floats(&source.starting[..n]),
        desired: floats(&source.desired[..n]),
        requests: source.requests[..n].to_vec(),
        missed: source.missed[..n].to_vec(),
        failed: source.failed[..n].to_vec(),
        p50_ms: ms(&source.p50_ms),
        p95_ms: ms(&source.p95_ms),
        p99_ms: ms(&source.p99_ms),
    }
}
