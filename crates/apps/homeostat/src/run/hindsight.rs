//! The best daily schedule in hindsight: counts by the time of day, chosen with the traffic known.
//!
//! What each count misses in each slot comes from the service curve; the price of a miss is searched so that
//! the schedule reaches the attainment when it is run, first on the fluid twin where that can stand in.

use std::sync::Arc;

use homeostat_core::{GuardProfile, Span, num};
use homeostat_policy::cron::{CronEntry, CronSpec};
use homeostat_policy::spec::PolicySpec;
use homeostat_twin::bound::{Demand, Planner, Unbounded};
use homeostat_twin::{Fluid, curve};

use super::job::{Engine, Job};
use super::progress::{Meter, Progress};
use super::{in_parallel, measured, stop_flag, threads};
use crate::cli::{Fidelity, HindsightArgs};
use crate::failure::Failure;
use crate::input::policies::Entrant;
use crate::input::scenario::World;
use crate::input::traffic::{self, Survey};

/// Bisections of the price of a miss, on a logarithmic scale between [`LEAST`] and [`MOST`].
const BISECTIONS: u32 = 12;
const LEAST: f64 = -4.0;
const MOST: f64 = 20.0;
/// Steps of the price where the fluid twin's answer is corrected request by request, and how many.
const STEP: f64 = 0.3;
const CORRECTIONS: u32 = 5;

/// A schedule and what it attains.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) slot: Span,
    pub(crate) spec: CronSpec,
    pub(crate) attainment: f64,
    pub(crate) cost: f64,
    pub(crate) replica_hours: f64,
}

/// All that the search for one slot length needs.
struct Arena<'a> {
    world: &'a World,
    load: &'a Survey,
    planner: &'a Planner,
    seed: u64,
    wanted: f64,
}

/// For each slot length the cheapest schedule that reaches the attainment, or the nearest to it. `None` when
/// stopped.
pub(crate) fn search(
    world: &World,
    load: &Survey,
    args: &HindsightArgs,
    wanted: f64,
) -> Result<Option<Vec<Found>>, Failure> {
    let (stop, threads) = (stop_flag()?, threads(args.threads));
    let scenario = &world.scenario;
    let stream = traffic::stream(world, load, args.seed)?;
    let mut ask = || stop.load(std::sync::atomic::Ordering::Relaxed);
    let demand = match Demand::read(scenario, args.seed, load.span, stream, &mut ask) {
        Ok(demand) => demand,
        Err(Unbounded::Asked) => return Ok(None),
        Err(error) => return Err(Failure::new(format!("{}: {error}", world.origin))),
    };
    let service = &scenario.services[0];
    let most = ((1.5 * demand.peak_replicas()) as u32 + 4).min(service.replicas.max);
    let curve = Arc::new(measured(&curve::Survey::new(scenario, most, args.seed), threads));
    let late = |replicas: f64, busy: f64| curve.late_share(replicas, busy);
    let planner = Planner::new(scenario, &demand, demand.tiles()[0], service.start_up.almost_all(), late);
    let fluid = Fluid::check(scenario).is_ok();
    if args.fidelity == Fidelity::Fluid {
        Fluid::check(scenario).map_err(|error| Failure::new(format!("{}: {error}", world.origin)))?;
    }
    let arena = Arena { world, load, planner: &planner, seed: args.seed, wanted };
    let progress = Progress::new(args.slot.len(), load, args.quiet);
    let run = |index: usize, slot: &Span| {
        let meter = progress.of(index);
        let rough = Engine::Fluid(Arc::clone(&curve));
        let cheap = if fluid { &rough } else { &Engine::Requests };
        let Some((price, found)) = arena.bisect(*slot, cheap, &meter)? else { return Ok(None) };
        if args.fidelity == Fidelity::Fluid || !fluid {
            return Ok(Some(found));
        }
        arena.correct(*slot, price, &meter)
    };
    let results: Vec<Result<Option<Found>, Failure>> = in_parallel(&args.slot, threads, run);
    progress.finish();
    results.into_iter().collect()
}

