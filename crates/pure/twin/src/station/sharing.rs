//! Processor sharing with contention: everything inside is served at once, each at the same pace.
//!
//! With `n` requests inside, each runs at `1 / (1 + σ(n − 1) + κ n(n − 1))` of full speed: Gunther's
//! Universal Scalability Law (σ contention, κ coherency). σ = 1, κ = 0 is the classic processor-sharing
//! queue. All requests inside have the same pace, so one clock of attained service orders the finishes.

use std::collections::{BTreeMap, BTreeSet};

use homeostat_core::Instant;

use super::{Accepted, Counters, Left, Task};

#[derive(Debug, Clone, Copy)]
struct Job {
    task: Task,
    /// Its client has left, the work goes on.
    abandoned: bool,
    /// Attained service at which it finishes, as ordered bits.
    finish: u64,
}

/// A server that shares itself.
#[derive(Debug, Clone)]
pub struct Sharing {
    contention: f64,
    coherency: f64,
    cores: u32,
    limit: u32,
    cancels: bool,
    speed: f64,
    clock: u64,
    /// Service in nanoseconds that a request inside since the clock's start has attained.
    attained: f64,
    jobs: BTreeMap<u64, Job>,
    finishes: BTreeSet<(u64, u64)>,
    deadlines: BTreeSet<(u64, u64)>,
    counters: Counters,
}

impl Sharing {
    /// An idle server that takes up to `limit` requests.
    pub fn new(contention: f64, coherency: f64, cores: u32, limit: u32, cancels: bool) -> Self {
        Self {
            contention,
            coherency,
            cores: cores.max(1),
            limit,
            cancels,
            speed: 1.0,
            clock: 0,
            attained: 0.0,
            jobs: BTreeMap::new(),
            finishes: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            counters: Counters::default(),
        }
    }

    /// Cores, for utilisation.
    pub const fn slots(&self) -> u32 {
        self.cores
    }

    /// Requests inside.
    pub fn outstanding(&self) -> u32 {
        self.jobs.len() as u32
    }

    /// Requests beyond the cores: they make each other wait.
    pub fn waiting(&self) -> u32 {
        self.outstanding().saturating_sub(self.cores)
    }

    /// Takes a request; the caller has advanced the station to its arrival.
    pub fn accept(&mut self, task: &Task) -> Accepted {
        if self.outstanding() >= self.limit {
            return Accepted::Rejected;
        }
        if self.jobs.is_empty() {
            (self.attained, self.clock) = (0.0, task.arrival.0);
        }
        let seq = self.counters.arrived;
        self.counters.arrived += 1;
        let finish = (self.attained + task.work.0.max(1) as f64).to_bits();
        self.jobs.insert(seq, Job { task: *task, abandoned: false, finish });
        self.finishes.insert((finish, seq));
        if task.deadline != Instant::MAX {
            self.deadlines.insert((task.deadline.0, seq));
        }
        Accepted::Later
    }

    /// Pace of each request inside.
    fn pace(&self) -> f64 {
        let n = self.jobs.len() as f64;
        self.speed / (1.0 + self.contention * (n - 1.0) + self.coherency * n * (n - 1.0))
    }

    fn next_finish(&self) -> Option<u64> {
        let (finish, _) = self.finishes.first()?;
        let rest = (f64::from_bits(*finish) - self.attained).max(0.0);
        Some(self.clock.saturating_add((rest / self.pace()).ceil() as u64))
    }

    /// When the next request finishes or gives up.
    pub fn next(&self) -> Option<Instant> {
        let deadline = self.deadlines.first().map(|(at, _)| *at);
        self.next_finish().into_iter().chain(deadline).min().map(Instant)
    }

    /// Lets time pass up to `now`.
    pub fn advance(&mut self, now: Instant, left: &mut Vec<Left>) {
        while let Some(at) = self.next().filter(|at| *at <= now) {
            let finishes = self.next_finish() == Some(at.0);
            self.pass(at.0);
            if finishes { self.finish(left) } else { self.give_up(left) }
        }
        self.pass(now.0);
    }

