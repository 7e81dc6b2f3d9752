//! Signals of replicas, from a CSV or from the readings in a journal.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use homeostat_core::observe::Reading;
use homeostat_core::policy::Need;
use homeostat_core::{Instant, ReplicaId};
use homeostat_trace::{SignalOptions, SignalReading, Signals, read_signals, signal_unit};

use crate::cli::AgingArgs;
use crate::commands::replay::Journal;
use crate::failure::Failure;

/// How journals begin.
const JOURNAL: &[u8] = b"HMSTJRNL";
/// Metrics of replicas that say how much each has to do.
const LOADS: [&str; 2] = ["requests_per_second", "concurrency"];

/// A limit that the user gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Limit {
    /// In the signal's unit.
    Value(f64),
    /// In percent of the limit's column.
    Percent(f64),
}

/// Reads the file, whichever it is.
pub(crate) fn read(args: &AgingArgs) -> Result<Signals, Failure> {
    if is_journal(&args.file) {
        return journal(&args.file);
    }
    let options = SignalOptions {
        map: args.map.as_deref().map(map).transpose()?.unwrap_or_default(),
        time_zone: args.time_zone.as_deref().map(str::parse).transpose()?,
    };
    Ok(read_signals(&args.file, &options)?)
}

fn is_journal(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).map(|file| file.take(16).read_to_end(&mut head));
    read.is_ok() && head.starts_with(JOURNAL)
}

fn map(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let pairs = text.split(',').map(|part| {
        let pair = part.split_once('=').filter(|(role, _)| !role.trim().is_empty());
        let (role, column) = pair.ok_or_else(|| {
            let example = "--map time=ts,memory_bytes=used";
            Failure::new(format!("--map {part}: expected role=column, for example {example}"))
        })?;
        let known = ["time", "replica", "requests", "requests_total"].contains(&role);
        if known || signal_unit(role).is_some() {
            return Ok((role.to_owned(), column.trim().to_owned()));
        }
        Err(Failure::new(format!(
            "--map {part}: `{role}` has no unit; expected time, replica, requests, requests_total, or a signal \
             with its unit in the name, for example memory_mib={column}"
        )))
    });
    pairs.collect()
}

/// The limits given with `--limit`, by signal.
pub(crate) fn limits(texts: &[String]) -> Result<BTreeMap<String, Limit>, Failure> {
    let mut limits = BTreeMap::new();
    for text in texts {
        let bad = || {
            Failure::new(format!(
                "--limit {text}: expected signal=number above 0, or a percentage up to 100, for example \
                 --limit memory_mib=15200 or --limit memory_mib=90%"
            ))
        };
        let (signal, number) = text.split_once('=').ok_or_else(bad)?;
        let percent = number.strip_suffix('%');
        let value: f64 = percent.unwrap_or(number).trim().parse().map_err(|_| bad())?;
        if !(value > 0.0 && value.is_finite()) || percent.is_some() && value > 100.0 {
            return Err(bad());
        }
        let limit = if percent.is_some() { Limit::Percent(value) } else { Limit::Value(value) };
        limits.insert(signal.trim().to_owned(), limit);
    }
    Ok(limits)
}

/// What the journal's policy read of each replica.
fn journal(path: &Path) -> Result<Signals, Failure> {
    let mut journal = Journal::open(path)?;
    let needs = journal.header.needs();
    let names: Vec<Option<String>> = needs.iter().map(signal_of).collect();
    let is_load = |need: &Need| matches!(need, Need::Pods(name) if LOADS.contains(&name.as_str()));
    let load = needs.iter().position(is_load);
    let mut signals = Signals { names: names.iter().flatten().cloned().collect(), ..Signals::default() };
    if signals.names.is_empty() {
        let read: Vec<String> = needs.iter().map(homeostat_core::explain::need_name).collect();
        return Err(Failure::new(format!(
            "{}: the journal's policy reads no memory of single replicas; it reads {}. Record a policy that \
             does, for example: homeostat compare SCENARIO --policy rejuvenate --journal DIR",
            path.display(),
            if read.is_empty() { "nothing".to_owned() } else { read.join(", ") }
        )));
    }
    let mut last: BTreeMap<(usize, ReplicaId), Instant> = BTreeMap::new();
    while let Some(turn) = journal.next()? {
        let loads: BTreeMap<ReplicaId, f64> = match load.and_then(|index| turn.seen.readings.get(index)) {
            Some(Reading::PerReplica(samples)) => {
                samples.iter().map(|sample| (sample.replica, sample.milli as f64 / 1_000.0)).collect()
            }
            _ => BTreeMap::new(),
        };
        for (index, (name, reading)) in names.iter().zip(&turn.seen.readings).enumerate() {
            let (Some(name), Reading::PerReplica(samples)) = (name, reading) else { continue };
            for sample in samples {
                let before = last.insert((index, sample.replica), sample.at);
                if before.is_some_and(|before| sample.at <= before) {
                    continue;
                }
                let reading = SignalReading {
                    at: sample.at,
                    value: Some(sample.milli as f64 / 1_000.0),
                    load: loads.get(&sample.replica).copied(),
                    restarted: false,
                };
                let key = (sample.replica.0.to_string(), name.clone());
                signals.readings.entry(key).or_default().push(reading);
            }
        }
    }
    Ok(signals)
}

/// The signal that a need reads of each replica; `None` where it isn't one that ages.
fn signal_of(need: &Need) -> Option<String> {
    match need {
        Need::Resource(name) | Need::ContainerResource { resource: name, .. } => {
            (name == "memory").then(|| "memory_bytes".to_owned())
        }
        Need::Pods(name) => signal_unit(name).filter(|unit| *unit != "per_s").map(|_| name.clone()),
        Need::Object(_) | Need::External(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_numbers_or_percentages() {
        let texts = ["memory_mib=15200".to_owned(), "fds=90%".to_owned()];
        let found = limits(&texts).unwrap();
        assert_eq!(found["memory_mib"], Limit::Value(15_200.0));
        assert_eq!(found["fds"], Limit::Percent(90.0));
        for bad in ["memory_mib", "memory_mib=", "memory_mib=-1", "memory_mib=101%", "memory_mib=nan"] {
            assert!(limits(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }
}
