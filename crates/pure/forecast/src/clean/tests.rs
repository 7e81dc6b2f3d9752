//! Records whose faults are known.

use homeostat_core::draw::Key;

use super::*;
use crate::series::Value;
use homeostat_core::Span;

const MINUTE: u64 = 60_000_000_000;

fn minutes(values: impl IntoIterator<Item = f64>) -> Vec<Point> {
    let point = |(n, value): (usize, f64)| Point { at: Instant(n as u64 * MINUTE), value, saturated: false };
    values.into_iter().enumerate().map(point).collect()
}

fn counts() -> Options {
    Options { measure: Measure::Count, step: Span::MINUTE, native: None }
}

fn clean(points: &[Point]) -> Cleaned {
    series(points, &counts()).unwrap()
}

fn reasons(cleaned: &Cleaned) -> Vec<(&'static str, usize)> {
    cleaned.notes.iter().map(|note| (note.reason.code(), note.count)).collect()
}

fn poisson(mean: impl Fn(u64) -> f64, n: u64) -> Vec<f64> {
    let key = Key::root(7).child("poisson");
    (0..n).map(|i| key.at(i).poisson(mean(i)) as f64).collect()
}

#[test]
fn bad_values_become_missing_and_are_told() {
    let cleaned = clean(&minutes([60.0, f64::NAN, -3.0, f64::INFINITY, 120.0]));
    let expected = [Value::Known(1.0), Value::Missing, Value::Missing, Value::Missing, Value::Known(2.0)];
    assert_eq!(cleaned.series.values, expected);
    assert_eq!(reasons(&cleaned), [("not-a-number", 2), ("gap", 3), ("negative", 1)]);
    assert_eq!(series(&[], &counts()), Err(Refused::Empty));
}

#[test]
fn order_and_repetition() {
    let mut points = minutes([60.0, 120.0, 180.0]);
    points.swap(1, 2);
    assert_eq!(reasons(&clean(&points)), [("unordered", 1)]);
    assert_eq!(clean(&points).series.values, [1.0, 2.0, 3.0].map(Value::Known));
    let mut twice = minutes([60.0, 120.0]);
    twice.insert(1, Point { value: 180.0, ..twice[0] });
    assert_eq!(reasons(&clean(&twice)), [("duplicate-time", 1)]);
    assert_eq!(clean(&twice).series.values, [2.0, 2.0].map(Value::Known));
    // Twelve minutes, then the clock is set back by six and runs on.
    let mut back = minutes((0..12).map(|_| 60.0));
    back.extend(minutes((0..12).map(|_| 120.0)).into_iter().skip(6));
    let cleaned = clean(&back);
    assert_eq!(reasons(&cleaned), [("clock-back", 6)]);
    assert_eq!(cleaned.series.values[5..7], [1.0, 1.5].map(Value::Known));
}

#[test]
fn resampling_keeps_counts_and_sees_gaps() {
    // 10-s counts for two minutes, two minutes of nothing, one more minute.
    let at = |s: u64| Point { at: Instant(s * 1_000_000_000), value: 20.0, saturated: false };
    let mut points: Vec<Point> = (0..12).map(|n| at(n * 10)).collect();
    points.extend((24..30).map(|n| at(n * 10)));
    let cleaned = clean(&points);
    let two = Value::Known(2.0);
    assert_eq!(cleaned.series.values, [two, two, Value::Missing, Value::Missing, two]);
    assert_eq!(reasons(&cleaned), [("gap", 2)]);
    let hourly: Vec<Point> = (0..3).map(|n| at(n * 3_600)).collect();
    assert_eq!(clean(&hourly).series.step, Span::HOUR, "finer than the record there is nothing to know");
}

