//! What happens in the future, in order of time and, at one time, in order of planning.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use homeostat_core::Instant;

/// Something that will happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// A visit ends as its station announced.
    Leave { visit: u32, generation: u32, version: u16, served: bool },
    /// A station has something to report.
    Station { service: u16, replica: u32, epoch: u32 },
    /// A client tries again.
    Retry { request: u32 },
    /// The client of a visit held at the front gives up.
    Deadline { visit: u32, generation: u32 },
    /// Metrics of a service are collected.
    Scrape { service: u16 },
    /// A service's controller decides; `again` if it does so periodically.
    Tick { service: u16, again: bool },
    /// A replica's start goes on.
    Step { service: u16, replica: u32, epoch: u32 },
    /// A draining replica ends.
    DrainEnd { service: u16, replica: u32, epoch: u32 },
    /// A node is up.
    NodeUp { node: u32 },
    /// A node may have been empty for long enough.
    NodeIdle { node: u32 },
    /// A fault strikes, for the n-th time.
    Strike { fault: u16, nth: u32 },
    /// A slow replica is itself again.
    SlowEnd { service: u16, replica: u32, epoch: u32 },
    /// The kernel looks at a service's memory.
    Memory { service: u16 },
}

/// The time in the upper half of the key, the number of the plan in the lower: one comparison without a
/// branch, which a processor would guess wrong half of the time.
#[derive(Debug, Clone, Copy)]
struct Entry {
    key: u128,
    what: What,
}

impl Entry {
    const fn at(&self) -> u64 {
        (self.key >> 64) as u64
    }
}

impl Ord for Entry {
    /// Reversed: the heap's greatest is the earliest.
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key)
    }
}

impl PartialOrd for Entry {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }

    #[inline]
    fn le(&self, other: &Self) -> bool {
        self.key >= other.key
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Entry {}

/// The future.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Entry>,
    seq: u64,
}

impl Queue {
    #[inline]
    pub(crate) fn push(&mut self, at: Instant, what: What) {
        self.seq += 1;
        self.heap.push(Entry { key: u128::from(at.0) << 64 | u128::from(self.seq), what });
    }

    /// When the next thing happens; the end of time when nothing will.
    #[inline]
    pub(crate) fn next_at(&self) -> u64 {
        self.heap.peek().map_or(u64::MAX, Entry::at)
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<(Instant, What)> {
        self.heap.pop().map(|entry| (Instant(entry.at()), entry.what))
    }
}
