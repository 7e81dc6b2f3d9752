//! What a scenario may not say. Types and unknown fields are refused while reading; here are the rules
//! that need more than one field or a range.

use homeostat_core::Span;

use super::{
    Fault, FaultKind, Generated, Leak, NodePool, SCENARIO_VERSION, Scenario, Server, Service, Source,
};

/// A scenario that can't be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct ScenarioError {
    /// The field, for example `services[0].replicas`.
    pub path: String,
    /// What is wrong, what was expected, and an example.
    pub problem: String,
}

type Checked = Result<(), ScenarioError>;

fn bad(path: impl Into<String>, problem: impl Into<String>) -> Checked {
    Err(ScenarioError { path: path.into(), problem: problem.into() })
}

fn require(holds: bool, path: impl Into<String>, problem: &str) -> Checked {
    if holds { Ok(()) } else { bad(path, problem) }
}

fn share(value: f64, path: impl Into<String>) -> Checked {
    require((0.0..=1.0).contains(&value), path, "must be a share from 0 to 1, for example 0.05")
}

fn positive(value: f64, path: impl Into<String>) -> Checked {
    require(value.is_finite() && value > 0.0, path, "must be a positive number, for example 1.5")
}

fn not_negative(value: f64, path: impl Into<String>) -> Checked {
    require(value.is_finite() && value >= 0.0, path, "must be 0 or more, for example 0.1")
}

fn check_leak(leak: &Leak, path: &str) -> Checked {
    let amounts = [
        ("mib_per_hour", leak.mib_per_hour),
        ("mib_per_1000_requests", leak.mib_per_1000_requests),
        ("acceleration_per_hour", leak.acceleration_per_hour),
        ("step_mib", leak.step_mib),
        ("cv", leak.cv),
    ];
    for (field, amount) in amounts {
        not_negative(amount, format!("{path}.{field}"))?;
    }
    share(leak.share, format!("{path}.share"))
}

/// Steps of a generated series at most.
const MOST_STEPS: u64 = 10_000_000;

fn check_surges(g: &Generated) -> Checked {
    for (name, bursts) in [("bursts", g.bursts), ("flash_crowds", g.flash_crowds)] {
        let path = |field| format!("traffic.source.generate.{name}.{field}");
        not_negative(bursts.per_day, path("per_day"))?;
        not_negative(bursts.height, path("height"))?;
    }
    if let Some(regular) = g.regular {
        not_negative(regular.height, "traffic.source.generate.regular.height")?;
        let path = "traffic.source.generate.regular.every";
        require(!regular.every.is_zero(), path, "must be positive, for example 30m")?;
    }
    Ok(())
}

impl Scenario {
    /// Refuses a scenario that can't be run, naming the field.
    pub fn check(&self) -> Checked {
        require(
            self.version == SCENARIO_VERSION,
            "version",
            "this build reads version 1; write `version: 1`",
        )?;
        require(!self.name.is_empty(), "name", "must not be empty, for example my-service")?;
        let attainment = "must be a share from 0 to 1, for example 0.999";
        require((0.0..=1.0).contains(&self.objective.attainment), "objective.attainment", attainment)?;
        require(!self.objective.latency.is_zero(), "objective.latency", "must be positive, for example 1s")?;
        require(!self.client.timeout.is_zero(), "client.timeout", "must be positive, for example 10s")?;
        let name = |c: &String| (1..=16).contains(&c.chars().count()) && c.chars().all(char::is_alphanumeric);
        let currency = "must be a name of 1 to 16 letters or digits, for example USD";
        require(self.currency.as_ref().is_none_or(name), "currency", currency)?;
        self.check_traffic()?;
        self.check_metrics()?;
        require(
            !self.services.is_empty(),
            "services",
            "at least one service is needed, for example [{ name: model, replicas: { … }, … }]",
        )?;
        for (i, service) in self.services.iter().enumerate() {
            service.check(&format!("services[{i}]"))?;
            self.check_calls(i)?;
        }
        for (i, pool) in self.nodes.iter().enumerate() {
            self.check_pool(pool, &format!("nodes[{i}]"))?;
        }
        for (i, fault) in self.faults.iter().enumerate() {
            self.check_fault(fault, &format!("faults[{i}]"))?;
        }
        if let Some(validation) = &self.validation {
            not_negative(validation.limit, "validation.limit")?;
            not_negative(validation.attainment_limit, "validation.attainment_limit")?;
            let known = validation.p99_error.is_finite() && validation.p99_error >= -1.0;
            let problem = "must be twin over record less one, for example 0.08";
            require(known, "validation.p99_error", problem)?;
            let attainment = validation.attainment_error.unwrap_or(0.0);
            let problem = "must be a difference of shares, for example -0.004";
            require((-1.0..=1.0).contains(&attainment), "validation.attainment_error", problem)?;
        }
        for (i, contender) in self.policies.iter().enumerate() {
            let given = [contender.builtin.is_some(), contender.file.is_some(), contender.policy.is_some()];
            require(
                given.into_iter().filter(|g| *g).count() == 1,
                format!("policies[{i}]"),
                "needs exactly one of builtin, file and policy, for example { builtin: hpa-cpu-50 }",
            )?;
            if let Some(guards) = &contender.guards {
                guards.check().or_else(|e| bad(format!("policies[{i}].{}", "guards"), e.to_string()))?;
            }
        }
        Ok(())
    }

