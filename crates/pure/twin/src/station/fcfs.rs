//! Bounded concurrency with a queue in order of arrival.
//!
//! When a request arrives, all that came before it have known times. It starts when the first slot
//! falls free, so its own times are known at once and no event is needed: cost per request is constant.
//! Requests stay on record until they leave, so that a crash can take them back.

use std::collections::VecDeque;

use homeostat_core::Instant;

use super::{Accepted, Counters, Left, Task};

/// Records that a station keeps before it looks which of them can go.
const TIDY: usize = 16;

/// A request on record. It waits from `arrival` to `start` and is served from `start` to `leave`; one
/// that gives up in the queue has `start == leave`.
#[derive(Debug, Clone, Copy)]
struct Job {
    tag: u64,
    arrival: u64,
    start: u64,
    leave: u64,
    /// When the slot falls free: `leave`, or later where the server works on for a client that left.
    free: u64,
    deadline: u64,
    /// Work not yet done when it was planned, at full speed.
    work: u64,
}

impl Job {
    /// Whether the client gets its answer.
    const fn served(&self) -> bool {
        self.free <= self.leave && self.start < self.leave
    }

    const fn announced(&self) -> Left {
        Left { tag: self.tag, arrival: Instant(self.arrival), at: Instant(self.leave), served: self.served() }
    }
}

/// A server with a number of slots.
#[derive(Debug, Clone)]
pub struct Fcfs {
    /// When each slot falls free.
    slots: Box<[u64]>,
    /// Requests on record, in order of arrival.
    jobs: VecDeque<Job>,
    /// Requests on record that have left the queue, counted from the front.
    started: usize,
    /// Number of records at which those that can't matter any more are dropped: now and then, because
    /// whether the oldest has left is a guess that a processor gets wrong half of the time.
    tidy_at: usize,
    /// Whether those behind leave the queue in order of arrival. Clients of different patience need not.
    ordered: bool,
    queue_limit: u32,
    cancels: bool,
    slowness: f64,
    /// When the work of requests in service was last taken stock of.
    planned_at: u64,
    arrived: u64,
    busy_ns: u128,
    inside_ns: u128,
}

impl Fcfs {
    /// An idle server. `queue_limit` requests may wait; `cancels` tells whether a slot is freed when a
    /// client gives up during service.
    pub fn new(slots: u32, queue_limit: u32, cancels: bool) -> Self {
        Self {
            slots: vec![0; slots.max(1) as usize].into_boxed_slice(),
            jobs: VecDeque::new(),
            started: 0,
            tidy_at: TIDY,
            ordered: true,
            queue_limit,
            cancels,
            slowness: 1.0,
            planned_at: 0,
            arrived: 0,
            busy_ns: 0,
            inside_ns: 0,
        }
    }

    /// Requests served at the same time at most.
    pub const fn slots(&self) -> u32 {
        self.slots.len() as u32
    }

    /// Puts a request on record and says when it will leave.
    #[inline]
    pub fn accept(&mut self, task: &Task) -> Accepted {
        let now = task.arrival.0;
        if self.jobs.len() >= self.tidy_at {
            self.forget(now);
            self.tidy_at = (2 * self.jobs.len()).max(TIDY);
        }
        let (slot, free) = self.first_free();
        if free > now && self.queue_limit != u32::MAX && self.waiting(task.arrival) >= self.queue_limit {
            return Accepted::Rejected;
        }
        self.arrived += 1;
        let start = free.max(now);
        let job = self.plan(task.tag, now, start, task.work.0.max(1), task.deadline.0);
        self.enter(job, now, slot);
        if job.served() { Accepted::Serves(Instant(job.leave)) } else { Accepted::GivesUp(task.deadline) }
    }

    /// The times of a request that could start at `start`.
    #[inline]
    fn plan(&self, tag: u64, arrival: u64, start: u64, work: u64, deadline: u64) -> Job {
        if start >= deadline {
            return Job { tag, arrival, start: deadline, leave: deadline, free: deadline, deadline, work };
        }
        let stretched =
            if self.slowness == 1.0 { work } else { ((work as f64 * self.slowness) as u64).max(1) };
        let finish = start.saturating_add(stretched);
        let late = finish > deadline;
        let leave = if late { deadline } else { finish };
        // A cancelled request frees its slot just after its client left, so that it doesn't look served.
        let free = if late && self.cancels { deadline + 1 } else { finish };
        Job { tag, arrival, start, leave, free, deadline, work }
    }

