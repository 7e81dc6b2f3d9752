//! One run: one policy, one seed.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use homeostat_core::{Controller, Instant, Need};
use homeostat_twin::{Fluid, Outcome, Recorder, ServiceCurve, Silent, Simulation, Stop, sense};

use crate::failure::Failure;
use crate::input::policies::Entrant;
use crate::input::scenario::World;
use crate::input::traffic::{self, Survey};
use crate::run::journal::Journals;
use crate::run::progress::Meter;

/// What is to be run.
pub(crate) struct Job<'a> {
    pub(crate) world: &'a World,
    pub(crate) load: &'a Survey,
    pub(crate) entrant: &'a Entrant,
    pub(crate) seed: u64,
    /// Where to write journals.
    pub(crate) journal: Option<&'a Path>,
    pub(crate) engine: &'a Engine,
}

/// What runs a scenario.
#[derive(Debug, Clone)]
pub(crate) enum Engine {
    /// Request by request.
    Requests,
    /// By rates, with the curve of the scenario.
    Fluid(Arc<ServiceCurve>),
}

impl Engine {
    /// Runs one set of policies over the load of a world.
    pub(crate) fn run(
        &self,
        world: &World,
        load: &Survey,
        seed: u64,
        controllers: Vec<Controller>,
        recorder: &mut dyn Recorder,
        ask: &mut dyn FnMut(Instant) -> bool,
    ) -> Result<Result<Outcome, Stop>, Failure> {
        let scenario = &world.scenario;
        let initial = traffic::initial(scenario, load);
        let stream = traffic::stream(world, load, seed)?;
        Ok(match self {
            Self::Requests => Simulation::new(scenario, seed, controllers, &initial, stream)
                .and_then(|twin| twin.run(recorder, ask)),
            Self::Fluid(curve) => Fluid::new(scenario, seed, controllers, &initial, stream, curve)
                .and_then(|twin| twin.run(recorder, ask)),
        })
    }
}

/// What came out.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) outcome: Outcome,
    pub(crate) cpu_seconds: f64,
}

impl Job<'_> {
    /// Runs it. `None` when it was stopped.
    pub(crate) fn run(&self, stop: &AtomicBool, meter: &Meter) -> Result<Option<Done>, Failure> {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let before = cpu_seconds();
        let result = self.simulate(stop, meter);
        let named = |error: &dyn std::fmt::Display| {
            Failure::new(format!("{}: {}: {error}", self.world.origin, self.entrant.name))
        };
        match result? {
            Ok(outcome) => {
                meter.done();
                Ok(Some(Done { outcome, cpu_seconds: cpu_seconds() - before }))
            }
            Err(Stop::Asked) => Ok(None),
            Err(error @ (Stop::Empty | Stop::TooShort(..) | Stop::Trace(_) | Stop::Unsupported(_))) => {
                Err(Failure::new(format!("{}: {error}", self.world.origin)))
            }
            Err(error @ Stop::Recorder(_)) => Err(named(&error)),
        }
    }

    fn simulate(&self, stop: &AtomicBool, meter: &Meter) -> Result<Result<Outcome, Stop>, Failure> {
        let controllers = controllers(self.world, self.load, self.entrant, self.seed)?;
        let mut journals = match self.journal {
            Some(folder) => Some(Journals::create(folder, self, &controllers)?),
            None => None,
        };
        let mut ask = |now: Instant| {
            meter.at(now);
            stop.load(Ordering::Relaxed)
        };
        let mut silent = Silent;
        let recorder: &mut dyn Recorder = match &mut journals {
            Some(journals) => journals,
            None => &mut silent,
        };
        let outcome = self.engine.run(self.world, self.load, self.seed, controllers, recorder, &mut ask)?;
        if let (Some(journals), Ok(_)) = (journals, &outcome) {
            journals.finish()?;
        }
        Ok(outcome)
    }
}

/// One controller per service.
pub(crate) fn controllers(
    world: &World,
    load: &Survey,
    entrant: &Entrant,
    seed: u64,
) -> Result<Vec<Controller>, Failure> {
    let outlooks = traffic::outlooks(world, load, &entrant.policy, seed)?;
    let services = world.scenario.services.iter().zip(outlooks);
    services
        .map(|(service, outlook)| {
            let problem = |error: &dyn std::fmt::Display| {
                Failure::new(format!("policy {} on service {}: {error}", entrant.name, service.name))
            };
            let policies = service.policies(&entrant.policy, &outlook).map_err(|e| problem(&e))?;
            let mut needs = policies.iter().flat_map(|policy| policy.needs());
            if let Some(need) = needs.find(|need| !sense::answers(need)) {
                let text = format!(
                    "the twin has no metric `{}`; per replica there are cpu, memory, requests_per_second, \
                     concurrency, queue_length, and for the service requests_per_second, concurrency, \
                     queue_length, activator_concurrency",
                    name(need)
                );
                return Err(problem(&text));
            }
            drop(needs);
            Ok(Controller::new(policies, entrant.guards.clone(), service.replicas))
        })
        .collect()
}

/// The name of a metric, as policies write it.
fn name(need: &Need) -> &str {
    match need {
        Need::Resource(name)
        | Need::ContainerResource { resource: name, .. }
        | Need::Pods(name)
        | Need::Object(name)
        | Need::External(name) => name,
    }
}

/// CPU seconds of this thread so far, where the system tells.
pub(super) fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns = text.split_whitespace().next().and_then(|field| field.parse::<f64>().ok());
    ns.unwrap_or(0.0) / 1e9
}
