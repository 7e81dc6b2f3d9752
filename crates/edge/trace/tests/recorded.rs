//! Facts of recorded data, as their descriptions state them. Skips where the data are absent.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

use std::path::{Path, PathBuf};

use homeostat_core::Span;
use homeostat_core::load::{BinLoad, LoadItem};
use homeostat_trace::{FindingKind, ReadOptions, inspect, open};

fn data(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("HOMEOSTAT_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data"), PathBuf::from);
    let path = root.join(name);
    if !path.exists() {
        println!("skipped: no data at {} (set HOMEOSTAT_DATA)", path.display());
        return None;
    }
    Some(path)
}

fn sum(path: &Path, options: &ReadOptions) -> (u64, f64) {
    let (mut items, mut requests) = (0, 0.0);
    for item in open(path, options).unwrap().stream {
        items += 1;
        requests += match item.unwrap() {
            LoadItem::Bin { load: BinLoad::Count(count), .. } => count as f64,
            LoadItem::Bin { load: BinLoad::Rate { per_second, .. }, span, .. } => {
                per_second * span.as_secs_f64()
            }
            LoadItem::Bin { load: BinLoad::Missing, .. } => 0.0,
            LoadItem::Request { .. } => 1.0,
        };
    }
    (items, requests)
}

#[test]
fn world_cup() {
    let Some(path) = data("request-traces/worldcup98_1min.csv.gz") else { return };
    let map = Some("time=utc,count=requests".parse().unwrap());
    let options = ReadOptions { map, ..ReadOptions::default() };
    let seen = inspect(&path, &options, 500).unwrap();
    assert_eq!(seen.items, 95_190);
    assert_eq!(seen.requests, 1_141_892_467.0);
    assert!((seen.daily_autocorrelation.unwrap() - 0.65).abs() < 0.02);
    let zeros: u64 =
        seen.findings.iter().filter(|f| f.kind == FindingKind::ZeroRun).map(|finding| finding.count).sum();
    assert_eq!(zeros, 10);
    assert!((seen.mean_per_second - 200.0).abs() < 1.0, "{}", seen.mean_per_second);
    assert!((seen.peak.unwrap().per_second - 3_752.0).abs() < 1.0);
}

#[test]
fn nasa_and_twitter() {
    let Some(nasa) = data("request-traces/nasa_http_1995_10s.csv.gz") else { return };
    let step = |seconds| ReadOptions { step: Some(Span::from_secs(seconds)), ..ReadOptions::default() };
    assert_eq!(sum(&nasa, &step(10)), (505_995, 3_461_610.0));
    let Some(twitter) = data("request-traces/twitter_stream_2021-08_1s.csv.gz") else { return };
    let (items, requests) = sum(&twitter, &step(1));
    assert_eq!(items, 1_209_600);
    assert!((requests / 1_209_600.0 - 63.6).abs() < 0.1);
}

/// The hurricane of 1995, and the half hour that the Twitter record lacks every night.
#[test]
fn known_holes_are_pointed_out() {
    let step = |seconds| ReadOptions { step: Some(Span::from_secs(seconds)), ..ReadOptions::default() };
    let Some(nasa) = data("request-traces/nasa_http_1995_10s.csv.gz") else { return };
    let seen = inspect(&nasa, &step(10), 500).unwrap();
    let longest = seen.findings.iter().max_by_key(|finding| finding.span).unwrap();
    assert_eq!(longest.kind, FindingKind::ZeroRun);
    assert!(longest.start.as_secs_f64() - 2_435_065.0 < 10.0 && longest.span > Span::HOUR * 37);
    assert!(
        seen.findings.iter().all(|finding| finding.kind != FindingKind::DailyZeros),
        "{:?}",
        seen.findings
    );
    let Some(twitter) = data("request-traces/twitter_stream_2021-08_1s.csv.gz") else { return };
    let seen = inspect(&twitter, &step(1), 500).unwrap();
    let nightly = &seen.findings[0];
    assert_eq!((nightly.kind, nightly.count), (FindingKind::DailyZeros, 14));
    assert_eq!(nightly.suggestion.as_deref(), Some("--artefact 23:31:01-24:00:00"));
    println!("{:?}", seen.periods);
}

/// Files that are no load must be refused or read, and none may panic.
#[test]
fn every_csv_of_the_data_ends() {
    let Some(root) = data("MANIFEST.csv") else { return };
    let mut folders = vec![root.parent().unwrap().to_owned()];
    let mut read = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.metadata().unwrap().len() < 200_000 {
                let options = ReadOptions { step: Some(Span::SECOND), ..ReadOptions::default() };
                read += u32::from(inspect(&path, &options, 100).is_ok());
            }
        }
    }
    assert!(read > 50, "{read}");
}

#[test]
fn token_traces() {
    let plain = ReadOptions::default();
    let Some(azure) = data("llm-traces/azure_llm_2023_conv.csv.gz") else { return };
    assert_eq!(sum(&azure, &plain), (19_366, 19_366.0));
    let Some(mooncake) = data("llm-traces/mooncake_fast25_conversation.jsonl.gz") else { return };
    assert_eq!(sum(&mooncake, &plain).0, 12_031);
    let Some(servegen) = data("llm-traces/servegen_m-large_client_rates_10min.csv.gz") else { return };
    let (_, requests) = sum(&servegen, &plain);
    let mean = requests / (14.0 * 86_400.0);
    assert!((mean - 196.0).abs() < 1.0, "{mean}");
}
