//! Files that appear whole or not at all: written beside their place, then renamed.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;

/// A file in the making. Dropped before [`AtomicFile::finish`], it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    target: PathBuf,
    /// `None` when the target is no regular file (a terminal, a pipe) and is written directly.
    part: Option<PathBuf>,
    sink: Sink,
}

#[derive(Debug)]
enum Sink {
    Plain(BufWriter<File>),
    Gzip(GzEncoder<BufWriter<File>>),
    Closed,
}

impl AtomicFile {
    /// Starts a file. `gzip` compresses what is written.
    pub(crate) fn create(target: &Path, gzip: bool) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let special = fs::metadata(target).is_ok_and(|data| !data.is_file());
        let (part, file) = if special {
            (None, OpenOptions::new().write(true).open(target)?)
        } else {
            let mut name = OsString::from(".");
            name.push(target.file_name().ok_or_else(|| io::Error::other("the path names no file"))?);
            name.push(format!(".{}-{}.part", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
            let part = target.with_file_name(name);
            let file = OpenOptions::new().write(true).create_new(true).open(&part)?;
            (Some(part), file)
        };
        let buffer = BufWriter::with_capacity(1 << 16, file);
        let sink = if gzip {
            Sink::Gzip(GzEncoder::new(buffer, Compression::default()))
        } else {
            Sink::Plain(buffer)
        };
        Ok(Self { target: target.to_owned(), part, sink })
    }

    /// Whether a name asks for gzip.
    pub(crate) fn wants_gzip(target: &Path) -> bool {
        target.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"))
    }

    /// Puts the file in its place; its size in bytes.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        let buffer = match std::mem::replace(&mut self.sink, Sink::Closed) {
            Sink::Plain(buffer) => buffer,
            Sink::Gzip(encoder) => encoder.finish()?,
            Sink::Closed => return Err(io::ErrorKind::BrokenPipe.into()),
        };
        let file = buffer.into_inner().map_err(io::IntoInnerError::into_error)?;
        let bytes = file.metadata()?.len();
        if let Some(part) = &self.part {
            file.sync_all()?;
            drop(file);
            fs::rename(part, &self.target)?;
            self.part = None;
        }
        Ok(bytes)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.sink {
            Sink::Plain(sink) => sink.write(bytes),
            Sink::Gzip(sink) => sink.write(bytes),
            Sink::Closed => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Sink::Plain(sink) => sink.flush(),
            Sink::Gzip(sink) => sink.flush(),
            Sink::Closed => Ok(()),
        }
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            fs::remove_file(part).ok();
        }
    }
}
