//! `homeostat tune`: the cheapest settings that reach an attainment, found on the tuning part of a trace
//! and reported on the rest.

use std::path::{Path, PathBuf};

use homeostat_policy::space::{Space, Value, counts, spaces};
use homeostat_policy::spec::{Named, PolicySpec};
use homeostat_twin::search::{
    Bisection, Exhaustive, Found, Halving, Measured, Plan, Search, cheapest, frontier, nearest,
};

use crate::cli::{SearchArgs, SearchKind, TuneArgs};
use crate::commands::{compare, scan};
use crate::failure::{Code, Failure, Outcome};
use crate::input::scenario::World;
use crate::input::traffic::{self, Parts, Survey};
use crate::input::yaml;
use crate::run::search::{Arena, Effort};
use crate::run::{Figures, limit};
use crate::show::{frontier_plot, report, say, tuned, write_whole};

/// Settings tried unless told otherwise: this share of the space, and at most so many.
const SHARE: usize = 4;
const SETTINGS: usize = 100;
/// Full lengths run per setting tried, at most.
const LENGTHS: f64 = 0.4;
/// Fixed counts are searched up to so many times what the peak needs.
const PEAKS: f64 = 1.5;

/// A point with its settings.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) settings: Vec<(&'static str, Value)>,
    pub(crate) measured: Measured,
}

/// The setting chosen for an attainment.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    pub(crate) row: Row,
    /// What it does on the unseen part.
    pub(crate) test: Figures,
    /// The manifest.
    pub(crate) manifest: String,
    /// Where it was written.
    pub(crate) path: Option<PathBuf>,
}

/// One attainment wanted, and what came of it.
#[derive(Debug, Clone)]
pub(crate) struct Goal {
    pub(crate) attainment: f64,
    /// The setting, or what stood in the way.
    pub(crate) result: Result<Chosen, limit::Limit>,
}

/// One family.
#[derive(Debug, Clone)]
pub(crate) struct Tuned {
    pub(crate) family: &'static str,
    /// Points of its space.
    pub(crate) space: usize,
    /// Runs made.
    pub(crate) runs: Effort,
    pub(crate) frontier: Vec<Row>,
    pub(crate) goals: Vec<Goal>,
}

/// Everything that was tuned.
#[derive(Debug, Clone)]
pub(crate) struct Tuning {
    pub(crate) scenario: String,
    pub(crate) latency_ms: f64,
    pub(crate) seed: u64,
    /// Hours of the two parts.
    pub(crate) tune_hours: f64,
    pub(crate) test_hours: f64,
    pub(crate) families: Vec<Tuned>,
}

pub(crate) fn run(args: &TuneArgs) -> Outcome {
    let mut world = compare::read(&args.scenario, args.trace.as_deref(), &args.read)?;
    compare::changed(&mut world, &args.what_if)?;
    match args.search.shard {
        Some(shard) => scan::part(&world, args, shard),
        None => conclude(&world, &args.search, None),
    }
}