#[test]
fn an_outage_is_missing_and_the_partial_minutes_at_its_edges_are_means_of_what_is_known() {
    // 50/s, each second counted; zeros from 23:31:01 on for 29 minutes, as in the Twitter sample.
    let value = |s: u64| if (5_461..7_200).contains(&s) { 0.0 } else { 50.0 };
    let second = |s: u64| Point { at: Instant(s * 1_000_000_000), value: value(s), saturated: false };
    let points: Vec<Point> = (0..10_800).map(second).collect();
    let cleaned = clean(&points);
    for (minute, value) in cleaned.series.values.iter().enumerate() {
        let expected = if (91..120).contains(&minute) { Value::Missing } else { Value::Known(50.0) };
        assert_eq!(*value, expected, "{minute}");
    }
    assert_eq!(cleaned.notes.iter().map(|n| n.reason).collect::<Vec<_>>(), [Reason::Outage]);
}

#[test]
fn sparse_and_idle_series_keep_their_zeros() {
    let sparse = clean(&minutes(poisson(|_| 0.1, 10_000)));
    assert_eq!(reasons(&sparse), []);
    // Fades out in the evening, nothing at night.
    let day = |i: u64| {
        let hour = i % 1_440 / 60;
        let minute = (i % 60) as f64;
        match hour {
            0..7 | 22..24 => 0.0,
            7..9 => 5.0 * ((hour - 7) as f64 * 60.0 + minute),
            20..22 => 600.0 - 5.0 * ((hour - 20) as f64 * 60.0 + minute),
            _ => 600.0,
        }
    };
    let idle = clean(&minutes(poisson(day, 14_400)));
    assert_eq!(reasons(&idle), []);
    // One request a minute, on and off for hours.
    let on_off = clean(&minutes((0..3_000).map(|n| f64::from(u8::from(n / 90 % 2 == 0)))));
    assert_eq!(reasons(&on_off), []);
}

#[test]
fn a_daily_switch_off_is_a_habit_once_seen_thrice() {
    // The record begins at eight in the morning.
    let office = |i: u64| if i % 1_440 < 600 { 300.0 } else { 0.0 };
    let cleaned = clean(&minutes(poisson(office, 14_400)));
    assert!(cleaned.series.values.iter().all(|value| value.known().is_some()), "{:?}", cleaned.notes);
    let mut screen = Screen::new(Span::MINUTE, Some(1.0 / 60.0));
    let mut missing = [0; 10];
    for (i, value) in poisson(office, 14_400).into_iter().enumerate() {
        let judged = screen.screen(Instant(i as u64 * MINUTE), Some(value / 60.0), false);
        missing[i / 1_440] += usize::from(judged.value == Value::Missing);
    }
    assert!(missing[0] > 300 && missing[5..].iter().all(|n| *n == 0), "{missing:?}");
}

#[test]
fn a_silence_is_told_from_the_quiet_that_a_series_knows() {
    let day = |i: u64| if (14_000..16_000).contains(&i) { 0.0 } else { 0.5 };
    let cleaned = clean(&minutes(poisson(day, 20_000)));
    let missing = |range: std::ops::Range<usize>| {
        cleaned.series.values[range].iter().filter(|v| **v == Value::Missing).count()
    };
    assert_eq!((missing(14_000..16_000), missing(0..13_980), missing(16_000..20_000)), (2_000, 0, 0));
    assert!(cleaned.notes.iter().any(|note| note.reason == Reason::Silence), "{:?}", cleaned.notes);
}

#[test]
fn a_new_low_level_is_believed() {
    let moved = |i: u64| if i < 3_000 { 600.0 } else { 12.0 };
    let cleaned = clean(&minutes(poisson(moved, 6_000)));
    assert_eq!(reasons(&cleaned), []);
}

#[test]
fn spikes_and_stuck_sources_are_artefacts_a_flash_crowd_is_not() {
    let mut values = poisson(|_| 300.0, 1_000);
    values[500] = 1e9;
    assert_eq!(reasons(&clean(&minutes(values.clone()))), [("spike", 1)]);
    values[500] = 300.0;
    values[700..760].fill(311.0);
    assert_eq!(reasons(&clean(&minutes(values.clone()))), [("stuck", 60)]);
    let crowd = |i: u64| if i > 500 { 30_000.0 } else { 300.0 };
    assert_eq!(reasons(&clean(&minutes(poisson(crowd, 1_000)))), []);
    assert_eq!(reasons(&clean(&minutes([300.0; 1_000]))), [], "a constant is no stuck source");
}

