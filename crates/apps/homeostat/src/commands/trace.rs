//! `homeostat trace`.

use std::path::Path;

use homeostat_core::Instant;
use homeostat_trace::{ConvertTo, Inspection, ReadOptions, Written, plot};
use homeostat_twin::scenario::Source;

use crate::cli::{ReadArgs, TraceArgs, TraceCommand};
use crate::failure::{Code, Failure, Outcome};
use crate::input::{embedded, scenario, traffic};
use crate::show::say;
use crate::show::table::{plain, thousands};

/// Points of the plot.
const POINTS: usize = 2_000;

pub(crate) fn run(args: &TraceArgs) -> Outcome {
    match &args.command {
        TraceCommand::Inspect { file, read, json } => inspect(file, read, *json),
        TraceCommand::Convert { file, out, to, bin, read } => {
            let to: ConvertTo = to.parse()?;
            let written = homeostat_trace::convert(file, &options(read)?, out, to, *bin)?;
            tell(&written)?;
            Ok(Code::Done)
        }
        TraceCommand::Generate { out, scenario, seed } => generate(out, scenario, *seed),
    }
}

fn tell(written: &Written) -> std::io::Result<()> {
    for note in &written.notes {
        eprintln!("note: {note}");
    }
    let (rows, requests) = (thousands(written.rows), thousands(written.requests.round() as u64));
    say(format!(
        "{}: {rows} rows, {requests} requests, {} bytes",
        written.path.display(),
        thousands(written.bytes)
    ))
}

/// Reading options of the command line.
pub(crate) fn options(read: &ReadArgs) -> Result<ReadOptions, Failure> {
    let recorded = homeostat_twin::scenario::Recorded {
        map: read.map.clone(),
        step: read.step,
        missing_zeros: read.missing_zeros,
        on_duplicate: read.on_duplicate.clone(),
        key: read.key.clone(),
        sort: read.sort,
        start: read.start.clone(),
        artefacts: read.artefact.clone(),
        time_zone: read.time_zone.clone(),
        format: read.format.clone(),
        ..Default::default()
    };
    traffic::options(&recorded)
}

fn generate(out: &Path, name: &str, seed: u64) -> Outcome {
    let world = match embedded::demo(name) {
        Some(demo) => demo.read()?,
        None if !Path::new(name).exists() => {
            let problem =
                format!("--scenario {name}: neither a file nor a demo; there are {}", embedded::names());
            return Err(Failure::new(problem));
        }
        None => scenario::read(Path::new(name))?,
    };
    if matches!(world.scenario.traffic.source, Source::Trace(_)) {
        let problem =
            format!("{name}: its traffic is a recorded trace; `trace convert` writes those in another form");
        return Err(Failure::new(problem));
    }
    let load = traffic::survey(&world, seed)?;
    let stream = traffic::stream(&world, &load, seed)?;
    tell(&homeostat_trace::write_bins(stream, out, homeostat_trace::Measure::Rate, false)?)?;
    Ok(Code::Done)
}

fn inspect(file: &Path, read: &ReadArgs, json: bool) -> Outcome {
    let seen = homeostat_trace::inspect(file, &options(read)?, POINTS)?;
    if json {
        say(serde_json::to_string_pretty(&seen)?)?;
        return Ok(Code::Done);
    }
    let mut table = plain(&["", ""]);
    for (name, value) in facts(&seen) {
        table.add_row([name.to_owned(), value]);
    }
    say(&table)?;
    say(plot(&seen.series, 100, 14))?;
    for note in &seen.notes {
        say(format!("note: {note}"))?;
    }
    for finding in &seen.findings {
        say(format!("suspicious: {}", finding.text))?;
        if let Some(suggestion) = &finding.suggestion {
            say(format!("            {suggestion}"))?;
        }
    }
    Ok(Code::Done)
}

fn facts(seen: &Inspection) -> Vec<(&'static str, String)> {
    let when = |at: Instant| if seen.calendar { homeostat_trace::iso(at) } else { at.to_utc_string() };
    let mut facts = vec![
        ("format", seen.format.to_string()),
        ("from", when(seen.start)),
        ("to", when(seen.end)),
        ("span", seen.span.to_string()),
        ("requests", thousands(seen.requests.round() as u64)),
        ("mean", format!("{:.3} requests/s", seen.mean_per_second)),
    ];
    if let Some(peak) = &seen.peak {
        let over = seen.peak_to_mean.map_or(String::new(), |r| format!(", {r:.1} × the mean"));
        let at = when(peak.at);
        facts.push(("peak", format!("{:.3} requests/s over {} at {at}{over}", peak.per_second, peak.window)));
    }
    for d in &seen.dispersion {
        facts.push(("variance/mean", format!("{:.2} in windows of {}", d.index, d.window)));
    }
    if let Some(cv) = seen.gap_cv {
        facts.push(("gaps", format!("coefficient of variation {cv:.2}")));
    }
    for (name, r) in [("day", seen.daily_autocorrelation), ("week", seen.weekly_autocorrelation)] {
        if let Some(r) = r {
            facts.push(("autocorrelation", format!("{r:.2} at one {name}")));
        }
    }
    for period in &seen.periods {
        facts.push(("period", format!("{} (autocorrelation {:.2})", period.period, period.autocorrelation)));
    }
    if seen.holes.count > 0 {
        facts.push(("gaps in the record", format!("{}, {} in all", seen.holes.count, seen.holes.total)));
    }
    for (name, tokens) in [("input tokens", &seen.input_tokens), ("output tokens", &seen.output_tokens)] {
        if let Some(t) = tokens {
            facts.push((name, format!("mean {:.0}, from {} to {}", t.mean, t.min, t.max)));
        }
    }
    facts
}
