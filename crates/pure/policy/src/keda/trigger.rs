//! Triggers: what each manifest entry reads, when it is active, and which metric it gives to the
//! autoscaler.

use homeostat_core::observe::FetchError;
use homeostat_core::{Instant, Need, Reading};

use super::manifest::Trigger as Entry;
use crate::cron::{CronWindow, UtcOffset};
use crate::error::PolicyError;
use crate::hpa::{ContainerSource, MetricName, MetricSpec, NamedSource, Quantity, ResourceSource, Target};

const SUPPORTED: &str = "one of cpu, memory, cron, prometheus, external";

/// A trigger, understood.
#[derive(Debug, Clone)]
pub(super) struct Trigger {
    /// The metric of the autoscaler.
    pub(super) metric: MetricSpec,
    pub(super) source: Source,
}

/// What a trigger reads.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// CPU or memory: the autoscaler reads it by itself, the operator doesn't look at it.
    Resource(Need),
    /// A named metric from outside.
    External(External),
    /// The calendar.
    Cron { window: CronWindow, offset: UtcOffset, replicas: i64 },
}

/// A named metric from outside.
#[derive(Debug, Clone)]
pub(super) struct External {
    pub(super) name: String,
    pub(super) threshold: f64,
    pub(super) activation_milli: i64,
    pub(super) per_replica: bool,
    /// Prometheus with `ignoreNullValues`: no series counts as zero.
    pub(super) empty_is_zero: bool,
}

/// What the operator learns from a trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activity {
    Active,
    Inactive,
    Failed,
    /// Has no say in whether there is load.
    Silent,
}

impl Trigger {
    pub(super) fn parse(index: usize, entry: &Entry) -> Result<Self, PolicyError> {
        let reader = Reader { index, entry };
        match entry.kind.as_str() {
            "cpu" | "memory" => reader.resource(),
            "prometheus" | "external" => reader.external(),
            "cron" => reader.cron(),
            other => Err(PolicyError::new(
                format!("spec.triggers[{index}].type"),
                format!("trigger `{other}` is not supported"),
                SUPPORTED,
                "prometheus",
            )),
        }
    }

    /// What the world has to deliver for it; nothing for the calendar.
    pub(super) fn need(&self) -> Option<Need> {
        match &self.source {
            Source::Resource(need) => Some(need.clone()),
            Source::External(external) => Some(Need::External(external.name.clone())),
            Source::Cron { .. } => None,
        }
    }

    /// Whether there is load, by its reading.
    pub(super) fn activity(&self, reading: Option<&Reading>, at: Instant) -> Activity {
        let active = match &self.source {
            Source::Resource(_) => return Activity::Silent,
            Source::Cron { window, offset, .. } => window.holds(at, *offset),
            Source::External(external) => match external.total(reading) {
                None => return Activity::Failed,
                Some(milli) => milli > external.activation_milli,
            },
        };
        if active { Activity::Active } else { Activity::Inactive }
    }
}

impl External {
    /// The sum of the series in thousandths.
    pub(super) fn total(&self, reading: Option<&Reading>) -> Option<i64> {
        match reading {
            Some(Reading::Total { milli, .. }) if !milli.is_empty() => {
                Some(milli.iter().fold(0, |sum: i64, value| sum.saturating_add(*value)))
            }
            Some(Reading::Total { .. } | Reading::Failed(FetchError::Empty)) if self.empty_is_zero => Some(0),
            _ => None,
        }
    }
}

struct Reader<'a> {
    index: usize,
    entry: &'a Entry,
}

