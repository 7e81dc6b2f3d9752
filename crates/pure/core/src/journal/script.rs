//! The difference between two lists of replica ids, as runs of keep, drop and insert.
//!
//! Made for lists in order of id, where it is as short as can be; right for any lists.

use super::bytes::{Reader, Writer};
use super::error::JournalError;

const KEEP: u64 = 0;
const DROP: u64 = 1;
const INSERT: u64 = 2;

/// A place in the new list: which replica, and where it stood in the old list if it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) id: u64,
    pub(super) old: Option<usize>,
}

/// Matches the new list with the old one.
pub(super) fn align(old: &[u64], new: &[u64]) -> Vec<Slot> {
    let mut cursor = 0;
    let place = |&id: &u64| {
        while old.get(cursor).is_some_and(|&before| before < id) {
            cursor += 1;
        }
        if old.get(cursor) == Some(&id) {
            cursor += 1;
            return Slot { id, old: Some(cursor - 1) };
        }
        Slot { id, old: None }
    };
    new.iter().map(place).collect()
}

/// Whether `slots` keep every entry of an old list of this length and add none.
pub(super) fn is_identity(slots: &[Slot], old: usize) -> bool {
    slots.len() == old && slots.iter().all(|slot| slot.old.is_some())
}

/// Writes `slots`: the number of runs, then each run. Entries left over at the end are kept.
pub(super) fn write(writer: &mut Writer, slots: &[Slot], old: usize) {
    let runs = runs(slots, old);
    writer.count(runs.len());
    let (mut next, mut last) = (0, 0);
    for (kind, length) in runs {
        writer.uint((length as u64) << 2 | kind);
        if kind == INSERT {
            for slot in &slots[next..next + length] {
                writer.diff(slot.id, last);
                last = slot.id;
            }
        } else if kind == KEEP {
            last = slots[next + length - 1].id;
        }
        if kind != DROP {
            next += length;
        }
    }
}

fn runs(slots: &[Slot], old: usize) -> Vec<(u64, usize)> {
    let mut runs: Vec<(u64, usize)> = Vec::new();
    let mut push = |kind, length: usize| match runs.last_mut() {
        _ if length == 0 => {}
        Some((last, total)) if *last == kind => *total += length,
        _ => runs.push((kind, length)),
    };
    let mut cursor = 0;
    for slot in slots {
        if let Some(index) = slot.old {
            push(DROP, index - cursor);
            push(KEEP, 1);
            cursor = index + 1;
        } else {
            push(INSERT, 1);
        }
    }
    push(DROP, old - cursor);
    if runs.last().is_some_and(|(kind, _)| *kind == KEEP) {
        runs.pop();
    }
    runs
}

/// Reads what [`write`] wrote, against the same old list.
pub(super) fn read(reader: &mut Reader, old: &[u64]) -> Result<Vec<Slot>, JournalError> {
    let mut slots: Vec<Slot> = Vec::with_capacity(old.len());
    let mut cursor = 0;
    for _ in 0..reader.count("the number of changes of a list")? {
        let run = reader.uint("a change of a list")?;
        let length = run >> 2;
        let left = old.len() - cursor;
        match run & 3 {
            KEEP if length <= left as u64 => {
                keep(&mut slots, old, cursor..cursor + length as usize);
                cursor += length as usize;
            }
            DROP if length <= left as u64 => cursor += length as usize,
            INSERT if length <= reader.remaining() as u64 => insert(reader, &mut slots, length)?,
            _ => return Err(reader.invalid("a change that fits the list", run)),
        }
    }
    keep(&mut slots, old, cursor..old.len());
    Ok(slots)
}

fn keep(slots: &mut Vec<Slot>, old: &[u64], range: std::ops::Range<usize>) {
    slots.extend(range.map(|index| Slot { id: old[index], old: Some(index) }));
}

fn insert(reader: &mut Reader, slots: &mut Vec<Slot>, count: u64) -> Result<(), JournalError> {
    let mut last = slots.last().map_or(0, |slot| slot.id);
    for _ in 0..count {
        last = reader.diff(last, "the id of a replica")?;
        slots.push(Slot { id: last, old: None });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_list_follows_any_list(
            old in prop::collection::vec(0_u64..12, 0..12),
            new in prop::collection::vec(0_u64..12, 0..12),
        ) {
            let slots = align(&old, &new);
            let mut bytes = Vec::new();
            write(&mut Writer(&mut bytes), &slots, old.len());
            prop_assert_eq!(read(&mut Reader::new(&bytes), &old).unwrap(), slots);
        }
    }

    #[test]
    fn one_new_replica_takes_four_bytes() {
        let old: Vec<u64> = (100..120).collect();
        let new: Vec<u64> = (100..121).collect();
        let mut bytes = Vec::new();
        write(&mut Writer(&mut bytes), &align(&old, &new), old.len());
        assert_eq!(bytes.len(), 4, "runs, keep 20, insert 1, its id");
    }
}
