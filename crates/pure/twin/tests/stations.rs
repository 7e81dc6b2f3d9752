//! Stations under random tasks: nobody is lost, Little's law holds as an identity, and the server that
//! needs no events agrees with one that has them.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

use std::collections::{BTreeMap, VecDeque};

use homeostat_core::{Instant, Span};
use homeostat_twin::station::batch::{Batch, BatchShape};
use homeostat_twin::station::fcfs::Fcfs;
use homeostat_twin::station::sharing::Sharing;
use homeostat_twin::station::{Accepted, Counters, Left, Station, Task};
use proptest::prelude::*;

/// Tasks as (gap to the one before, work, patience).
fn tasks() -> impl Strategy<Value = Vec<(u64, u64, u64)>> {
    prop::collection::vec((0_u64..60, 1_u64..200, 1_u64..400), 1..80)
}

#[derive(Debug, Clone, Copy)]
enum Disturbance {
    Speed(f64),
    Kill,
}

fn disturbances() -> impl Strategy<Value = Vec<(u64, Disturbance)>> {
    let kind = prop_oneof![
        4 => (1_u32..40).prop_map(|s| Disturbance::Speed(f64::from(s) / 10.0)),
        1 => Just(Disturbance::Kill),
    ];
    prop::collection::vec((0_u64..2_000, kind), 0..6)
}

/// What became of the tasks of one run.
#[derive(Default)]
struct Log {
    /// When each left and whether it was served, by tag.
    fates: BTreeMap<u64, Left>,
    twice: bool,
    refused: u64,
    /// The counters before and after everything that happened.
    snaps: Vec<(u64, Counters)>,
}

impl Log {
    fn add(&mut self, left: Left) {
        self.twice |= self.fates.insert(left.tag, left).is_some();
    }

    /// Lets time pass up to `now`.
    fn advance(&mut self, station: &mut Station, now: u64) {
        let mut left = Vec::new();
        station.advance(Instant(now), &mut left);
        left.drain(..).for_each(|l| self.add(l));
        self.snap(station, now);
    }

    fn snap(&mut self, station: &mut Station, now: u64) {
        self.snaps.push((now, station.counters(Instant(now))));
    }

    fn accept(&mut self, station: &mut Station, task: &Task) {
        let fate = |at: Instant, served| Left { tag: task.tag, arrival: task.arrival, at, served };
        match station.accept(task) {
            Accepted::Serves(at) => self.add(fate(at, true)),
            Accepted::GivesUp(at) => self.add(fate(at, false)),
            Accepted::Later => {}
            Accepted::Rejected => self.refused += 1,
        }
        self.snap(station, task.arrival.0);
    }

    fn disturb(&mut self, station: &mut Station, at: u64, event: Disturbance) {
        self.advance(station, at);
        match event {
            Disturbance::Speed(speed) => {
                for (old, new) in station.set_speed(Instant(at), speed) {
                    assert_eq!(self.fates.insert(new.tag, new), Some(old), "announced something else");
                }
            }
            Disturbance::Kill => {
                for lost in station.kill(Instant(at)) {
                    self.fates.insert(lost.tag, Left { at: Instant(at), served: false, ..lost });
                }
            }
        }
        self.snap(station, at);
    }

    /// Time that clients spent inside between two moments.
    fn inside(&self, from: u64, to: u64) -> u128 {
        let within = |l: &Left| l.at.0.min(to).saturating_sub(l.arrival.0.max(from));
        self.fates.values().map(|l| u128::from(within(l))).sum()
    }
}

/// Feeds tasks and disturbances in order of time, and waits until all is quiet.
fn feed(station: &mut Station, tasks: &[(u64, u64, u64)], events: &[(u64, Disturbance)]) -> Log {
    let mut log = Log::default();
    let mut events = in_order(events).into_iter().peekable();
    let mut now = 0;
    for (tag, (gap, work, patience)) in (0_u64..).zip(tasks) {
        now += gap;
        while let Some((at, event)) = events.next_if(|(at, _)| *at <= now) {
            log.disturb(station, at, event);
        }
        log.advance(station, now);
        let deadline = Instant(now + patience);
        log.accept(station, &Task { tag, arrival: Instant(now), work: Span(*work), deadline });
    }
    for (at, event) in events {
        log.disturb(station, at, event);
    }
    let quiet = log.snaps.last().map_or(0, |(at, _)| *at) + 10_000_000;
    log.advance(station, quiet);
    log
}

