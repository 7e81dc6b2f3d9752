//! What keeps a family from an attainment, by evidence: runs that differ in one thing.

use homeostat_core::Span;
use homeostat_policy::fixed::FixedSpec;
use homeostat_policy::spec::PolicySpec;
use homeostat_twin::Outcome;

use crate::commands::tune::Row;
use crate::failure::Failure;
use crate::input::scenario::World;
use crate::run::search::{Arena, measured};
use homeostat_twin::search::Measured;

/// A fixed count of so many times the peak stands for "enough at all times".
const ENOUGH: f64 = 2.0;

/// What stands in the way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cause {
    /// Even enough replicas at all times miss: work that takes longer than the objective.
    Work {
        /// Attainment of enough replicas at all times.
        ceiling: f64,
    },
    /// The greatest count of the service.
    Maximum {
        /// The greatest count.
        max: u32,
        /// Share of the misses that fell into windows at the maximum.
        share: f64,
    },
    /// The time that a replica needs to start.
    StartUp {
        /// What the same setting attains when replicas start at once.
        without: f64,
    },
    /// Load that rises faster than it is seen and answered, and the end of the settings declared.
    Bursts {
        /// Scrape, window and delay of the metrics together.
        blind: Span,
        /// What the same setting attains when replicas start at once.
        without: f64,
    },
}

impl Cause {
    /// Its name in JSON.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Work { .. } => "work",
            Self::Maximum { .. } => "maximum",
            Self::StartUp { .. } => "start_up",
            Self::Bursts { .. } => "bursts",
        }
    }
}

/// The setting that came nearest, and what limits it.
#[derive(Debug, Clone)]
pub(crate) struct Limit {
    pub(crate) nearest: Row,
    pub(crate) cause: Cause,
}

/// Finds what limits the nearest setting; `None` where Ctrl-C came first.
pub(crate) fn find(
    world: &World,
    arena: &Arena,
    nearest: Row,
    spec: &PolicySpec,
    wanted: f64,
) -> Result<Option<Limit>, Failure> {
    let load = arena.whole();
    let run = |world: &World, spec: &PolicySpec, title: &str| {
        let outcomes = arena.outcomes(world, load, std::slice::from_ref(spec), title)?;
        Ok::<_, Failure>(outcomes.map(|mut outcomes| outcomes.remove(0)))
    };
    let limit = |cause| Ok(Some(Limit { nearest, cause }));
    let Some(own) = run(world, spec, "what limits it: the nearest again")? else { return Ok(None) };
    let max = world.scenario.services.iter().map(|service| service.replicas.max).max().unwrap_or(1);
    let peak = load.peak_rate / world.scenario.services[0].capacity_per_second();
    let many = ((peak * ENOUGH).ceil() as u32).max(1);
    let fixed = PolicySpec::Static(FixedSpec { replicas: Some(many), headroom: None });
    let mut ready = world.clone();
    for service in &mut ready.scenario.services {
        service.initial = Some(many.min(service.replicas.max));
    }
    let Some(ceiling) = run(&ready, &fixed, "what limits it: enough replicas")? else { return Ok(None) };
    let ceiling = measured(&ceiling).attainment;
    if ceiling < wanted && many <= max {
        return limit(Cause::Work { ceiling });
    }
    let share = missed_at(&own, max);
    if share >= 0.5 || ceiling < wanted {
        return limit(Cause::Maximum { max, share });
    }
    let mut at_once = world.clone();
    at_once.scenario.warm_up = Some(world.scenario.warm_up());
    at_once.scenario.set_start_up(Span::ZERO);
    let Some(fast) = run(&at_once, spec, "what limits it: no start-up")? else { return Ok(None) };
    let Measured { attainment: without, .. } = measured(&fast);
    if without >= wanted {
        return limit(Cause::StartUp { without });
    }
    let metrics = &world.scenario.metrics;
    limit(Cause::Bursts { blind: metrics.scrape + metrics.window + metrics.delay, without })
}

/// Share of the misses in windows in which the maximum was asked for.
fn missed_at(outcome: &Outcome, max: u32) -> f64 {
    let series = &outcome.series;
    let all: f64 = series.missed.iter().map(|missed| *missed as f64).sum();
    let windows = series.missed.iter().zip(&series.desired);
    let at: f64 = windows
        .filter(|(_, desired)| **desired >= f64::from(max) - 0.5)
        .map(|(missed, _)| *missed as f64)
        .sum();
    at / all.max(1.0)
}
