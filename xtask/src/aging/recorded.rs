//! Recorded aging: a `KubeEdge` node run to failure, small LLMs served for days, two machines of Alibaba.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use homeostat_core::{Instant, Span};
use homeostat_forecast::aging::synth::Minute;
use homeostat_forecast::aging::{Detector, Eta, Settings};

use super::peers::named;
use super::picture::{self, Line};

/// Memory of the `KubeEdge` node in percent at which it counts as failed, first reached at 56.6 h.
const FULL: f64 = 95.0;
/// Leads of the table; the picture has every hour.
const LEADS: [u64; 10] = [1, 2, 3, 4, 6, 9, 12, 15, 18, 24];
/// Between readings of the node.
const STEP_S: f64 = 20.0;
const PER_MINUTE: usize = 3;
/// Beside ours, and their colours in the picture.
const PEERS: [(&str, &str); 2] =
    [("Theil-Sen, blocks of 1 h", "#777"), ("Mann-Kendall + Sen, 24 h", "#1f6f8b")];

pub(super) fn print(root: &Path) -> Result<()> {
    let data = std::env::var_os("HOMEOSTAT_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let folder = data.join("aging");
    if !folder.exists() {
        eprintln!("skipped: no data at {}", folder.display());
        return Ok(());
    }
    failure(root, &folder)?;
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

fn failure(root: &Path, folder: &Path) -> Result<()> {
    let values = column(&folder.join("kubeedge_constant_load_aging.csv.gz"), 2)?;
    let full = values.iter().position(|value| *value >= FULL).context("it never fills up")?;
    let run = &values[..full];
    let (ours, alarm) = ours(run);
    let peers = PEERS.map(|(name, colour)| (name, colour, told(name, run)));
    println!("\n## KubeEdge, run to failure: time until memory reaches {FULL} %\n");
    println!("| lead, h | ours, h | 90 % | error | {} |", PEERS.map(|(name, _)| name).join(" | "));
    println!("|---|---|---|---|{}", "---|".repeat(PEERS.len()));
    for lead in LEADS.into_iter().rev() {
        let others: Vec<String> = peers.iter().map(|(_, _, told)| share(told.get(&lead), lead)).collect();
        println!("| {lead} | {} | {} |", ahead(ours.get(&lead), lead), others.join(" | "));
    }
    println!("\nFirst alarm {alarm:.1} h before.");

    let mut drawn =
        vec![line("ours", "#c2410c", &ours.iter().map(|(lead, eta)| (*lead, eta.hours)).collect())];
    drawn.extend(peers.iter().map(|(name, colour, told)| line(name, colour, told)));
    let title = "KubeEdge, run to failure: error of the time to the limit, by the time left";
    let file = root.join(picture::RECORDED);
    std::fs::write(&file, picture::draw(title, &drawn))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// What ours says at each whole hour of lead, and the lead of its first alarm in hours.
fn ours(run: &[f64]) -> (BTreeMap<u64, Eta>, f64) {
    let mut detector = Detector::new(Settings::default(), Some(FULL));
    let (mut told, mut alarm) = (BTreeMap::new(), None);
    for (i, value) in run.iter().enumerate() {
        feed(&mut detector, i, *value, STEP_S);
        let verdict = detector.verdict();
        let left = run.len() - i;
        if verdict.leak && alarm.is_none() {
            alarm = Some(left as f64 * STEP_S / 3_600.0);
        }
        if let (Some(lead), Some(eta)) = (whole_hours(left), verdict.to_limit) {
            told.insert(lead, eta);
        }
    }
    (told, alarm.unwrap_or(0.0))
}

/// Hours to the limit that a peer tells at each whole hour of lead. It sees a reading a minute; the load was
/// constant.
fn told(name: &str, run: &[f64]) -> BTreeMap<u64, f64> {
    let mut watch = named(name, FULL);
    let mut told = BTreeMap::new();
    for (i, value) in run.iter().enumerate().filter(|(i, _)| (run.len() - i).is_multiple_of(PER_MINUTE)) {
        let at = Instant::ZERO + Span::from_secs_f64(i as f64 * STEP_S);
        watch.minute(&Minute { at, value: *value, level: *value, load: 0.0 });
        if let (Some(lead), Some(hours)) = (whole_hours(run.len() - i), watch.to_limit()) {
            told.insert(lead, hours);
        }
    }
    told
}

/// The lead in hours where this many readings before the end are a whole one from 1 to 24.
fn whole_hours(left: usize) -> Option<u64> {
    let per_hour = 60 * PER_MINUTE;
    (left.is_multiple_of(per_hour) && left <= 24 * per_hour).then_some((left / per_hour) as u64)
}

fn line(name: &str, colour: &'static str, told: &BTreeMap<u64, f64>) -> Line {
    // What stands after a comma has no room beside the picture.
    let name = name.split(',').next().unwrap_or(name);
    let error = |(lead, hours): (&u64, &f64)| (*lead as f64, (hours / *lead as f64 - 1.0).abs());
    Line { name: name.to_owned(), colour, dashes: "", points: told.iter().map(error).collect() }
}

fn ahead(eta: Option<&Eta>, lead: u64) -> String {
    eta.map_or("– | – | –".to_owned(), |eta| {
        let error = share(Some(&eta.hours), lead);
        format!("{:.1} | {:.1} to {:.1} | {error}", eta.hours, eta.low, eta.high)
    })
}

/// The error of the hours told, as a share of those that are left.
fn share(told: Option<&f64>, lead: u64) -> String {
    told.map_or("–".to_owned(), |hours| format!("{:+.0} %", 100.0 * (hours / lead as f64 - 1.0)))
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
