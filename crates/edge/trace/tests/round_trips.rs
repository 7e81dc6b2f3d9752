//! What is written reads back: series, event logs, journals.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]
#![allow(dead_code, reason = "the helpers serve several files")]

mod common;

use common::{at, count, file, hole, items, rate, request};
use homeostat_core::load::{BinLoad, Gaps, LoadItem, LoadStream};
use homeostat_core::{Instant, Span};
use homeostat_trace::journal::{JournalError, JournalReader, JournalWriter};
use homeostat_trace::{ConvertTo, Measure, ReadOptions, convert, open, write_bins};
use proptest::prelude::*;

fn stream(items: &[LoadItem]) -> LoadStream {
    Box::new({ items.to_vec() }.into_iter().map(Ok))
}

fn even(start: u64, step: u64, loads: Vec<BinLoad>) -> Vec<LoadItem> {
    let bin = |(index, load)| LoadItem::Bin {
        start: Instant(start) + Span(step) * index as u64,
        span: Span(step),
        load,
    };
    loads.into_iter().enumerate().map(bin).collect()
}

fn loads(measure: Measure) -> impl Strategy<Value = Vec<BinLoad>> {
    let load = prop_oneof![
        8 => (0..1_u64 << 40).prop_map(move |n| match measure {
            Measure::Count => BinLoad::Count(n),
            Measure::Rate => BinLoad::Rate { per_second: n as f64 / 1_024.7, gaps: Gaps::Poisson },
        }),
        1 => Just(BinLoad::Missing),
    ];
    prop::collection::vec(load, 2..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn series(
        counts in loads(Measure::Count),
        rates in loads(Measure::Rate),
        start in 0..1_u64 << 60,
        step in 1..1_u64 << 42,
        gz in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join(if gz { "out.csv.gz" } else { "out.csv" });
        for (measure, loads) in [(Measure::Count, counts), (Measure::Rate, rates)] {
            let calendar = start > 1 << 57;
            let bins = even(if calendar { start } else { start % (1 << 50) }, step, loads);
            write_bins(stream(&bins), &out, measure, calendar).unwrap();
            let back: Vec<LoadItem> =
                open(&out, &ReadOptions::default()).unwrap().stream.map(Result::unwrap).collect();
            prop_assert_eq!(back, bins);
        }
    }

    #[test]
    fn journals(records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5_000), 0..80)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("decisions.hmst");
        let mut writer = JournalWriter::create(&path, b"{\"seed\":1}").unwrap();
        for record in &records {
            writer.append(record).unwrap();
        }
        let summary = writer.finish().unwrap();
        prop_assert_eq!(summary.records, records.len() as u64);
        prop_assert_eq!(summary.file_bytes, std::fs::metadata(&path).unwrap().len());
        let reader = JournalReader::open(&path).unwrap();
        prop_assert_eq!(reader.header(), b"{\"seed\":1}");
        let back: Vec<Vec<u8>> = reader
            .flat_map(|block| block.unwrap().records().map(<[u8]>::to_vec).collect::<Vec<_>>())
            .collect();
        prop_assert_eq!(back, records);
    }

    #[test]
    fn damaged_journals(
        edit in prop::option::of((any::<prop::sample::Index>(), 1_u8..)),
        cut in any::<prop::sample::Index>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("decisions.hmst");
        let mut writer = JournalWriter::create(&path, b"head").unwrap();
        let records: Vec<Vec<u8>> = (0..400_u32).map(|i| i.to_le_bytes().repeat(200)).collect();
        for record in &records {
            writer.append(record).unwrap();
        }
        writer.finish().unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        match edit {
            Some((at, change)) => {
                let at = at.index(bytes.len());
                bytes[at] ^= change;
            }
            None => bytes.truncate(cut.index(bytes.len())),
        }
        std::fs::write(&path, &bytes).unwrap();
        let Ok(reader) = JournalReader::open(&path) else { return Ok(()) };
        let mut whole: Vec<Vec<u8>> = Vec::new();
        let mut failure = None;
        for block in reader {
            match block {
                Ok(block) => whole.extend(block.records().map(<[u8]>::to_vec)),
                Err(error) => failure = Some(error),
            }
        }
        // What is read is a true beginning, and every damage is told.
        prop_assert_eq!(&whole[..], &records[..whole.len()]);
        let told = matches!(failure, Some(JournalError::Damaged { .. }));
        prop_assert!(told);
    }

    #[test]
    fn journals_of_noise(bytes in prop::collection::vec(any::<u8>(), 0..200), magic in any::<bool>()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("noise");
        let head: &[u8] = if magic { b"HMSTJRNL\x01\x00" } else { b"" };
        std::fs::write(&path, [head, &bytes].concat()).unwrap();
        if let Ok(reader) = JournalReader::open(&path) {
            assert!(reader.count() < 100);
        }
    }
}

