//! Whatever comes in, the answer is defined: no panic, no NaN, no silent zero.

use homeostat_core::{Instant, Span};
use homeostat_forecast::{Forecaster, Settings, Value, Why};
use proptest::prelude::*;

fn value() -> impl Strategy<Value = Value> {
    let bad = || prop_oneof![Just(f64::NAN), -1e3..0.0, Just(1e300), Just(f64::INFINITY)];
    let number = move || prop_oneof![4 => 0.0..1e6, 1 => Just(0.0), 2 => bad()];
    prop_oneof![
        6 => number().prop_map(Value::Known),
        1 => number().prop_map(Value::AtLeast),
        1 => Just(Value::Missing),
    ]
}

fn settings(step_s: u64) -> Settings {
    Settings { step: Span::from_secs(step_s), horizon: Span::from_secs(step_s * 20), ..Settings::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn paths_are_finite_and_never_negative(
        step_s in prop_oneof![Just(10_u64), Just(15), Just(60), Just(420), Just(3_600)],
        values in prop::collection::vec((0_u64..4, value()), 0..300),
    ) {
        let mut forecaster = Forecaster::new(settings(step_s));
        let mut at_s = 1_000;
        for (steps, value) in values {
            // 0 steps on is a duplicate, several leave a gap
            at_s += steps * step_s;
            forecaster.update(Instant::ZERO + Span::from_secs(at_s), value);
        }
        let paths = forecaster.paths(Span::from_secs(step_s * 20));
        if forecaster.chosen().why == Why::NoData {
            prop_assert_eq!(paths.count(), 0);
        } else {
            prop_assert_eq!(paths.count(), 100);
        }
        prop_assert!(paths.values.iter().all(|value| *value >= 0.0 && !value.is_nan()));
    }
}

#[test]
fn a_gap_is_not_learned_as_zero() {
    let mut forecaster = Forecaster::new(Settings::default());
    for minute in 0..300 {
        let value =
            if minute < 200 { Value::Known(100.0 + f64::from(minute as u32 % 7)) } else { Value::Missing };
        forecaster.update(Instant::ZERO + Span::MINUTE * minute, value);
    }
    let [low, middle] = forecaster.paths(Span::HOUR).quantiles(0, [0.05, 0.5]);
    assert!(low > 60.0 && (80.0..125.0).contains(&middle), "{low} {middle}");
}

#[test]
fn throughput_under_saturation_is_a_lower_bound() {
    let mut forecaster = Forecaster::new(Settings::default());
    for minute in 0..260 {
        let noisy = 100.0 + f64::from(minute as u32 % 7);
        let value = if minute < 200 { Value::Known(noisy) } else { Value::AtLeast(50.0) };
        forecaster.update(Instant::ZERO + Span::MINUTE * minute, value);
    }
    let [middle] = forecaster.paths(Span::HOUR).quantiles(0, [0.5]);
    assert!(middle > 80.0, "{middle}: a bound of 50 was learned as demand");
}

#[test]
fn one_point_goes_on_and_unordered_times_are_refused() {
    let mut forecaster = Forecaster::new(Settings::default());
    forecaster.update(Instant::ZERO + Span::HOUR, Value::Known(7.0));
    forecaster.update(Instant::ZERO, Value::Known(900.0));
    assert_eq!(forecaster.rejected(), 1);
    assert_eq!(forecaster.chosen().why, Why::Constant);
    assert!(forecaster.paths(Span::HOUR).values.iter().all(|value| *value == 7.0));
}