    /// Enters what lies ahead of `from` into the sums and keeps the record.
    #[inline]
    fn enter(&mut self, job: Job, from: u64, slot: usize) {
        self.busy_ns += u128::from(job.free.saturating_sub(job.start.max(from)));
        self.inside_ns += u128::from(job.leave.saturating_sub(from));
        if job.start < job.free {
            self.slots[slot] = job.free;
        }
        self.ordered &= self.jobs.back().is_none_or(|last| last.start <= job.start);
        self.jobs.push_back(job);
        // Whoever starts at once finds nobody waiting.
        self.started = if job.start <= from { self.jobs.len() } else { self.started };
    }

    #[inline]
    fn first_free(&self) -> (usize, u64) {
        let mut best = (0, self.slots[0]);
        for (slot, free) in self.slots.iter().enumerate().skip(1) {
            if *free < best.1 {
                best = (slot, *free);
            }
        }
        best
    }

    /// Drops records from the front that can't matter any more.
    #[inline]
    fn forget(&mut self, now: u64) {
        while self.jobs.front().is_some_and(|job| job.leave <= now && job.free <= now) {
            self.jobs.pop_front();
            self.started = self.started.saturating_sub(1);
        }
    }

    /// Requests in the queue.
    #[inline]
    pub fn waiting(&mut self, now: Instant) -> u32 {
        while self.jobs.get(self.started).is_some_and(|job| job.start <= now.0) {
            self.started += 1;
        }
        if self.ordered {
            return (self.jobs.len() - self.started) as u32;
        }
        let waiting = self.jobs.iter().skip(self.started).filter(|job| job.start > now.0).count();
        self.ordered = waiting == 0;
        waiting as u32
    }

    /// Requests inside.
    #[inline]
    pub fn outstanding(&mut self, now: Instant) -> u32 {
        let busy = self.slots.iter().map(|free| u32::from(*free > now.0)).sum::<u32>();
        if busy < self.slots() { busy } else { busy + self.waiting(now) }
    }

    /// A request on record, most likely the last, goes by another tag.
    pub fn rename(&mut self, old: u64, new: u64) {
        if let Some(job) = self.jobs.iter_mut().rev().find(|job| job.tag == old) {
            job.tag = new;
        }
    }

    /// When the last request on record leaves.
    pub fn empty_at(&self, now: Instant) -> Instant {
        Instant(self.jobs.iter().map(|job| job.free.max(job.leave)).max().unwrap_or(0).max(now.0))
    }

    /// The sums as they stand at `now`: those of all records less what lies ahead.
    pub fn counters(&mut self, now: Instant) -> Counters {
        self.forget(now.0);
        let (mut busy, mut inside) = (0_u128, 0_u128);
        for job in &self.jobs {
            busy += u128::from(job.free.saturating_sub(job.start.max(now.0)));
            inside += u128::from(job.leave.saturating_sub(now.0));
        }
        Counters { arrived: self.arrived, busy_ns: self.busy_ns - busy, inside_ns: self.inside_ns - inside }
    }

    /// Everything inside leaves now, unserved. Returned are the leaves that had been announced.
    pub fn kill(&mut self, now: Instant) -> Vec<Left> {
        self.take_back(now).iter().filter(|job| job.leave > now.0).map(Job::announced).collect()
    }

    /// Takes all records and their part of the sums that lies ahead.
    fn take_back(&mut self, now: Instant) -> VecDeque<Job> {
        let counters = self.counters(now);
        (self.busy_ns, self.inside_ns) = (counters.busy_ns, counters.inside_ns);
        self.started = 0;
        self.ordered = true;
        self.slots.fill(0);
        std::mem::take(&mut self.jobs)
    }

    /// Plans everything inside anew at another speed.
    pub fn set_speed(&mut self, now: Instant, speed: f64) -> Vec<(Left, Left)> {
        let before = self.take_back(now);
        let slowness = std::mem::replace(&mut self.slowness, 1.0 / speed);
        let planned_at = std::mem::replace(&mut self.planned_at, now.0);
        let mut moved = Vec::new();
        let inside = |job: &&Job| job.leave > now.0 || job.free > now.0;
        for job in before.iter().filter(inside) {
            let again = self.plan_again(job, now.0, slowness, planned_at);
            if again.leave != job.leave || again.served() != job.served() {
                moved.push((job.announced(), again.announced()));
            }
        }
        moved
    }

