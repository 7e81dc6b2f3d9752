//! The list of replicas, against the list before.

use super::bytes::{Reader, Writer};
use super::error::JournalError;
use super::script::{self, Slot};
use crate::observe::{Phase, Readiness, ReplicaId, ReplicaView};
use crate::time::Instant;

const PHASES: [Phase; 4] = [Phase::Pending, Phase::Running, Phase::Failed, Phase::Succeeded];
const STARTED: u8 = 0x04;
const REPORTED: u8 = 0x08;
const READY: u8 = 0x10;
const DELETING: u8 = 0x20;
const KNOWN: u8 = 0x3F;

/// Writes the changes from `old` to `new`: the edit script of the ids, then each replica that is not as
/// expected. Nothing changed: two bytes.
pub(super) fn write(writer: &mut Writer, new: &[ReplicaView], old: &[ReplicaView], at: Instant) {
    let slots = script::align(&ids(old), &ids(new));
    script::write(writer, &slots, old.len());
    let pairs = || new.iter().zip(&slots).map(|(view, slot)| (view, expected(slot, old)));
    writer.count(pairs().filter(|(view, expected)| *view != expected).count());
    let mut next = 0;
    for (index, (view, expected)) in pairs().enumerate() {
        if *view != expected {
            writer.count(index - next);
            write_view(writer, view, &expected, at);
            next = index + 1;
        }
    }
}

/// Reads what [`write`] wrote.
pub(super) fn read(
    reader: &mut Reader,
    old: &[ReplicaView],
    at: Instant,
) -> Result<Vec<ReplicaView>, JournalError> {
    let slots = script::read(reader, &ids(old))?;
    let mut new: Vec<_> = slots.iter().map(|slot| expected(slot, old)).collect();
    let mut next = 0;
    for _ in 0..reader.count("the number of changed replicas")? {
        let skip = reader.uint("the place of a changed replica")?;
        if skip >= (new.len() - next) as u64 {
            return Err(reader.invalid("a place within the list of replicas", skip));
        }
        next += skip as usize;
        new[next] = read_view(reader, &new[next], at)?;
        next += 1;
    }
    Ok(new)
}

fn ids(views: &[ReplicaView]) -> Vec<u64> {
    views.iter().map(|view| view.id.0).collect()
}

/// What a replica is expected to look like: as before, or as ordered a moment ago.
fn expected(slot: &Slot, old: &[ReplicaView]) -> ReplicaView {
    slot.old.map_or(
        ReplicaView {
            id: ReplicaId(slot.id),
            phase: Phase::Pending,
            started_at: None,
            readiness: None,
            deleting: false,
        },
        |index| old[index].clone(),
    )
}

/// The times that a view's times are written against.
fn bases(expected: &ReplicaView, at: Instant) -> (u64, u64) {
    let since = expected.readiness.map_or(at, |readiness| readiness.since);
    (expected.started_at.unwrap_or(at).0, since.0)
}

fn write_view(writer: &mut Writer, view: &ReplicaView, expected: &ReplicaView, at: Instant) {
    let (started, since) = bases(expected, at);
    let bit = |set: bool, bit: u8| if set { bit } else { 0 };
    writer.byte(
        view.phase as u8
            | bit(view.started_at.is_some(), STARTED)
            | bit(view.readiness.is_some(), REPORTED)
            | bit(view.readiness.is_some_and(|r| r.ready), READY)
            | bit(view.deleting, DELETING),
    );
    if let Some(at) = view.started_at {
        writer.time(at.0, started);
    }
    if let Some(readiness) = view.readiness {
        writer.time(readiness.since.0, since);
    }
}

fn read_view(reader: &mut Reader, expected: &ReplicaView, at: Instant) -> Result<ReplicaView, JournalError> {
    let flags = reader.byte("the state of a replica")?;
    if flags & !KNOWN != 0 || (flags & READY != 0 && flags & REPORTED == 0) {
        return Err(reader.invalid("the state of a replica", flags.into()));
    }
    let (started, since) = bases(expected, at);
    let mut time = |bit: u8, base, what| -> Result<Option<Instant>, JournalError> {
        if flags & bit == 0 { Ok(None) } else { reader.time(base, what).map(Instant).map(Some) }
    };
    let started_at = time(STARTED, started, "the start of a replica")?;
    let since = time(REPORTED, since, "the time of a change of readiness")?;
    Ok(ReplicaView {
        id: expected.id,
        phase: PHASES[usize::from(flags & 3)],
        started_at,
        readiness: since.map(|since| Readiness { ready: flags & READY != 0, since }),
        deleting: flags & DELETING != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_phases_are_their_places() {
        for (number, phase) in PHASES.iter().enumerate() {
            assert_eq!(*phase as usize, number);
        }
        assert_eq!(PHASES, [Phase::Pending, Phase::Running, Phase::Failed, Phase::Succeeded]);
    }
}