#[test]
fn saturated_values_are_lower_bounds() {
    let mut points = minutes([60.0, 120.0, 120.0, 60.0]);
    points[1].saturated = true;
    points[2].saturated = true;
    let cleaned = clean(&points);
    assert_eq!(cleaned.series.values[..2], [Value::Known(1.0), Value::AtLeast(2.0)]);
    assert_eq!(reasons(&cleaned), [("saturated", 2)]);
}

#[test]
fn a_limit_that_stops_a_rise_is_saturation_and_a_flat_top_is_not() {
    let demand = |i: u64| match i {
        100..160 => 300.0 + 10.0 * (i - 100) as f64,
        160..220 => 900.0,
        _ => 300.0,
    };
    let free = poisson(demand, 400);
    assert_eq!(reasons(&clean(&minutes(free.clone()))), []);
    // The service does 600 a minute and no more; what waits is done after the crowd has gone.
    let limited: Vec<f64> = free.iter().map(|count| count.min(600.0)).collect();
    let cleaned = clean(&minutes(limited));
    let bounds = |range: std::ops::Range<usize>| {
        cleaned.series.values[range].iter().filter(|v| matches!(v, Value::AtLeast(_))).count()
    };
    assert!(bounds(0..125) == 0 && bounds(220..400) == 0, "{:?}", cleaned.notes);
    assert!(bounds(125..220) >= 75, "{:?}", cleaned.notes);
}

#[test]
fn times_too_far_apart_are_refused() {
    let mut points = minutes([60.0, 60.0]);
    points.push(Point { at: Instant(u64::MAX / 2), value: 1.0, saturated: false });
    assert!(matches!(series(&points, &counts()), Err(Refused::TooLong { .. })));
}

/// A second, any number, and whether saturated.
fn row() -> impl proptest::strategy::Strategy<Value = (u64, f64, bool)> {
    (0_u64..100_000, proptest::num::f64::ANY, proptest::bool::ANY)
}

proptest::proptest! {
    #[test]
    fn anything_gives_a_series_of_finite_values(
        rows in proptest::collection::vec(row(), 1..200),
        rate in proptest::bool::ANY,
    ) {
        let point = |(s, value, saturated): &(u64, f64, bool)| {
            Point { at: Instant(s * 1_000_000_000), value: *value, saturated: *saturated }
        };
        let points: Vec<Point> = rows.iter().map(point).collect();
        let measure = if rate { Measure::Rate } else { Measure::Count };
        let cleaned = series(&points, &Options { measure, ..counts() }).unwrap();
        for value in &cleaned.series.values {
            match value {
                Value::Known(value) | Value::AtLeast(value) => proptest::prop_assert!(*value >= 0.0),
                Value::Missing => {}
            }
        }
        proptest::prop_assert_eq!(&cleaned, &series(&points, &Options { measure, ..counts() }).unwrap());
        for note in &cleaned.notes {
            proptest::prop_assert!(note.from <= note.until);
        }
    }

    #[test]
    fn good_records_are_left_alone(seed in 0_u64..1_000, mean in 30.0..3_000.0) {
        let key = Key::root(seed).child("good");
        let values: Vec<f64> = (0..500).map(|i| key.at(i).poisson(mean) as f64).collect();
        let cleaned = clean(&minutes(values.clone()));
        proptest::prop_assert_eq!(&cleaned.notes, &[]);
        let rates: Vec<Value> = values.iter().map(|v| Value::Known(v / 60.0)).collect();
        let close = cleaned.series.values.iter().zip(&rates).all(|(a, b)| {
            (a.known().unwrap() - b.known().unwrap()).abs() < 1e-9
        });
        proptest::prop_assert!(close);
    }
}
