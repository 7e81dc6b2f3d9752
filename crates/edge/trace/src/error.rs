//! Why a trace or an option was refused: file, row, column, what was expected, and an example.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use homeostat_core::load::LoadError;

/// What goes wrong when traces are read or written.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file system said no.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb: `open`, `write`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The gzip stream ends early or is damaged.
    #[error(
        "{}: the gzip data {problem} after {bytes_read} unpacked bytes; \
         expected a whole gzip file, check it with `gzip -t` and fetch it again",
        path.display()
    )]
    Gzip {
        /// The file.
        path: PathBuf,
        /// What is wrong, as a verb phrase: `ends`, `is damaged`.
        problem: &'static str,
        /// Unpacked bytes that could be read before.
        bytes_read: u64,
    },
    /// The content is not what a reader accepts.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// Reading on failed after the trace was opened; already worded.
    #[error("{0}")]
    Stream(String),
    /// An option cannot be read or does not fit the trace.
    #[error(transparent)]
    Option(#[from] BadOption),
}

/// A place in a trace that was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Refusal {
    /// The file.
    pub path: PathBuf,
    /// Line of the file, from 1; `None` when the file as a whole is meant.
    pub row: Option<u64>,
    /// Name of the column, or `#n` where the file has no header.
    pub column: Option<String>,
    /// What is wrong there.
    pub problem: String,
    /// What would have been accepted.
    pub expected: String,
    /// Something that would have been accepted, verbatim.
    pub example: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(row) = self.row {
            write!(f, ", row {row}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column `{column}`")?;
        }
        write!(f, ": {}; expected {}, for example `{}`", self.problem, self.expected, self.example)
    }
}

/// An option that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{option}: `{found}` is not usable; expected {expected}, for example `{example}`")]
pub struct BadOption {
    /// Name of the option as on the command line.
    pub option: &'static str,
    /// What was given.
    pub found: String,
    /// What would have been accepted.
    pub expected: String,
    /// Something that would have been accepted, verbatim.
    pub example: &'static str,
}

/// Where a refusal points; a small builder, so that call sites stay one expression.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) path: &'a Path,
    pub(crate) row: Option<u64>,
    pub(crate) column: Option<&'a str>,
}

impl<'a> Place<'a> {
    pub(crate) const fn file(path: &'a Path) -> Self {
        Self { path, row: None, column: None }
    }

    pub(crate) const fn row(path: &'a Path, row: u64) -> Self {
        Self { path, row: Some(row), column: None }
    }

    pub(crate) const fn column(self, column: &'a str) -> Self {
        Self { column: Some(column), ..self }
    }

    pub(crate) fn refuse(
        self,
        problem: impl Into<String>,
        expected: impl Into<String>,
        example: impl Into<String>,
    ) -> TraceError {
        TraceError::Refused(Box::new(Refusal {
            path: self.path.to_owned(),
            row: self.row,
            column: self.column.map(str::to_owned),
            problem: problem.into(),
            expected: expected.into(),
            example: example.into(),
        }))
    }
}

/// Shows the bytes of a cell in a message: lossy, at most 40 characters.
pub(crate) fn shown(cell: &[u8]) -> String {
    let text = String::from_utf8_lossy(&cell[..cell.len().min(160)]);
    let mut short: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
    if short.len() < cell.len() {
        short.push('…');
    }
    short
}

impl From<TraceError> for LoadError {
    fn from(error: TraceError) -> Self {
        Self(error.to_string())
    }
}
