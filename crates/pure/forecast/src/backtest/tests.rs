//! Back-tests whose scores are known by hand.

use homeostat_core::{Instant, Span};

use super::*;
use crate::series::Value;

fn series(values: impl IntoIterator<Item = f64>) -> Series {
    let values = values.into_iter().map(Value::Known).collect();
    Series { start: Instant::ZERO, step: Span::MINUTE, values }
}

fn plan(horizons: &[u64], first: usize) -> Plan {
    let horizons = horizons.iter().map(|minutes| Span::MINUTE * *minutes).collect();
    Plan { horizons, first, every: 1, tuning: first, count: None, seed: 1 }
}

/// A forecaster that says `last value + offset` for every quantile.
fn naive(name: &str, series: &Series, plan: &Plan, offset: f64) -> Forecasts {
    let mut said = Forecasts::silent(name, series, plan);
    let horizons = plan.horizons.len();
    for (place, origin) in plan.origins(series).enumerate() {
        let last = series.values[origin - 1].known().map(|v| [v + offset; 5]);
        said.quantiles[place * horizons..(place + 1) * horizons].fill(last);
    }
    said
}

#[test]
fn a_ramp_costs_the_last_value_its_slope_times_the_horizon() {
    let series = series((0..100).map(f64::from));
    let plan = plan(&[5, 15], 50);
    let rows = scores(&series, &plan, &[naive("naive", &series, &plan, 0.0)]);
    let origins: Vec<usize> = plan.origins(&series).collect();
    assert_eq!((origins[0], origins.len()), (50, 36), "the furthest target is the last step");
    for (row, ahead) in rows.iter().zip([5.0, 15.0]) {
        // The target is the step that ends `ahead` minutes after the origin.
        let mean = origins.iter().map(|o| *o as f64 - 1.0 + ahead).sum::<f64>() / 36.0;
        assert!((row.wape.unwrap() - ahead / mean).abs() < 1e-12);
        assert!((row.mase.unwrap() - 1.0).abs() < 1e-12, "the same error as on the tuning part");
        assert!((row.pinball_90.unwrap() - 0.9 * ahead / mean).abs() < 1e-12);
        assert_eq!((row.n, row.coverage_90, row.width_90), (36, Some(0.0), Some(0.0)));
    }
}

#[test]
fn the_model_last_is_the_naive_forecast() {
    let values = (0..400).map(|n| f64::from((n * n) % 17) + 3.0);
    let series = series(values);
    let plan = plan(&[1], 100);
    let ours = forecast(&series, &Settings::default(), &plan, "last", &|_| ());
    let theirs = naive("naive", &series, &plan, 0.0);
    assert_eq!(ours.used.len(), plan.origins(&series).count());
    assert!(ours.quantiles.iter().all(Option::is_some));
    let rows = scores(&series, &plan, &[ours, theirs]);
    assert!(rows[0].coverage_90.unwrap() > 0.8 && rows[1].coverage_90.unwrap() < 0.3, "{rows:?}");
    assert_eq!(rows[0].n, rows[1].n);
}

#[test]
fn unknown_targets_and_silent_forecasters_are_left_out_for_all() {
    let mut series = series((0..60).map(|_| 4.0));
    series.values[40] = Value::Missing;
    series.values[41] = Value::AtLeast(4.0);
    let plan = plan(&[1], 30);
    let (a, mut b) = (naive("a", &series, &plan, 1.0), naive("b", &series, &plan, 0.0));
    for place in [3, 5] {
        b.quantiles[place] = None;
    }
    let mute = Forecasts::silent("mute", &series, &plan);
    let rows = scores(&series, &plan, &[a, b, mute]);
    // 30 origins; 2 targets unknown, 2 origins at which the last value is unknown (one of them counted
    // already), 2 at which b is silent.
    assert_eq!(rows.iter().map(|r| r.n).collect::<Vec<_>>(), [25, 25, 0]);
    assert_eq!((rows[0].wape, rows[1].wape, rows[2].wape), (Some(0.25), Some(0.0), None));
}

#[test]
fn nothing_after_an_origin_is_known_at_it() {
    let head: Vec<f64> = (0..200).map(|n| f64::from(n % 24) + 1.0).collect();
    let mut other = head.clone();
    other[150..].fill(1e6);
    let plan = plan(&[1, 15], 100);
    let run = |values: Vec<f64>| {
        let series = series(values);
        names().map(|name| forecast(&series, &Settings::default(), &plan, name, &|_| ())).collect::<Vec<_>>()
    };
    for (a, b) in run(head).iter().zip(&run(other)) {
        assert_eq!(a.quantiles[..51 * 2], b.quantiles[..51 * 2], "{}", a.name);
    }
}

#[test]
fn a_plan_spreads_its_origins_over_the_minutes_of_the_hour() {
    let series = series((0..20_000).map(|_| 1.0));
    let plan = Plan::spread(&series, vec![Span::HOUR], 8_000, 1_000);
    assert_eq!(plan.every, 11);
    let n = plan.origins(&series).count();
    assert!((1_000..1_200).contains(&n), "{n}");
    let mut minutes: Vec<usize> = plan.origins(&series).map(|o| o % 60).collect();
    minutes.sort_unstable();
    minutes.dedup();
    assert_eq!(minutes.len(), 60);
    assert_eq!(Plan::spread(&series, vec![Span::HOUR], 19_800, 1_000).every, 1);
}

#[test]
fn coverage_by_day_counts_whole_days_after_the_burn_in() {
    let series = series((0..1_440 * 6).map(|_| 5.0));
    let plan = plan(&[1], 700);
    let exact = naive("exact", &series, &plan, 0.0);
    let days = by_day(&series, &plan, &exact, 0, Span::DAY * 2);
    let starts: Vec<u64> = days.iter().map(|(at, ..)| at.0 / Span::DAY.0).collect();
    assert_eq!(starts, [3, 4, 5]);
    assert!(days.iter().all(|(_, _, n)| *n == 1_440));
}

#[test]
fn two_runs_are_equal() {
    let series = series((0..500).map(|n| f64::from((n * 7) % 31)));
    let plan = Plan::spread(&series, vec![Span::MINUTE * 5], 150, 300);
    let rows = run(&series, &Settings::default(), &plan);
    assert_eq!(rows, run(&series, &Settings::default(), &plan));
    assert_eq!(rows.len(), names().count());
    assert_eq!(rows.iter().filter(|row| row.chosen).count(), 1);
}
