//! A service: what its replicas can do, what they cost, how they start.

use std::sync::Arc;

use homeostat_core::draw::Key;
use homeostat_core::guard::Bounds;
use homeostat_core::policy::Sensing;
use homeostat_core::{Instant, Policy, Span};
use homeostat_forecast::Series;
use homeostat_policy::error::PolicyError;
use homeostat_policy::hpa::PodTemplate;
use homeostat_policy::spec::{BuildContext, PolicySpec, Promise, ServiceModel};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::Duration;
use super::memory::{Cold, Leak, Memory};

/// Up to a number of requests at a time, the rest wait in order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slots {
    /// Requests served at the same time.
    pub slots: u32,
    /// Requests that may wait; beyond it they are refused. Default: no limit.
    #[serde(default = "unlimited")]
    pub queue: u32,
}

/// All requests at once, the pace falling by the Universal Scalability Law.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sharing {
    /// σ: 0 means no slowing, 1 plain processor sharing.
    pub contention: f64,
    /// κ: cost of coherency between each pair. Default 0.
    #[serde(default)]
    pub coherency: f64,
    /// Cores, for utilisation. Default 1.
    #[serde(default = "one")]
    pub cores: u32,
    /// Requests inside at most; beyond it they are refused. Default: no limit.
    #[serde(default = "unlimited")]
    pub limit: u32,
}

/// Groups that take `fixed + each · n`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Batches {
    /// Time that every batch takes.
    pub fixed: Span,
    /// Time that each request adds.
    pub each: Span,
    /// Largest batch.
    pub max_batch: u32,
    /// Longest wait of an idle server for company. Default 0.
    #[serde(default)]
    pub max_wait: Span,
    /// Requests that may wait. Default: no limit.
    #[serde(default = "unlimited")]
    pub queue: u32,
}

const fn unlimited() -> u32 {
    u32::MAX
}

const fn one() -> u32 {
    1
}

/// How a replica serves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Server {
    /// Bounded concurrency with a queue.
    Fcfs(Slots),
    /// Processor sharing with contention.
    Sharing(Sharing),
    /// Batches.
    Batch(Batches),
}

/// How requests are spread over replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Balancer {
    /// One after the other.
    RoundRobin,
    /// The one with the fewest requests inside.
    LeastOutstanding,
    /// The better of two at random.
    #[default]
    PowerOfTwo,
    /// Fill the oldest replica up to this many requests, then the next; the emptiest when all are full.
    IndexPacking(u32),
}

/// What goes wrong with a start-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The image can't be pulled: noticed after the pull, tried again with a growing pause.
    Image,
    /// The process dies while loading: noticed after the load, tried again with a growing pause.
    Crash,
    /// Nothing ever happens again.
    Hang,
}

/// A failure of start-ups.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What goes wrong.
    pub kind: FailureKind,
    /// Share of start-ups.
    pub probability: f64,
}

/// The phases from the order of a replica until it takes traffic.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StartUp {
    /// Until a node is chosen.
    pub scheduling: Duration,
    /// Until the image is on the node.
    pub image_pull: Duration,
    /// Until the process runs with its model loaded.
    pub model_load: Duration,
    /// Until it is ready for traffic.
    pub warm_up: Duration,
    /// What goes wrong.
    pub failures: Vec<Failure>,
}

impl StartUp {
    /// The expected time from order to readiness.
    pub fn mean(&self) -> Span {
        self.phases().iter().fold(Span::ZERO, |sum, phase| sum + phase.mean())
    }

    /// A time within which 95 % of the starts that don't fail are done.
    pub fn almost_all(&self) -> Span {
        let samplers = self.phases().map(Duration::sampler);
        let key = Key::root(0).child("almost all");
        let draw = |i| {
            let mut draws = key.at(i);
            samplers.iter().fold(Span::ZERO, |sum, sampler| sum + sampler.draw(&mut draws))
        };
        let mut times: Vec<Span> = (0..2_000).map(draw).collect();
        times.sort_unstable();
        times[times.len() * 95 / 100]
    }

    /// The phases in their order.
    pub const fn phases(&self) -> [&Duration; 4] {
        [&self.scheduling, &self.image_pull, &self.model_load, &self.warm_up]
    }

    /// Scales all phases so that they take `mean` together; where all were zero, the load takes it.
    pub fn set_mean(&mut self, mean: Span) {
        let now = self.mean();
        if now.is_zero() {
            self.model_load = Duration::Fixed(mean);
            return;
        }
        let factor = mean.as_secs_f64() / now.as_secs_f64();
        for phase in [&mut self.scheduling, &mut self.image_pull, &mut self.model_load, &mut self.warm_up] {
            *phase = phase.scaled(factor);
        }
    }
}

/// Points at which the distribution of the work is told, up to the objective's latency.
const LATENCY_PARTS: u64 = 64;