/// Searches, tests, shows and writes. `scanned` holds what an exhaustive search measured elsewhere: every
/// point of every family, in their order.
pub(super) fn conclude(world: &World, args: &SearchArgs, scanned: Option<Vec<Measured>>) -> Outcome {
    let families = families(&args.policies)?;
    let wanted = wanted(world, args);
    let many = families.len() * wanted.len() > 1;
    if let Some(out) = &args.out {
        report::can_hold(if many { out } else { parent(out) })?;
    }
    if let Some(plot) = &args.plot {
        report::can_hold(parent(plot))?;
    }
    let parts = traffic::parts(world, args.seed)?;
    for note in &parts.tune.notes {
        eprintln!("note: {note}");
    }
    let arena = Arena::new(world, &parts.tune, args)?;
    let mut tuning = Tuning {
        scenario: world.scenario.name.clone(),
        latency_ms: world.scenario.objective.latency.as_millis_f64(),
        seed: args.seed,
        tune_hours: parts.tune.span.as_hours_f64(),
        test_hours: parts.test.span.as_hours_f64(),
        families: Vec::new(),
    };
    let mut scanned = scanned.map(Vec::into_iter);
    for family in families {
        let space = space(world, family, &parts.tune);
        let found = if let Some(rest) = &mut scanned {
            let search = Exhaustive::done(rest.by_ref().take(space.size()));
            (search.found(), arena.scanned(space.size()))
        } else {
            let mut search = searcher(&space, &arena, &wanted, args);
            let Some(effort) = arena.search(&space, search.as_mut())? else { return Ok(Code::Stopped) };
            (search.found(), effort)
        };
        let Some(mut tuned) = choose(world, &arena, &parts, &space, &wanted, &found)? else {
            return Ok(Code::Stopped);
        };
        for goal in &mut tuned.goals {
            write(goal, family, args.out.as_deref(), many)?;
        }
        tuning.families.push(tuned);
    }
    if let Some(plot) = &args.plot {
        write_whole(plot, &frontier_plot::draw(&tuning))?;
    }
    say(if args.json { tuned::json(&tuning)? } else { tuned::tables(&tuning) })?;
    let missed = |tuned: &Tuned| tuned.goals.iter().any(|goal| goal.result.is_err());
    Ok(if tuning.families.iter().any(missed) { Code::Missed } else { Code::Done })
}

/// The families asked for, each once.
pub(super) fn families(asked: &[String]) -> Result<Vec<&'static str>, Failure> {
    let known: Vec<&'static str> = spaces().iter().map(|space| space.family).chain(["static"]).collect();
    if asked.is_empty() {
        return Ok(vec![known[0]]);
    }
    let mut families = Vec::new();
    for name in asked {
        let Some(family) = known.iter().find(|family| *family == name) else {
            return Err(Failure::new(format!(
                "--policy {name}: there is no family of this name to tune; expected one of {}, for example \
                 --policy hpa",
                known.join(", ")
            )));
        };
        if !families.contains(family) {
            families.push(*family);
        }
    }
    Ok(families)
}

/// The attainments wanted, rising, each once.
pub(super) fn wanted(world: &World, args: &SearchArgs) -> Vec<f64> {
    let mut wanted = args.attainment.clone();
    if wanted.is_empty() {
        wanted.push(world.scenario.objective.attainment);
    }
    wanted.sort_by(f64::total_cmp);
    wanted.dedup();
    wanted
}

pub(super) fn space(world: &World, family: &str, tune: &Survey) -> Space {
    let found = spaces().into_iter().find(|space| space.family == family);
    found.unwrap_or_else(|| {
        let services = world.scenario.services.iter().zip(traffic::visits(&world.scenario));
        let bounds = services.map(|(service, visits)| {
            let peak = tune.peak_rate * visits / service.capacity_per_second();
            let high = ((peak * PEAKS).ceil() as u32).saturating_add(1);
            (service.replicas.min.max(1), high.min(service.replicas.max))
        });
        let (low, high) = bounds.fold((u32::MAX, 1), |a, b| (a.0.min(b.0), a.1.max(b.1)));
        counts(low, high)
    })
}

fn searcher(space: &Space, arena: &Arena, wanted: &[f64], args: &SearchArgs) -> Box<dyn Search> {
    let size = space.size();
    if args.kind == SearchKind::Exhaustive {
        return Box::new(Exhaustive::new(size));
    }
    if space.family == "static" {
        return Box::new(Bisection::new(size, wanted.to_vec()));
    }
    let settings = args.budget.map_or_else(|| (size / SHARE).min(SETTINGS), |budget| budget as usize);
    Box::new(Halving::new(Plan {
        dimensions: space.dimensions(),
        wanted: wanted.to_vec(),
        rungs: arena.rungs(),
        settings,
        budget: (LENGTHS * settings as f64).max(1.0),
        seed: args.seed,
    }))
}