    /// Enters a request on record again: one in service goes on with the rest of its work, one in the
    /// queue is planned like a new one, one that has left only keeps its slot busy.
    fn plan_again(&mut self, job: &Job, now: u64, slowness: f64, planned_at: u64) -> Job {
        let (slot, free) = self.first_free();
        let in_service = job.start <= now;
        let work = if in_service {
            let done = (now - job.start.max(planned_at)) as f64 / slowness;
            job.work.saturating_sub(done as u64).max(1)
        } else {
            job.work
        };
        let start = if in_service { now } else { free.max(now) };
        let mut again = if in_service && job.leave <= now {
            let free = now + (work as f64 * self.slowness) as u64;
            Job { free: if self.cancels { job.free } else { free }, work, ..*job }
        } else {
            self.plan(job.tag, job.arrival, start, work, job.deadline)
        };
        if in_service {
            again.start = job.start;
        }
        self.enter(again, now, slot);
        again
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeostat_core::Span;

    fn task(tag: u64, arrival: u64, work: u64, deadline: u64) -> Task {
        Task { tag, arrival: Instant(arrival), work: Span(work), deadline: Instant(deadline) }
    }

    #[test]
    fn one_slot_serves_in_order() {
        let mut server = Fcfs::new(1, u32::MAX, false);
        assert_eq!(server.accept(&task(0, 0, 10, 1_000)), Accepted::Serves(Instant(10)));
        assert_eq!(server.accept(&task(1, 2, 10, 1_000)), Accepted::Serves(Instant(20)));
        assert_eq!((server.waiting(Instant(5)), server.outstanding(Instant(5))), (1, 2));
        assert_eq!((server.waiting(Instant(15)), server.outstanding(Instant(15))), (0, 1));
        assert_eq!(server.outstanding(Instant(20)), 0);
    }

    #[test]
    fn clients_give_up_in_the_queue_and_in_service() {
        let mut server = Fcfs::new(1, u32::MAX, false);
        server.accept(&task(0, 0, 100, 1_000));
        assert_eq!(server.accept(&task(1, 1, 10, 50)), Accepted::GivesUp(Instant(50)));
        assert_eq!(server.accept(&task(2, 2, 50, 120)), Accepted::GivesUp(Instant(120)));
        // The server works on for the second until 150.
        assert_eq!(server.accept(&task(3, 3, 5, 1_000)), Accepted::Serves(Instant(155)));
    }

    #[test]
    fn a_cancelled_request_frees_its_slot() {
        let mut server = Fcfs::new(1, u32::MAX, true);
        assert_eq!(server.accept(&task(0, 0, 100, 40)), Accepted::GivesUp(Instant(40)));
        assert_eq!(server.accept(&task(1, 1, 9, 1_000)), Accepted::Serves(Instant(50)));
    }

    #[test]
    fn a_full_queue_rejects() {
        let mut server = Fcfs::new(1, 1, false);
        server.accept(&task(0, 0, 10, 1_000));
        server.accept(&task(1, 0, 10, 1_000));
        assert_eq!(server.accept(&task(2, 1, 10, 1_000)), Accepted::Rejected);
        assert_eq!(server.accept(&task(3, 10, 10, 1_000)), Accepted::Serves(Instant(30)));
    }

    #[test]
    fn a_kill_takes_back_what_was_announced() {
        let mut server = Fcfs::new(1, u32::MAX, false);
        server.accept(&task(0, 0, 10, 1_000));
        server.accept(&task(1, 0, 10, 1_000));
        let lost = server.kill(Instant(15));
        assert_eq!(lost.len(), 1);
        assert_eq!((lost[0].tag, lost[0].at), (1, Instant(20)));
        let counters = server.counters(Instant(99));
        assert_eq!((counters.busy_ns, counters.inside_ns), (15, 25));
    }

    #[test]
    fn half_speed_doubles_what_is_left() {
        let mut server = Fcfs::new(1, u32::MAX, false);
        server.accept(&task(0, 0, 10, 1_000));
        server.accept(&task(1, 0, 10, 1_000));
        let moved = server.set_speed(Instant(4), 0.5);
        let leaves: Vec<u64> = moved.iter().map(|(_, new)| new.at.0).collect();
        assert_eq!(leaves, [16, 36]);
        let back = server.set_speed(Instant(10), 1.0); // 3 of work left in service
        let leaves: Vec<u64> = back.iter().map(|(_, new)| new.at.0).collect();
        assert_eq!(leaves, [13, 23]);
        let counters = server.counters(Instant(50));
        assert_eq!((counters.busy_ns, counters.inside_ns), (23, 13 + 23));
    }
}
