//! The journal: everything reads back, nothing malformed panics, and records stay small.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use homeostat_core::decision::{ForecastNote, GUARDS, GuardAction, Order};
use homeostat_core::draw::Key;
use homeostat_core::journal::{Decoder, Encoder, JOURNAL_VERSION, JournalError, RecordedDecision};
use homeostat_core::observe::{FetchError, Phase, Readiness, ReplicaView, Sample};
use homeostat_core::reason::RULES;
use homeostat_core::{Instant, Need, Observation, Reading, Reason, ReplicaId, Rule, Span};
use proptest::collection::vec;
use proptest::prelude::*;

type Turn = (Observation, RecordedDecision);

fn needs() -> Vec<Need> {
    vec![Need::Resource("cpu".to_owned()), Need::External("queue".to_owned())]
}

/// Times on a grid as they are in practice, and any others.
fn time() -> impl Strategy<Value = Instant> {
    prop_oneof![
        6 => (0..50_u64).prop_map(|n| Instant(1_772_373_780_000_000_000 + n * 15_000_000_000)),
        2 => (0..5_000_000_u64).prop_map(Instant),
        1 => any::<u64>().prop_map(Instant),
        1 => prop_oneof![Just(Instant::ZERO), Just(Instant::MAX)],
    ]
}

fn milli() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 0..2_000_i64, 1 => any::<i64>(), 1 => prop_oneof![Just(i64::MIN), Just(i64::MAX)]]
}

fn id() -> impl Strategy<Value = ReplicaId> {
    prop_oneof![8 => 0..12_u64, 1 => any::<u64>()].prop_map(ReplicaId)
}

fn view() -> impl Strategy<Value = ReplicaView> {
    let phase =
        prop_oneof![Just(Phase::Pending), Just(Phase::Running), Just(Phase::Failed), Just(Phase::Succeeded)];
    let readiness = (any::<bool>(), time()).prop_map(|(ready, since)| Readiness { ready, since });
    (id(), phase, prop::option::of(time()), prop::option::of(readiness), any::<bool>()).prop_map(
        |(id, phase, started_at, readiness, deleting)| ReplicaView {
            id,
            phase,
            started_at,
            readiness,
            deleting,
        },
    )
}

fn sample() -> impl Strategy<Value = Sample> {
    (id(), milli(), time(), prop_oneof![Just(0), Just(60_000_000_000), any::<u64>()])
        .prop_map(|(replica, milli, at, window)| Sample { replica, milli, at, window: Span(window) })
}

fn reading() -> impl Strategy<Value = Reading> {
    prop_oneof![
        4 => vec(sample(), 0..14).prop_map(Reading::PerReplica),
        2 => (vec(milli(), 0..4), time()).prop_map(|(milli, at)| Reading::Total { milli, at }),
        1 => Just(Reading::Failed(FetchError::Unavailable)),
        1 => Just(Reading::Failed(FetchError::Empty)),
    ]
}

/// Any observation, half of them in order of id as they should be.
fn observation() -> impl Strategy<Value = Observation> {
    let readings = prop_oneof![5 => vec(reading(), 2), 1 => vec(reading(), 0..4)];
    (time(), any::<u32>(), 0..20_u32, vec(view(), 0..14), readings, any::<bool>()).prop_map(
        |(at, desired, current, mut replicas, mut readings, sorted)| {
            if sorted {
                replicas.sort_by_key(|view| view.id);
                replicas.dedup_by_key(|view| view.id);
                readings.iter_mut().for_each(sort);
            }
            Observation { at, desired, current, replicas, readings }
        },
    )
}

fn sort(reading: &mut Reading) {
    if let Reading::PerReplica(samples) = reading {
        samples.sort_by_key(|sample| sample.replica);
        samples.dedup_by_key(|sample| sample.replica);
    }
}

fn count() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 0..20_u32, 1 => any::<u32>()]
}

fn reason() -> impl Strategy<Value = Reason> {
    (0..RULES.len(), any::<Option<u8>>(), milli(), milli(), count()).prop_map(
        |(rule, need, observed_milli, reference_milli, proposed)| Reason {
            rule: RULES[rule],
            need,
            observed_milli,
            reference_milli,
            proposed,
        },
    )
}

fn decision() -> impl Strategy<Value = RecordedDecision> {
    let action = (0..GUARDS.len(), count(), count()).prop_map(|(guard, from, to)| GuardAction {
        guard: GUARDS[guard],
        from,
        to,
    });
    let ids = || vec(id(), 0..4);
    let order = (count(), ids(), count(), ids()).prop_map(|(replicas, retire, surge, replace)| Order {
        replicas,
        retire,
        surge,
        replace,
    });
    let note = (time(), time(), prop::array::uniform5(milli()))
        .prop_map(|(from, until, milli)| ForecastNote { from, until, milli });
    let forecast = prop::option::of(note);
    (time(), count(), count(), order, vec(reason(), 0..5), vec(action, 0..4), forecast).prop_map(
        |(at, present, proposed, order, reasons, guards, forecast)| RecordedDecision {
            forecast,
            at,
            present,
            proposed,
            order,
            reasons,
            guards,
        },
    )
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    vec((observation(), decision()), 1..10)
}