fn in_order(events: &[(u64, Disturbance)]) -> Vec<(u64, Disturbance)> {
    let mut events = events.to_vec();
    events.sort_by_key(|(at, _)| *at);
    events
}

fn stations(cancels: bool) -> Vec<Station> {
    let shape =
        BatchShape { fixed: Span(20), each: Span(7), max_batch: 5, max_wait: Span(15), queue_limit: 12 };
    vec![
        Station::Fcfs(Fcfs::new(1, 6, cancels)),
        Station::Fcfs(Fcfs::new(3, u32::MAX, cancels)),
        Station::Sharing(Sharing::new(1.0, 0.0, 1, 9, cancels)),
        Station::Sharing(Sharing::new(0.2, 0.01, 4, u32::MAX, cancels)),
        Station::Batch(Batch::new(shape)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn nobody_is_lost(tasks in tasks(), events in disturbances(), cancels: bool) {
        for mut station in stations(cancels) {
            let name = format!("{station:?}");
            let log = feed(&mut station, &tasks, &events);
            prop_assert!(!log.twice, "somebody left twice: {name}");
            prop_assert_eq!(log.fates.len() as u64 + log.refused, tasks.len() as u64, "{}", name);
            let (end, counters) = log.snaps[log.snaps.len() - 1];
            prop_assert_eq!(counters.arrived, log.fates.len() as u64);
            prop_assert_eq!(station.outstanding(Instant(end)), 0);
        }
    }

    /// ∫ N dt from the counters is the sum of the times that clients spent inside, to the nanosecond, in
    /// every window between two things that happened.
    #[test]
    fn little_holds_in_every_window(tasks in tasks(), events in disturbances(), cancels: bool) {
        for mut station in stations(cancels) {
            let name = format!("{station:?}");
            // Processor sharing that works on for a client that left counts the work, not the client.
            let works_on = matches!(station, Station::Sharing(_)) && !cancels;
            let log = feed(&mut station, &tasks, &events);
            for window in log.snaps.windows(2) {
                let ((from, before), (to, after)) = (window[0], window[1]);
                let (counted, spent) = (after.inside_ns - before.inside_ns, log.inside(from, to));
                if works_on {
                    prop_assert!(counted >= spent, "{name}: {counted} < {spent} from {from} to {to}");
                } else {
                    prop_assert_eq!(counted, spent, "{} from {} to {}", name, from, to);
                }
            }
        }
    }

    #[test]
    fn counters_only_grow(tasks in tasks(), events in disturbances(), cancels: bool) {
        for mut station in stations(cancels) {
            let slots = u128::from(station.slots());
            for window in feed(&mut station, &tasks, &events).snaps.windows(2) {
                let ((from, before), (to, after)) = (window[0], window[1]);
                prop_assert!(after.arrived >= before.arrived);
                prop_assert!(after.inside_ns >= before.inside_ns);
                prop_assert!(after.busy_ns >= before.busy_ns);
                prop_assert!(after.busy_ns - before.busy_ns <= slots * u128::from(to - from));
            }
        }
    }

    #[test]
    fn without_events_as_with_events(
        tasks in tasks(),
        slots in 1_u32..5,
        limit in prop_oneof![Just(u32::MAX), 0_u32..6],
        cancels: bool,
        events in even_disturbances(),
    ) {
        // A cancelled request frees its slot a nanosecond late, which no longer divides by 64.
        let even = |(_, event): &(u64, Disturbance)| !cancels || matches!(event, Disturbance::Kill);
        let events: Vec<(u64, Disturbance)> = events.into_iter().filter(even).collect();
        let tasks: Vec<_> = tasks.iter().map(|(gap, work, wait)| (gap * 64, work * 64, wait * 64)).collect();
        let mut station = Station::Fcfs(Fcfs::new(slots, limit, cancels));
        let log = feed(&mut station, &tasks, &events);
        let found: Vec<Option<(u64, bool)>> =
            (0..tasks.len() as u64).map(|tag| log.fates.get(&tag).map(|l| (l.at.0, l.served))).collect();
        let world = Reference::new(slots as usize, limit as usize, cancels, &tasks);
        prop_assert_eq!(found, world.run(&in_order(&events)));
    }
}

/// Disturbances whose consequences fall on whole nanoseconds: at multiples of 64, at most three changes
/// of speed, by powers of two.
fn even_disturbances() -> impl Strategy<Value = Vec<(u64, Disturbance)>> {
    let speed = prop_oneof![Just(0.5), Just(1.0), Just(2.0)];
    let speeds = prop::collection::vec((0_u64..2_000, speed.prop_map(Disturbance::Speed)), 0..4);
    let kills = prop::collection::vec((0_u64..2_000, Just(Disturbance::Kill)), 0..3);
    (speeds, kills).prop_map(|(mut all, kills)| {
        all.extend(kills);
        all.iter().map(|(at, event)| (at * 64, *event)).collect()
    })
}

/// A request inside the reference server.
#[derive(Debug, Clone, Copy)]
struct Inside {
    tag: usize,
    work: f64,
    deadline: u64,
    gone: bool,
}

/// The same server from event to event, as plainly as it can be said.
struct Reference {
    slots: usize,
    limit: usize,
    cancels: bool,
    speed: f64,
    now: u64,
    arrivals: VecDeque<(u64, Inside)>,
    queue: VecDeque<Inside>,
    serving: Vec<Inside>,
    fates: Vec<Option<(u64, bool)>>,
}

impl Reference {
    fn new(slots: usize, limit: usize, cancels: bool, tasks: &[(u64, u64, u64)]) -> Self {
        let mut now = 0;
        let inside = |(tag, (gap, work, patience)): (usize, &(u64, u64, u64))| {
            now += gap;
            (now, Inside { tag, work: *work as f64, deadline: now + patience, gone: false })
        };
        Self {
            slots,
            limit,
            cancels,
            speed: 1.0,
            now: 0,
            arrivals: tasks.iter().enumerate().map(inside).collect(),
            queue: VecDeque::new(),
            serving: Vec::new(),
            fates: vec![None; tasks.len()],
        }
    }

    fn run(mut self, events: &[(u64, Disturbance)]) -> Vec<Option<(u64, bool)>> {
        for (at, event) in events {
            self.pass(*at);
            match event {
                Disturbance::Speed(speed) => self.speed = *speed,
                Disturbance::Kill => {
                    for job in self.queue.drain(..).chain(self.serving.drain(..)).filter(|job| !job.gone) {
                        self.fates[job.tag] = Some((self.now, false));
                    }
                }
            }
        }
        self.pass(1 << 40);
        self.fates
    }

    /// Lets everything happen up to `to`, but for requests that come at that very moment.
    fn pass(&mut self, to: u64) {
        while self.now < to {
            self.let_in();
            let comes = self.arrivals.front().map(|(at, _)| *at);
            let done = self.serving.iter().map(|job| self.now + (job.work / self.speed).ceil() as u64);
            let inside = self.queue.iter().chain(&self.serving).filter(|job| !job.gone);
            let leaves = inside.map(|job| job.deadline);
            let freed =
                self.serving.iter().filter(|job| job.gone && self.cancels).map(|job| job.deadline + 1);
            let next = comes.into_iter().chain(done).chain(leaves).chain(freed).min().unwrap_or(to).min(to);
            for job in &mut self.serving {
                job.work -= (next - self.now) as f64 * self.speed;
            }
            self.now = next;
            self.settle();
        }
    }

    /// Whoever is done leaves, then whoever is too late, then the queue moves up.
    fn settle(&mut self) {
        let now = self.now;
        for job in self.serving.iter().filter(|job| job.work <= 0.0 && !job.gone) {
            self.fates[job.tag] = Some((now, true));
        }
        self.serving.retain(|job| job.work > 0.0);
        for job in self.queue.iter().chain(&self.serving).filter(|job| job.deadline <= now && !job.gone) {
            self.fates[job.tag] = Some((now, false));
        }
        self.queue.retain(|job| job.deadline > now);
        for job in &mut self.serving {
            job.gone |= job.deadline <= now;
        }
        let cancels = self.cancels;
        self.serving.retain(|job| !(cancels && job.deadline < now));
        while self.serving.len() < self.slots
            && let Some(job) = self.queue.pop_front()
        {
            self.serving.push(job);
        }
    }

    fn let_in(&mut self) {
        while let Some((at, job)) = self.arrivals.pop_front() {
            if at > self.now {
                self.arrivals.push_front((at, job));
                return;
            }
            if self.serving.len() < self.slots {
                self.serving.push(job);
            } else if self.queue.len() < self.limit {
                self.queue.push_back(job);
            }
        }
    }
}
