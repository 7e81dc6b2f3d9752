//! Opening a file: gzip by its magic bytes, a look at the beginning, and errors that say what broke.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::error::{Place, TraceError};

/// How much of the beginning is looked at to tell the format.
const PROBE_BYTES: u64 = 256 * 1_024;
/// Longest line that the line readers accept.
const MAX_LINE_BYTES: u64 = 4 * 1_024 * 1_024;

/// An opened trace: its beginning, and a reader that delivers everything including the beginning.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) probe: Vec<u8>,
    pub(crate) reader: Box<dyn Read + Send>,
}

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Self, TraceError> {
        let io = |source| TraceError::Io { doing: "open", path: path.to_owned(), source };
        let file = File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.is_dir() {
            return Err(Place::file(path).refuse("it is a directory", "a trace file", "requests.csv.gz"));
        }
        let mut raw = BufReader::with_capacity(1 << 16, file);
        let gzip = raw.fill_buf().map_err(io)?.starts_with(&[0x1f, 0x8b]);
        let inner: Box<dyn Read + Send> =
            if gzip { Box::new(Gunzip { inner: MultiGzDecoder::new(raw), bytes: 0 }) } else { Box::new(raw) };
        Self::probed(path, inner)
    }

    fn probed(path: &Path, mut inner: Box<dyn Read + Send>) -> Result<Self, TraceError> {
        let mut probe = Vec::new();
        let failure = (&mut inner).take(PROBE_BYTES).read_to_end(&mut probe).err();
        if probe.is_empty() {
            return Err(match failure {
                Some(error) => io_error(path, error),
                None => Place::file(path).refuse(
                    "the file is empty",
                    "a trace: CSV, JSON lines, a Prometheus answer, or one value per line",
                    "time,requests",
                ),
            });
        }
        if probe.starts_with(&[0xef, 0xbb, 0xbf]) {
            probe.drain(..3);
        }
        if probe.contains(&0) {
            return Err(Place::file(path).refuse("the file is binary", "UTF-8 text", "time,requests"));
        }
        let reader = Box::new(Cursor::new(probe.clone()).chain(Rest { failure, inner }));
        Ok(Self { path: path.to_owned(), probe, reader })
    }
}

/// What follows the probe; repeats the failure that the probe met.
struct Rest {
    failure: Option<io::Error>,
    inner: Box<dyn Read + Send>,
}

impl Read for Rest {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.failure.take() {
            Some(error) => Err(error),
            None => self.inner.read(buffer),
        }
    }
}

/// Unpacks gzip and marks its errors, so that they can be told from those of the file system.
struct Gunzip<R> {
    inner: MultiGzDecoder<R>,
    bytes: u64,
}

/// The mark.
#[derive(Debug, thiserror::Error)]
#[error("the gzip data {problem}")]
struct GzipFailure {
    problem: &'static str,
    bytes_read: u64,
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(length) => {
                self.bytes += length as u64;
                Ok(length)
            }
            Err(error) => {
                let problem = match error.kind() {
                    io::ErrorKind::UnexpectedEof => "ends early",
                    io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => "is damaged",
                    _ => return Err(error),
                };
                Err(io::Error::other(GzipFailure { problem, bytes_read: self.bytes }))
            }
        }
    }
}

/// Words an I/O error of a trace that is being read.
pub(crate) fn io_error(path: &Path, source: io::Error) -> TraceError {
    let path = path.to_owned();
    match source.get_ref().and_then(|inner| inner.downcast_ref::<GzipFailure>()) {
        Some(gzip) => TraceError::Gzip { path, problem: gzip.problem, bytes_read: gzip.bytes_read },
        None => TraceError::Io { doing: "read", path, source },
    }
}

/// Lines of a file, one buffer for all of them.
pub(crate) struct Lines {
    pub(crate) path: PathBuf,
    reader: BufReader<Box<dyn Read + Send>>,
    line: Vec<u8>,
    /// Line number of the last line, from 1.
    pub(crate) row: u64,
}

impl Lines {
    pub(crate) fn new(source: Source) -> Self {
        let reader = BufReader::with_capacity(1 << 16, source.reader);
        Self { path: source.path, reader, line: Vec::new(), row: 0 }
    }

    /// The next line without its end and without white space around it.
    pub(crate) fn next_line(&mut self) -> Option<Result<&[u8], TraceError>> {
        self.line.clear();
        self.row += 1;
        let read = (&mut self.reader).take(MAX_LINE_BYTES).read_until(b'\n', &mut self.line);
        match read {
            Ok(0) => None,
            Ok(length) if length as u64 == MAX_LINE_BYTES => Some(Err(Place::row(&self.path, self.row)
                .refuse("the line is longer than 4 MiB", "one record per line", "12"))),
            Ok(_) => Some(Ok(self.line.trim_ascii())),
            Err(error) => Some(Err(io_error(&self.path, error))),
        }
    }
}
