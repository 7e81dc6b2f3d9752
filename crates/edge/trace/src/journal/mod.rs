//! Files of the decision journal: records in compressed, checksummed blocks.
//!
//! ```text
//! file    "HMSTJRNL"  version:u16  length:u32  header  crc:u32   block*   end
//! block   1:u8   raw:u32  packed:u32  records:u32  crc:u32  deflate(record*)
//! record  length:u32  bytes
//! end     255:u8  blocks:u64  records:u64  crc:u32
//! ```
//!
//! Integers are little endian. The checksum (CRC-32) of a block covers the three lengths and the packed
//! bytes. A file without an end was cut off; everything before the damage can be read. What a record
//! means is not known here.

mod read;
mod write;

use std::io;
use std::path::PathBuf;

pub use read::{Block, JournalReader};
pub use write::{JournalSummary, JournalWriter};

/// First bytes of a journal.
pub const MAGIC: [u8; 8] = *b"HMSTJRNL";
/// Version of the file format.
pub const VERSION: u16 = 1;
/// A block is closed when its records reach this many bytes.
pub const BLOCK_BYTES: usize = 64 * 1_024;
/// Longest record, and longest header.
pub const MAX_RECORD_BYTES: usize = 16 * 1_024 * 1_024;

const KIND_BLOCK: u8 = 1;
const KIND_END: u8 = 255;

/// What goes wrong with journal files.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system said no.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file is something else.
    #[error("{} is not a journal: it does not begin with HMSTJRNL", path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// A later program wrote the file.
    #[error("{} is a journal of version {found}; this program reads version {VERSION}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u16,
    },
    /// The file is cut off or changed.
    #[error("{}: block {block} at byte {offset} {problem}; the {} before it are whole", path.display(), blocks(*block))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Number of the block, from 1; 0 is the header.
        block: u64,
        /// Where it starts.
        offset: u64,
        /// What is wrong, as a verb phrase.
        problem: &'static str,
    },
    /// A record that cannot be written.
    #[error("a record of {found} bytes is longer than the {MAX_RECORD_BYTES} that a journal takes")]
    TooLong {
        /// Its length in bytes.
        found: usize,
    },
}

fn blocks(block: u64) -> String {
    match block.saturating_sub(1) {
        1 => "1 block".to_owned(),
        count => format!("{count} blocks"),
    }
}

/// CRC-32 of several pieces.
fn crc(pieces: &[&[u8]]) -> u32 {
    let mut crc = flate2::Crc::new();
    for piece in pieces {
        crc.update(piece);
    }
    crc.sum()
}