    fn check_traffic(&self) -> Checked {
        use super::Scale::{Factor, MeanReplicas};
        if let Some(Factor(value) | MeanReplicas(value)) = self.traffic.scale {
            positive(value, "traffic.scale")?;
        }
        let step = |span: Option<Span>, path: &str| {
            require(span.is_none_or(|s| !s.is_zero()), path, "must be positive, for example 10s")
        };
        step(self.traffic.resample, "traffic.resample")?;
        step(self.traffic.take, "traffic.take")?;
        match &self.traffic.source {
            Source::Trace(trace) => step(trace.step, "traffic.source.trace.step"),
            Source::Shape(_) => Ok(()),
            Source::Constant(constant) => {
                not_negative(constant.rps, "traffic.source.constant.rps")?;
                step(Some(constant.length), "traffic.source.constant.length")
            }
            Source::Generate(g) => {
                let path = |field| format!("traffic.source.generate.{field}");
                step(Some(g.step), &path("step"))?;
                require(
                    g.length >= g.step,
                    path("length"),
                    "must be at least one step long, for example 2d",
                )?;
                require(
                    g.length.0 / g.step.0 <= MOST_STEPS,
                    path("step"),
                    "makes more than 10 million steps of the length; take a longer one, for example 60s",
                )?;
                positive(g.mean_rps, path("mean_rps"))?;
                share(g.daily, path("daily"))?;
                share(g.weekend, path("weekend"))?;
                not_negative(g.drift, path("drift"))?;
                not_negative(g.noise, path("noise"))?;
                check_surges(g)
            }
        }
    }

    fn check_metrics(&self) -> Checked {
        let metrics = &self.metrics;
        share(metrics.missing, "metrics.missing")?;
        share(metrics.stale, "metrics.stale")?;
        share(metrics.noise, "metrics.noise")?;
        require(!metrics.scrape.is_zero(), "metrics.scrape", "must be positive, for example 15s")?;
        require(
            metrics.window >= metrics.scrape,
            "metrics.window",
            "must be at least as long as metrics.scrape: a rate needs two samples",
        )
    }

    fn check_calls(&self, index: usize) -> Checked {
        let path = format!("services[{index}].then");
        for name in self.services[index].then.iter().flatten() {
            let Some(to) = self.services.iter().position(|s| s.name == *name) else {
                let known: Vec<&str> = self.services.iter().map(|s| s.name.as_str()).collect();
                return bad(path, format!("no service is called `{name}`; there are {}", known.join(", ")));
            };
            require(
                to > index,
                path.as_str(),
                "a service may only call services listed after it, so that requests end; move that one down",
            )?;
        }
        let twice = |s: &Service| s.name == self.services[index].name;
        require(
            self.services.iter().filter(|s| twice(s)).count() == 1,
            format!("services[{index}].name"),
            "two services have this name; give one of them another, for example model-b",
        )
    }

    fn check_pool(&self, pool: &NodePool, path: &str) -> Checked {
        positive(pool.speed, format!("{path}.speed"))?;
        not_negative(pool.price_per_hour, format!("{path}.price_per_hour"))?;
        require(
            pool.min <= pool.max,
            format!("{path}.min"),
            "must not exceed max, for example min: 1, max: 4",
        )?;
        if let Some(problem) = pool.provision.problem() {
            return bad(format!("{path}.provision"), problem);
        }
        let fits = |s: &Service| s.cpu_milli <= pool.cpu_milli && s.memory_mib <= pool.memory_mib;
        require(
            self.services.iter().any(fits),
            path,
            "no replica of any service fits on a node of this type; give it more cpu_milli or memory_mib",
        )
    }

    fn check_fault(&self, fault: &Fault, path: &str) -> Checked {
        require(
            fault.at.is_some() != fault.every.is_some(),
            path,
            "say either `at: 1h` (once) or `every: 6h` (at random), not both",
        )?;
        require(
            fault.every.is_none_or(|every| !every.is_zero()),
            format!("{path}.every"),
            "must be positive, for example 6h",
        )?;
        if let Some(name) = &fault.service {
            let known = self.services.iter().any(|s| s.name == *name);
            require(known, format!("{path}.service"), "no service has this name")?;
        }
        match fault.kind {
            FaultKind::Slow { factor, .. } => positive(factor, format!("{path}.kind.slow.factor")),
            FaultKind::Crash | FaultKind::NodeLoss => Ok(()),
            FaultKind::Deploy(deploy) => {
                deploy.leak.map_or(Ok(()), |leak| check_leak(&leak, &format!("{path}.kind.deploy.leak")))
            }
        }
    }
}

