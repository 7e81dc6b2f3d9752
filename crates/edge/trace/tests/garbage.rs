//! Whatever a file holds, reading it ends with items or with an error, never with a panic.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

use homeostat_core::Span;
use homeostat_trace::{Format, ReadOptions, open};
use proptest::prelude::*;

const FORMATS: [Format; 7] = [
    Format::Values,
    Format::Series,
    Format::Events,
    Format::AzureLlm,
    Format::Mooncake,
    Format::ServeGen,
    Format::Prometheus,
];

/// A small valid file of each kind.
const VALID: [&str; 6] = [
    "requests\n1\n2\n3\n",
    "time,count\n2026-01-01T00:00,5\n2026-01-01 00:01:00.5,3\n2026-01-01T00:02Z,7\n",
    "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n",
    "{\"timestamp\": 0, \"input_length\": 6758, \"output_length\": 500, \"hash_ids\": [0, 1]}\n",
    "client,t_s,rate_rps,iat_cv,iat_family,param1,param2\n0,0,1.3,8.6,Weibull,0.37,0.39\n",
    "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{},\"values\":[[1,\"2\"],[61,\"3\"]]}]}}",
];

/// Reads a file to its end, as every format and as the one it looks like.
fn read(bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace");
    std::fs::write(&path, bytes).unwrap();
    for format in FORMATS.into_iter().map(Some).chain([None]) {
        let options = ReadOptions { format, step: Some(Span::SECOND), ..ReadOptions::default() };
        if let Ok(trace) = open(&path, &options) {
            let items = trace.stream.take(2_000).take_while(Result::is_ok).count();
            assert!(items <= 2_000);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read(&bytes);
    }

    #[test]
    fn damaged_files(
        which in 0..VALID.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = VALID[which].as_bytes().to_vec();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        read(&bytes);
    }
}

#[test]
fn valid_files_are_read() {
    for text in VALID {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace");
        std::fs::write(&path, text).unwrap();
        let options = ReadOptions { step: Some(Span::SECOND), ..ReadOptions::default() };
        let trace = open(&path, &options).unwrap_or_else(|e| panic!("{text}: {e}"));
        for item in trace.stream {
            item.unwrap_or_else(|e| panic!("{text}: {e}"));
        }
    }
}
