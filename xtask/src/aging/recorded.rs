//! Recorded aging: a `KubeEdge` node run to failure, small LLMs served for days, two machines of Alibaba.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use homeostat_core::{Instant, Span};
use homeostat_forecast::aging::{Detector, Settings, Verdict};

/// Memory of the `KubeEdge` node in percent at which it counts as failed, first reached at 56.6 h.
const FULL: f64 = 95.0;
const LEADS: [u64; 10] = [1, 2, 3, 4, 6, 9, 12, 15, 18, 24];

pub(super) fn print(root: &Path) -> Result<()> {
    let data = std::env::var_os("HOMEOSTAT_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let folder = data.join("aging");
    if !folder.exists() {
        eprintln!("skipped: no data at {}", folder.display());
        return Ok(());
    }
    failure(&folder)?;
    println!("\n## Recorded series at their end: no limit, load not recorded\n");
    println!("| series | hours | leak | slope per h | 90 % | why |");
    println!("|---|---|---|---|---|---|");
    for model in ["opt-125m", "gpt-neo-125m"] {
        for every in ["1s", "5s", "10s"] {
            let name = format!("llm_serving_{model}_{every}");
            let values = column(&folder.join(format!("{name}.csv.gz")), 4)?;
            let values: Vec<f64> = values.iter().map(|bytes| bytes / 1_048_576.0).collect();
            // The harness slept 60 s between samples that took 0.06 s.
            end(&format!("{name}, MiB"), &values, 60.06);
        }
    }
    for machine in ["m_1935", "m_1939"] {
        let file = folder.join(format!("alibaba2018_{machine}_memory_labelled.csv.gz"));
        let name = if machine == "m_1935" { "Normal" } else { "Anomaly" };
        end(&format!("alibaba {machine}, %, labelled {name}"), &column(&file, 2)?, 300.0);
    }
    Ok(())
}

fn failure(folder: &Path) -> Result<()> {
    println!("\n## KubeEdge, run to failure: time until memory reaches {FULL} %\n");
    println!("| lead, h | ours, h | 90 % | error | leak |");
    println!("|---|---|---|---|---|");
    let values = column(&folder.join("kubeedge_constant_load_aging.csv.gz"), 2)?;
    let step_s = 20.0;
    let full = values.iter().position(|value| *value >= FULL).context("it never fills up")?;
    let mut detector = Detector::new(Settings::default(), Some(FULL));
    let mut alarm = None;
    let mut rows = Vec::new();
    for (i, value) in values[..full].iter().enumerate() {
        feed(&mut detector, i, *value, step_s);
        let verdict = detector.verdict();
        let left = (full - i) as f64 * step_s / 3_600.0;
        if verdict.leak && alarm.is_none() {
            alarm = Some(left);
        }
        if let Some(lead) = LEADS.iter().find(|lead| (left - **lead as f64).abs() < 1e-6) {
            rows.push((*lead, verdict));
        }
    }
    for (lead, verdict) in rows.iter().rev() {
        println!("| {lead} | {} | {} |", ahead(verdict, *lead as f64), verdict.leak);
    }
    println!("\nFirst alarm {:.1} h before.", alarm.unwrap_or(0.0));
    Ok(())
}

fn ahead(verdict: &Verdict, lead: f64) -> String {
    verdict.to_limit.map_or("– | – | –".to_owned(), |eta| {
        let error = 100.0 * (eta.hours - lead) / lead;
        format!("{:.1} | {:.1} to {:.1} | {error:+.0} %", eta.hours, eta.low, eta.high)
    })
}

fn end(name: &str, values: &[f64], step_s: f64) {
    let mut detector = Detector::new(Settings::default(), None);
    for (i, value) in values.iter().enumerate() {
        feed(&mut detector, i, *value, step_s);
    }
    let verdict = detector.verdict();
    println!(
        "| {name} | {:.0} | {} | {:.2} | {:.2} to {:.2} | {} |",
        detector.age_hours(),
        verdict.leak,
        verdict.slope_per_hour,
        verdict.slope_low,
        verdict.slope_high,
        verdict.why.code()
    );
}

fn feed(detector: &mut Detector, index: usize, value: f64, step_s: f64) {
    let at = Instant::ZERO + Span::from_secs_f64(index as f64 * step_s);
    detector.update(at, Some(value), None);
}

/// A column of numbers of a packed CSV with a header; what is no number is left out as NaN.
fn column(path: &Path, index: usize) -> Result<Vec<f64>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let lines = BufReader::new(GzDecoder::new(file)).lines().skip(1);
    lines
        .map(|line| {
            let line = line?;
            let cell = line.split(',').nth(index).unwrap_or_default();
            Ok(cell.parse().unwrap_or(f64::NAN))
        })
        .collect()
}
