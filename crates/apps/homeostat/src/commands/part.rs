//! `compare --shard I/N --out FILE`: one share of the runs, kept for `homeostat merge`.

use std::path::Path;

use homeostat_twin::Outcome as Ran;
use homeostat_twin::outcome::Series;
use homeostat_twin::scenario::{Scenario, Source};

use serde::{Deserialize, Serialize};

use crate::cli::RunArgs;
use crate::commands::again;
use crate::failure::{Code, Failure, Outcome};
use crate::input::digest::Digest;
use crate::input::policies::Entrant;
use crate::input::scenario::World;
use crate::run::bound::Computed;
use crate::run::shard::{self, Fingerprint, Head, Kind, Shard};
use crate::run::{self, Plan};

/// Refuses options of a result next to `--shard`, and a part that can't be written.
pub(super) fn check(args: &RunArgs) -> Result<(), Failure> {
    let Some(out) = args.out.as_ref().filter(|_| args.shard.is_some()) else { return Ok(()) };
    let result = &args.result;
    let given = [
        ("--json", result.json),
        ("--report", result.report.is_some()),
        ("--require", result.require.is_some()),
        ("--against", result.against.is_some()),
        ("--baseline", result.baseline.is_some()),
    ];
    if let Some((option, _)) = given.into_iter().find(|(_, given)| *given) {
        return Err(Failure::new(format!(
            "--shard with {option}: a part is no result yet; give {option} to `homeostat merge`, for example \
             homeostat merge part*.json {option}"
        )));
    }
    if args.timing {
        return Err(Failure::new(
            "--shard with --timing: parts hold no times, so that they repeat to the byte",
        ));
    }
    shard::can_write(out)
}

/// What came of a job.
#[derive(Serialize, Deserialize)]
pub(super) enum Piece {
    Run(Box<Ran>),
    Bound(Computed),
}

/// Does the share and writes it.
pub(super) fn run(
    plan: &Plan,
    world: &World,
    entrants: &[Entrant],
    args: &RunArgs,
    shard: Shard,
    out: &Path,
) -> Outcome {
    let done = run::execute(plan, world, entrants, args, |job| shard.owns(job))?;
    let mut results = Vec::with_capacity(done.len());
    for (job, done) in done {
        let Some(done) = done else { return Ok(stopped()) };
        results.push((job, Piece::Run(Box::new(kept(done.outcome, job % plan.seeds.len() == 0)))));
    }
    if plan.bound && shard.owns(plan.runs()) {
        match run::bound(plan, world, args)? {
            Computed::Stopped => return Ok(stopped()),
            computed => results.push((plan.runs(), Piece::Bound(computed))),
        }
    }
    let fingerprint = fingerprint(plan, &world.scenario, entrants, args)?;
    shard::write(out, &Head::new(Kind::Compare, shard, plan.jobs(), fingerprint), plan, &results)?;
    eprintln!("part {shard}: {} of {} runs, in {}", results.len(), plan.jobs(), out.display());
    Ok(Code::Done)
}

fn stopped() -> Code {
    eprintln!("stopped: no part was written");
    Code::Stopped
}

/// What a result needs of an outcome: reports draw the first seed only.
fn kept(outcome: Ran, first_seed: bool) -> Ran {
    if first_seed { outcome } else { Ran { series: Series::default(), marks: Vec::new(), ..outcome } }
}

/// What must be equal for parts to belong together. Paths are left out: machines may differ in them,
/// and what the files hold is in the digests.
fn fingerprint(
    plan: &Plan,
    scenario: &Scenario,
    entrants: &[Entrant],
    args: &RunArgs,
) -> Result<Fingerprint, Failure> {
    let mut bare = scenario.clone();
    bare.policies.clear();
    if let Source::Trace(trace) = &mut bare.traffic.source {
        trace.file.clear();
    }
    let seeds = match plan.seeds.as_slice() {
        [first, .., last] => format!("{first} to {last}"),
        seeds => format!("{seeds:?}"),
    };
    let names: Vec<&str> = entrants.iter().map(|entrant| entrant.name.as_str()).collect();
    let settings: Vec<_> = entrants.iter().map(|entrant| (&entrant.policy, &entrant.guards)).collect();
    let options = Some(again::what_if(&args.what_if)).filter(|options| !options.is_empty());
    let facts = [
        ("scenario", plan.scenario.clone()),
        ("options", options.unwrap_or_else(|| "none".to_owned())),
        ("seeds", seeds),
        ("fidelity", plan.fidelity.said().unwrap_or("requests").to_owned()),
        ("bound", if plan.bound { "yes" } else { "no" }.to_owned()),
        ("policies", names.join(", ")),
        ("settings of the policies", Digest::of(&serde_json::to_string(&settings)?).to_string()),
        ("traffic", plan.load.digest.to_string()),
        ("contents of the scenario", Digest::of(&serde_json::to_string(&bare)?).to_string()),
    ];
    Ok(facts.map(|(name, value)| (name.to_owned(), value)).to_vec())
}