impl Arena<'_> {
    /// The cheapest schedule that reaches the attainment, by bisection, with the price that made it.
    fn bisect(&self, slot: Span, engine: &Engine, meter: &Meter) -> Result<Option<(f64, Found)>, Failure> {
        let (mut low, mut high) = (LEAST, MOST);
        let Some(mut best) = self.run(slot, high, engine, meter)? else { return Ok(None) };
        for _ in 0..BISECTIONS {
            let middle = 0.5 * (low + high);
            let Some(found) = self.run(slot, middle, engine, meter)? else { return Ok(None) };
            if found.attainment >= self.wanted {
                (high, best) = (middle, found);
            } else {
                low = middle;
            }
        }
        Ok(Some((high, best)))
    }

    /// From a price that is nearly right: up until the attainment is reached, or down as long as it is.
    fn correct(&self, slot: Span, price: f64, meter: &Meter) -> Result<Option<Found>, Failure> {
        let Some(mut best) = self.run(slot, price, &Engine::Requests, meter)? else { return Ok(None) };
        let reached = best.attainment >= self.wanted;
        let step = if reached { -STEP } else { STEP };
        for number in 1..=CORRECTIONS {
            let at = price + step * f64::from(number);
            let Some(found) = self.run(slot, at, &Engine::Requests, meter)? else { return Ok(None) };
            match (reached, found.attainment >= self.wanted) {
                (true, false) => break,
                (false, true) => return Ok(Some(found)),
                _ => best = found,
            }
        }
        Ok(Some(best))
    }

    fn run(&self, slot: Span, price: f64, engine: &Engine, meter: &Meter) -> Result<Option<Found>, Failure> {
        let counts = self.planner.daily(self.load.start, slot, num::exp(price));
        let spec = schedule(&counts, slot);
        let entrant = Entrant {
            name: "hindsight-cron".to_owned(),
            policy: PolicySpec::Cron(spec.clone()),
            guards: GuardProfile::bounds_only(),
        };
        let job = Job {
            world: self.world,
            load: self.load,
            entrant: &entrant,
            seed: self.seed,
            journal: None,
            engine,
        };
        let done = job.run(stop_flag()?, meter)?;
        Ok(done.map(|done| Found {
            slot,
            spec,
            attainment: done.outcome.attainment,
            cost: done.outcome.cost,
            replica_hours: done.outcome.replica_hours,
        }))
    }
}

/// Daily windows with these counts, one per slot from midnight UTC on; the least count is the default.
fn schedule(counts: &[u32], slot: Span) -> CronSpec {
    let minutes = slot.0 / Span::MINUTE.0;
    let clock = |slot: usize| {
        let minute = slot as u64 * minutes;
        format!("{:02}:{:02}", minute / 60, minute % 60)
    };
    let default = counts.iter().copied().min().unwrap_or(1);
    let mut entries = Vec::new();
    let mut first = 0;
    for group in counts.chunk_by(|a, b| a == b) {
        let end = first + group.len();
        if group[0] != default {
            let (from, to) = (Some(clock(first)), Some(clock(end)));
            entries.push(CronEntry { from, to, replicas: group[0], ..CronEntry::default() });
        }
        first = end;
    }
    CronSpec { utc_offset: "UTC".to_owned(), default, entries }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_become_windows() {
        let mut counts = vec![2; 48];
        (counts[3], counts[4], counts[47]) = (5, 5, 9);
        let spec = schedule(&counts, Span::MINUTE * 30);
        let window = |from: &str, to: &str, replicas| CronEntry {
            from: Some(from.to_owned()),
            to: Some(to.to_owned()),
            replicas,
            ..CronEntry::default()
        };
        assert_eq!(spec.default, 2);
        assert_eq!(spec.entries, [window("01:30", "02:30", 5), window("23:30", "24:00", 9)]);
    }
}
