//! Stations under random tasks: nobody is lost, Little's law holds as an identity, and the server that
//! needs no events agrees with one that has them.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

use std::collections::BTreeMap;

use homeostat_core::{Instant, Span};
use homeostat_twin::station::batch::{Batch, BatchShape};
use homeostat_twin::station::fcfs::Fcfs;
use homeostat_twin::station::sharing::Sharing;
use homeostat_twin::station::{Accepted, Left, Station, Task};
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

/// What became of each task, by tag: when it left and whether it was served.
#[derive(Default)]
struct Fates {
    known: BTreeMap<u64, Left>,
    twice: bool,
}

impl Fates {
    fn add(&mut self, left: Left) {
        self.twice |= self.known.insert(left.tag, left).is_some();
    }
}

/// Feeds tasks and disturbances in order of time; returns the fates and how many were refused.
fn feed(
    station: &mut Station,
    tasks: &[(u64, u64, u64)],
    events: &[(u64, Disturbance)],
) -> (Fates, u64, u64) {
    let mut fates = Fates::default();
    let mut refused = 0;
    let mut events = events.to_vec();
    events.sort_by_key(|(at, _)| *at);
    let mut events = events.into_iter().peekable();
    let mut now = 0;
    let mut left = Vec::new();
    for (tag, (gap, work, patience)) in (0_u64..).zip(tasks) {
        let arrival = now + gap;
        while let Some((at, event)) = events.next_if(|(at, _)| *at <= arrival) {
            disturb(station, at.max(now), event, &mut fates);
        }
        now = arrival;
        station.advance(Instant(now), &mut left);
        let deadline = Instant(now + patience);
        let task = Task { tag, arrival: Instant(now), work: Span(*work), deadline };
        let fate = |at: Instant, served| Left { tag, arrival: Instant(now), at, served };
        match station.accept(&task) {
            Accepted::Serves(at) => fates.add(fate(at, true)),
            Accepted::GivesUp(at) => fates.add(fate(at, false)),
            Accepted::Later => {}
            Accepted::Rejected => refused += 1,
        }
        left.drain(..).for_each(|l| fates.add(l));
    }
    let end = now + 10_000_000;
    station.advance(Instant(end), &mut left);
    left.drain(..).for_each(|l| fates.add(l));
    (fates, refused, end)
}

fn disturb(station: &mut Station, at: u64, event: Disturbance, fates: &mut Fates) {
    let now = Instant(at);
    let mut left = Vec::new();
    station.advance(now, &mut left);
    left.drain(..).for_each(|l| fates.add(l));
    match event {
        Disturbance::Speed(speed) => {
            for (_, new) in station.set_speed(now, speed) {
                fates.known.insert(new.tag, new);
            }
        }
        Disturbance::Kill => {
            for lost in station.kill(now) {
                fates.known.insert(lost.tag, Left { at: now, served: false, ..lost });
            }
        }
    }
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
    fn nobody_is_lost_and_little_holds(tasks in tasks(), events in disturbances(), cancels: bool) {
        for mut station in stations(cancels) {
            let name = format!("{station:?}");
            let (fates, refused, end) = feed(&mut station, &tasks, &events);
            prop_assert!(!fates.twice, "somebody left twice: {name}");
            prop_assert_eq!(fates.known.len() as u64 + refused, tasks.len() as u64, "{}", name);
            let counters = station.counters(Instant(end));
            prop_assert_eq!(counters.arrived, fates.known.len() as u64);
            // Σ sojourn = ∫ N dt. Processor sharing that works on for a client that left counts the work,
            // not the client.
            let works_on = matches!(station, Station::Sharing(_)) && !cancels;
            let sojourn: u128 = fates.known.values().map(|l| u128::from(l.at.since(l.arrival).0)).sum();
            if works_on {
                prop_assert!(counters.inside_ns >= sojourn);
            } else {
                prop_assert_eq!(counters.inside_ns, sojourn, "{}", name);
            }
            prop_assert_eq!(station.outstanding(Instant(end)), 0);
        }
    }

    #[test]
    fn counters_only_grow(tasks in tasks(), cancels: bool) {
        for mut station in stations(cancels) {
            let (mut now, mut left, mut last) = (0, Vec::new(), station.counters(Instant::ZERO));
            for (tag, (gap, work, patience)) in (0_u64..).zip(&tasks) {
                now += gap;
                station.advance(Instant(now), &mut left);
                let deadline = Instant(now + patience);
                station.accept(&Task { tag, arrival: Instant(now), work: Span(*work), deadline });
                let counters = station.counters(Instant(now));
                prop_assert!(counters.busy_ns >= last.busy_ns && counters.inside_ns >= last.inside_ns);
                last = counters;
            }
        }
    }

    #[test]
    fn without_events_as_with_events(
        tasks in tasks(),
        slots in 1_u32..5,
        limit in prop_oneof![Just(u32::MAX), 0_u32..6],
        cancels: bool,
    ) {
        let mut station = Station::Fcfs(Fcfs::new(slots, limit, cancels));
        let (fates, ..) = feed(&mut station, &tasks, &[]);
        let found: Vec<Option<(u64, bool)>> =
            (0..tasks.len() as u64).map(|tag| fates.known.get(&tag).map(|l| (l.at.0, l.served))).collect();
        prop_assert_eq!(found, reference(&tasks, slots as usize, limit as usize, cancels));
    }
}

/// The same server, nanosecond by nanosecond.
fn reference(
    tasks: &[(u64, u64, u64)],
    slots: usize,
    limit: usize,
    cancels: bool,
) -> Vec<Option<(u64, bool)>> {
    #[derive(Clone, Copy)]
    struct Inside {
        tag: usize,
        work: u64,
        deadline: u64,
        gone: bool,
    }
    let mut arrivals = Vec::new();
    let mut now = 0;
    for (tag, (gap, work, patience)) in tasks.iter().enumerate() {
        now += gap;
        arrivals.push((now, Inside { tag, work: *work, deadline: now + patience, gone: false }));
    }
    let mut fates = vec![None; tasks.len()];
    let (mut queue, mut serving): (Vec<Inside>, Vec<Inside>) = (Vec::new(), Vec::new());
    let mut arrivals = arrivals.into_iter().peekable();
    let mut now = 0;
    while arrivals.peek().is_some() || !queue.is_empty() || !serving.is_empty() {
        // Work of the nanosecond that ends now, then whoever is done leaves, then whoever is too late.
        for job in &mut serving {
            job.work -= u64::from(now > 0);
            if job.work == 0 && !job.gone {
                fates[job.tag] = Some((now, true));
            }
        }
        serving.retain(|job| job.work > 0);
        for job in queue.iter().chain(&serving).filter(|job| job.deadline <= now && !job.gone) {
            fates[job.tag] = Some((now, false));
        }
        queue.retain(|job| job.deadline > now);
        for job in &mut serving {
            job.gone |= job.deadline <= now;
        }
        // A cancelled job frees its slot one nanosecond after its client left.
        serving.retain(|job| !(cancels && job.deadline < now));
        while serving.len() < slots && !queue.is_empty() {
            serving.push(queue.remove(0));
        }
        while let Some((_, job)) = arrivals.next_if(|(at, _)| *at == now) {
            if serving.len() < slots {
                serving.push(job);
            } else if queue.len() < limit {
                queue.push(job);
            }
        }
        now += 1;
    }
    fates
}
