//! The table of docs/calibration.md: records with known parameters, fitted.
//!
//! `cargo xtask calibration` runs it and puts the table in its place. With arguments, only the cases of
//! these numbers are run.

#![allow(clippy::print_stdout, reason = "an example prints")]

use homeostat_calibrate::lab::{Truth, held_out_p99_ms};
use homeostat_calibrate::{Fit, Options, calibrate, replay};
use homeostat_twin::scenario::{Server, Sharing, Slots};

const HEADER: [&str; 11] = [
    "case",
    "server",
    "mean ms",
    "cv",
    "start-up s",
    "load",
    "mean",
    "cv",
    "capacity",
    "start-up (starts)",
    "p99 at 80 % (held-out part)",
];

fn main() {
    let asked: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    println!("| {} |", HEADER.join(" | "));
    println!("|{}", "---|".repeat(HEADER.len()));
    let (mut figures, mut within, mut inside, mut intervals) = (0, 0, 0, 0);
    for (i, truth) in cases().iter().enumerate() {
        if !asked.is_empty() && !asked.contains(&(i + 1)) {
            continue;
        }
        let row = case(i + 1, truth);
        figures += row.judged.len();
        within += row.judged.iter().filter(|ok| **ok).count();
        intervals += row.covered.len();
        inside += row.covered.iter().filter(|ok| **ok).count();
        println!("{}", row.text);
    }
    println!();
    println!(
        "{within} of {figures} figures are within their bar; {inside} of {intervals} 95 % intervals of mean, cv and \
         start-up hold the true value."
    );
}

fn slots(slots: u32) -> Server {
    Server::Fcfs(Slots { slots, queue: u32::MAX })
}

fn sharing(contention: f64) -> Server {
    Server::Sharing(Sharing { contention, coherency: 0.0, cores: 1, limit: u32::MAX })
}

fn cases() -> Vec<Truth> {
    let case = |(i, (server, mean_ms, cv, start_up_s, replicas, target, crowds)): (usize, &Case)| Truth {
        server: *server,
        mean_ms: *mean_ms,
        cv: *cv,
        start_up_s: *start_up_s,
        replicas: *replicas,
        target: *target,
        crowds: *crowds,
        hours: 36,
        seed: 100 + i as u64,
        noise: 0.05,
    };
    CASES.iter().map(|make| make()).collect::<Vec<Case>>().iter().enumerate().map(case).collect()
}

/// Server, mean work in ms, cv, start-up in s, load in replicas, target in %, flash crowds a day.
type Case = (Server, u64, f64, u64, f64, i32, f64);

const CASES: [fn() -> Case; 24] = [
    || (slots(4), 200, 0.5, 120, 8.0, 70, 0.0),
    || (slots(4), 200, 0.5, 60, 4.0, 60, 2.0),
    || (slots(4), 200, 1.0, 120, 8.0, 60, 0.0),
    || (slots(4), 100, 1.5, 90, 6.0, 60, 2.0),
    || (slots(1), 50, 0.5, 60, 6.0, 60, 0.0),
    || (slots(1), 100, 1.0, 120, 10.0, 50, 0.0),
    || (slots(1), 20, 0.2, 30, 4.0, 70, 1.0),
    || (slots(2), 150, 0.8, 120, 5.0, 65, 2.0),
    || (slots(2), 400, 0.3, 300, 8.0, 60, 0.0),
    || (slots(8), 300, 0.7, 180, 4.0, 75, 1.0),
    || (slots(8), 500, 1.2, 60, 3.0, 70, 0.0),
    || (slots(16), 250, 0.5, 120, 2.0, 80, 1.0),
    || (slots(16), 1_000, 0.4, 240, 5.0, 80, 0.0),
    || (slots(3), 80, 2.0, 90, 6.0, 55, 0.0),
    || (slots(6), 120, 0.6, 45, 3.0, 80, 3.0),
    || (slots(32), 600, 0.9, 150, 2.0, 80, 0.0),
    || (slots(4), 2_000, 0.5, 120, 12.0, 60, 0.0),
    || (slots(1), 10, 1.0, 60, 3.0, 50, 4.0),
    || (slots(4), 200, 0.1, 120, 6.0, 75, 1.0),
    || (slots(2), 60, 0.5, 120, 15.0, 60, 0.0),
    || (sharing(1.0), 50, 1.0, 120, 5.0, 60, 0.0),
    || (sharing(0.5), 50, 0.5, 120, 4.0, 70, 0.0),
    || (sharing(0.3), 100, 0.8, 60, 5.0, 75, 0.0),
    || (sharing(0.2), 100, 0.5, 120, 3.0, 80, 0.0),
];

