//! Does a policy swing? Square waves against the time of a start, under noisy metrics: the table of
//! docs/oscillation.md.
//!
//! The load changes between one and two times its low level every half period; a period is 1, 2, 4 or 10
//! start-ups long. Metrics are off by up to 15 %. Ten hours are run; the 26 hours before are known to
//! policies that forecast.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::product;

/// Periods of the wave, in start-ups.
const PERIODS: [u32; 4] = [1, 2, 4, 10];
/// A start-up, in seconds.
const START_UP_S: u32 = 120;
/// Policies besides the two that are written out below, in the order of the table.
const POLICIES: [&str; 11] = [
    "hpa-cpu-50",
    "hpa-cpu-80",
    "watermark",
    "kpa",
    "keda-rps",
    "reactive",
    "phpa",
    "mark",
    "mu",
    "aws-predictive",
    "predictive",
];
/// The horizontal pod autoscaler without a window.
const WITHOUT_WINDOW: [(&str, &str); 2] = [("hpa-50-window-0", "50"), ("hpa-80-window-0", "80")];
const SEEDS: &str = "3";
/// Where results are kept.
const KEPT: &str = "target/oscillation";
const PAGE: &str = "docs/oscillation.md";
const BEGIN: &str = "<!-- oscillation: begin -->";
const END: &str = "<!-- oscillation: end -->";

/// Runs the waves and puts the table into the page. Results of an earlier call are used again: delete
/// `target/oscillation` to measure anew.
pub(crate) fn run(root: &Path) -> Result<()> {
    let folder = root.join(KEPT);
    std::fs::create_dir_all(&folder)?;
    let mut text = String::new();
    for period in PERIODS {
        let scenario = scenario(&folder, period)?;
        let names = WITHOUT_WINDOW.iter().map(|(name, _)| *name).chain(POLICIES);
        let policies: Vec<&str> = names.flat_map(|name| ["--policy", name]).collect();
        let file = scenario.to_string_lossy();
        let args = [&["compare", &*file, "--no-bound", "--seeds", SEEDS], &policies[..]].concat();
        let result = product::kept(root, &folder.join(format!("{period}.json")), &args, &[0], true)?;
        let result = result.context("a generated scenario needs no recorded data")?;
        write!(text, "{}", table(period, &result)?)?;
    }
    let page = root.join(PAGE);
    let old = std::fs::read_to_string(&page).with_context(|| format!("cannot read {PAGE}"))?;
    let (Some(from), Some(to)) = (old.find(BEGIN), old.find(END)) else {
        bail!("{PAGE} has no `{BEGIN}` and `{END}` to put the table between");
    };
    std::fs::write(&page, format!("{}{BEGIN}\n{text}\n{}", &old[..from], &old[to..]))?;
    print!("{text}");
    Ok(())
}

/// The scenario of a period, written to `folder`.
fn scenario(folder: &Path, period: u32) -> Result<PathBuf> {
    let every = period * START_UP_S;
    let half = every / 2;
    let mut text = format!(
        "version: 1
name: square-{period}
description: A square wave whose period is {period} start-ups, under metrics off by up to 15 %.
traffic:
  source:
    generate:
      length: 36h
      step: 15s
      mean_rps: 200
      daily: 0
      drift: 0
      noise: 0
      regular: {{ every: {every}s, height: 1.0, lasts: {half}s }}
  skip: 26h
objective: {{ latency: 1s, attainment: 0.999 }}
services:
  - name: model
    server: {{ fcfs: {{ slots: 4 }} }}
    service_time: {{ log_normal: {{ mean: 200ms, cv: 0.5 }} }}
    replicas: {{ min: 1, max: 100 }}
    start_up: {{ model_load: {{ fixed: {START_UP_S}s }} }}
metrics: {{ noise: 0.15 }}
warm_up: 1h
policies:
"
    );
    for (name, percent) in WITHOUT_WINDOW {
        let policy = format!("{{ hpa: {{ cpu_percent: {percent}, scale_down_window: 0s }} }}");
        writeln!(text, "  - {{ name: {name}, policy: {policy} }}")?;
    }
    let file = folder.join(format!("square-{period}.yaml"));
    std::fs::write(&file, text)?;
    Ok(file)
}

/// A row's figures.
#[derive(Debug, Clone, Copy)]
struct Figures {
    flips: f64,
    attainment: f64,
    cost: f64,
}

fn figures(result: &Value, name: &str) -> Result<Figures> {
    let rows = result["policies"].as_array().map(Vec::as_slice).unwrap_or_default();
    let row = rows.iter().find(|row| row["name"] == name).with_context(|| format!("no row {name}"))?;
    let number = |field: &str| row[field].as_f64().with_context(|| format!("{name} has no {field}"));
    Ok(Figures { flips: number("flips_per_hour")?, attainment: number("attainment")?, cost: number("cost")? })
}

fn table(period: u32, result: &Value) -> Result<String> {
    let free = figures(result, WITHOUT_WINDOW[0].0)?;
    let stock = figures(result, "hpa-cpu-50")?;
    let mut text = format!(
        "\nPeriod {period} × start-up ({} s):\n\n\
         | policy | flips/h | of HPA-50 without a window | more than stock HPA-50 | attainment | cost \
         | of stock HPA-50 |\n\
         |---|---|---|---|---|---|---|\n",
        period * START_UP_S
    );
    for name in WITHOUT_WINDOW.iter().map(|(name, _)| *name).chain(POLICIES) {
        let own = figures(result, name)?;
        writeln!(
            text,
            "| {name} | {:.2} | {:.2} | {:+.2} | {:.3} % | {:.1} | {:.3} |",
            own.flips,
            own.flips / free.flips,
            own.flips - stock.flips,
            (own.attainment * 100_000.0).floor() / 1_000.0,
            own.cost,
            own.cost / stock.cost
        )?;
    }
    let ours = figures(result, "predictive")?;
    let met = [
        (ours.flips <= free.flips / 3.0, "≤ ⅓ of the flips without a window"),
        (ours.flips <= stock.flips + 0.1, "≤ stock HPA's flips + 0.1/h"),
        (ours.attainment >= stock.attainment, "attainment no lower than stock HPA's"),
        (ours.cost <= stock.cost, "cost no higher than stock HPA's"),
    ];
    let say = |(met, what): &(bool, &str)| format!("{} {what}", if *met { "✓" } else { "✗" });
    writeln!(
        text,
        "\n`predictive` against HPA at 50 %: {}.",
        met.iter().map(say).collect::<Vec<_>>().join("; ")
    )?;
    Ok(text)
}