impl Reader<'_> {
    fn refuse(&self, field: &str, problem: String, expected: &str, example: &str) -> PolicyError {
        PolicyError::new(format!("spec.triggers[{}].{field}", self.index), problem, expected, example)
    }

    fn text(&self, key: &str, example: &str) -> Result<&str, PolicyError> {
        let text = self.entry.metadata.get(key).map(|text| text.trim()).filter(|text| !text.is_empty());
        text.ok_or_else(|| self.refuse("metadata", format!("`{key}` is missing"), key, example))
    }

    fn amount(&self, key: &str, text: &str) -> Result<f64, PolicyError> {
        let amount = text.parse::<f64>().ok().filter(|amount| amount.is_finite() && *amount >= 0.0);
        let problem = || format!("`{text}` is not an amount");
        amount.ok_or_else(|| self.refuse(&format!("metadata.{key}"), problem(), "a number, 0 or more", "100"))
    }

    /// The metric's type; only the `allowed` ones, the first by default.
    fn metric_type(&self, allowed: &[&'static str]) -> Result<&'static str, PolicyError> {
        let Some(kind) = self.entry.metric_type.as_deref().filter(|kind| !kind.is_empty()) else {
            return Ok(allowed[0]);
        };
        let known = allowed.iter().find(|known| **known == kind).copied();
        known.ok_or_else(|| {
            let problem = format!("`{kind}` can't be used with trigger `{}`", self.entry.kind);
            self.refuse("metricType", problem, &allowed.join(" or "), allowed[0])
        })
    }

    fn resource(&self) -> Result<Trigger, PolicyError> {
        let kind = self.metric_type(&["Utilization", "AverageValue"])?;
        let text = self.text("value", "60")?;
        let wrong = || self.refuse("metadata.value", format!("`{text}`"), "per cent or a quantity", "60");
        let target = Target {
            kind: kind.to_owned(),
            average_utilization: (kind == "Utilization")
                .then(|| text.parse())
                .transpose()
                .map_err(|_| wrong())?,
            average_value: (kind == "AverageValue").then(|| text.parse()).transpose().map_err(|_| wrong())?,
            value: None,
        };
        let resource = self.entry.kind.clone();
        let container = self.entry.metadata.get("containerName").cloned();
        let (metric, need) = match container {
            None => {
                let source = ResourceSource { name: resource.clone(), target };
                let metric = MetricSpec { resource: Some(source), ..kind_of("Resource") };
                (metric, Need::Resource(resource))
            }
            Some(container) => {
                let source = ContainerSource { name: resource.clone(), container: container.clone(), target };
                let metric = MetricSpec { container_resource: Some(source), ..kind_of("ContainerResource") };
                (metric, Need::ContainerResource { container, resource })
            }
        };
        Ok(Trigger { metric, source: Source::Resource(need) })
    }

    fn external(&self) -> Result<Trigger, PolicyError> {
        let name = match self.entry.metadata.get("metricName") {
            Some(name) => name.trim(),
            None => self.text("query", "requests_per_second")?,
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:/".contains(c);
        if name.is_empty() || !name.chars().all(plain) {
            return Err(self.refuse(
                "metadata",
                format!("`{name}` is not the plain name of a metric, and queries are not evaluated here"),
                "`metricName` or `query` with the name of one of the world's metrics",
                "requests_per_second",
            ));
        }
        let threshold = self.amount("threshold", self.text("threshold", "100")?)?;
        let activation = self.entry.metadata.get("activationThreshold").map_or("0", String::as_str);
        let activation = self.amount("activationThreshold", activation)?;
        let per_replica = self.metric_type(&["AverageValue", "Value"])? == "AverageValue";
        let strict = self.entry.metadata.get("ignoreNullValues").is_some_and(|value| value == "false");
        let source = Source::External(External {
            name: name.to_owned(),
            threshold,
            activation_milli: (activation * 1_000.0) as i64,
            per_replica,
            empty_is_zero: self.entry.kind == "prometheus" && !strict,
        });
        Ok(Trigger { metric: external_metric(name, threshold, per_replica), source })
    }

    fn cron(&self) -> Result<Trigger, PolicyError> {
        let zone = self.text("timezone", "UTC")?;
        let offset = UtcOffset::parse(zone).ok_or_else(|| {
            let problem =
                format!("`{zone}` is not a fixed offset; rules of daylight saving are not known here");
            self.refuse("metadata.timezone", problem, "UTC or an offset from it", "+02:00")
        })?;
        let (start, end) = (self.text("start", "0 8 * * *")?, self.text("end", "0 20 * * *")?);
        let window = CronWindow::parse(start, end).map_err(|problem| {
            self.refuse("metadata", problem, "two cron expressions of five fields", "0 8 * * *")
        })?;
        let replicas = self.amount("desiredReplicas", self.text("desiredReplicas", "10")?)? as i64;
        let per_replica = self.metric_type(&["AverageValue", "Value"])? == "AverageValue";
        let name = format!("s{}-cron", self.index);
        let source = Source::Cron { window, offset, replicas };
        Ok(Trigger { metric: external_metric(&name, 1.0, per_replica), source })
    }
}

fn kind_of(kind: &str) -> MetricSpec {
    MetricSpec { kind: kind.to_owned(), ..MetricSpec::default() }
}

fn external_metric(name: &str, threshold: f64, per_replica: bool) -> MetricSpec {
    let amount = Some(Quantity::from_milli((threshold * 1_000.0) as i64));
    let target = if per_replica {
        Target { kind: "AverageValue".to_owned(), average_value: amount, ..Target::default() }
    } else {
        Target { kind: "Value".to_owned(), value: amount, ..Target::default() }
    };
    let metric = MetricName { name: name.to_owned(), selector: None };
    MetricSpec { external: Some(NamedSource { metric, target }), ..kind_of("External") }
}
