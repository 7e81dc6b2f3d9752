//! Journals of a run: one file per service.

use std::path::{Path, PathBuf};

use homeostat_core::journal::{Encoder, Header, JOURNAL_VERSION};
use homeostat_core::{Controller, Decision, Observation};
use homeostat_policy::spec::PolicySpec;
use homeostat_trace::journal::JournalWriter;
use homeostat_twin::Recorder;
use homeostat_twin::scenario::Service;
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
        let visits = traffic::visits(&job.world.scenario);
        let mut files = Vec::new();
        for ((service, controller), visits) in services.iter().zip(controllers).zip(visits) {
            let path = path(folder, &job.entrant.name, (services.len() > 1).then_some(&service.name));
            let header = header(job, service, controller, job.load.peak_rate * visits)?;
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
    peak_rate: f64,
) -> Result<Header, Failure> {
    let scenario = serde_json::to_string(&job.world.scenario)?;
    let recipe = Recipe { policy: job.entrant.policy.clone(), service: service.clone(), peak_rate };
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
