//! Every format on a small file: what comes out, bin by bin.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]
#![allow(dead_code, reason = "the helpers serve several files")]

mod common;

use common::{at, bin, count, file, gzip, hole, items, opened, options, rate, request};
use homeostat_core::Span;
use homeostat_core::load::{BinLoad, Gaps, LoadItem};
use homeostat_trace::{Format, Measure, OnDuplicate, ReadOptions, open};

fn step(seconds: u64) -> ReadOptions {
    ReadOptions { step: Some(Span::from_secs(seconds)), ..ReadOptions::default() }
}

fn codes(content: &str, options: &ReadOptions) -> Vec<&'static str> {
    opened(content, options).unwrap().notes.iter().map(|note| note.code).collect()
}

#[test]
fn values_with_and_without_header() {
    let expected = [count(0, 10, 3), hole(10, 10), count(20, 10, 4)];
    for text in
        ["requests\n3\n\n4\n", "3\n\n4", "\"requests\"\r\n\"3\"\r\n\r\n\"4\"\r\n\r\n", "\u{feff}n\n3\n\n4\n"]
    {
        assert_eq!(items(text, &step(10)), expected, "{text:?}");
    }
    assert_eq!(items("rps\n0.5\n2\n", &step(1)), [rate(0, 1, 0.5), rate(1, 1, 2.0)]);
}

#[test]
fn values_start_where_told() {
    let options = ReadOptions { start: Some(at(1_700_000_000)), ..step(60) };
    let trace = opened("7\n8\n", &options).unwrap();
    assert!(trace.calendar);
    let starts: Vec<_> = trace.stream.map(|item| item.unwrap().start()).collect();
    assert_eq!(starts, [at(1_700_000_000), at(1_700_000_060)]);
}

#[test]
fn series_by_name_with_notes() {
    let text = "minute,utc,requests\n0,1998-04-30T21:30,2\n1,1998-04-30T21:31,11\n2,1998-04-30T21:32,5\n";
    let start = 893_971_800;
    assert_eq!(
        items(text, &ReadOptions::default()),
        [count(start, 60, 2), count(start + 60, 60, 11), count(start + 120, 60, 5)]
    );
    assert_eq!(codes(text, &ReadOptions::default()), ["measure", "ignored-columns", "time-zone", "step"]);
    let text = "TimeStamp,Value,Label\n\"2017-11-01T00:00:00Z\",49.5,0\n\"2017-11-01T01:00:00Z\",48.25,0\n";
    let start = 1_509_494_400;
    let expected = [rate(start, 3_600, 49.5), rate(start + 3_600, 3_600, 48.25)];
    assert_eq!(items(text, &ReadOptions::default()), expected);
    assert_eq!(items(text, &options("time=TimeStamp,rate=Value")), expected);
}

#[test]
fn holes_and_changes_of_the_step() {
    let text = "t,count\n0,1\n10,2\n20,\n30,4\n70,5\n80,6\n";
    assert_eq!(
        items(text, &ReadOptions::default()),
        [
            count(0, 10, 1),
            count(10, 10, 2),
            hole(20, 10),
            count(30, 10, 4),
            hole(40, 30),
            count(70, 10, 5),
            count(80, 10, 6),
        ]
    );
    // From 30 on rows come every 60 s: that is a new step, not a row of holes.
    let mut text = String::from("t,count\n0,1\n10,1\n20,1\n");
    for row in 0..8 {
        text.extend([(30 + row * 60).to_string(), ",1\n".to_owned()]);
    }
    let all = items(&text, &ReadOptions { step: None, ..ReadOptions::default() });
    assert!(!all.iter().any(|item| matches!(item, LoadItem::Bin { load: BinLoad::Missing, .. })), "{all:?}");
    assert_eq!(all.last(), Some(&count(450, 60, 1)));
}

#[test]
fn a_given_step_wins() {
    let text = "t,count\n0,1\n60,2\n";
    assert_eq!(items(text, &step(10)), [count(0, 10, 1), hole(10, 50), count(60, 10, 2)]);
    assert_eq!(items("t,count\n5,1\n", &step(10)), [count(5, 10, 1)]);
}

