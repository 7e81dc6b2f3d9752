//! `tune --search exhaustive --shard I/N`: one share of a scan, and how `homeostat merge` ends it.
//!
//! The runs of all points of all families are dealt out. Choosing and testing need them all, so that the
//! merge does both: it reads the scenario's traffic once more, and gives the bytes of an undivided search.

use std::path::PathBuf;

use homeostat_policy::spec::PolicySpec;
use homeostat_twin::scenario::{Scenario, Source};
use homeostat_twin::search::Measured;
use serde::{Deserialize, Serialize};

use crate::cli::{MergeArgs, Scan, SearchArgs, SearchKind, TuneArgs};
use crate::commands::{again, tune};
use crate::failure::{Code, Failure, Outcome};
use crate::input::digest::Digest;
use crate::input::scenario::World;
use crate::input::traffic;
use crate::run::search::Arena;
use crate::run::shard::{self, Fingerprint, Head, Kind, Parts, Shard};

/// What all parts have in common: enough to choose and to test.
#[derive(Serialize, Deserialize)]
struct Common {
    scenario: Scenario,
    origin: String,
    folder: PathBuf,
    policies: Vec<String>,
    attainment: Vec<f64>,
    seed: u64,
    fidelity: Scan,
}

/// Does a share of the runs and writes it.
pub(super) fn part(world: &World, args: &TuneArgs, shard: Shard) -> Outcome {
    let search = &args.search;
    let Some(out) = &search.out else { return Err(Failure::new("--shard needs --out")) };
    if search.kind != SearchKind::Exhaustive {
        return Err(Failure::new(
            "--shard: what halving runs next depends on all runs before; expected --search exhaustive",
        ));
    }
    let given = [("--json", search.json), ("--plot", search.plot.is_some())];
    if let Some((option, _)) = given.into_iter().find(|(_, given)| *given) {
        return Err(Failure::new(format!(
            "--shard with {option}: a part is no result yet; give {option} to `homeostat merge`, for example \
             homeostat merge part*.json {option}"
        )));
    }
    shard::can_write(out)?;
    let parts = traffic::parts(world, search.seed)?;
    let arena = Arena::new(world, &parts.tune, search)?;
    let mut all: Vec<PolicySpec> = Vec::new();
    for family in tune::families(&search.policies)? {
        let space = tune::space(world, family, &parts.tune);
        all.extend((0..space.size()).map(|point| space.policy(point)));
    }
    let jobs: Vec<usize> = (0..all.len()).filter(|job| shard.owns(*job)).collect();
    let specs: Vec<PolicySpec> = jobs.iter().map(|job| all[*job].clone()).collect();
    let Some(measured) = arena.scan(&specs, &format!("part {shard}"))? else {
        eprintln!("stopped: no part was written");
        return Ok(Code::Stopped);
    };
    let results: Vec<(usize, Measured)> = jobs.into_iter().zip(measured).collect();
    let common = Common {
        scenario: world.scenario.clone(),
        origin: world.origin.clone(),
        folder: std::path::absolute(if world.folder.as_os_str().is_empty() {
            std::path::Path::new(".")
        } else {
            &world.folder
        })?,
        policies: search.policies.clone(),
        attainment: tune::wanted(world, search),
        seed: search.seed,
        fidelity: search.fidelity,
    };
    let fingerprint = fingerprint(world, args, &common, &parts)?;
    shard::write(out, &Head::new(Kind::Tune, shard, all.len(), fingerprint), &common, &results)?;
    eprintln!("part {shard}: {} of {} runs, in {}", results.len(), all.len(), out.display());
    Ok(Code::Done)
}

/// Joins the parts, chooses, and tests.
pub(super) fn merge(parts: Parts, args: &MergeArgs) -> Outcome {
    let result = &args.result;
    let given = [
        ("--report", result.report.is_some()),
        ("--require", result.require.is_some()),
        ("--against", result.against.is_some()),
        ("--baseline", result.baseline.is_some()),
    ];
    if let Some((option, _)) = given.into_iter().find(|(_, given)| *given) {
        return Err(Failure::new(format!(
            "{option}: these are parts of tune; expected --json, --out or --plot for their result"
        )));
    }
    let (common, measured) = parts.join::<Common, Measured>()?;
    let world = World { scenario: common.scenario, origin: common.origin, folder: common.folder };
    let search = SearchArgs {
        policies: common.policies,
        attainment: common.attainment,
        budget: None,
        kind: SearchKind::Exhaustive,
        fidelity: common.fidelity,
        seed: common.seed,
        json: result.json,
        shard: None,
        out: args.out.clone(),
        plot: args.plot.clone(),
        threads: None,
        quiet: false,
    };
    tune::conclude(&world, &search, Some(measured))
}

/// What must be equal for parts to belong together.
fn fingerprint(
    world: &World,
    args: &TuneArgs,
    common: &Common,
    parts: &traffic::Parts,
) -> Result<Fingerprint, Failure> {
    let mut bare = world.scenario.clone();
    if let Source::Trace(trace) = &mut bare.traffic.source {
        trace.file.clear();
    }
    let options = Some(again::what_if(&args.what_if)).filter(|options| !options.is_empty());
    let facts = [
        ("scenario", world.scenario.name.clone()),
        ("options", options.unwrap_or_else(|| "none".to_owned())),
        ("seed", common.seed.to_string()),
        ("fidelity", format!("{:?}", common.fidelity).to_lowercase()),
        ("policies", common.policies.join(", ")),
        ("attainment", format!("{:?}", common.attainment)),
        ("traffic", format!("{}, {}", parts.tune.digest, parts.test.digest)),
        ("contents of the scenario", Digest::of(&serde_json::to_string(&bare)?).to_string()),
    ];
    Ok(facts.map(|(name, value)| (name.to_owned(), value)).to_vec())
}
