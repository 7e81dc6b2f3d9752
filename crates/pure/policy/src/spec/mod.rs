//! The forms in which scenarios and the command line name policies.
//!
//! ```yaml
//! - { name: five, static: { replicas: 5 } }
//! - { name: hpa-cpu-50, hpa: { cpu_percent: 50 } }
//! - { name: keda, keda: { metric: requests_per_second, threshold: 100, min: 0 } }
//! ```
//!
//! Manifests of Kubernetes are held as they are. A reader that finds a `kind` in a document (see
//! [`Peek`]) reads it as [`crate::hpa::HpaSpec`] or [`crate::keda::ScaledObject`] and makes the variant of
//! that name from it; within a scenario they stand under `horizontal_pod_autoscaler` and `scaled_object`.

mod catalog;
mod context;
mod hpa_form;
mod keda_form;
mod named;

pub use catalog::{NamedPolicy, catalog};
pub use context::{BuildContext, Promise, ServiceModel};
pub use hpa_form::HpaForm;
pub use keda_form::KedaForm;
pub use named::{Named, Peek};

use homeostat_core::{GuardProfile, Policy, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::autoscale::{Autoscale, AutoscaleSpec};
use crate::cron::{Cron, CronSpec};
use crate::error::PolicyError;
use crate::fixed::FixedSpec;
use crate::hpa::{ControllerFlags, Hpa, HpaSpec};
use crate::keda::{Keda, ScaledObject};
use crate::kpa::{Kpa, KpaMetric, KpaSpec};
use crate::predictive::{self, Predictive, PredictiveSpec, Use};
use crate::rejuvenate::{Rejuvenate, RejuvenateSpec};
use crate::restart::{Restart, RestartSpec};
use crate::rivals::aws::{AwsPredictive, AwsPredictiveSpec};
use crate::rivals::mark::{Mark, MarkSpec};
use crate::rivals::mu::{Mu, MuSpec};
use crate::rivals::phpa::{Phpa, PhpaSpec};
use crate::watermark::{Watermark, WatermarkSpec};

/// A policy and its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicySpec {
    /// Always the same count.
    Static(FixedSpec),
    /// Counts by the calendar.
    Cron(CronSpec),
    /// The horizontal pod autoscaler, in short.
    Hpa(HpaForm),
    /// Knative's pod autoscaler. The bounds of the target hold too; see [`PolicySpec::with_slots`].
    Kpa(KpaSpec),
    /// KEDA with one metric, in short.
    Keda(KedaForm),
    /// The watermark pod autoscaler.
    Watermark(WatermarkSpec),
    /// One of the `AutoScale` paper's policies.
    Autoscale(AutoscaleSpec),
    /// Ahead of the load by its forecast.
    Predictive(PredictiveSpec),
    /// The predictive horizontal pod autoscaler.
    Phpa(Box<PhpaSpec>),
    /// `MArk`'s proactive provisioning.
    Mark(MarkSpec),
    /// Mu's autoscaler.
    Mu(MuSpec),
    /// Predictive scaling by the hour, as EC2 Auto Scaling does it.
    AwsPredictive(AwsPredictiveSpec),
    /// Replaces replicas before a leak kills them; no wish for the count.
    Rejuvenate(RejuvenateSpec),
    /// Restarts replicas at an age, after a number of requests or above a share of the memory limit; no wish
    /// for the count.
    Restart(RestartSpec),
    /// Several policies behind one arbiter, each asked in its own rhythm.
    Together(Vec<PolicySpec>),
    /// A manifest of the horizontal pod autoscaler.
    HorizontalPodAutoscaler(Box<HpaSpec>),
    /// A manifest of KEDA.
    ScaledObject(Box<ScaledObject>),
}

impl PolicySpec {
    /// The policies that stand together behind one arbiter: most often one.
    pub fn build_all(&self, context: &BuildContext) -> Result<Vec<Box<dyn Policy>>, PolicyError> {
        let Self::Together(all) = self else { return Ok(vec![self.build(context)?]) };
        if all.is_empty() {
            let expected = "at least one policy";
            return Err(PolicyError::new("together", "is empty", expected, "[{ hpa: { cpu_percent: 60 } }]"));
        }
        let mut policies = Vec::new();
        for spec in all {
            policies.extend(spec.build_all(context)?);
        }
        Ok(policies)
    }

