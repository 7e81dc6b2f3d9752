//! Writing a journal: whole or not at all.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::{BLOCK_BYTES, JournalError, KIND_BLOCK, KIND_END, MAGIC, MAX_RECORD_BYTES, VERSION, crc};
use crate::atomic::AtomicFile;

/// What a journal came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalSummary {
    /// Records written.
    pub records: u64,
    /// Blocks written.
    pub blocks: u64,
    /// Bytes of the records before packing.
    pub raw_bytes: u64,
    /// Bytes of the file.
    pub file_bytes: u64,
}

/// Writes a journal. The file appears with [`JournalWriter::finish`]; dropped before, nothing remains.
#[derive(Debug)]
pub struct JournalWriter {
    path: PathBuf,
    file: AtomicFile,
    raw: Vec<u8>,
    packed: Vec<u8>,
    in_block: u32,
    summary: JournalSummary,
}

impl JournalWriter {
    /// Starts a journal with a header, which readers get back as it is.
    pub fn create(path: &Path, header: &[u8]) -> Result<Self, JournalError> {
        check(header)?;
        let io = |source| JournalError::Io { doing: "create", path: path.to_owned(), source };
        let mut file = AtomicFile::create(path, false).map_err(io)?;
        let mut head = Vec::with_capacity(header.len() + 18);
        head.extend(MAGIC);
        head.extend(VERSION.to_le_bytes());
        head.extend((header.len() as u32).to_le_bytes());
        head.extend(header);
        head.extend(crc(&[header]).to_le_bytes());
        file.write_all(&head).map_err(io)?;
        let summary = JournalSummary { records: 0, blocks: 0, raw_bytes: 0, file_bytes: 0 };
        let raw = Vec::with_capacity(BLOCK_BYTES);
        Ok(Self { path: path.to_owned(), file, raw, packed: Vec::new(), in_block: 0, summary })
    }

    /// Adds a record.
    pub fn append(&mut self, record: &[u8]) -> Result<(), JournalError> {
        check(record)?;
        if !self.raw.is_empty() && self.raw.len() + record.len() + 4 > BLOCK_BYTES {
            self.close_block()?;
        }
        self.raw.extend((record.len() as u32).to_le_bytes());
        self.raw.extend(record);
        self.in_block += 1;
        self.summary.records += 1;
        self.summary.raw_bytes += record.len() as u64;
        Ok(())
    }

    /// Puts the journal in its place.
    pub fn finish(mut self) -> Result<JournalSummary, JournalError> {
        if self.in_block > 0 {
            self.close_block()?;
        }
        let mut end = vec![KIND_END];
        end.extend(self.summary.blocks.to_le_bytes());
        end.extend(self.summary.records.to_le_bytes());
        end.extend(crc(&[&end[1..]]).to_le_bytes());
        let path = self.path;
        let mut file = self.file;
        let bytes = file.write_all(&end).and_then(|()| file.finish());
        let file_bytes = bytes.map_err(|source| JournalError::Io { doing: "write", path, source })?;
        Ok(JournalSummary { file_bytes, ..self.summary })
    }

    fn close_block(&mut self) -> Result<(), JournalError> {
        let written = self.write_block();
        written.map_err(|source| JournalError::Io { doing: "write", path: self.path.clone(), source })?;
        self.summary.blocks += 1;
        self.in_block = 0;
        self.raw.clear();
        Ok(())
    }

    fn write_block(&mut self) -> io::Result<()> {
        let mut encoder = DeflateEncoder::new(std::mem::take(&mut self.packed), Compression::new(4));
        encoder.write_all(&self.raw)?;
        self.packed = encoder.finish()?;
        let mut head = [0; 17];
        head[0] = KIND_BLOCK;
        head[1..5].copy_from_slice(&(self.raw.len() as u32).to_le_bytes());
        head[5..9].copy_from_slice(&(self.packed.len() as u32).to_le_bytes());
        head[9..13].copy_from_slice(&self.in_block.to_le_bytes());
        let sum = crc(&[&head[1..13], &self.packed]);
        head[13..].copy_from_slice(&sum.to_le_bytes());
        self.file.write_all(&head)?;
        self.file.write_all(&self.packed)?;
        self.packed.clear();
        Ok(())
    }
}

const fn check(bytes: &[u8]) -> Result<(), JournalError> {
    if bytes.len() > MAX_RECORD_BYTES { Err(JournalError::TooLong { found: bytes.len() }) } else { Ok(()) }
}
