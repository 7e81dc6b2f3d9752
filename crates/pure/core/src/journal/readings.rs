//! One reading, against the last values of the same need.

use super::bytes::{Reader, Writer};
use super::error::JournalError;
use super::memory::{Moment, Series};
use super::script::{self, Slot};
use crate::observe::{FetchError, Reading, ReplicaId, Sample};
use crate::time::{Instant, Span};

const PER_REPLICA: u8 = 0;
const TOTAL: u8 = 1;
const UNAVAILABLE: u8 = 2;
const EMPTY: u8 = 3;
/// The list of replicas (of values) differs; it follows.
const LIST: u8 = 0x04;
/// The common step of the times is not that of the observations; it follows.
const LEAD: u8 = 0x08;
/// Some times don't follow the common step; a column follows.
const TIMES: u8 = 0x10;
/// Some windows differ; a column follows.
const WINDOWS: u8 = 0x20;
/// Some values differ; a column follows.
const VALUES: u8 = 0x40;

/// Writes a reading.
pub(super) fn write(writer: &mut Writer, reading: &Reading, series: &Series, now: Moment) {
    match reading {
        Reading::PerReplica(samples) => write_samples(writer, samples, &series.samples, now),
        Reading::Total { milli, at } => write_total(writer, milli, *at, series, now),
        Reading::Failed(FetchError::Unavailable) => writer.byte(UNAVAILABLE),
        Reading::Failed(FetchError::Empty) => writer.byte(EMPTY),
    }
}

/// Reads what [`write`] wrote.
pub(super) fn read(reader: &mut Reader, series: &Series, now: Moment) -> Result<Reading, JournalError> {
    let head = reader.byte("the kind of a reading")?;
    let (kind, flags) = (head & 3, head & !3);
    let known = match kind {
        PER_REPLICA => LIST | LEAD | TIMES | WINDOWS | VALUES,
        TOTAL => LIST | TIMES | VALUES,
        _ => 0,
    };
    if flags & !known != 0 {
        return Err(reader.invalid("the kind of a reading", head.into()));
    }
    match kind {
        PER_REPLICA => read_samples(reader, flags, &series.samples, now).map(Reading::PerReplica),
        TOTAL => read_total(reader, flags, series, now),
        UNAVAILABLE => Ok(Reading::Failed(FetchError::Unavailable)),
        _ => Ok(Reading::Failed(FetchError::Empty)),
    }
}

/// Keeps what the next reading is written against.
pub(super) fn remember(series: &mut Series, reading: &Reading) {
    match reading {
        Reading::PerReplica(samples) => series.samples.clone_from(samples),
        Reading::Total { milli, at } => {
            series.totals.clone_from(milli);
            series.totals_at = *at;
        }
        Reading::Failed(_) => {}
    }
}

/// The expected fields of the sample in a slot: the replica's own last ones, its time moved on by the
/// common step; for a new replica those of its neighbour.
fn expected(slot: &Slot, old: &[Sample], lead: u64, before: Option<&Sample>, now: Moment) -> Sample {
    let nothing = Sample { replica: ReplicaId(0), milli: 0, at: now.at, window: Span::ZERO };
    let own = slot.old.map(|index| Sample { at: Instant(old[index].at.0.wrapping_add(lead)), ..old[index] });
    own.or_else(|| before.copied()).unwrap_or(nothing)
}

fn ids(samples: &[Sample]) -> Vec<u64> {
    samples.iter().map(|sample| sample.replica.0).collect()
}

