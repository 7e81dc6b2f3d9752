//! Observations and decisions to bytes and back.

use super::bytes::{Reader, Writer};
use super::error::JournalError;
use super::memory::{Memory, Moment};
use super::record::{Parts, RecordedDecision};
use super::{JOURNAL_VERSION, readable};
use super::{readings, replicas, verdict};
use crate::decision::Decision;
use crate::observe::{Observation, Reading};
use crate::policy::Need;
use crate::time::Instant;

const KEYFRAME: u8 = 0x01;
const OTHER_READINGS: u8 = 0x02;
const FORECAST: u8 = 0x04;
const REPLACE: u8 = 0x08;

/// Writes one record per turn of the loop.
#[derive(Debug, Clone)]
pub struct Encoder {
    needs: usize,
    memory: Option<Memory>,
}

impl Encoder {
    /// An encoder for observations that answer `needs`. Its first record is a keyframe.
    pub const fn new(needs: &[Need]) -> Self {
        Self { needs: needs.len(), memory: None }
    }

    /// Makes the next record a keyframe, at which a reader may start.
    pub fn reset(&mut self) {
        self.memory = None;
    }

    /// The record of one turn of the loop.
    pub fn record(&mut self, observation: &Observation, decision: &Decision) -> Vec<u8> {
        let mut out = Vec::new();
        self.append(observation, decision, &mut out);
        out
    }

    /// Appends the record of one turn of the loop to `out`.
    pub fn append(&mut self, observation: &Observation, decision: &Decision, out: &mut Vec<u8>) {
        self.write(observation, decision.into(), out);
    }

    /// Appends a record that was read from another journal to `out`.
    pub fn append_recorded(
        &mut self,
        observation: &Observation,
        decision: &RecordedDecision,
        out: &mut Vec<u8>,
    ) {
        self.write(observation, decision.into(), out);
    }

    fn write(&mut self, observation: &Observation, decision: Parts, out: &mut Vec<u8>) {
        let mut writer = Writer(out);
        let regular = observation.readings.len() == self.needs;
        let tag = if regular { 0 } else { OTHER_READINGS };
        let tag = tag | if decision.forecast.is_some() { FORECAST } else { 0 };
        let tag = tag | if decision.order.replace.is_empty() { 0 } else { REPLACE };
        if self.memory.is_none() {
            writer.byte(tag | KEYFRAME);
            writer.uint(JOURNAL_VERSION.into());
            writer.count(self.needs);
        } else {
            writer.byte(tag);
        }
        let memory = self.memory.get_or_insert_default();
        let now = memory.moment_of(observation);
        write_moment(&mut writer, now, memory.moment);
        replicas::write(&mut writer, &observation.replicas, &memory.replicas, now.at);
        if !regular {
            writer.count(observation.readings.len());
        }
        for (index, reading) in observation.readings.iter().enumerate() {
            let series = memory.series(index);
            readings::write(&mut writer, reading, series, now);
            readings::remember(series, reading);
        }
        verdict::write(&mut writer, decision, &memory.reasons, now);
        if let Some(note) = decision.forecast {
            verdict::write_forecast(&mut writer, &note, &memory.forecast, now);
            memory.forecast = note;
        }
        if !decision.order.replace.is_empty() {
            verdict::write_ids(&mut writer, &decision.order.replace);
        }
        memory.moment = now;
        memory.replicas.clone_from(&observation.replicas);
        decision.reasons.clone_into(&mut memory.reasons);
    }
}

/// Reads records in the order in which they were written, from any keyframe on.
#[derive(Debug, Clone)]
pub struct Decoder {
    needs: usize,
    memory: Option<Memory>,
}

impl Decoder {
    /// A decoder for a journal of observations that answer `needs`.
    pub const fn new(needs: &[Need]) -> Self {
        Self { needs: needs.len(), memory: None }
    }

    /// Forgets the records before: the next one must be a keyframe.
    pub fn reset(&mut self) {
        self.memory = None;
    }

    /// Reads one whole record. After an error the next record must be a keyframe.
    pub fn next(&mut self, record: &[u8]) -> Result<(Observation, RecordedDecision), JournalError> {
        let last = self.memory.take();
        let mut reader = Reader::new(record);
        let tag = reader.byte("the tag of a record")?;
        if tag & !(KEYFRAME | OTHER_READINGS | FORECAST | REPLACE) != 0 {
            return Err(reader.invalid("the tag of a record", tag.into()));
        }
        let mut memory = if tag & KEYFRAME == 0 {
            last.ok_or(JournalError::NoKeyframe)?
        } else {
            self.check(&mut reader)?;
            Memory::default()
        };
        let observation = self.observation(&mut reader, tag, &mut memory)?;
        let mut decision = verdict::read(&mut reader, &memory.reasons, memory.moment)?;
        if tag & FORECAST != 0 {
            let note = verdict::read_forecast(&mut reader, &memory.forecast, memory.moment)?;
            memory.forecast = note;
            decision.forecast = Some(note);
        }
        if tag & REPLACE != 0 {
            decision.order.replace = verdict::read_ids(&mut reader, "a replica to replace")?;
        }
        reader.end()?;
        memory.replicas.clone_from(&observation.replicas);
        memory.reasons.clone_from(&decision.reasons);
        self.memory = Some(memory);
        Ok((observation, decision))
    }

    /// Whether the keyframe is one that this decoder can read.
    fn check(&self, reader: &mut Reader) -> Result<(), JournalError> {
        let found = reader.uint("the version of the journal")?;
        if !readable(found) {
            return Err(JournalError::Version { found, supported: JOURNAL_VERSION });
        }
        let found = reader.uint("the number of needs")?;
        if found != self.needs as u64 {
            return Err(JournalError::Needs { found, expected: self.needs });
        }
        Ok(())
    }

    fn observation(
        &self,
        reader: &mut Reader,
        tag: u8,
        memory: &mut Memory,
    ) -> Result<Observation, JournalError> {
        let now = read_moment(reader, memory.moment)?;
        let replicas = replicas::read(reader, &memory.replicas, now.at)?;
        let readings = self.readings(reader, tag, memory, now)?;
        memory.moment = now;
        Ok(Observation { at: now.at, desired: now.desired, current: now.current, replicas, readings })
    }

    fn readings(
        &self,
        reader: &mut Reader,
        tag: u8,
        memory: &mut Memory,
        now: Moment,
    ) -> Result<Vec<Reading>, JournalError> {
        let count =
            if tag & OTHER_READINGS == 0 { self.needs } else { reader.count("the number of readings")? };
        let mut found = Vec::new();
        for index in 0..count {
            let series = memory.series(index);
            let reading = readings::read(reader, series, now)?;
            readings::remember(series, &reading);
            found.push(reading);
        }
        Ok(found)
    }
}

fn write_moment(writer: &mut Writer, now: Moment, last: Moment) {
    writer.time(now.step, last.step);
    writer.diff(now.desired.into(), last.desired.into());
    writer.diff(now.current.into(), last.current.into());
}

fn read_moment(reader: &mut Reader, last: Moment) -> Result<Moment, JournalError> {
    let step = reader.time(last.step, "the time of an observation")?;
    Ok(Moment {
        at: Instant(last.at.0.wrapping_add(step)),
        step,
        desired: reader.small(last.desired, "the count asked for")?,
        current: reader.small(last.current, "the count that exists")?,
    })
}
