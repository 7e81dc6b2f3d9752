//! Mann-Kendall and Sen's slope against pymannkendall and scipy (testing/peers/mann_kendall.py).

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

use homeostat_forecast::trend::{mann_kendall, theil_sen};
use serde_json::Value;

#[test]
fn agrees_with_pymannkendall_and_scipy() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("golden/mann_kendall.json")).unwrap();
    assert_eq!(cases.len(), 6);
    for case in &cases {
        let values: Vec<f64> =
            case["values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
        let found = mann_kendall(&values).unwrap();
        let x: Vec<f64> = (0..values.len()).map(|i| i as f64).collect();
        let sen = theil_sen(&x, &values, &mut Vec::new()).unwrap();
        let pairs = [
            ("s", found.s),
            ("variance", found.variance),
            ("z", found.z),
            ("slope", found.slope),
            ("slope", sen),
        ];
        for (name, value) in pairs {
            let theirs = case[name].as_f64().unwrap();
            assert!(
                (value - theirs).abs() < 1e-9 * theirs.abs().max(1.0),
                "{name}: {value}, theirs {theirs}"
            );
        }
    }
}
