//! Journals of a run: one file per service.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use homeostat_core::journal::{Encoder, Header, JOURNAL_VERSION};
use homeostat_core::policy::Sensing;
use homeostat_core::{Controller, Decision, Instant, Observation, Span};
use homeostat_forecast::{Series, Value};
use homeostat_policy::spec::{PolicySpec, Promise};
use homeostat_trace::journal::JournalWriter;
use homeostat_twin::Recorder;
use homeostat_twin::scenario::{Objective, Outlook, Service};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::input::traffic;
use crate::run::job::Job;

/// Records between two that can be read without those before them.
const KEYFRAME_EVERY: u32 = 256;

/// What a replay needs to build the same policy again: the journal's `policy_spec`, as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Recipe {
    pub(crate) policy: PolicySpec,
    pub(crate) service: Service,
    /// Requests per second of the largest minute.
    pub(crate) peak_rate: f64,
    /// What was promised; absent in journals of version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) objective: Option<Objective>,
    /// The metrics pipeline: scrape, window, delay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) metrics: Option<[Span; 3]>,
    /// The rates before the start that the policy was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) history: Option<Past>,
}

/// A series as it is written.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Past {
    start: Instant,
    step: Span,
    /// Requests per second; null where nothing is known.
    rates: Vec<Option<f64>>,
}

impl Recipe {
    fn new(policy: &PolicySpec, service: &Service, objective: Objective, outlook: &Outlook) -> Self {
        let past = |series: &Arc<Series>| Past {
            start: series.start,
            step: series.step,
            rates: series.values.iter().map(|value| value.known()).collect(),
        };
        Self {
            policy: policy.clone(),
            service: service.clone(),
            peak_rate: outlook.peak_rate,
            objective: Some(objective),
            metrics: outlook.metrics.map(|sensing| [sensing.scrape, sensing.window, sensing.delay]),
            history: outlook.history.as_ref().map(past),
        }
    }

    /// What the policy was told of the world.
    pub(crate) fn outlook(&self, start: Instant) -> Outlook {
        let series = |past: &Past| {
            let values = past.rates.iter().map(|rate| rate.map_or(Value::Missing, Value::Known)).collect();
            Arc::new(Series { start: past.start, step: past.step, values })
        };
        let promise = |own: Objective| Promise { latency: own.latency, attainment: own.attainment };
        Outlook {
            start,
            peak_rate: self.peak_rate,
            promise: self.objective.map(promise),
            metrics: self.metrics.map(|[scrape, window, delay]| Sensing { scrape, window, delay }),
            history: self.history.as_ref().map(series),
        }
    }
}

/// The journals of one run.
pub(crate) struct Journals {
    files: Vec<(Encoder, JournalWriter, u32)>,
    buffer: Vec<u8>,
}

impl Journals {
    pub(crate) fn create(folder: &Path, job: &Job<'_>, controllers: &[Controller]) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder)
            .map_err(|error| Failure::new(format!("cannot make the folder {}: {error}", folder.display())))?;
        let services = &job.world.scenario.services;
        let outlooks = traffic::outlooks(job.world, job.load, &job.entrant.policy, job.seed)?;
        let mut files = Vec::new();
        for ((service, controller), outlook) in services.iter().zip(controllers).zip(outlooks) {
            let path = path(folder, &job.entrant.name, (services.len() > 1).then_some(&service.name));
            let header = header(job, service, controller, &outlook)?;
            let writer = JournalWriter::create(&path, &serde_json::to_vec(&header)?)?;
            files.push((Encoder::new(controller.needs()), writer, 0));
        }
        Ok(Self { files, buffer: Vec::new() })
    }

    /// Completes the files.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        for (_, writer, _) in self.files {
            writer.finish()?;
        }
        Ok(())
    }
}

impl Recorder for Journals {
    fn decided(&mut self, service: usize, seen: &Observation, decision: &Decision) -> Result<(), String> {
        let (encoder, writer, count) = &mut self.files[service];
        if *count % KEYFRAME_EVERY == 0 {
            encoder.reset();
        }
        *count += 1;
        self.buffer.clear();
        encoder.append(seen, decision, &mut self.buffer);
        writer.append(&self.buffer).map_err(|error| error.to_string())
    }
}

fn path(folder: &Path, policy: &str, service: Option<&String>) -> PathBuf {
    let safe = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let name: String = match service {
        Some(service) => format!("{policy}.{service}.journal").chars().map(safe).collect(),
        None => format!("{policy}.journal").chars().map(safe).collect(),
    };
    folder.join(name)
}

fn header(
    job: &Job<'_>,
    service: &Service,
    controller: &Controller,
    outlook: &Outlook,
) -> Result<Header, Failure> {
    let scenario = serde_json::to_string(&job.world.scenario)?;
    let objective = job.world.scenario.objective;
    let recipe = Recipe::new(&job.entrant.policy, service, objective, outlook);
    let mut header = Header {
        schema_version: JOURNAL_VERSION,
        software_version: env!("CARGO_PKG_VERSION").to_owned(),
        scenario: job.world.scenario.name.clone(),
        scenario_digest: format!("{:016x}", digest(scenario.as_bytes())),
        policy: job.entrant.name.clone(),
        policy_spec: serde_json::to_string(&recipe)?,
        guards: job.entrant.guards.clone(),
        bounds: service.replicas,
        need_names: Vec::new(),
        needs: Vec::new(),
        seed: job.seed,
        trace_start_ns: job.load.start.0,
    };
    header.set_needs(controller.needs());
    Ok(header)
}

/// FNV-1a, 64 bits: tells scenarios apart, guards against nothing.
fn digest(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