struct Row {
    text: String,
    judged: Vec<bool>,
    covered: Vec<bool>,
}

fn case(number: usize, truth: &Truth) -> Row {
    let record = truth.record();
    let (fitted, held) = record.split(0.6);
    let shown = match truth.server {
        Server::Fcfs(s) => format!("{} slots", s.slots),
        Server::Sharing(s) => format!("sharing σ {}", s.contention),
        Server::Batch(_) => "batch".to_owned(),
    };
    let head = format!(
        "| {number} | {shown} | {} | {} | {} | {} at {} % |",
        truth.mean_ms, truth.cv, truth.start_up_s, truth.replicas, truth.target
    );
    let fit = match calibrate(&fitted, &Options { seed: 1, ..Options::default() }) {
        Ok(fit) => fit,
        Err(refusal) => {
            return Row {
                text: format!("{head} refused: {refusal} |"),
                judged: vec![false; 5],
                covered: vec![],
            };
        }
    };
    let scenario = truth.scenario();
    let capacity = scenario.services[0].capacity_per_second();
    let (mut judged, mut covered, mut cells) = (Vec::new(), Vec::new(), Vec::new());
    let wanted = [
        ("service_time_mean_ms", truth.mean_ms as f64),
        ("service_time_cv", truth.cv),
        ("capacity_per_s", capacity),
        ("start_up_mean_s", truth.start_up_s as f64),
    ];
    for (name, wanted) in wanted {
        let Some(found) = fit.estimate(name) else {
            cells.push("not fitted".to_owned());
            judged.push(false);
            continue;
        };
        let off = found.value / wanted - 1.0;
        let starts = fit.start_up.as_ref().filter(|_| name == "start_up_mean_s");
        let of = starts.map_or(String::new(), |s| format!(" ({:.0})", s.starts));
        cells.push(format!("{}{of}", marked(off, 0.05)));
        judged.push(off.abs() <= 0.05);
        if let (Some(low), Some(high)) = (found.low, found.high)
            && name != "capacity_per_s"
        {
            covered.push((low..=high).contains(&wanted));
        }
    }
    if let Some(contention) = contention(truth, &fit) {
        cells[2] = format!("{}, σ {}", cells[2], marked(contention, 0.05));
        judged.push(contention.abs() <= 0.05);
    }
    let (load, by_record) = held_out(truth, &fit, &held);
    judged.push(load.abs() <= 0.1);
    cells.push(format!("{} ({})", marked(load, 0.1), percent(by_record)));
    let found = match fit.server() {
        Some(Server::Fcfs(s)) => format!("{} slots", s.slots),
        _ => "sharing".to_owned(),
    };
    let right = shown.starts_with(&found);
    let head = if right { head } else { head.replacen(&shown, &format!("{shown}, taken for {found}"), 1) };
    let text = format!("{head} {} |", cells.join(" | "));
    Row { text, judged, covered }
}

/// The relative error of σ, where there is one.
fn contention(truth: &Truth, fit: &Fit) -> Option<f64> {
    let Server::Sharing(sharing) = truth.server else { return None };
    Some(fit.estimate("contention").map_or(f64::NAN, |e| e.value / sharing.contention - 1.0))
}

/// Error of the 99th percentile at 80 % of the capacity with 10 replicas, another seed; and on the part of
/// the record that was held out.
fn held_out(truth: &Truth, fit: &Fit, held: &homeostat_calibrate::Record) -> (f64, f64) {
    let world = truth.scenario();
    let mut fitted = world.clone();
    if let (Some(server), Some(time)) = (fit.server(), fit.service_time()) {
        (fitted.services[0].server, fitted.services[0].service_time) = (server, time);
    }
    let rps = 0.8 * 10.0 * world.services[0].capacity_per_second();
    let at = |scenario| held_out_p99_ms(scenario, rps, 10, 77).unwrap_or(f64::INFINITY);
    let load = at(&fitted) / at(&world) - 1.0;
    let by_record = replay::replay(&fitted, held, 5, &mut |_| false).ok().and_then(|r| r.error("p99"));
    (load, by_record.unwrap_or(f64::NAN))
}

fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:+.1} %", share * 100.0) } else { "–".to_owned() }
}

/// An error, bold where it misses its bar.
fn marked(share: f64, bar: f64) -> String {
    let text = percent(share);
    if share.abs() <= bar { text } else { format!("**{text}**") }
}
