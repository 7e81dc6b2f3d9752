//! `homeostat calibrate`.

use std::fmt::Write as _;

use comfy_table::CellAlignment;
use homeostat_calibrate::{Estimate, Fit, Options, ServerChoice, calibrate};
use homeostat_core::Span;
use homeostat_twin::scenario::{Duration, Server};
use serde_json::{Value, json};

use crate::cli::CalibrateArgs;
use crate::failure::{Code, Failure, Outcome};
use crate::input::metrics::{self, Recorded};
use crate::run::progress::waiting;
use crate::show::say;
use crate::show::table::plain;
use crate::show::{fit_plot, write_whole};

pub(crate) fn run(args: &CalibrateArgs) -> Outcome {
    let server = match args.server.as_deref() {
        None | Some("auto") => ServerChoice::Auto,
        Some("fcfs") => ServerChoice::Fcfs,
        Some("sharing") => ServerChoice::Sharing,
        Some(other) => {
            let problem =
                format!("--server {other}: expected auto, fcfs or sharing, for example --server fcfs");
            return Err(Failure::new(problem));
        }
    };
    let Recorded { record, notes } = metrics::read(&args.read)?;
    let starts = args.starts.as_deref().map(|path| metrics::starts(path, &args.read)).transpose()?;
    for note in &notes {
        eprintln!("note: {note}");
    }
    let options = Options { slots: args.slots, server, starts, seed: args.seed };
    let names = args.read.metrics.join(", ");
    let waiting = waiting("fitting service time, server and start-up");
    let fitted = calibrate(&record, &options);
    waiting.finish_and_clear();
    let fit = fitted.map_err(|refusal| Failure::new(format!("{names}: {refusal}")))?;
    let scenario = scenario(&fit, args);
    if let Some(path) = &args.out {
        write_whole(path, &scenario)?;
    }
    if let Some(path) = &args.plot {
        write_whole(path, &fit_plot::render(&fit))?;
    }
    if args.json {
        say(serde_json::to_string_pretty(&as_json(&fit, &notes))?)?;
    } else {
        say(table(&fit))?;
        if args.out.is_none() {
            say(format!("\n{}", scenario.trim_end()))?;
        }
    }
    Ok(Code::Done)
}

fn as_json(fit: &Fit, notes: &[String]) -> Value {
    let [used, saturated, draining, transient, unused] = fit.samples;
    json!({
        "estimates": fit.estimates,
        "server": fit.server(),
        "service_time": fit.service_time(),
        "server_reason": fit.server_reason,
        "misfit": fit.misfit,
        "noise": { "mean": fit.noise[0], "p50": fit.noise[1], "p95": fit.noise[2], "p99": fit.noise[3],
                   "cpu": fit.noise[4], "rate": fit.noise[5] },
        "capacity": fit.capacity,
        "by_cpu": fit.by_cpu,
        "by_saturation": fit.by_saturation,
        "start_up": fit.start_up,
        "samples": { "used": used, "saturated": saturated, "draining": draining, "transient": transient,
                     "unused": unused },
        "notes": fit.notes,
        "reading": notes,
    })
}

fn table(fit: &Fit) -> String {
    let mut table = plain(&["parameter", "value", "95 % interval", "from"]);
    for estimate in &fit.estimates {
        let interval = match (estimate.low, estimate.high) {
            (Some(low), Some(high)) => format!("{} to {}", number(low), number(high)),
            _ => String::new(),
        };
        table.add_row([label(estimate), number(estimate.value), interval, estimate.from.to_owned()]);
    }
    for column in 1..3 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let [used, saturated, draining, transient, unused] = fit.samples;
    let mut text = format!("{table}\n");
    let mut line = |line: std::fmt::Arguments| {
        // Writing to a string cannot fail.
        writeln!(text, "{line}").ok();
    };
    line(format_args!("server: {}", fit.server_reason));
    line(format_args!(
        "samples: {used} used, {saturated} saturated, {draining} draining, {transient} in the wake of something \
         else, {unused} without load or latency; misfit {:.2}",
        fit.misfit
    ));
    for note in &fit.notes {
        line(format_args!("note: {}", note.text));
    }
    text.trim_end().to_owned()
}

