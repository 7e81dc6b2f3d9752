//! What an inspection finds in traces whose content is known.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]
#![allow(dead_code, reason = "the helpers serve several files")]

mod common;

use common::{at, file};
use homeostat_core::Span;
use homeostat_trace::{FindingKind, Inspection, ReadOptions, inspect};

fn seen(text: &str, step: Option<u64>) -> Inspection {
    let options = ReadOptions { step: step.map(Span::from_secs), ..ReadOptions::default() };
    inspect(&file(text).path, &options, 500).unwrap()
}

/// Ten days of minutes with a daily wave, edited by `change`.
fn days(change: impl Fn(u64) -> Option<u64>) -> String {
    let wave = |minute: u64| {
        let angle = minute as f64 / 1_440.0 * std::f64::consts::TAU;
        (600.0 - 400.0 * angle.cos()) as u64 + minute * 7_919 % 13
    };
    let line = |minute| [change(minute).unwrap_or_else(|| wave(minute)).to_string(), "\n".to_owned()];
    (0..14_400).flat_map(line).collect()
}

#[test]
fn a_day_is_found() {
    let seen = seen(&days(|_| None), Some(60));
    assert_eq!((seen.items, seen.span), (14_400, Span::DAY * 10));
    assert!(seen.daily_autocorrelation.unwrap() > 0.9);
    assert_eq!(seen.weekly_autocorrelation, None);
    assert_eq!(seen.periods.len(), 1, "{:?}", seen.periods);
    assert_eq!(seen.periods[0].period, Span::DAY);
    assert!(seen.findings.is_empty(), "{:?}", seen.findings);
    assert!(seen.series.len() <= 500 && seen.series.len() > 200);
    let windows: Vec<_> = seen.dispersion.iter().map(|d| d.window).collect();
    assert_eq!(windows, [Span::MINUTE, Span::from_secs(600), Span::HOUR]);
    assert!((seen.peak.unwrap().per_second - 1_011.0 / 60.0).abs() < 0.1);
}

#[test]
fn outages_and_stuck_values_are_pointed_out() {
    let text = days(|minute| match minute {
        3_000..3_030 => Some(0),
        5_000..5_100 => Some(500),
        _ => None,
    });
    let seen = seen(&text, Some(60));
    let kinds: Vec<_> = seen.findings.iter().map(|f| (f.kind, f.start, f.span)).collect();
    let minutes = |n: u64| Span::MINUTE * n;
    assert_eq!(
        kinds,
        [
            (FindingKind::ZeroRun, at(180_000), minutes(30)),
            (FindingKind::ConstantRun, at(300_000), minutes(100)),
        ]
    );
    assert_eq!(seen.findings[0].suggestion.as_deref(), Some("--missing-zeros 30m"));
}

#[test]
fn daily_zeros_are_one_finding() {
    let text = days(|minute| (minute % 1_440 >= 1_410).then_some(0));
    let findings = seen(&text, Some(60)).findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!((findings[0].kind, findings[0].count), (FindingKind::DailyZeros, 10));
    let suggestion = findings[0].suggestion.clone().unwrap();
    assert_eq!(suggestion, "--artefact 23:30:00-24:00:00");
    let artefacts = vec![suggestion.strip_prefix("--artefact ").unwrap().parse().unwrap()];
    let options = ReadOptions { step: Some(Span::MINUTE), artefacts, ..ReadOptions::default() };
    let clean = inspect(&file(text).path, &options, 500).unwrap();
    assert!(clean.findings.is_empty(), "{:?}", clean.findings);
    assert_eq!((clean.holes.count, clean.holes.total), (10, Span::from_secs(18_000)));
}

#[test]
fn holes_are_counted() {
    let text = "t,count\n0,6\n60,6\n120,6\n600,6\n660,\n720,6\n";
    let seen = seen(text, None);
    assert_eq!((seen.holes.count, seen.holes.total), (2, Span::from_secs(480)));
    assert_eq!((seen.holes.longest[0].start, seen.holes.longest[1].start), (at(180), at(660)));
    assert_eq!((seen.requests, seen.mean_per_second), (30.0, 0.1));
}

#[test]
fn event_logs_have_gaps_and_sizes() {
    let row = |i: u64| [(i * 2 + i / 2_500 * 3_600).to_string(), format!(".5,{},7\n", 100 + i % 3)];
    let rows: String = (0..5_000).flat_map(row).collect();
    let seen = seen(&format!("t,input_tokens,output_tokens\n{rows}"), None);
    assert_eq!((seen.items, seen.requests, seen.step), (5_000, 5_000.0, None));
    assert!((seen.input_tokens.unwrap().mean - 101.0).abs() < 0.01);
    assert_eq!(seen.output_tokens.unwrap().max, 7.0);
    assert!(seen.gap_cv.unwrap() > 10.0);
    let kinds: Vec<_> = seen.findings.iter().map(|f| (f.kind, f.span)).collect();
    assert_eq!(kinds, [(FindingKind::Silence, Span::from_secs(3_602))]);
}

#[test]
fn json_has_names_and_times() {
    let json = serde_json::to_value(seen("t,rate\n0,1\n3600,2\n7200,4\n", None)).unwrap();
    assert_eq!(json["format"], "series");
    assert_eq!(json["measure"], "rate");
    assert_eq!(json["step"], "1h");
    assert_eq!(json["peak"]["at"], "1970-01-01T02:00:00Z");
    assert_eq!(json["peak"]["per_second"], 4.0);
}