#[test]
fn wide_and_keyed_files_are_added() {
    let wide = "time_s,a,b,c\n0,1,2,100\n10,,,\n20,3,,100\n";
    let expected = [count(0, 10, 3), hole(10, 10), count(20, 10, 3)];
    assert_eq!(items(wide, &options("count=a+b")), expected);
    assert_eq!(items(wide, &options("time=time_s,count=*"))[0], count(0, 10, 103));
    let keyed = "app,t,count\nx,0,1\nx,10,2\nx,20,5\ny,0,10\ny,20,50\n";
    let sums = [count(0, 10, 11), count(10, 10, 2), count(20, 10, 55)];
    assert_eq!(items(keyed, &ReadOptions::default()), sums);
    assert_eq!(items(keyed, &options("time=t,count=count,key=app")), sums);
    let one = ReadOptions { key: Some("y".to_owned()), ..step(10) };
    assert_eq!(items(keyed, &one), [count(0, 10, 10), hole(10, 10), count(20, 10, 50)]);
}

#[test]
fn duplicates_as_told() {
    let text = "t,count\n0,1\n0,4\n10,1\n20,1\n";
    for (on_duplicate, first) in [(OnDuplicate::First, 1), (OnDuplicate::Sum, 5), (OnDuplicate::Mean, 3)] {
        let options = ReadOptions { on_duplicate, ..ReadOptions::default() };
        assert_eq!(items(text, &options)[0], count(0, 10, first));
    }
}

#[test]
fn rows_in_any_order_when_told() {
    let text = "t,count\n20,3\n0,1\n10,2\n";
    let sorted = ReadOptions { sort: true, ..ReadOptions::default() };
    assert_eq!(items(text, &sorted), [count(0, 10, 1), count(10, 10, 2), count(20, 10, 3)]);
    let log = "t,input_tokens\n9,5\n3,\n";
    assert_eq!(items(log, &sorted), [request(3, None, None, None), request(9, Some(5), None, None)]);
}

#[test]
fn time_zones() {
    let text = "time,count\n2023-10-29 01:00,1\n2023-10-29 02:00,2\n2023-10-29 02:00,3\n2023-10-29 03:00,4\n";
    let berlin = ReadOptions { time_zone: Some("Europe/Berlin".parse().unwrap()), ..ReadOptions::default() };
    let start = 1_698_534_000;
    let expected: Vec<_> = (0..4).map(|hour| count(start + hour * 3_600, 3_600, hour + 1)).collect();
    assert_eq!(items(text, &berlin), expected);
    assert!(!codes(text, &berlin).contains(&"time-zone"));
    let east = ReadOptions { time_zone: Some("+02:00".parse().unwrap()), ..ReadOptions::default() };
    let text = "time,count\n2023-01-01 02:00,1\n2023-01-01 03:00,1\n";
    assert_eq!(items(text, &east)[0].start(), at(1_672_531_200));
}

#[test]
fn event_logs() {
    let azure = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n\
                 2023-11-16 18:17:03.9799600,3180,8\n";
    let trace = opened(azure, &ReadOptions::default()).unwrap();
    assert_eq!((trace.format, trace.measure, trace.calendar), (Format::AzureLlm, None, true));
    assert_eq!(trace.stream.count(), 2);
    let text = "gmt_create,kind,exec_time_seconds\n2024-11-15 16:57:50,A,32.5\n2024-11-15 16:57:50,A,\n";
    let start = 1_731_689_870;
    assert_eq!(
        items(text, &options("time=gmt_create,service=exec_time_seconds")),
        [request(start, None, None, Some(Span::from_millis(32_500))), request(start, None, None, None)]
    );
    let millis = "t,took_ms\n1,250\n";
    let service = Some(Span::from_millis(250));
    assert_eq!(items(millis, &options("time=t,service=took_ms")), [request(1, None, None, service)]);
    let bare = "timestamp\n2024-01-01T00:00:00Z\n2024-01-01T00:00:05Z\n";
    assert_eq!(opened(bare, &ReadOptions::default()).unwrap().format, Format::Events);
}

