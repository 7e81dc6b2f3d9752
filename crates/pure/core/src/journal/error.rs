//! What can be wrong with a record.

/// A record that can't be read: where, and what was expected there. After any of these the decoder
/// waits for the next keyframe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The bytes end too early.
    #[error("the journal record ends at byte {offset}, where {expected} should follow")]
    Truncated {
        /// Offset within the record, in bytes.
        offset: usize,
        /// What should follow.
        expected: &'static str,
    },
    /// A value that no encoder writes.
    #[error("byte {offset} of the journal record holds {found}; expected {expected}")]
    Invalid {
        /// Offset within the record, in bytes.
        offset: usize,
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: u64,
    },
    /// Bytes follow the end of the record.
    #[error("the journal record should end at byte {offset}, but {extra} more bytes follow")]
    Trailing {
        /// Offset of the first byte too many.
        offset: usize,
        /// How many bytes follow.
        extra: usize,
    },
    /// The first record after the start or after an error is not a keyframe.
    #[error("the journal can't be read from this record (byte 0): expected a keyframe")]
    NoKeyframe,
    /// Another version of the format wrote this.
    #[error("the journal has version {found}, this program reads versions up to {supported}")]
    Version {
        /// Version of the journal.
        found: u64,
        /// Version that can be read.
        supported: u16,
    },
    /// The journal belongs to policies with other needs.
    #[error("the journal answers {found} needs, the policies to read it with state {expected}")]
    Needs {
        /// Number of needs of the journal.
        found: u64,
        /// Number of needs the decoder was made for.
        expected: usize,
    },
}
