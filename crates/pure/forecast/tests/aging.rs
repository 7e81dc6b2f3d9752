//! The detector on made-up histories and on whatever else may come.

use homeostat_core::{Instant, Span};
use homeostat_forecast::aging::synth::{History, Leak, Lookalike, Recipe, history};
use homeostat_forecast::aging::{Detector, Settings, Why};
use proptest::prelude::*;

fn watched(made: &History, limit: f64) -> (Detector, Option<f64>) {
    let mut detector = Detector::new(Settings::default(), Some(limit));
    let mut first = None;
    for (i, minute) in made.minutes.iter().enumerate() {
        detector.update(minute.at, Some(minute.value), Some(minute.load));
        if detector.verdict().leak && first.is_none() {
            first = Some(i as f64 / 60.0);
        }
    }
    (detector, first)
}

#[test]
fn a_leak_under_swinging_load_is_found_in_time_with_its_slope() {
    let recipe = Recipe { leak: Leak::Linear, life_hours: 40.0, ..Recipe::default() };
    let made = history(&recipe);
    let (detector, first) = watched(&made, recipe.limit_mib);
    let fails = made.fails_at_hours.expect("it leaks");
    assert!(first.is_some_and(|first| first < fails / 2.0), "{first:?} of {fails}");
    let slope = (2_048.0 - 700.0 - 160.0) / 40.0;
    let verdict = detector.verdict();
    assert!((verdict.slope_per_hour / slope - 1.0).abs() < 0.1, "{verdict:?}, true {slope}");
}

#[test]
fn load_a_ramp_and_short_teeth_are_no_leaks() {
    for lookalike in [Lookalike::None, Lookalike::Ramp(0.6), Lookalike::SawTeeth(150.0, 0.5)] {
        let recipe = Recipe { lookalike, ..Recipe::default() };
        let (_, first) = watched(&history(&recipe), recipe.limit_mib);
        assert_eq!(first, None, "{lookalike:?}");
    }
}

fn at(minute: u64) -> Instant {
    Instant::ZERO + Span::MINUTE * minute
}

fn fed(values: impl Iterator<Item = Option<f64>>, limit: Option<f64>) -> Detector {
    let mut detector = Detector::new(Settings::default(), limit);
    for (minute, value) in values.enumerate() {
        detector.update(at(minute as u64), value, None);
    }
    detector
}

#[test]
fn odd_input_has_its_codes() {
    let why = |detector: Detector| detector.verdict().why;
    assert_eq!(why(fed((0..600).map(|_| None), None)), Why::NoData);
    assert_eq!(why(fed((0..600).map(|_| Some(f64::NAN)), None)), Why::NoData);
    assert_eq!(why(fed([Some(3.0)].into_iter(), None)), Why::NoData);
    assert_eq!(why(fed((0..20).map(|i| Some(f64::from(i))), None)), Why::TooFew);
    assert_eq!(why(fed((0..600).map(|_| Some(7.0)), Some(10.0))), Why::Constant);
    assert_eq!(why(fed((0..600).map(|i| Some(100.0 + f64::from(i))), Some(50.0))), Why::OverLimit);
    assert_eq!(why(fed((0..600).map(|i| Some(1_000.0 - f64::from(i))), None)), Why::Falling);
}

#[test]
fn a_replica_that_vanishes_and_comes_back_lower_starts_anew() {
    let mut detector = fed((0..600).map(|i| Some(500.0 + f64::from(i % 7) + f64::from(i) / 2.0)), Some(1e4));
    for minute in 0..120 {
        detector.update(at(900 + minute), Some(500.0 + (minute % 7) as f64), None);
    }
    assert!(detector.age_hours() < 2.1, "{}", detector.age_hours());
    assert!(!detector.verdict().leak);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_panics_and_intervals_are_in_order(
        readings in prop::collection::vec((0_u64..4_000, prop::num::f64::ANY, prop::num::f64::ANY), 0..400),
        limit in prop::option::of(prop::num::f64::ANY),
    ) {
        let mut detector = Detector::new(Settings::default(), limit);
        for (minute, value, load) in readings {
            detector.update(at(minute), Some(value), Some(load));
            let verdict = detector.verdict();
            prop_assert!(verdict.slope_low <= verdict.slope_high || verdict.slope_low.is_nan());
            if let Some(eta) = verdict.to_limit {
                prop_assert!(eta.low <= eta.hours && eta.hours <= eta.high);
            }
        }
    }

    #[test]
    fn ordinary_values_in_any_order_never_panic(
        values in prop::collection::vec((0.0..1e6_f64, 0.0..100.0_f64), 0..1_500),
    ) {
        let mut detector = Detector::new(Settings::default(), Some(5e5));
        for (minute, (value, load)) in values.iter().enumerate() {
            detector.update(at(minute as u64 * 5), Some(*value), Some(*load));
        }
        prop_assert!(detector.verdict().slope_per_hour.is_finite());
    }
}
