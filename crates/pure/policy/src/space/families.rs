//! The families and their settings.

use homeostat_core::Span;

use super::{Setting, Space, Value};
use crate::fixed::FixedSpec;
use crate::kpa::KpaSpec;
use crate::predictive::PredictiveSpec;
use crate::rejuvenate::RejuvenateSpec;
use crate::restart::RestartSpec;
use crate::rivals::aws::AwsPredictiveSpec;
use crate::rivals::mark::MarkSpec;
use crate::rivals::mu::MuSpec;
use crate::rivals::phpa::{Decision, LinearSpec, ModelSpec, PhpaSpec};
use crate::spec::{HpaForm, KedaForm, PolicySpec};
use crate::watermark::WatermarkSpec;

/// All spaces that need no scenario to be known, in the order in which tables show them.
pub fn spaces() -> Vec<Space> {
    let mut all =
        vec![hpa(), kpa(), keda(), watermark(), predictive(), phpa(), mark(), mu(), aws_predictive()];
    all.extend([rejuvenate(), restart()]);
    all
}

/// How careful, how fine, how long a replica is kept, and how fast what was seen corrects it.
fn predictive() -> Space {
    let settings = vec![
        numbers("risk", &[1.0, 3.0, 10.0, 30.0, 100.0, 300.0]),
        times("step", &[15, 30]),
        times("hold", &[120, 600]),
        numbers("gain", &[0.0, 0.7]),
    ];
    Space::new("predictive", settings, |values| {
        PolicySpec::Predictive(PredictiveSpec {
            risk: number(values[0]),
            step: time(values[1]),
            hold: time(values[2]),
            gain: number(values[3]),
            ..PredictiveSpec::default()
        })
    })
}

/// Fixed counts from `low` to `high`.
pub fn counts(low: u32, high: u32) -> Space {
    let values = (low..=high.max(low)).map(|count| Value::Number(f64::from(count))).collect();
    Space::new("static", vec![Setting { name: "replicas", values }], |values| {
        PolicySpec::Static(FixedSpec { replicas: Some(number(values[0]) as u32), headroom: None })
    })
}

/// Share of the CPU request or of a replica's capacity in requests per second, down-scale window,
/// tolerance.
fn hpa() -> Space {
    let settings = vec![
        numbers("target_percent", &steps(30, 95, 5)),
        times("scale_down_window", &[0, 60, 300, 900, 1_800]),
        numbers("tolerance", &[0.0, 0.05, 0.1]),
        words("metric", &["cpu", "requests_per_second"]),
    ];
    Space::new("hpa", settings, |values| {
        let target = number(values[0]);
        let cpu = values[3] == Value::Word("cpu");
        PolicySpec::Hpa(HpaForm {
            cpu_percent: cpu.then_some(target as i32),
            capacity_percent: (!cpu).then_some(target),
            scale_down_window: Some(time(values[1])),
            tolerance: Some(number(values[2])),
            ..HpaForm::default()
        })
    })
}

fn kpa() -> Space {
    let targets = [30.0, 40.0, 50.0, 55.0, 60.0, 65.0, 70.0, 75.0, 80.0, 85.0, 90.0, 100.0];
    let settings = vec![
        numbers("target-utilization-percentage", &targets),
        times("stable-window", &[30, 60, 120, 300, 600]),
        times("scale-down-delay", &[0, 120, 300, 900]),
        numbers("panic-threshold-percentage", &[110.0, 200.0]),
    ];
    Space::new("kpa", settings, |values| {
        PolicySpec::Kpa(KpaSpec {
            target_utilization_percentage: number(values[0]),
            stable_window: time(values[1]),
            scale_down_delay: time(values[2]),
            panic_threshold_percentage: number(values[3]),
            ..KpaSpec::default()
        })
    })
}

/// KEDA's operator acts between zero and one only, so that its polling is not among the settings.
fn keda() -> Space {
    let settings = vec![
        numbers("capacity_percent", &steps(30, 100, 5)),
        times("scale_down_window", &[0, 60, 300, 900, 1_800]),
        numbers("tolerance", &[0.0, 0.05, 0.1]),
    ];
    Space::new("keda", settings, |values| {
        PolicySpec::Keda(KedaForm {
            scale_down_window: Some(time(values[1])),
            tolerance: Some(number(values[2])),
            ..KedaForm::capacity("requests_per_second", number(values[0]))
        })
    })
}

fn watermark() -> Space {
    let settings = vec![
        numbers("high", &steps(45, 90, 5)),
        numbers("low_over_high", &[0.5, 0.7, 0.85]),
        times("downscale_forbidden_window", &[60, 300, 900, 1_800]),
        times("upscale_forbidden_window", &[15, 60]),
        numbers("scale_up_limit_percent", &[50.0, 200.0]),
    ];
    Space::new("watermark", settings, |values| {
        let high = number(values[0]);
        PolicySpec::Watermark(WatermarkSpec {
            downscale_forbidden_window: time(values[2]),
            upscale_forbidden_window: time(values[3]),
            scale_up_limit_percent: number(values[4]),
            ..WatermarkSpec::cpu((high * number(values[1]) * 100.0).round() / 100.0, high)
        })
    })
}