/// Chooses for every attainment among what was found, and tests the choice; `None` where Ctrl-C came
/// first.
fn choose(
    world: &World,
    arena: &Arena,
    parts: &Parts,
    space: &Space,
    wanted: &[f64],
    (found, effort): &(Vec<Found>, Effort),
) -> Result<Option<Tuned>, Failure> {
    let row = |found: &Found| Row { settings: space.settings_of(found.point), measured: found.measured };
    let mut tuned = Tuned {
        family: space.family,
        space: space.size(),
        runs: *effort,
        frontier: frontier(found).iter().map(row).collect(),
        goals: Vec::new(),
    };
    let mut tested: Vec<(usize, Figures)> = Vec::new();
    for attainment in wanted {
        let result = if let Some(best) = cheapest(found, *attainment) {
            let spec = space.policy(best.point);
            let test = match tested.iter().find(|(point, _)| *point == best.point) {
                Some((_, test)) => *test,
                None => {
                    let title = format!("{}, the test part", space.family);
                    let specs = std::slice::from_ref(&spec);
                    let Some(outcomes) = arena.outcomes(world, &parts.test, specs, &title)? else {
                        return Ok(None);
                    };
                    Figures::of(&outcomes[0])
                }
            };
            tested.push((best.point, test));
            let manifest = manifest(world, space.family, *attainment, &spec, &parts.tune)?;
            Ok(Chosen { row: row(&best), test, manifest, path: None })
        } else {
            let Some(best) = nearest(found) else {
                return Err(Failure::new(
                    "the budget pays for no run; expected more, for example --budget 20",
                ));
            };
            let spec = space.policy(best.point);
            let Some(limit) = limit::find(world, arena, row(&best), &spec, *attainment)? else {
                return Ok(None);
            };
            Err(limit)
        };
        tuned.goals.push(Goal { attainment: *attainment, result });
    }
    Ok(Some(tuned))
}

/// The policy in the form in which it is applied: a manifest of Kubernetes or KEDA, else our own.
fn manifest(
    world: &World,
    family: &str,
    attainment: f64,
    spec: &PolicySpec,
    tune: &Survey,
) -> Result<String, Failure> {
    let name = format!("{family}-{}", tuned::percent_name(attainment));
    let head = format!(
        "# {name}: made by homeostat tune for the scenario {} ({} % within {}).\n",
        world.scenario.name,
        tuned::percent_name(attainment),
        world.scenario.objective.latency
    );
    if let [service] = world.scenario.services.as_slice() {
        let outlook = world.scenario.outlook(tune.start, tune.peak_rate);
        return Ok(match service.manifest(spec, &outlook)? {
            Some(PolicySpec::HorizontalPodAutoscaler(manifest)) => {
                let remark = "# scaleTargetRef names a Deployment; tolerance needs Kubernetes 1.33 or later \
                              (HPAConfigurableTolerance).\n";
                format!("{head}{remark}{}", yaml::write(&manifest)?)
            }
            Some(PolicySpec::ScaledObject(manifest)) => {
                let remark = "# Give the trigger its serverAddress and query before you apply it.\n";
                format!("{head}{remark}{}", yaml::write(&manifest)?)
            }
            _ => format!("{head}{}", yaml::write(&Named { name, policy: spec.clone() })?),
        });
    }
    // Targets differ from service to service: the short form fits itself to each.
    Ok(format!("{head}{}", yaml::write(&Named { name, policy: spec.clone() })?))
}

fn write(goal: &mut Goal, family: &str, out: Option<&Path>, many: bool) -> Result<(), Failure> {
    let (Ok(chosen), Some(out)) = (&mut goal.result, out) else { return Ok(()) };
    let path = if many {
        std::fs::create_dir_all(out)
            .map_err(|error| Failure::new(format!("cannot make the folder {}: {error}", out.display())))?;
        out.join(format!("{family}-{}.yaml", tuned::percent_name(goal.attainment)))
    } else {
        out.to_owned()
    };
    write_whole(&path, &chosen.manifest)?;
    chosen.path = Some(path);
    Ok(())
}

fn parent(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}
