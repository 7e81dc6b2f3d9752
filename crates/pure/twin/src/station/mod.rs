//! What one replica does with the requests it is given.
//!
//! Three kinds: [`fcfs::Fcfs`] serves up to a number of slots in order of arrival, [`sharing::Sharing`]
//! serves all at once ever more slowly, [`batch::Batch`] serves groups. The first one knows when a
//! request will finish as soon as it arrives, so that it needs no events; the other two report when
//! something happens next.

pub mod batch;
pub mod fcfs;
pub mod sharing;

use homeostat_core::{Instant, Span};

/// A request as a station sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Task {
    /// What the caller knows the request by.
    pub tag: u64,
    /// When it came.
    pub arrival: Instant,
    /// The time it takes a replica at full speed and free of others.
    pub work: Span,
    /// When its client gives up.
    pub deadline: Instant,
}

/// A request that left a station.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// What the caller knows the request by.
    pub tag: u64,
    /// When it came.
    pub arrival: Instant,
    /// When it left.
    pub at: Instant,
    /// Whether its work was done.
    pub served: bool,
}

/// The answer of a station to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It will be served and leave at this time.
    Serves(Instant),
    /// Its client will give up before a slot is free, at this time.
    GivesUp(Instant),
    /// The station will tell, see [`Station::next`].
    Later,
    /// The queue is full.
    Rejected,
}

/// Sums of a station up to a moment, as a metrics endpoint shows them: they only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Requests that were accepted.
    pub arrived: u64,
    /// ∫ number of busy slots dt, in nanoseconds.
    pub busy_ns: u128,
    /// ∫ number of requests inside dt, in nanoseconds.
    pub inside_ns: u128,
}

/// One replica's server.
#[derive(Debug, Clone)]
pub enum Station {
    /// Bounded concurrency with a queue.
    Fcfs(fcfs::Fcfs),
    /// Processor sharing with contention.
    Sharing(sharing::Sharing),
    /// Batches.
    Batch(batch::Batch),
}

impl Station {
    /// Takes a task, or refuses it.
    #[inline]
    pub fn accept(&mut self, task: &Task) -> Accepted {
        match self {
            Self::Fcfs(station) => station.accept(task),
            Self::Sharing(station) => station.accept(task),
            Self::Batch(station) => station.accept(task),
        }
    }

    /// Requests inside, waiting or served.
    #[inline]
    pub fn outstanding(&mut self, now: Instant) -> u32 {
        match self {
            Self::Fcfs(station) => station.outstanding(now),
            Self::Sharing(station) => station.outstanding(),
            Self::Batch(station) => station.outstanding(),
        }
    }

    /// Requests that wait for a slot.
    pub fn waiting(&mut self, now: Instant) -> u32 {
        match self {
            Self::Fcfs(station) => station.waiting(now),
            Self::Sharing(station) => station.waiting(),
            Self::Batch(station) => station.waiting(),
        }
    }

    /// When something happens next; `None` when nothing will, or when every finish is known already.
    pub fn next(&self) -> Option<Instant> {
        match self {
            Self::Fcfs(_) => None,
            Self::Sharing(station) => station.next(),
            Self::Batch(station) => station.next(),
        }
    }

    /// Lets time pass up to `now` and reports who left.
    pub fn advance(&mut self, now: Instant, left: &mut Vec<Left>) {
        match self {
            Self::Fcfs(_) => {}
            Self::Sharing(station) => station.advance(now, left),
            Self::Batch(station) => station.advance(now, left),
        }
    }

    /// The last moment at which a request known now leaves; `None` when that is not known yet.
    pub fn empty_at(&self, now: Instant) -> Option<Instant> {
        match self {
            Self::Fcfs(station) => Some(station.empty_at(now)),
            Self::Sharing(station) => (station.outstanding() == 0).then_some(now),
            Self::Batch(station) => (station.outstanding() == 0).then_some(now),
        }
    }

    /// Stops at once: everything inside is lost and returned (as not served, with the times known).
    pub fn kill(&mut self, now: Instant) -> Vec<Left> {
        match self {
            Self::Fcfs(station) => station.kill(now),
            Self::Sharing(station) => station.kill(now),
            Self::Batch(station) => station.kill(now),
        }
    }

    /// From now on work takes `1 / speed` times as long. Returns requests whose known finish changed:
    /// each with its former leave (in `.0`) and its new one.
    pub fn set_speed(&mut self, now: Instant, speed: f64) -> Vec<(Left, Left)> {
        match self {
            Self::Fcfs(station) => station.set_speed(now, speed),
            Self::Sharing(station) => {
                station.set_speed(now, speed);
                Vec::new()
            }
            Self::Batch(station) => {
                station.set_speed(speed);
                Vec::new()
            }
        }
    }

    /// From now on a request inside goes by another tag.
    pub fn rename(&mut self, old: u64, new: u64) {
        if let Self::Fcfs(station) = self {
            station.rename(old, new);
        }
    }

    /// The counters as they stand at `now`.
    pub fn counters(&mut self, now: Instant) -> Counters {
        match self {
            Self::Fcfs(station) => station.counters(now),
            Self::Sharing(station) => station.counters(now),
            Self::Batch(station) => station.counters(now),
        }
    }

    /// Requests that can be served at the same time, for utilisation.
    pub fn slots(&self) -> u32 {
        match self {
            Self::Fcfs(station) => station.slots(),
            Self::Sharing(station) => station.slots(),
            Self::Batch(_) => 1,
        }
    }
}