fn write_samples(writer: &mut Writer, new: &[Sample], old: &[Sample], now: Moment) {
    let slots = script::align(&ids(old), &ids(new));
    let kept = new.iter().zip(&slots).find_map(|(sample, slot)| Some((sample, slot.old?)));
    let lead = kept.map_or(now.step, |(sample, index)| sample.at.0.wrapping_sub(old[index].at.0));
    let expect =
        |(index, slot): (usize, &Slot)| expected(slot, old, lead, index.checked_sub(1).map(|i| &new[i]), now);
    let guesses: Vec<Sample> = slots.iter().enumerate().map(expect).collect();
    let differs = |bit: u8, test: fn(&Sample, &Sample) -> bool| {
        if new.iter().zip(&guesses).any(|(sample, guess)| test(sample, guess)) { bit } else { 0 }
    };
    let list = if script::is_identity(&slots, old.len()) { 0 } else { LIST };
    let flags = list
        | if lead == now.step { 0 } else { LEAD }
        | differs(TIMES, |a, b| a.at != b.at)
        | differs(WINDOWS, |a, b| a.window != b.window)
        | differs(VALUES, |a, b| a.milli != b.milli);
    writer.byte(PER_REPLICA | flags);
    if flags & LIST != 0 {
        script::write(writer, &slots, old.len());
    }
    if flags & LEAD != 0 {
        writer.time(lead, now.step);
    }
    for column in [TIMES, WINDOWS, VALUES] {
        if flags & column != 0 {
            new.iter().zip(&guesses).for_each(|(sample, guess)| write_field(writer, column, sample, guess));
        }
    }
}

fn write_field(writer: &mut Writer, column: u8, sample: &Sample, guess: &Sample) {
    match column {
        TIMES => writer.time(sample.at.0, guess.at.0),
        WINDOWS => writer.time(sample.window.0, guess.window.0),
        _ => writer.signed(sample.milli, guess.milli),
    }
}

fn read_samples(
    reader: &mut Reader,
    flags: u8,
    old: &[Sample],
    now: Moment,
) -> Result<Vec<Sample>, JournalError> {
    let slots = if flags & LIST == 0 {
        script::align(&ids(old), &ids(old))
    } else {
        script::read(reader, &ids(old))?
    };
    let lead =
        if flags & LEAD == 0 { now.step } else { reader.time(now.step, "the step of a reading's times")? };
    let mut new: Vec<Sample> = Vec::with_capacity(slots.len());
    for slot in &slots {
        let guess = expected(slot, old, lead, new.last(), now);
        new.push(Sample { replica: ReplicaId(slot.id), ..guess });
    }
    for column in [TIMES, WINDOWS, VALUES] {
        if flags & column != 0 {
            read_column(reader, column, &mut new, &slots)?;
        }
    }
    Ok(new)
}

/// Reads one column over the guesses that stand in `samples`. The guess of a new replica is its
/// neighbour's value, which is only known once that has been read.
fn read_column(
    reader: &mut Reader,
    column: u8,
    samples: &mut [Sample],
    slots: &[Slot],
) -> Result<(), JournalError> {
    for (index, slot) in slots.iter().enumerate() {
        let neighbour = slot.old.is_none() && index > 0;
        let guess = samples[if neighbour { index - 1 } else { index }];
        let sample = &mut samples[index];
        match column {
            TIMES => sample.at = Instant(reader.time(guess.at.0, "the time of a sample")?),
            WINDOWS => sample.window = Span(reader.time(guess.window.0, "the window of a sample")?),
            _ => sample.milli = reader.signed(guess.milli, "the value of a sample")?,
        }
    }
    Ok(())
}

fn write_total(writer: &mut Writer, new: &[i64], at: Instant, series: &Series, now: Moment) {
    let expected_at = series.totals_at.0.wrapping_add(now.step);
    let flags = if new.len() == series.totals.len() { 0 } else { LIST }
        | if at.0 == expected_at { 0 } else { TIMES }
        | if new == series.totals { 0 } else { VALUES };
    writer.byte(TOTAL | flags);
    if flags & LIST != 0 {
        writer.count(new.len());
    }
    if flags & TIMES != 0 {
        writer.time(at.0, expected_at);
    }
    if flags & VALUES != 0 {
        let old = series.totals.iter().copied().chain(std::iter::repeat(0));
        new.iter().zip(old).for_each(|(value, old)| writer.signed(*value, old));
    }
}

fn read_total(reader: &mut Reader, flags: u8, series: &Series, now: Moment) -> Result<Reading, JournalError> {
    let mut milli = series.totals.clone();
    if flags & LIST != 0 {
        milli.resize(reader.count("the number of values")?, 0);
    }
    let mut at = series.totals_at.0.wrapping_add(now.step);
    if flags & TIMES != 0 {
        at = reader.time(at, "the time of a value")?;
    }
    if flags & VALUES != 0 {
        for value in &mut milli {
            *value = reader.signed(*value, "a value")?;
        }
    }
    Ok(Reading::Total { milli, at: Instant(at) })
}
