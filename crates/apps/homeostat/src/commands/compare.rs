//! `homeostat compare`.

use std::path::Path;

use homeostat_twin::scenario::{Recorded, Scale, Source};

use crate::cli::{CompareArgs, ReadArgs, RunArgs, WhatIf};
use crate::commands::result::Demands;
use crate::commands::{again, part};
use crate::failure::{Failure, Outcome};
use crate::input::scenario::{self, World};
use crate::input::{policies, traffic};
use crate::{run, show};

pub(crate) fn run(args: &CompareArgs) -> Outcome {
    let world = read(&args.scenario, args.trace.as_deref(), &args.read)?;
    compare(world, &args.run, &again::comparing(args))
}

/// The scenario with the trace and the reading options of the command line.
pub(crate) fn read(file: &Path, trace: Option<&Path>, read: &ReadArgs) -> Result<World, Failure> {
    let mut world = scenario::read(file)?;
    if let Some(file) = trace {
        let absolute = std::path::absolute(file)?;
        world.scenario.traffic.source = Source::Trace(recorded(read, &absolute.to_string_lossy()));
    } else if let Source::Trace(trace) = &mut world.scenario.traffic.source {
        *trace = overridden(trace, read);
    } else if *read != ReadArgs::default() {
        return Err(Failure::new(format!(
            "{}: its traffic is not a recorded trace, so that options for reading one change nothing; name \
             one, for example --trace requests.csv",
            world.origin
        )));
    }
    Ok(world)
}

fn recorded(read: &ReadArgs, file: &str) -> Recorded {
    overridden(&Recorded { file: file.to_owned(), ..Recorded::default() }, read)
}

/// A trace read as the command line says, where it says something.
fn overridden(trace: &Recorded, read: &ReadArgs) -> Recorded {
    Recorded {
        file: trace.file.clone(),
        format: read.format.clone().or_else(|| trace.format.clone()),
        map: read.map.clone().or_else(|| trace.map.clone()),
        step: read.step.or(trace.step),
        missing_zeros: read.missing_zeros.or(trace.missing_zeros),
        key: read.key.clone().or_else(|| trace.key.clone()),
        sort: read.sort || trace.sort,
        start: read.start.clone().or_else(|| trace.start.clone()),
        on_duplicate: read.on_duplicate.clone().or_else(|| trace.on_duplicate.clone()),
        artefacts: if read.artefact.is_empty() { trace.artefacts.clone() } else { read.artefact.clone() },
        time_zone: read.time_zone.clone().or_else(|| trace.time_zone.clone()),
    }
}

/// Runs a world under its policies and shows the result.
pub(crate) fn compare(mut world: World, args: &RunArgs, command: &str) -> Outcome {
    changed(&mut world, &args.what_if)?;
    let entrants = policies::entrants(&world, &args.policies)?;
    let demands = Demands::read(&args.result)?;
    demands.known(entrants.iter().map(|entrant| entrant.name.as_str()))?;
    if let Some(folder) = &args.journal {
        show::report::can_hold(folder)?;
    }
    part::check(args)?;
    let load = traffic::survey(&world, args.seed)?;
    for note in &load.notes {
        eprintln!("note: {note}");
    }
    if let Some(doubt) = run::doubt(&world.scenario) {
        eprintln!("warning: {}: {doubt}", world.origin);
    }
    let plan = run::plan(&world, &load, &entrants, args, again::with_options(command, args))?;
    demands.fit(&plan)?;
    if let (Some(shard), Some(out)) = (args.shard, &args.out) {
        return part::run(&plan, &world, &entrants, args, shard, out);
    }
    let done = run::execute(&plan, &world, &entrants, args, |_| true)?;
    let mut comparison = run::gather(&plan, done.into_iter().map(|(_, done)| done).collect())?;
    if plan.bound && !comparison.stopped {
        comparison.take(run::bound(&plan, &world, args)?);
    }
    demands.show(&comparison, &plan, args.timing)
}

/// Changes a scenario as the command line says, and checks it again.
pub(crate) fn changed(world: &mut World, args: &WhatIf) -> Result<(), Failure> {
    what_if(world, args);
    world.scenario.check().map_err(|error| {
        let factor = args.scale_load.filter(|_| error.path == "traffic.scale");
        let flag = factor.map_or(String::new(), |factor| format!("--scale-load {factor:e}: "));
        Failure::new(format!("{flag}{}: {error}", world.origin))
    })
}

fn what_if(world: &mut World, what_if: &WhatIf) {
    let scenario = &mut world.scenario;
    if let Some(factor) = what_if.scale_load {
        scenario.traffic.scale = Some(match scenario.traffic.scale {
            None => Scale::Factor(factor),
            Some(Scale::Factor(own)) => Scale::Factor(own * factor),
            Some(Scale::MeanReplicas(own)) => Scale::MeanReplicas(own * factor),
        });
    }
    if let Some(mean) = what_if.start_up {
        scenario.set_start_up(mean);
    }
    if let Some(latency) = what_if.slo {
        scenario.objective.latency = latency;
    }
    if let Some(max) = what_if.max_replicas {
        scenario.set_max_replicas(max);
    }
}