fn record(encoder: &mut Encoder, turn: &Turn) -> Vec<u8> {
    let mut bytes = Vec::new();
    encoder.append_recorded(&turn.0, &turn.1, &mut bytes);
    bytes
}

fn records(turns: &[Turn]) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(&needs());
    turns.iter().map(|turn| record(&mut encoder, turn)).collect()
}

/// How many entries of lists a turn has.
fn entries(observation: &Observation, decision: &RecordedDecision) -> usize {
    let of = |reading: &Reading| match reading {
        Reading::PerReplica(samples) => samples.len(),
        Reading::Total { milli, .. } => milli.len(),
        Reading::Failed(_) => 1,
    };
    observation.replicas.len()
        + observation.readings.iter().map(of).sum::<usize>()
        + decision.reasons.len()
        + decision.guards.len()
        + decision.order.retire.len()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everything_reads_back(turns in turns()) {
        let mut decoder = Decoder::new(&needs());
        for (record, turn) in records(&turns).iter().zip(&turns) {
            let read = decoder.next(record);
            prop_assert_eq!(read.as_ref(), Ok(turn));
        }
    }

    #[test]
    fn the_same_turn_again_is_no_longer(turn in (observation(), decision())) {
        let sizes: Vec<usize> = records(&vec![turn; 3]).iter().map(Vec::len).collect();
        prop_assert!(sizes[2] <= sizes[0]);
    }

    #[test]
    fn a_reader_may_start_at_a_keyframe(turns in turns(), cut: prop::sample::Index) {
        let cut = cut.index(turns.len());
        let mut encoder = Encoder::new(&needs());
        let mut decoder = Decoder::new(&needs());
        for (index, turn) in turns.iter().enumerate() {
            if index == cut {
                encoder.reset();
            }
            let record = record(&mut encoder, turn);
            if index >= cut {
                let read = decoder.next(&record);
                prop_assert_eq!(read.as_ref(), Ok(turn));
            } else if index > 0 {
                prop_assert_eq!(decoder.next(&record), Err(JournalError::NoKeyframe));
            }
        }
    }

    #[test]
    fn records_of_version_1_are_read(turns in turns()) {
        let without = |(seen, decision): &Turn| {
            (seen.clone(), RecordedDecision { forecast: None, ..decision.clone() })
        };
        let turns: Vec<Turn> = turns.iter().map(without).collect();
        let mut decoder = Decoder::new(&needs());
        for (index, (mut record, turn)) in records(&turns).into_iter().zip(turns).enumerate() {
            if index == 0 {
                assert_eq!(record[1], JOURNAL_VERSION as u8);
                record[1] = 1;
            }
            prop_assert_eq!(decoder.next(&record), Ok(turn));
        }
    }

    #[test]
    fn a_record_of_another_length_is_an_error(turns in turns(), cut: prop::sample::Index) {
        let mut decoder = Decoder::new(&needs());
        for record in records(&turns) {
            let part = &record[..cut.index(record.len())];
            prop_assert!(decoder.clone().next(part).is_err(), "cut to {} bytes", part.len());
            let long: Vec<u8> = record.iter().copied().chain([0]).collect();
            let trailing = JournalError::Trailing { offset: record.len(), extra: 1 };
            prop_assert_eq!(decoder.clone().next(&long), Err(trailing));
            prop_assert!(decoder.next(&record).is_ok());
        }
    }

    #[test]
    fn arbitrary_bytes_neither_panic_nor_grow(turns in turns(), bytes in vec(any::<u8>(), 0..300)) {
        let start = [1, JOURNAL_VERSION as u8, 2];
        let keyframe: Vec<u8> = start.into_iter().chain(bytes.iter().copied()).collect();
        if let Ok((observation, decision)) = Decoder::new(&needs()).next(&keyframe) {
            prop_assert!(entries(&observation, &decision) <= keyframe.len());
        }
        let mut primed = Decoder::new(&needs());
        for record in records(&turns) {
            prop_assert!(primed.next(&record).is_ok());
        }
        let held: usize = turns.iter().map(|(observation, decision)| entries(observation, decision)).sum();
        let delta: Vec<u8> = [0].into_iter().chain(bytes).collect();
        if let Ok((observation, decision)) = primed.next(&delta) {
            prop_assert!(entries(&observation, &decision) <= held + delta.len());
        }
    }

    #[test]
    fn a_flipped_bit_does_not_panic(turns in turns(), place: prop::sample::Index, bit in 0..8_u8) {
        let mut decoder = Decoder::new(&needs());
        for record in records(&turns) {
            let mut other = decoder.clone();
            let mut flipped = record.clone();
            flipped[place.index(record.len())] ^= 1 << bit;
            if other.next(&flipped).is_err() {
                prop_assert_eq!(other.next(&[0, 0]), Err(JournalError::NoKeyframe));
            }
            prop_assert!(decoder.next(&record).is_ok());
        }
    }
}

