//! A batch server: groups of up to a number of requests, each group taking `a + b · n`.
//!
//! A group starts when the server is idle and either the group is full or its oldest request has waited
//! for `max_wait`.

use std::collections::{BTreeSet, VecDeque};

use homeostat_core::{Instant, Span};

use super::{Accepted, Counters, Left, Task};

/// The shape of a batch server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchShape {
    /// Time that every batch takes.
    pub fixed: Span,
    /// Time that each request adds.
    pub each: Span,
    /// Largest batch.
    pub max_batch: u32,
    /// Longest time that an idle server waits for a batch to fill.
    pub max_wait: Span,
    /// Requests that may wait.
    pub queue_limit: u32,
}

/// When a client gives up, and the number of its request.
type Deadline = (u64, u64);

/// A request inside.
#[derive(Debug, Clone, Copy)]
struct Member {
    task: Task,
    number: u64,
}

impl Member {
    const fn deadline(&self) -> Deadline {
        (self.task.deadline.0, self.number)
    }
}

/// A server that works in batches.
#[derive(Debug, Clone)]
pub struct Batch {
    shape: BatchShape,
    speed: f64,
    clock: u64,
    queue: VecDeque<Member>,
    /// The batch in service and when it finishes. Members whose client left are out of the list.
    serving: Vec<Member>,
    busy_until: Option<u64>,
    /// Deadlines of all inside that have one.
    deadlines: BTreeSet<Deadline>,
    counters: Counters,
}

impl Batch {
    /// An idle server.
    pub const fn new(shape: BatchShape) -> Self {
        Self {
            shape,
            speed: 1.0,
            clock: 0,
            queue: VecDeque::new(),
            serving: Vec::new(),
            busy_until: None,
            deadlines: BTreeSet::new(),
            counters: Counters { arrived: 0, busy_ns: 0, inside_ns: 0 },
        }
    }

    /// Requests inside.
    pub fn outstanding(&self) -> u32 {
        (self.queue.len() + self.serving.len()) as u32
    }

    /// Requests in the queue.
    pub fn waiting(&self) -> u32 {
        self.queue.len() as u32
    }

    /// Takes a request; the caller has advanced the station to its arrival.
    pub fn accept(&mut self, task: &Task) -> Accepted {
        if self.waiting() >= self.shape.queue_limit {
            return Accepted::Rejected;
        }
        self.pass(task.arrival.0);
        let member = Member { task: *task, number: self.counters.arrived };
        self.counters.arrived += 1;
        self.queue.push_back(member);
        if task.deadline != Instant::MAX {
            self.deadlines.insert(member.deadline());
        }
        self.start(task.arrival.0);
        Accepted::Later
    }

    fn ready_at(&self) -> Option<u64> {
        let oldest = self.queue.front()?;
        let full = self.queue.len() >= self.shape.max_batch as usize;
        let at = if full { self.clock } else { (oldest.task.arrival + self.shape.max_wait).0 };
        Some(at.max(self.clock))
    }

    /// When a batch starts or finishes, or a client gives up.
    pub fn next(&self) -> Option<Instant> {
        let work = self.busy_until.or_else(|| self.ready_at());
        let deadline = self.deadlines.first().map(|(at, _)| *at);
        work.into_iter().chain(deadline).min().map(Instant)
    }

    /// Lets time pass up to `now`.
    pub fn advance(&mut self, now: Instant, left: &mut Vec<Left>) {
        while let Some(at) = self.next().filter(|at| *at <= now) {
            self.pass(at.0);
            if self.busy_until == Some(at.0) {
                self.busy_until = None;
                for member in self.serving.drain(..) {
                    self.deadlines.remove(&member.deadline());
                    left.push(Self::leave(&member.task, at.0, true));
                }
            }
            self.give_up(at.0, left);
            self.start(at.0);
        }
        self.pass(now.0);
    }

    fn pass(&mut self, to: u64) {
        let elapsed = u128::from(to.saturating_sub(self.clock));
        self.counters.busy_ns += if self.busy_until.is_some() { elapsed } else { 0 };
        self.counters.inside_ns += elapsed * u128::from(self.outstanding());
        self.clock = to.max(self.clock);
    }

    fn start(&mut self, now: u64) {
        if self.busy_until.is_some() || self.ready_at().is_none_or(|at| at > now) {
            return;
        }
        let n = self.queue.len().min(self.shape.max_batch.max(1) as usize);
        self.serving.extend(self.queue.drain(..n));
        let time = (self.shape.fixed + self.shape.each * n as u64).0 as f64 / self.speed;
        self.busy_until = Some(now + (time as u64).max(1));
    }

    fn give_up(&mut self, now: u64, left: &mut Vec<Left>) {
        if self.deadlines.first().is_none_or(|(at, _)| *at > now) {
            return;
        }
        let stays = |member: &Member| member.task.deadline.0 > now;
        for member in self.queue.iter().chain(&self.serving).filter(|member| !stays(member)) {
            left.push(Self::leave(&member.task, now, false));
        }
        self.queue.retain(stays);
        self.serving.retain(stays);
        self.deadlines = self.deadlines.split_off(&(now + 1, 0));
    }

    const fn leave(task: &Task, now: u64, served: bool) -> Left {
        Left { tag: task.tag, arrival: task.arrival, at: Instant(now), served }
    }

    /// Everything inside is lost now.
    pub fn kill(&mut self, now: Instant) -> Vec<Left> {
        self.pass(now.0);
        self.busy_until = None;
        self.deadlines.clear();
        let lost = self.queue.drain(..).chain(self.serving.drain(..));
        lost.map(|member| Self::leave(&member.task, now.0, false)).collect()
    }

    /// Batches that start from now on run at this speed.
    pub const fn set_speed(&mut self, speed: f64) {
        self.speed = speed;
    }

    /// The sums as they stand at `now`; the caller has advanced the station.
    pub fn counters(&mut self, now: Instant) -> Counters {
        self.pass(now.0);
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(max_wait: u64) -> BatchShape {
        BatchShape {
            fixed: Span(10),
            each: Span(2),
            max_batch: 4,
            max_wait: Span(max_wait),
            queue_limit: u32::MAX,
        }
    }

    fn leaves(server: &mut Batch, arrivals: &[u64]) -> Vec<u64> {
        let mut left = Vec::new();
        for (tag, at) in arrivals.iter().enumerate() {
            server.advance(Instant(*at), &mut left);
            let task = Task { tag: tag as u64, arrival: Instant(*at), work: Span(1), deadline: Instant::MAX };
            server.accept(&task);
        }
        server.advance(Instant(10_000), &mut left);
        left.iter().map(|l| l.at.0).collect()
    }

    #[test]
    fn those_that_came_meanwhile_form_the_next_batch() {
        assert_eq!(leaves(&mut Batch::new(shape(0)), &[0, 1, 2, 3]), [12, 28, 28, 28]);
    }

    #[test]
    fn an_idle_server_waits_for_company() {
        assert_eq!(leaves(&mut Batch::new(shape(5)), &[0, 3, 100]), [19, 19, 117]);
    }

    #[test]
    fn a_full_batch_starts_at_once() {
        assert_eq!(leaves(&mut Batch::new(shape(50)), &[0, 1, 2, 3]), [21, 21, 21, 21]);
    }
}