    /// The policy, ready to be asked.
    pub fn build(&self, context: &BuildContext) -> Result<Box<dyn Policy>, PolicyError> {
        let (template, bounds) = (&context.template, (context.min, context.max));
        Ok(match self {
            Self::Static(spec) => Box::new(context.fixed(spec)?),
            Self::Cron(spec) => Box::new(Cron::new(spec, bounds)?),
            Self::Hpa(form) => Box::new(Hpa::new(&form.manifest(context)?, template, form.flags())?),
            Self::Kpa(spec) => Box::new(Kpa::new(context.kpa(spec))?),
            Self::Keda(form) => Box::new(Keda::new(&form.manifest(context)?, template, context.start)?),
            Self::Watermark(spec) => {
                let request = |resource: &str| template.request(resource, None);
                Box::new(Watermark::new(spec.clone(), bounds, request)?)
            }
            Self::Autoscale(spec) => {
                let (capacity, peak) = (context.capacity_per_replica, context.peak_rate);
                Box::new(Autoscale::new(spec, capacity, peak, bounds)?)
            }
            Self::Predictive(spec) => Box::new(Predictive::new(spec, context)?),
            Self::Phpa(spec) => Box::new(Phpa::new(spec, context)?),
            Self::Mark(spec) => {
                let policy = Mark::new(spec, context.capacity_per_replica, bounds)?;
                Box::new(context.warmed(policy, Mark::warmed))
            }
            Self::Mu(spec) => {
                let policy = Mu::new(spec, context.capacity_per_replica, bounds)?;
                Box::new(context.warmed(policy, Mu::warmed))
            }
            Self::AwsPredictive(spec) => {
                let policy = AwsPredictive::new(spec, context.capacity_per_replica, bounds)?;
                Box::new(context.warmed(policy, AwsPredictive::warmed))
            }
            Self::Rejuvenate(spec) => Box::new(Rejuvenate::new(spec, context.min, context.memory_limit_mib)?),
            Self::Restart(spec) => Box::new(Restart::new(spec, context.min, context.memory_limit_mib)?),
            Self::Together(_) => {
                let expected = "one policy; several are built by `build_all`";
                return Err(PolicyError::new("together", "can't stand here", expected, "hpa: …"));
            }
            Self::HorizontalPodAutoscaler(manifest) => {
                Box::new(Hpa::new(manifest, template, ControllerFlags::default())?)
            }
            Self::ScaledObject(manifest) => Box::new(Keda::new(manifest, template, context.start)?),
        })
    }

    /// The policy as a manifest for the workload `name`, where a cluster takes one: the same decisions.
    /// `None` for policies that are written in our own forms only.
    pub fn manifest(&self, name: &str, context: &BuildContext) -> Result<Option<Self>, PolicyError> {
        Ok(match self {
            Self::Hpa(form) => {
                let mut manifest = form.manifest(context)?;
                name.clone_into(&mut manifest.metadata.name);
                name.clone_into(&mut manifest.spec.scale_target_ref.name);
                Some(Self::HorizontalPodAutoscaler(Box::new(manifest)))
            }
            Self::Keda(form) => {
                let mut manifest = form.manifest(context)?;
                name.clone_into(&mut manifest.metadata.name);
                name.clone_into(&mut manifest.spec.scale_target_ref.name);
                Some(Self::ScaledObject(Box::new(manifest)))
            }
            Self::HorizontalPodAutoscaler(_) | Self::ScaledObject(_) => Some(self.clone()),
            _ => None,
        })
    }

    /// The same policy for replicas that serve `slots` requests at a time.
    ///
    /// Knative aims at 100 requests per replica unless it is told what a replica takes; whoever runs it
    /// sets `containerConcurrency`, and so does this, where neither that nor a target is set. Mu is told
    /// as well. Other policies stay as they are.
    #[must_use]
    pub fn with_slots(&self, slots: u32) -> Self {
        match self {
            Self::Kpa(spec)
                if spec.target.is_none()
                    && spec.container_concurrency == 0
                    && spec.metric == KpaMetric::Concurrency =>
            {
                Self::Kpa(KpaSpec { container_concurrency: slots, ..spec.clone() })
            }
            Self::Mu(spec) if spec.slots.is_none() => Self::Mu(MuSpec { slots: Some(slots), ..spec.clone() }),
            Self::Together(all) => Self::Together(all.iter().map(|spec| spec.with_slots(slots)).collect()),
            _ => self.clone(),
        }
    }

