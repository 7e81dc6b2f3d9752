//! Small files for tests, and the items that come out of them.

use std::io::Write as _;
use std::path::PathBuf;

use homeostat_core::load::{BinLoad, Gaps, LoadItem, RequestSize};
use homeostat_core::{Instant, Span};
use homeostat_trace::{ReadOptions, Trace, TraceError, open};

/// A file in a folder that goes away with it.
pub(crate) struct Scratch {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
}

pub(crate) fn file(content: impl AsRef<[u8]>) -> Scratch {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.csv");
    std::fs::write(&path, content).unwrap();
    Scratch { folder, path }
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn options(map: &str) -> ReadOptions {
    let map = (!map.is_empty()).then(|| map.parse().unwrap());
    ReadOptions { map, ..ReadOptions::default() }
}

pub(crate) fn opened(content: &str, options: &ReadOptions) -> Result<Trace, TraceError> {
    open(&file(content).path, options)
}

/// All items; panics on an error.
pub(crate) fn items(content: &str, options: &ReadOptions) -> Vec<LoadItem> {
    opened(content, options).unwrap().stream.map(Result::unwrap).collect()
}

/// The first error, from opening or from reading on.
pub(crate) fn error(content: &str, options: &ReadOptions) -> String {
    match opened(content, options) {
        Err(error) => error.to_string(),
        Ok(trace) => { trace }.stream.find_map(Result::err).expect("an error").to_string(),
    }
}

pub(crate) const fn at(seconds: u64) -> Instant {
    Instant(seconds * 1_000_000_000)
}

pub(crate) const fn bin(start: u64, span: u64, load: BinLoad) -> LoadItem {
    LoadItem::Bin { start: at(start), span: Span::from_secs(span), load }
}

pub(crate) const fn count(start: u64, span: u64, count: u64) -> LoadItem {
    bin(start, span, BinLoad::Count(count))
}

pub(crate) const fn rate(start: u64, span: u64, per_second: f64) -> LoadItem {
    bin(start, span, BinLoad::Rate { per_second, gaps: Gaps::Poisson })
}

pub(crate) const fn hole(start: u64, span: u64) -> LoadItem {
    bin(start, span, BinLoad::Missing)
}

pub(crate) const fn request(
    start: u64,
    input: Option<u32>,
    output: Option<u32>,
    service: Option<Span>,
) -> LoadItem {
    LoadItem::Request {
        at: at(start),
        size: RequestSize { service, input_tokens: input, output_tokens: output },
    }
}