/// A line through the counts: Holt-Winters needs a season, which no target tells.
fn phpa() -> Space {
    let settings = vec![
        numbers("cpu_percent", &steps(30, 95, 5)),
        numbers("history_size", &[8.0, 20.0, 60.0]),
        times("look_ahead", &[60, 120, 300, 600]),
        times("scale_down_window", &[0, 300]),
    ];
    Space::new("phpa", settings, |values| {
        let linear =
            LinearSpec { history_size: number(values[1]) as usize, look_ahead: Some(time(values[2])) };
        let model = ModelSpec { per_sync_period: 1, linear: Some(linear), holt_winters: None };
        let hpa =
            HpaForm { scale_down_window: Some(time(values[3])), ..HpaForm::cpu(number(values[0]) as i32) };
        PolicySpec::Phpa(Box::new(PhpaSpec { hpa, models: vec![model], decision: Decision::Maximum }))
    })
}

fn mark() -> Space {
    let settings =
        vec![numbers("capacity_percent", &steps(50, 100, 5)), numbers("margin", &[1.0, 1.1, 1.2, 1.5])];
    Space::new("mark", settings, |values| {
        PolicySpec::Mark(MarkSpec {
            capacity_percent: number(values[0]),
            margin: number(values[1]),
            ..MarkSpec::default()
        })
    })
}

fn mu() -> Space {
    let settings =
        vec![numbers("capacity_percent", &steps(30, 100, 5)), words("predict", &["true", "false"])];
    Space::new("mu", settings, |values| {
        PolicySpec::Mu(MuSpec {
            capacity_percent: number(values[0]),
            predict: values[1] == Value::Word("true"),
            ..MuSpec::default()
        })
    })
}

fn aws_predictive() -> Space {
    let settings = vec![
        numbers("capacity_percent", &steps(30, 100, 5)),
        times("scheduling_buffer", &[0, 300, 900, 1_800]),
        times("cooldown", &[60, 300, 900]),
    ];
    Space::new("aws_predictive", settings, |values| {
        PolicySpec::AwsPredictive(AwsPredictiveSpec {
            capacity_percent: number(values[0]),
            scheduling_buffer: time(values[1]),
            cooldown: time(values[2]),
            ..AwsPredictiveSpec::default()
        })
    })
}

/// How dear a kill is, and whether the new replica comes first; the count is a tuned HPA's.
fn rejuvenate() -> Space {
    let settings = vec![
        numbers("cpu_percent", &steps(30, 95, 5)),
        numbers("kill_cost", &[10.0, 100.0, 1_000.0]),
        words("surge", &["true", "false"]),
    ];
    Space::new("rejuvenate", settings, |values| {
        beside_hpa(
            values[0],
            PolicySpec::Rejuvenate(RejuvenateSpec {
                kill_cost: number(values[1]),
                surge: values[2] == Value::Word("true"),
                ..RejuvenateSpec::default()
            }),
        )
    })
}

/// At which share of the limit and at which age, whatever comes first; the count is a tuned HPA's.
fn restart() -> Space {
    let settings = vec![
        numbers("cpu_percent", &steps(30, 95, 5)),
        numbers("memory_percent", &[80.0, 90.0, 95.0]),
        times("max_age", &[10_800, 21_600, 86_400, 604_800]),
        words("surge", &["true", "false"]),
    ];
    Space::new("restart", settings, |values| {
        beside_hpa(
            values[0],
            PolicySpec::Restart(RestartSpec {
                memory_percent: Some(number(values[1])),
                max_age: Some(time(values[2])),
                surge: values[3] == Value::Word("true"),
                ..RestartSpec::default()
            }),
        )
    })
}

/// A policy without a wish for the count, and an HPA of the CPU that has one.
fn beside_hpa(cpu_percent: Value, policy: PolicySpec) -> PolicySpec {
    PolicySpec::Together(vec![PolicySpec::Hpa(HpaForm::cpu(number(cpu_percent) as i32)), policy])
}

fn steps(from: u32, to: u32, by: usize) -> Vec<f64> {
    (from..=to).step_by(by).map(f64::from).collect()
}

fn numbers(name: &'static str, values: &[f64]) -> Setting {
    Setting { name, values: values.iter().map(|value| Value::Number(*value)).collect() }
}

fn times(name: &'static str, seconds: &[u64]) -> Setting {
    Setting { name, values: seconds.iter().map(|s| Value::Time(Span::from_secs(*s))).collect() }
}

fn words(name: &'static str, words: &[&'static str]) -> Setting {
    Setting { name, values: words.iter().map(|word| Value::Word(word)).collect() }
}

fn number(value: Value) -> f64 {
    match value {
        Value::Number(number) => number,
        Value::Time(span) => span.as_secs_f64(),
        Value::Word(_) => f64::NAN,
    }
}

fn time(value: Value) -> Span {
    match value {
        Value::Time(span) => span,
        Value::Number(seconds) => Span::from_secs_f64(seconds),
        Value::Word(_) => Span::ZERO,
    }
}