impl Service {
    fn check(&self, path: &str) -> Checked {
        let at = |field: &str| format!("{path}.{field}");
        require(!self.name.is_empty(), at("name"), "must not be empty")?;
        let bounds = self.replicas;
        require(
            bounds.min <= bounds.max && bounds.max > 0,
            at("replicas"),
            "min must not exceed max, and max must be positive, for example { min: 1, max: 100 }",
        )?;
        require(self.initial.is_none_or(|n| n <= bounds.max), at("initial"), "must not exceed replicas.max")?;
        positive(f64::from(self.cpu_milli), at("cpu_milli"))?;
        not_negative(self.price_per_hour, at("price_per_hour"))?;
        self.check_server(&at("server"))?;
        let start = &self.start_up;
        let named = ["scheduling", "image_pull", "model_load", "warm_up"].into_iter().zip(start.phases());
        for (name, duration) in named {
            if let Some(problem) = duration.problem() {
                return bad(at(&format!("start_up.{name}")), problem);
            }
        }
        if let Some(problem) = self.service_time.problem() {
            return bad(at("service_time"), problem);
        }
        for failure in &start.failures {
            share(failure.probability, at("start_up.failures.probability"))?;
        }
        share(start.failures.iter().map(|f| f.probability).sum(), at("start_up.failures"))?;
        self.check_memory(path)
    }

    fn check_memory(&self, path: &str) -> Checked {
        let at = |field: &str| format!("{path}.{field}");
        if let Some(leak) = self.leak {
            check_leak(&leak, &at("leak"))?;
            require(
                self.memory_limit_mib.is_some_and(|limit| limit > self.memory_mib),
                at("memory_limit_mib"),
                "a leak needs a limit above memory_mib, for example memory_limit_mib: 4096",
            )?;
        }
        let memory = &self.memory;
        not_negative(memory.mib_per_request, at("memory.mib_per_request"))?;
        not_negative(memory.noise_mib, at("memory.noise_mib"))?;
        let mut rest = 0.0;
        if let Some(cache) = memory.cache {
            not_negative(cache.mib, at("memory.cache.mib"))?;
            require(
                !cache.fills_in.is_zero(),
                at("memory.cache.fills_in"),
                "must be positive, for example 30m",
            )?;
            rest += cache.mib;
        }
        if let Some(collector) = memory.collector {
            not_negative(collector.mib, at("memory.collector.mib"))?;
            let every = "must be positive, for example 10m";
            require(!collector.every.is_zero(), at("memory.collector.every"), every)?;
            rest += collector.mib;
        }
        let fits = |limit: u32| f64::from(limit) > f64::from(self.memory_mib) + rest;
        require(
            self.memory_limit_mib.is_none_or(fits),
            at("memory_limit_mib"),
            "must be above memory_mib with a full cache and before a collection: a replica would be killed \
             again and again",
        )?;
        let slower = self.cold.is_none_or(|cold| cold.factor.is_finite() && cold.factor >= 1.0);
        require(slower, at("cold.factor"), "must be 1 or more, for example 1.5")?;
        Ok(())
    }

    fn check_server(&self, path: &str) -> Checked {
        match self.server {
            Server::Fcfs(slots) => {
                let sane = (1..=4_096).contains(&slots.slots);
                require(sane, format!("{path}.fcfs.slots"), "must be from 1 to 4096, for example 4")
            }
            Server::Sharing(sharing) => {
                share(sharing.contention, format!("{path}.sharing.contention"))?;
                share(sharing.coherency, format!("{path}.sharing.coherency"))?;
                let cores = format!("{path}.sharing.cores");
                require(sharing.cores > 0, cores, "must be positive, for example 1")?;
                require(
                    sharing.limit > 0,
                    format!("{path}.sharing.limit"),
                    "must be positive, for example 64",
                )
            }
            Server::Batch(batch) => {
                let works = batch.max_batch > 0 && !(batch.fixed.is_zero() && batch.each.is_zero());
                require(
                    works,
                    format!("{path}.batch"),
                    "needs max_batch and a time, for example { fixed: 20ms, each: 5ms, max_batch: 16 }",
                )
            }
        }?;
        let needs_time = !matches!(self.server, Server::Batch(_));
        require(
            !(needs_time && self.service_time.mean().is_zero()),
            path.replace("server", "service_time"),
            "must be positive, for example service_time: { exponential: 200ms }",
        )
    }
}