    /// The step in which the policy wants the rates before its beginning, if it wants them.
    pub fn history_step(&self) -> Option<Span> {
        match self {
            Self::Predictive(spec) if spec.forecast != Use::Off => Some(spec.step),
            Self::Phpa(_) | Self::Mark(_) | Self::Mu(_) | Self::AwsPredictive(_) => Some(Span::MINUTE),
            Self::Together(all) => all.iter().find_map(Self::history_step),
            _ => None,
        }
    }

    /// The guards it runs under unless told otherwise: peers have bounds only, as upstream has.
    pub fn guard_profile(&self) -> GuardProfile {
        let bounds = GuardProfile::bounds_only();
        match self {
            Self::Together(all) => {
                let own = all.iter().map(Self::guard_profile).find(|profile| *profile != bounds);
                own.unwrap_or(bounds)
            }
            Self::Predictive(_) => predictive::guards(),
            _ => bounds,
        }
    }

    /// The name of the kind of policy, as it is written in files.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Static(_) => "static",
            Self::Cron(_) => "cron",
            Self::Hpa(_) | Self::HorizontalPodAutoscaler(_) => "hpa",
            Self::Kpa(_) => "kpa",
            Self::Keda(_) | Self::ScaledObject(_) => "keda",
            Self::Watermark(_) => "watermark",
            Self::Autoscale(_) => "autoscale",
            Self::Predictive(_) => "predictive",
            Self::Phpa(_) => "phpa",
            Self::Mark(_) => "mark",
            Self::Mu(_) => "mu",
            Self::AwsPredictive(_) => "aws_predictive",
            Self::Rejuvenate(_) => "rejuvenate",
            Self::Restart(_) => "restart",
            Self::Together(_) => "together",
        }
    }

    /// The kind of the policy that decides the count where it stands alone or beside today's restarts only,
    /// else `together`.
    pub fn counted_by(&self) -> &'static str {
        let Self::Together(all) = self else { return self.kind() };
        let mut counting = all.iter().filter(|spec| !matches!(spec, Self::Restart(_)));
        match (counting.next(), counting.next()) {
            (Some(one), None) => one.counted_by(),
            _ => self.kind(),
        }
    }

    /// The document that the policy follows, in one line.
    pub const fn source(&self) -> &'static str {
        match self {
            Self::Static(_) => "the replicas field of a Kubernetes Deployment",
            Self::Cron(_) => "KEDA's cron trigger: cron_scaler.go of kedacore/keda",
            Self::Hpa(_) | Self::HorizontalPodAutoscaler(_) => {
                "Kubernetes 1.37 horizontal pod autoscaler: pkg/controller/podautoscaler"
            }
            Self::Kpa(_) => "Knative serving v0.50.0: pkg/autoscaler and pkg/reconciler/autoscaling/kpa",
            Self::Keda(_) | Self::ScaledObject(_) => {
                "KEDA 2.20: pkg/scaling/executor and pkg/fallback of kedacore/keda"
            }
            Self::Watermark(_) => "DataDog/watermarkpodautoscaler: replica_calculator.go and its controller",
            Self::Predictive(_) => "docs/predictive-scaling.md of this repository",
            Self::Autoscale(_) => "Gandhi et al., AutoScale, ACM TOCS 30(4), 2012",
            Self::Phpa(_) => "jthomperoo/predictive-horizontal-pod-autoscaler, 2023",
            Self::Mark(_) => "Zhang et al., MArk, USENIX ATC 2019, and marcoszh/MArk-Project",
            Self::Mu(_) => "Mittal et al., Mu, SoCC 2021, as ported in eth-easl/dirigent",
            Self::AwsPredictive(_) => "EC2 Auto Scaling user guide, predictive scaling and target tracking",
            Self::Rejuvenate(_) => "our own: docs/rejuvenation.md",
            Self::Restart(_) => "PodLifeTime of kubernetes-sigs/descheduler; max_requests of gunicorn",
            Self::Together(_) => "several policies behind one arbiter: docs/rejuvenation.md",
        }
    }
}

#[cfg(test)]
mod tests;
