//! The policies that the command line knows by name.

use super::{HpaForm, KedaForm, PolicySpec};
use crate::autoscale::{AutoscaleSpec, Variant};
use crate::fixed::FixedSpec;
use crate::kpa::KpaSpec;
use crate::predictive::PredictiveSpec;
use crate::rivals::aws::AwsPredictiveSpec;
use crate::rivals::mark::MarkSpec;
use crate::rivals::mu::MuSpec;
use crate::rivals::phpa::{Decision, LinearSpec, ModelSpec, PhpaSpec};
use crate::watermark::WatermarkSpec;

/// A policy with a name and a line about it.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedPolicy {
    /// The name, as typed on the command line.
    pub name: &'static str,
    /// What it does, in one line.
    pub description: &'static str,
    /// Its settings.
    pub spec: PolicySpec,
}

/// How much of a replica's capacity is used by the policies that plan with it.
const CAPACITY_PERCENT: f64 = 70.0;

/// All policies that need no settings of their own, in the order in which tables show them.
///
/// A schedule is not among them: it needs hours, which no target tells.
pub fn catalog() -> Vec<NamedPolicy> {
    let entry = |name, description, spec| NamedPolicy { name, description, spec };
    let paper = |variant| {
        let spec = AutoscaleSpec { capacity_percent: Some(CAPACITY_PERCENT), ..AutoscaleSpec::of(variant) };
        PolicySpec::Autoscale(spec)
    };
    let headroom = Some(100.0 / CAPACITY_PERCENT - 1.0);
    let hpa_rps = HpaForm { capacity_percent: Some(CAPACITY_PERCENT), ..HpaForm::default() };
    let keda = KedaForm::capacity("requests_per_second", CAPACITY_PERCENT);
    vec![
        entry(
            "static",
            "enough replicas for the peak minute at 70 % of capacity, always",
            PolicySpec::Static(FixedSpec { headroom, ..FixedSpec::default() }),
        ),
        entry("hpa-cpu-50", "Kubernetes HPA, CPU at 50 % of the request", PolicySpec::Hpa(HpaForm::cpu(50))),
        entry("hpa-cpu-80", "Kubernetes HPA, CPU at 80 % of the request", PolicySpec::Hpa(HpaForm::cpu(80))),
        entry("hpa-rps", "Kubernetes HPA, requests per second at 70 % of capacity", PolicySpec::Hpa(hpa_rps)),
        entry(
            "kpa",
            "Knative pod autoscaler, 70 % of a replica's slots",
            PolicySpec::Kpa(KpaSpec::default()),
        ),
        entry("keda-rps", "KEDA, requests per second at 70 % of capacity", PolicySpec::Keda(keda)),
        entry(
            "watermark",
            "watermark pod autoscaler, CPU between 40 % and 70 % of the request",
            PolicySpec::Watermark(WatermarkSpec::cpu(40.0, 70.0)),
        ),
        entry("reactive", "enough replicas for the rate of now", paper(Variant::Reactive)),
        entry(
            "predictive-mwa",
            "for the rate by a moving average, one set-up ahead",
            paper(Variant::PredictiveMwa),
        ),
        entry(
            "predictive-lr",
            "for the rate by a straight line, one set-up ahead",
            paper(Variant::PredictiveLr),
        ),
        entry(
            "predictive",
            "the count at which replicas and late requests cost least, one start-up ahead",
            PolicySpec::Predictive(PredictiveSpec::default()),
        ),
        entry("autoscale--", "up with the rate, down only idle replicas", paper(Variant::AutoscaleMinus)),
        entry("phpa", "Kubernetes HPA at 50 % CPU, or a line through its counts one start-up ahead", phpa()),
        entry(
            "mark",
            "MArk: an LSTM forecast of the load's next minutes",
            PolicySpec::Mark(MarkSpec::default()),
        ),
        entry(
            "mu",
            "Mu: rate or its prediction by linear predictors, and the queue",
            PolicySpec::Mu(MuSpec::default()),
        ),
        entry(
            "aws-predictive",
            "hourly forecast and target tracking at 70 % of capacity, as EC2 Auto Scaling",
            PolicySpec::AwsPredictive(AwsPredictiveSpec::default()),
        ),
    ]
}

/// Five minutes of counts and a line through them.
fn phpa() -> PolicySpec {
    let linear = LinearSpec { history_size: 20, look_ahead: None };
    let model = ModelSpec { per_sync_period: 1, linear: Some(linear), holt_winters: None };
    let spec = PhpaSpec { hpa: HpaForm::cpu(50), models: vec![model], decision: Decision::Maximum };
    PolicySpec::Phpa(Box::new(spec))
}
