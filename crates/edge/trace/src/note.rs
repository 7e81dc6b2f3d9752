//! Notes: what a reader assumed, said once so that the user can correct it.

use std::fmt;

use serde::Serialize;

/// Something that a reader assumed or left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// Stable name of the kind of note, for example `time-zone`.
    pub code: &'static str,
    /// One sentence for the user, with the option that changes it.
    pub text: String,
}

impl Note {
    pub(crate) fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
