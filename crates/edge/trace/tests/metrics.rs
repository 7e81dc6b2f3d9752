//! Metrics: joined by time, units from names, and arbitrary bytes end with rows or an error.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

use homeostat_core::{Instant, Span};
use homeostat_trace::{MetricOptions, Metrics, Role, TraceError, read_metrics, read_starts};
use proptest::prelude::*;

fn read(files: &[(&str, &[u8])], map: Option<&str>) -> Result<Metrics, TraceError> {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = files
        .iter()
        .map(|(name, bytes)| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path.display().to_string()
        })
        .collect();
    let map = map.map(|map| map.parse().unwrap()).unwrap_or_default();
    let options = MetricOptions { map, ..MetricOptions::default() };
    if let Some(name) = names.first() {
        drop(read_starts(std::path::Path::new(name), &options));
    }
    read_metrics(&names, &options)
}

#[test]
fn files_are_joined_and_units_come_from_names() {
    let a = b"time,requests,ready\n2026-01-01T00:00,600,2\n2026-01-01T00:01,660,2\n2026-01-01T00:02,,3\n";
    let b = b"time,p99_ms,cpu_percent\n2026-01-01T00:00,250,40\n2026-01-01T00:01,NaN,44\n2026-01-01T00:02,300,50\n";
    let found = read(&[("a.csv", a), ("b.csv", b)], None).unwrap();
    let rows = found.rows;
    assert_eq!(rows.len(), 3);
    assert_eq!((rows[1].get(Role::Rate), rows[2].get(Role::Rate)), (Some(11.0), None));
    assert_eq!((rows[0].get(Role::P99), rows[1].get(Role::P99)), (Some(0.25), None));
    assert_eq!(rows[2].get(Role::CpuShare), Some(0.5));
    assert_eq!(rows[0].span, Span::MINUTE);
    assert!(found.calendar && found.notes.iter().any(|note| note.to_string().contains("2 values")));
}

#[test]
fn gaps_are_noted_and_not_bridged() {
    let text = b"t_s,rate\n0,1\n60,1\n120,1\n600,1\n660,1\n";
    let found = read(&[("a.csv", text)], None).unwrap();
    assert_eq!(found.rows[2].span, Span::MINUTE);
    assert!(found.notes.iter().any(|note| note.to_string().contains("1 gaps")), "{:?}", found.notes);
}

#[test]
fn a_range_is_stamped_at_its_end() {
    let text = br#"{"status":"success","data":{"resultType":"matrix","result":[
        {"metric":{"pod":"a"},"values":[[60,"2"],[120,"3"],[180,"1"]]},
        {"metric":{"pod":"b"},"values":[[60,"1"],[120,"1"],[180,"1"]]}]}}"#;
    let found = read(&[("rate.json", text)], None).unwrap();
    let rates: Vec<_> = found.rows.iter().map(|row| (row.at, row.get(Role::Rate).unwrap())).collect();
    let at = |minutes: u64| Instant::ZERO + Span::MINUTE * minutes;
    assert_eq!(rates, [(at(0), 3.0), (at(1), 4.0), (at(2), 2.0)]);
    let error = read(&[("p99_s.json", text)], None).unwrap_err().to_string();
    assert!(error.contains("2 series of p99"), "{error}");
}

#[test]
fn a_map_overrides_names_and_doubts() {
    let text = b"t_s,p99_ms\n0,0.18\n60,0.2\n120,0.19\n";
    assert!(read(&[("a.csv", text)], None).unwrap_err().to_string().contains("are these seconds?"));
    let found = read(&[("a.csv", text)], Some("p99_s=p99_ms")).unwrap();
    assert_eq!(found.rows[0].get(Role::P99), Some(0.18));
    let found = read(&[("a.csv", text)], Some("p99_ms=p99_ms")).unwrap();
    assert!((found.rows[0].get(Role::P99).unwrap() - 0.000_18).abs() < 1e-12);
}

const VALID: [&str; 3] = [
    "time,rate,ready,desired,p50_ms,p99_ms,cpu_percent,saturated\n2026-01-01T00:00,5,2,2,100,300,40,0\n2026-01-01T00:01,6,2,3,100,310,44,1\n",
    "ordered,ready\n2026-01-01T00:00,2026-01-01T00:01\n",
    "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{},\"values\":[[1,\"2\"],[61,\"3\"]]}]}}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(read(&[("rate.json", &bytes)], None));
    }

    #[test]
    fn damaged_files(
        which in 0..VALID.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = VALID[which].as_bytes().to_vec();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        drop(read(&[("rate.csv", &bytes)], None));
    }
}