    fn pass(&mut self, to: u64) {
        let elapsed = to.saturating_sub(self.clock);
        let inside = self.jobs.len() as u64;
        self.attained += elapsed as f64 * if inside == 0 { 0.0 } else { self.pace() };
        self.counters.busy_ns += u128::from(elapsed * inside.min(u64::from(self.cores)));
        self.counters.inside_ns += u128::from(elapsed) * u128::from(inside);
        self.clock = to.max(self.clock);
    }

    fn finish(&mut self, left: &mut Vec<Left>) {
        let Some((finish, seq)) = self.finishes.pop_first() else { return };
        let Some(job) = self.jobs.remove(&seq) else { return };
        self.attained = self.attained.max(f64::from_bits(finish));
        self.deadlines.remove(&(job.task.deadline.0, seq));
        if !job.abandoned {
            left.push(self.leave(&job.task, true));
        }
    }

    fn give_up(&mut self, left: &mut Vec<Left>) {
        let Some((_, seq)) = self.deadlines.pop_first() else { return };
        let Some(job) = self.jobs.get_mut(&seq) else { return };
        job.abandoned = true;
        let job = *job;
        left.push(self.leave(&job.task, false));
        if self.cancels {
            self.jobs.remove(&seq);
            self.finishes.remove(&(job.finish, seq));
        }
    }

    const fn leave(&self, task: &Task, served: bool) -> Left {
        Left { tag: task.tag, arrival: task.arrival, at: Instant(self.clock), served }
    }

    /// Everything inside is lost now.
    pub fn kill(&mut self, now: Instant) -> Vec<Left> {
        self.pass(now.0);
        self.finishes.clear();
        self.deadlines.clear();
        let jobs = std::mem::take(&mut self.jobs);
        jobs.values().filter(|job| !job.abandoned).map(|job| self.leave(&job.task, false)).collect()
    }

    /// Changes the pace from now on; the caller has advanced the station.
    pub fn set_speed(&mut self, now: Instant, speed: f64) {
        self.pass(now.0);
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
    use homeostat_core::Span;

    fn task(tag: u64, arrival: u64, work: u64) -> Task {
        Task { tag, arrival: Instant(arrival), work: Span(work), deadline: Instant::MAX }
    }

    #[test]
    fn two_share_one_core() {
        let mut server = Sharing::new(1.0, 0.0, 1, u32::MAX, true);
        let mut left = Vec::new();
        server.accept(&task(0, 0, 100));
        server.advance(Instant(50), &mut left);
        server.accept(&task(1, 50, 20));
        server.advance(Instant(1_000), &mut left);
        let leaves: Vec<(u64, u64)> = left.iter().map(|l| (l.tag, l.at.0)).collect();
        assert_eq!(leaves, [(1, 90), (0, 120)]);
    }

    #[test]
    fn without_contention_nobody_waits() {
        let mut server = Sharing::new(0.0, 0.0, 1, u32::MAX, true);
        let mut left = Vec::new();
        server.accept(&task(0, 0, 100));
        server.accept(&task(1, 0, 60));
        server.advance(Instant(1_000), &mut left);
        assert_eq!(left.iter().map(|l| l.at.0).collect::<Vec<_>>(), [60, 100]);
    }

    #[test]
    fn a_client_that_gives_up_frees_the_others() {
        let mut server = Sharing::new(1.0, 0.0, 1, u32::MAX, true);
        let mut left = Vec::new();
        server.accept(&Task { deadline: Instant(40), ..task(0, 0, 100) });
        server.accept(&task(1, 0, 100));
        server.advance(Instant(1_000), &mut left);
        let leaves: Vec<(u64, u64, bool)> = left.iter().map(|l| (l.tag, l.at.0, l.served)).collect();
        assert_eq!(leaves, [(0, 40, false), (1, 120, true)]);
    }
}
