//! Reading a journal: block by block, up to the end or to the first damage.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::DeflateDecoder;

use super::{BLOCK_BYTES, JournalError, KIND_BLOCK, KIND_END, MAGIC, MAX_RECORD_BYTES, VERSION, crc};

/// Longest block that is believed.
const MAX_BLOCK_BYTES: u32 = (MAX_RECORD_BYTES + BLOCK_BYTES) as u32;

/// Reads a journal. As an iterator it gives the blocks, and ends after the first error.
pub struct JournalReader {
    path: PathBuf,
    input: Box<dyn Read + Send>,
    header: Vec<u8>,
    offset: u64,
    blocks: u64,
    records: u64,
    ended: bool,
}

/// The records of one block, unpacked and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Number of the block, from 1.
    pub number: u64,
    /// Where the block starts in the file, in bytes.
    pub offset: u64,
    raw: Vec<u8>,
}

impl Block {
    /// The records in the order in which they were written.
    pub fn records(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.raw.as_slice();
        std::iter::from_fn(move || split_record(&mut rest))
    }
}

/// Takes a record off the front.
fn split_record<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let (record, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *rest = after;
    Some(record)
}

impl JournalReader {
    /// Opens a journal and reads its header.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let file = File::open(path);
        let file =
            file.map_err(|source| JournalError::Io { doing: "open", path: path.to_owned(), source })?;
        Self::new(path, Box::new(BufReader::with_capacity(1 << 16, file)))
    }

    fn new(path: &Path, input: Box<dyn Read + Send>) -> Result<Self, JournalError> {
        let (header, path) = (Vec::new(), path.to_owned());
        let mut reader = Self { path, input, header, offset: 0, blocks: 0, records: 0, ended: false };
        let mut head = Vec::new();
        let taken = (&mut reader.input).take(14).read_to_end(&mut head);
        taken.map_err(|source| reader.io(source))?;
        if !head.starts_with(&MAGIC) {
            return Err(JournalError::NotAJournal { path: reader.path });
        }
        let Some([low, high]) = head.get(8..10).and_then(|two| two.first_chunk()) else {
            return Err(reader.damaged("is cut off"));
        };
        let found = u16::from_le_bytes([*low, *high]);
        if found != VERSION {
            return Err(JournalError::Version { path: reader.path, found });
        }
        let length = u32_at(&head, 10).ok_or_else(|| reader.damaged("is cut off"))?;
        let mut rest = reader.grab(u64::from(length.min(MAX_BLOCK_BYTES)) + 4)?;
        let sum = u32_at(&rest, rest.len().saturating_sub(4));
        rest.truncate(rest.len().saturating_sub(4));
        if sum != Some(crc(&[&rest])) {
            return Err(reader.damaged("has a wrong checksum"));
        }
        (reader.header, reader.offset) = (rest, u64::from(length) + 18);
        Ok(reader)
    }

    /// The header as it was written.
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    fn io(&self, source: io::Error) -> JournalError {
        JournalError::Io { doing: "read", path: self.path.clone(), source }
    }

    /// The block after those that were read is damaged; without a header yet, the header is.
    fn damaged(&self, problem: &'static str) -> JournalError {
        let block = if self.offset == 0 { 0 } else { self.blocks + 1 };
        JournalError::Damaged { path: self.path.clone(), block, offset: self.offset, problem }
    }

    /// Takes exactly this many bytes. Memory grows with what is there, not with what is claimed.
    fn grab(&mut self, length: u64) -> Result<Vec<u8>, JournalError> {
        let mut bytes = Vec::new();
        let taken = (&mut self.input).take(length).read_to_end(&mut bytes);
        match taken {
            Ok(found) if found as u64 == length => Ok(bytes),
            Ok(_) => Err(self.damaged("is cut off")),
            Err(source) => Err(self.io(source)),
        }
    }

    fn step(&mut self) -> Result<Option<Block>, JournalError> {
        match self.grab(1)?.as_slice() {
            [KIND_BLOCK] => self.block().map(Some),
            [KIND_END] => self.end(),
            _ => Err(self.damaged("is of an unknown kind")),
        }
    }

    fn block(&mut self) -> Result<Block, JournalError> {
        let head = self.grab(16)?;
        let number = |at| u32_at(&head, at).unwrap_or_default();
        let (raw_length, packed_length, records, sum) = (number(0), number(4), number(8), number(12));
        if raw_length > MAX_BLOCK_BYTES || packed_length > MAX_BLOCK_BYTES {
            return Err(self.damaged("has an impossible length"));
        }
        let packed = self.grab(u64::from(packed_length))?;
        if sum != crc(&[&head[..12], &packed]) {
            return Err(self.damaged("has a wrong checksum"));
        }
        let mut raw = Vec::new();
        let unpacked =
            DeflateDecoder::new(packed.as_slice()).take(u64::from(raw_length) + 1).read_to_end(&mut raw);
        if unpacked.ok() != Some(raw_length as usize) {
            return Err(self.damaged("cannot be unpacked"));
        }
        let mut rest = raw.as_slice();
        let count = std::iter::from_fn(|| split_record(&mut rest)).count();
        if count != records as usize || !rest.is_empty() {
            return Err(self.damaged("does not hold the records it says"));
        }
        let block = Block { number: self.blocks + 1, offset: self.offset, raw };
        self.blocks += 1;
        self.records += u64::from(records);
        self.offset += 17 + u64::from(packed_length);
        Ok(block)
    }

    fn end(&mut self) -> Result<Option<Block>, JournalError> {
        let tail = self.grab(20)?;
        let mut expected = self.blocks.to_le_bytes().to_vec();
        expected.extend(self.records.to_le_bytes());
        if u32_at(&tail, 16) != Some(crc(&[&tail[..16]])) {
            return Err(self.damaged("(the end) has a wrong checksum"));
        }
        if tail[..16] != expected {
            return Err(self.damaged("(the end) counts other blocks than there are"));
        }
        self.offset += 21;
        let mut more = [0];
        match self.input.read(&mut more) {
            Ok(0) => Ok(None),
            Ok(_) => Err(self.damaged("follows the end")),
            Err(source) => Err(self.io(source)),
        }
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk::<4>().map(|four| u32::from_le_bytes(*four))
}

impl Iterator for JournalReader {
    type Item = Result<Block, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.step().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}