#[test]
fn errors_say_where_and_what() {
    let mut decoder = Decoder::new(&needs());
    let error = decoder.next(&[1, 3, 2]).unwrap_err();
    assert_eq!(error.to_string(), "the journal has version 3, this program reads versions up to 2");
    assert_eq!(decoder.next(&[1, 1, 3]), Err(JournalError::Needs { found: 3, expected: 2 }));
    assert_eq!(decoder.next(&[0]), Err(JournalError::NoKeyframe));
    let error = decoder.next(&[1, 1, 2]).unwrap_err();
    let text = "the journal record ends at byte 3, where the time of an observation should follow";
    assert_eq!(error.to_string(), text);
    assert!(matches!(decoder.next(&[64]), Err(JournalError::Invalid { offset: 0, found: 64, .. })));
}

/// A day of a target of 20 replicas with noisy CPU every 15 s; now and then one is replaced.
fn noisy_day(jitter: bool) -> Vec<Turn> {
    let start = Instant(1_772_373_780_000_000_000);
    let key = Key::root(7).child("cpu");
    let turn = |tick: u64| {
        let at = start + Span::from_secs(15) * tick;
        let replicas: Vec<ReplicaView> = (0..20).map(|i| view_of(i + tick / 400, start)).collect();
        let sample = |view: &ReplicaView| {
            let mut draws = key.nth(view.id.0).at(tick);
            let milli = (600.0 + 150.0 * draws.normal()) as i64;
            let late = if jitter { Span((draws.uniform() * 5e9) as u64) } else { Span::ZERO };
            let at = at.back(Span::from_secs(12) + late);
            Sample { replica: view.id, milli, at, window: Span::from_secs(30) }
        };
        let samples: Vec<Sample> = replicas.iter().map(sample).collect();
        let mean = samples.iter().map(|sample| sample.milli).sum::<i64>() / 20;
        let readings = vec![Reading::PerReplica(samples)];
        let reasons = vec![Reason::metric(Rule::WithinTolerance, 0, mean, 600, 20)];
        let order = Order { replicas: 20, ..Order::default() };
        let (guards, forecast) = (vec![], None);
        let decision = RecordedDecision { at, present: 20, proposed: 20, order, reasons, guards, forecast };
        (Observation { at, desired: 20, current: 20, replicas, readings }, decision)
    };
    (0..5_760).map(turn).collect()
}

fn view_of(id: u64, start: Instant) -> ReplicaView {
    let started = start + Span::from_secs(6_000) * id.saturating_sub(20);
    ReplicaView {
        id: ReplicaId(id),
        phase: Phase::Running,
        started_at: Some(started),
        readiness: Some(Readiness { ready: true, since: started + Span::from_secs(9) }),
        deleting: false,
    }
}

/// Bytes per record, plain and after deflate, with a length before each and a keyframe every 256.
fn bytes_per_record(turns: &[Turn]) -> (f64, f64) {
    let needs = &needs()[..1];
    let (mut encoder, mut decoder) = (Encoder::new(needs), Decoder::new(needs));
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
    let mut plain = 0;
    for (index, turn) in turns.iter().enumerate() {
        if index % 256 == 0 {
            encoder.reset();
        }
        let record = record(&mut encoder, turn);
        assert_eq!(decoder.next(&record).as_ref(), Ok(turn));
        plain += record.len();
        deflate.write_all(&(record.len() as u16).to_le_bytes()).expect("memory takes all bytes");
        deflate.write_all(&record).expect("memory takes all bytes");
    }
    let deflated = deflate.finish().expect("memory takes all bytes").len();
    (plain as f64 / turns.len() as f64, deflated as f64 / turns.len() as f64)
}

#[test]
fn twenty_noisy_replicas_take_less_than_200_bytes() {
    let (plain, deflated) = bytes_per_record(&noisy_day(false));
    println!("on the grid: {plain:.1} bytes per decision, {deflated:.1} after deflate");
    assert!(deflated <= 60.0, "{deflated} bytes");
    let (plain, deflated) = bytes_per_record(&noisy_day(true));
    println!("times to the nanosecond: {plain:.1} bytes per decision, {deflated:.1} after deflate");
    assert!(deflated <= 200.0, "{deflated} bytes");
}
