//! A policy with a name, as scenarios list them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HpaForm, KedaForm, PolicySpec};
use crate::autoscale::AutoscaleSpec;
use crate::cron::CronSpec;
use crate::fixed::FixedSpec;
use crate::hpa::HpaSpec;
use crate::keda::ScaledObject;
use crate::kpa::KpaSpec;
use crate::predictive::PredictiveSpec;
use crate::rejuvenate::RejuvenateSpec;
use crate::restart::RestartSpec;
use crate::rivals::aws::AwsPredictiveSpec;
use crate::rivals::mark::MarkSpec;
use crate::rivals::mu::MuSpec;
use crate::rivals::phpa::PhpaSpec;
use crate::watermark::WatermarkSpec;

/// A policy with a name: `{ name: hpa-cpu-50, hpa: { cpu_percent: 50 } }`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Fields", into = "Fields")]
pub struct Named {
    /// The name; that of the kind of policy when left out.
    pub name: String,
    /// The policy.
    pub policy: PolicySpec,
}

/// Enough of a document to tell manifests from our own forms.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Peek {
    /// `HorizontalPodAutoscaler`, `ScaledObject`, or nothing for our own forms.
    #[serde(default)]
    pub kind: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(rename = "static", default, skip_serializing_if = "Option::is_none")]
    fixed: Option<FixedSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cron: Option<CronSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hpa: Option<HpaForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kpa: Option<KpaSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keda: Option<KedaForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    watermark: Option<WatermarkSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    autoscale: Option<AutoscaleSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    predictive: Option<PredictiveSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phpa: Option<Box<PhpaSpec>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mark: Option<MarkSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mu: Option<MuSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aws_predictive: Option<AwsPredictiveSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rejuvenate: Option<RejuvenateSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    restart: Option<RestartSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    together: Option<Vec<PolicySpec>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    horizontal_pod_autoscaler: Option<Box<HpaSpec>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scaled_object: Option<Box<ScaledObject>>,
}

const KINDS: &str = "static, cron, hpa, kpa, keda, watermark, autoscale, predictive, phpa, mark, mu, \
                     aws_predictive, rejuvenate, restart, together, horizontal_pod_autoscaler, \
                     scaled_object";

impl TryFrom<Fields> for Named {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Self, String> {
        let all = [
            fields.fixed.map(PolicySpec::Static),
            fields.cron.map(PolicySpec::Cron),
            fields.hpa.map(PolicySpec::Hpa),
            fields.kpa.map(PolicySpec::Kpa),
            fields.keda.map(PolicySpec::Keda),
            fields.watermark.map(PolicySpec::Watermark),
            fields.autoscale.map(PolicySpec::Autoscale),
            fields.predictive.map(PolicySpec::Predictive),
            fields.phpa.map(PolicySpec::Phpa),
            fields.mark.map(PolicySpec::Mark),
            fields.mu.map(PolicySpec::Mu),
            fields.aws_predictive.map(PolicySpec::AwsPredictive),
            fields.rejuvenate.map(PolicySpec::Rejuvenate),
            fields.restart.map(PolicySpec::Restart),
            fields.together.map(PolicySpec::Together),
            fields.horizontal_pod_autoscaler.map(PolicySpec::HorizontalPodAutoscaler),
            fields.scaled_object.map(PolicySpec::ScaledObject),
        ];
        let mut given = all.into_iter().flatten();
        let name = fields.name.unwrap_or_default();
        match (given.next(), given.next()) {
            (Some(policy), None) if name.is_empty() => Ok(Self { name: policy.kind().to_owned(), policy }),
            (Some(policy), None) => Ok(Self { name, policy }),
            (None, _) => Err(format!("policy `{name}` has no kind; name one of {KINDS}")),
            (Some(_), Some(_)) => Err(format!("policy `{name}` has several kinds; name one of {KINDS}")),
        }
    }
}

impl From<Named> for Fields {
    fn from(named: Named) -> Self {
        let mut fields = Self { name: Some(named.name), ..Self::default() };
        match named.policy {
            PolicySpec::Static(spec) => fields.fixed = Some(spec),
            PolicySpec::Cron(spec) => fields.cron = Some(spec),
            PolicySpec::Hpa(form) => fields.hpa = Some(form),
            PolicySpec::Kpa(spec) => fields.kpa = Some(spec),
            PolicySpec::Keda(form) => fields.keda = Some(form),
            PolicySpec::Watermark(spec) => fields.watermark = Some(spec),
            PolicySpec::Autoscale(spec) => fields.autoscale = Some(spec),
            PolicySpec::Predictive(spec) => fields.predictive = Some(spec),
            PolicySpec::Phpa(spec) => fields.phpa = Some(spec),
            PolicySpec::Mark(spec) => fields.mark = Some(spec),
            PolicySpec::Mu(spec) => fields.mu = Some(spec),
            PolicySpec::AwsPredictive(spec) => fields.aws_predictive = Some(spec),
            PolicySpec::Rejuvenate(spec) => fields.rejuvenate = Some(spec),
            PolicySpec::Restart(spec) => fields.restart = Some(spec),
            PolicySpec::Together(all) => fields.together = Some(all),
            PolicySpec::HorizontalPodAutoscaler(manifest) => {
                fields.horizontal_pod_autoscaler = Some(manifest);
            }
            PolicySpec::ScaledObject(manifest) => fields.scaled_object = Some(manifest),
        }
        fields
    }
}