#[test]
fn a_cut_journal_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decisions.hmst");
    let mut writer = JournalWriter::create(&path, b"{}").unwrap();
    for _ in 0..3 {
        writer.append(&vec![7; 60_000]).unwrap();
    }
    writer.finish().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 40]).unwrap();
    let blocks: Vec<_> = JournalReader::open(&path).unwrap().collect();
    let message = blocks.last().unwrap().as_ref().unwrap_err().to_string();
    assert_eq!(blocks.len(), 3);
    assert!(message.contains("block 3 at byte") && message.contains("2 blocks before it"), "{message}");
    std::fs::write(&path, "time,count\n").unwrap();
    assert!(JournalReader::open(&path).err().unwrap().to_string().contains("not a journal"));
    std::fs::write(&path, b"HMSTJRNL\x09\x00\x00\x00\x00\x00").unwrap();
    assert!(JournalReader::open(&path).err().unwrap().to_string().contains("version 9"));
}

/// Converts, and reads the result back.
fn converted(text: &str, to: ConvertTo, step: Option<u64>) -> Vec<LoadItem> {
    let scratch = file(text);
    let out = scratch.folder.path().join("out.csv");
    let read = ReadOptions { step: Some(Span::from_secs(10)), ..ReadOptions::default() };
    let read = if text.contains(',') { ReadOptions::default() } else { read };
    convert(&scratch.path, &read, &out, to, step.map(Span::from_secs)).unwrap();
    let back = if to == ConvertTo::Values { Some(Span::from_secs(step.unwrap_or(10))) } else { None };
    let back = ReadOptions { step: back, ..ReadOptions::default() };
    open(&out, &back).unwrap().stream.map(Result::unwrap).collect()
}

#[test]
fn steps_are_cut_and_joined() {
    let text = "t,count\n0,10\n10,20\n20,30\n30,40\n";
    assert_eq!(converted(text, ConvertTo::Count, Some(20)), [count(0, 20, 30), count(20, 20, 70)]);
    let fine = converted(text, ConvertTo::Count, Some(5));
    assert_eq!(fine[..3], [count(0, 5, 5), count(5, 5, 5), count(10, 5, 10)]);
    assert_eq!(converted(text, ConvertTo::Rate, None)[1], rate(10, 10, 2.0));
    assert_eq!(converted("1\n2\n\n4\n", ConvertTo::Count, None)[2], hole(20, 10));
    let values = [count(0, 10, 1), hole(10, 10), hole(20, 10), count(30, 10, 4)];
    assert_eq!(converted("1\n\n\n4\n", ConvertTo::Values, None), values);
}

#[test]
fn counts_keep_their_sum_when_cut() {
    let text = "t,count\n0,1\n10,0\n20,5\n30,7\n";
    let total: u64 = converted(text, ConvertTo::Count, Some(3))
        .iter()
        .map(|item| if let LoadItem::Bin { load: BinLoad::Count(n), .. } = item { *n } else { 0 })
        .sum();
    assert_eq!(total, 13);
}

#[test]
fn logs_become_series_and_stay_logs() {
    let text = "t,input_tokens,output_tokens\n1,5,6\n2,7,\n2,8,9\n35,1,1\n";
    let bins = converted(text, ConvertTo::Count, Some(10));
    assert_eq!(bins, [count(0, 10, 3), count(10, 10, 0), count(20, 10, 0), count(30, 10, 1)]);
    let original = items(text, &ReadOptions::default());
    assert_eq!(converted(text, ConvertTo::Events, None), original);
    assert_eq!(original[1], request(2, Some(7), None, None));
}

#[test]
fn counts_become_requests() {
    let requests = converted("t,count\n0,2\n10,0\n20,1\n", ConvertTo::Events, None);
    let starts: Vec<_> = requests.iter().map(LoadItem::start).collect();
    assert_eq!(starts, [Instant(2_500_000_000), Instant(7_500_000_000), at(25)]);
}