fn label(estimate: &Estimate) -> String {
    let name = estimate.name;
    let unit = [("_ms", " ms"), ("_per_s", " requests/s"), ("_s", " s")];
    let found = unit.iter().find_map(|(end, unit)| name.strip_suffix(end).map(|base| (base, *unit)));
    let (base, unit) = found.unwrap_or((name, ""));
    format!("{}{}", base.replace('_', " "), if unit.is_empty() { String::new() } else { format!(",{unit}") })
}

/// Four digits that matter.
fn number(value: f64) -> String {
    let digits = (3 - value.abs().max(1e-6).log10().floor() as i32).clamp(0, 6) as usize;
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A whole scenario that runs under `compare`, the fitted parts with what they rest on.
fn scenario(fit: &Fit, args: &CalibrateArgs) -> String {
    let objective = args.objective.unwrap_or_else(|| suggested(fit));
    let server = match fit.server() {
        Some(Server::Fcfs(slots)) => format!("{{ fcfs: {{ slots: {} }} }}", slots.slots),
        Some(Server::Sharing(s)) => format!(
            "{{ sharing: {{ contention: {:.5}, coherency: {:.7}, cores: {} }} }}",
            s.contention, s.coherency, s.cores
        ),
        Some(Server::Batch(_)) | None => String::new(),
    };
    let start_up = match &fit.start_up {
        Some(start) => {
            let [low, high] = start.mean_interval_s;
            format!(
                "    # from order to readiness, phases not told apart; mean {low:.1} to {high:.1} s\n    start_up: \
                 {{ model_load: {} }}\n",
                duration(&start.duration())
            )
        }
        None => "    # start-up was not in the record: put yours here\n    start_up: { model_load: { fixed: 60s } }\n"
            .to_owned(),
    };
    let time = fit.service_time().map_or_else(String::new, |time| duration(&time));
    let interval = |name: &str| match fit.estimate(name) {
        Some(Estimate { low: Some(low), high: Some(high), .. }) => {
            format!("{} to {}", number(*low), number(*high))
        }
        _ => "not known".to_owned(),
    };
    let (mean, cv) = (interval("service_time_mean_ms"), interval("service_time_cv"));
    let peak = fit.points.iter().map(|p| p.utilisation).fold(0.0, f64::max);
    format!(
        "# Made by homeostat calibrate from {names}\n\
         # Misfit {misfit:.2} (1: the model explains the record), utilisation up to {peak:.2}.\n\
         # Check it: homeostat validate THIS.yaml METRICS\n\
         version: 1\n\
         name: calibrated\n\
         # put your own trace here: {{ trace: {{ file: requests.csv }} }}\n\
         traffic:\n  source: {{ generate: {{ length: 2d, mean_rps: {rps} }} }}\n\
         objective: {{ latency: {objective}, attainment: 0.999 }}\n\
         services:\n  - name: model\n    server: {server}\n    # 95 %: mean {mean} ms, cv {cv}\n    \
         service_time: {time}\n    replicas: {{ min: 1, max: {max} }}\n{start_up}    cpu_milli: {cpu}\n",
        names = args.read.metrics.join(", "),
        misfit = fit.misfit,
        rps = number(fit.capacity.per_second * 5.0),
        max = 100,
        cpu = args.read.cpu_milli,
    )
}

/// Without an objective: five times the mean work, in two digits.
fn suggested(fit: &Fit) -> Span {
    let mean_ms = fit.estimate("service_time_mean_ms").map_or(200.0, |e| e.value);
    let digits = 10_f64.powi((mean_ms * 5.0).log10().floor() as i32 - 1);
    Span::from_secs_f64(((mean_ms * 5.0 / digits).ceil() * digits).max(0.001) / 1_000.0)
}

fn duration(duration: &Duration) -> String {
    match duration {
        Duration::LogNormal(shape) => {
            format!("{{ log_normal: {{ mean: {}, cv: {} }} }}", shape.mean, shape.cv)
        }
        Duration::Fixed(span) => format!("{{ fixed: {span} }}"),
        other => format!("{{ fixed: {} }}", other.mean()),
    }
}