#[test]
fn mooncake() {
    let text = "{\"timestamp\": 0, \"input_length\": 6758, \"output_length\": 500, \"hash_ids\": [0, 1]}\n\
                {\"timestamp\": 3000, \"input_length\": 12, \"output_length\": 1, \"hash_ids\": []}\n";
    let expected = [request(0, Some(6_758), Some(500), None), request(3, Some(12), Some(1), None)];
    assert_eq!(items(text, &ReadOptions::default()), expected);
}

#[test]
fn servegen_is_merged_by_time() {
    let text = "client,t_s,rate_rps,iat_cv,iat_family,param1,param2\n\
                0,0,1.5,8.5,Weibull,0.375,0.39\n0,1200,0.25,2,Gamma,0.25,3\n\
                1,0,4,1.5,Gamma,0.4,1\n1,600,5,1.5,Gamma,0.4,1\n";
    let gamma =
        |start, per_second, cv| bin(start, 600, BinLoad::Rate { per_second, gaps: Gaps::Gamma { cv } });
    let weibull = BinLoad::Rate { per_second: 1.5, gaps: Gaps::Weibull { shape: 0.375 } };
    assert_eq!(
        items(text, &ReadOptions::default()),
        [bin(0, 600, weibull), gamma(0, 4.0, 1.5), gamma(600, 5.0, 1.5), gamma(1_200, 0.25, 2.0)]
    );
}

#[test]
fn prometheus_matrix() {
    let text = r#"{"status":"success","data":{"resultType":"matrix","result":[
        {"metric":{"pod":"a"},"values":[[1700000000,"1.5"],[1700000060,"NaN"],[1700000120,"2"]]},
        {"metric":{"pod":"b"},"values":[[1700000000,"0.5"],[1700000180,"3"]]}]}}"#;
    let start = 1_700_000_000;
    let expected =
        [rate(start, 60, 2.0), hole(start + 60, 60), rate(start + 120, 60, 2.0), rate(start + 180, 60, 3.0)];
    assert_eq!(items(text, &ReadOptions::default()), expected);
    assert_eq!(codes(text, &ReadOptions::default()), ["measure", "key", "not-a-number", "step"]);
    let counts = text.replace("1.5", "1").replace("0.5", "2");
    let trace = opened(&counts, &options("count=value")).unwrap();
    assert_eq!(trace.measure, Some(Measure::Count));
}

#[test]
fn gzip_by_content_whatever_the_name() {
    let scratch = file(gzip(b"requests\n1\n2\n"));
    let trace = open(&scratch.path, &step(1)).unwrap();
    assert_eq!(trace.stream.count(), 2);
}

#[test]
fn known_artefacts_and_long_zeros_are_missing() {
    let options = ReadOptions {
        artefacts: vec!["00:00:01-00:00:02".parse().unwrap()],
        missing_zeros: Some(Span::from_secs(3)),
        ..step(1)
    };
    let all = items("5\n0\n7\n0\n0\n7\n0\n0\n0\n", &options);
    let expected = [
        count(0, 1, 5),
        hole(1, 1),
        count(2, 1, 7),
        count(3, 1, 0),
        count(4, 1, 0),
        count(5, 1, 7),
        hole(6, 1),
        hole(7, 1),
        hole(8, 1),
    ];
    assert_eq!(all, expected);
}

#[test]
fn other_delimiters() {
    assert_eq!(items("t;count\n0;1\n10;2\n", &ReadOptions::default()), [count(0, 10, 1), count(10, 10, 2)]);
    assert_eq!(items("t\tcount\n0\t1\n10\t2\n", &ReadOptions::default())[1], count(10, 10, 2));
    assert_eq!(
        items("2024-01-01,1\n2024-01-02,2\n", &ReadOptions::default())[1],
        count(1_704_153_600, 86_400, 2)
    );
}