/// What a policy of a service is told of the world around it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outlook {
    /// Start of the load.
    pub start: Instant,
    /// Requests per second of the largest minute.
    pub peak_rate: f64,
    /// What was promised.
    pub promise: Option<Promise>,
    /// The world's metrics pipeline.
    pub metrics: Option<Sensing>,
    /// Rates before the start.
    pub history: Option<Arc<Series>>,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// How a replica serves.
    pub server: Server,
    /// Work per request, at full speed and alone. Ignored by batch servers.
    #[serde(default)]
    pub service_time: Duration,
    /// How requests are spread.
    #[serde(default)]
    pub balancer: Balancer,
    /// Least and largest count.
    pub replicas: Bounds,
    /// Replicas at the start; default: those needed by the traffic of the first minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial: Option<u32>,
    /// The phases of a start.
    #[serde(default)]
    pub start_up: StartUp,
    /// How long a replica told to stop may work on. Default 30 s.
    #[serde(default = "Service::default_drain")]
    pub drain: Span,
    /// CPU request of a replica in millicores; busy slots use it in proportion. Default 1000.
    #[serde(default = "Service::default_cpu")]
    pub cpu_milli: u32,
    /// Memory of a replica in MiB. Default 1024.
    #[serde(default = "Service::default_memory")]
    pub memory_mib: u32,
    /// Memory at which the kernel kills it, in MiB. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit_mib: Option<u32>,
    /// Memory that is never given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leak: Option<Leak>,
    /// What makes memory move that is no leak. Default: nothing.
    #[serde(default)]
    pub memory: Memory,
    /// Cold caches after a start. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cold: Option<Cold>,
    /// Price of a replica per hour. Default 1.
    #[serde(default = "Service::default_price")]
    pub price_per_hour: f64,
    /// What a request does next: stages one after the other, each naming services that are called at
    /// the same time. The slot of this service is free meanwhile.
    #[serde(default)]
    pub then: Vec<Vec<String>>,
}

impl Service {
    const fn default_drain() -> Span {
        Span::from_secs(30)
    }

    const fn default_cpu() -> u32 {
        1_000
    }

    const fn default_memory() -> u32 {
        1_024
    }

    const fn default_price() -> f64 {
        1.0
    }

    /// Requests that a replica can serve per second when it is never idle, and how many at a time that
    /// takes. For processor sharing the best of the contention curve.
    pub fn capacity_per_second(&self) -> f64 {
        let mean = self.service_time.mean().as_secs_f64().max(1e-9);
        match self.server {
            Server::Fcfs(slots) => f64::from(slots.slots) / mean,
            Server::Batch(batch) => {
                let n = f64::from(batch.max_batch);
                n / (batch.fixed.as_secs_f64() + batch.each.as_secs_f64() * n).max(1e-9)
            }
            Server::Sharing(sharing) => {
                let rate =
                    |n: f64| n / (1.0 + sharing.contention * (n - 1.0) + sharing.coherency * n * (n - 1.0));
                let top = sharing.limit.min(1_024);
                (1..=top).map(|n| rate(f64::from(n))).fold(0.0, f64::max) / mean
            }
        }
    }

    /// Requests that a replica serves at the same time when it is well used.
    const fn slots(&self) -> u32 {
        match self.server {
            Server::Fcfs(slots) => slots.slots,
            Server::Sharing(sharing) => sharing.cores,
            Server::Batch(batch) => batch.max_batch,
        }
    }

    /// A policy that scales this service.
    pub fn policy(&self, spec: &PolicySpec, outlook: &Outlook) -> Result<Box<dyn Policy>, PolicyError> {
        spec.with_slots(self.slots()).build(&self.context(outlook))
    }

    /// The policies that stand together behind one arbiter: see [`PolicySpec::build_all`].
    pub fn policies(
        &self,
        spec: &PolicySpec,
        outlook: &Outlook,
    ) -> Result<Vec<Box<dyn Policy>>, PolicyError> {
        spec.with_slots(self.slots()).build_all(&self.context(outlook))
    }

    /// A policy for this service in the form in which a cluster takes it, where there is one.
    pub fn manifest(&self, spec: &PolicySpec, outlook: &Outlook) -> Result<Option<PolicySpec>, PolicyError> {
        spec.with_slots(self.slots()).manifest(&self.name, &self.context(outlook))
    }

    fn context(&self, outlook: &Outlook) -> BuildContext {
        let memory_milli = i64::from(self.memory_mib) * 1_048_576 * 1_000;
        BuildContext {
            template: PodTemplate::single(i64::from(self.cpu_milli), memory_milli),
            min: self.replicas.min,
            max: self.replicas.max,
            capacity_per_replica: self.capacity_per_second(),
            peak_rate: outlook.peak_rate,
            start: outlook.start,
            history: outlook.history.clone(),
            promise: outlook.promise,
            service: outlook.promise.map(|promise| self.model(promise.latency)),
            metrics: outlook.metrics,
            memory_limit_mib: self.memory_limit_mib.map(f64::from),
        }
    }

    /// What a calibration of the service would tell, for an objective of this latency.
    pub fn model(&self, latency: Span) -> ServiceModel {
        let capacity = self.capacity_per_second();
        let full = Duration::Fixed(Span::from_secs_f64(f64::from(self.slots()) / capacity));
        let work = if matches!(self.server, Server::Batch(_)) { &full } else { &self.service_time };
        let share = |k: u64| work.beyond(Span(latency.0 / LATENCY_PARTS * k));
        ServiceModel {
            work: work.mean(),
            work_cv: work.variation(),
            beyond: (0..=LATENCY_PARTS).map(share).collect(),
            slots: capacity * work.mean().as_secs_f64(),
            start_up: self.start_up.almost_all(),
        }
    }
}
