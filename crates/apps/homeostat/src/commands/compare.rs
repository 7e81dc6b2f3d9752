//! `homeostat compare`.

use homeostat_twin::scenario::{Recorded, Scale, Source};

use crate::cli::{CompareArgs, ReadArgs, RunArgs, WhatIf};
use crate::failure::{Code, Failure, Outcome};
use crate::input::scenario::{self, World};
use crate::input::{policies, traffic};
use crate::run::{self, Comparison};
use crate::show;
use crate::show::say;

pub(crate) fn run(args: &CompareArgs) -> Outcome {
    let mut world = scenario::read(&args.scenario)?;
    if let Some(file) = &args.trace {
        let absolute = std::path::absolute(file)?;
        world.scenario.traffic.source = Source::Trace(recorded(&args.read, &absolute.to_string_lossy()));
    } else if let Source::Trace(trace) = &mut world.scenario.traffic.source {
        *trace = overridden(trace, &args.read);
    }
    let mut command = format!("homeostat compare {}", args.scenario.display());
    if let Some(trace) = &args.trace {
        command = format!("{command} --trace {}", trace.display());
    }
    compare(world, &args.run, &command)
}

fn recorded(read: &ReadArgs, file: &str) -> Recorded {
    overridden(&Recorded { file: file.to_owned(), ..Recorded::default() }, read)
}

/// A trace read as the command line says, where it says something.
fn overridden(trace: &Recorded, read: &ReadArgs) -> Recorded {
    Recorded {
        file: trace.file.clone(),
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
    what_if(&mut world, &args.what_if);
    world.scenario.check().map_err(|e| Failure::new(format!("{}: {e}", world.origin)))?;
    let entrants = policies::entrants(&world, &args.policies)?;
    let load = traffic::survey(&world, args.seed)?;
    for note in &load.notes {
        eprintln!("note: {note}");
    }
    let comparison = run::compare(&world, &load, &entrants, args)?;
    let command = with_options(command, args);
    if args.json {
        say(show::json::render(&comparison, args.timing)?)?;
    } else {
        say(show::table::render(&comparison))?;
    }
    if let Some(folder) = &args.report {
        let path = show::report::write(folder, &comparison, &load, &command)?;
        eprintln!("report: {}", path.display());
    }
    code(&comparison, args.require.as_deref())
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

/// The command line that makes the same result again.
fn with_options(command: &str, args: &RunArgs) -> String {
    let mut words = vec![command.to_owned()];
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            words.push(format!("--{name} {value}"));
        }
    };
    for policy in &args.policies {
        option("policy", Some(policy.clone()));
    }
    option("seed", (args.seed != 1).then(|| args.seed.to_string()));
    option("seeds", (args.seeds != 1).then(|| args.seeds.to_string()));
    option("scale-load", args.what_if.scale_load.map(|f| f.to_string()));
    option("start-up", args.what_if.start_up.map(|s| s.to_string()));
    option("slo", args.what_if.slo.map(|s| s.to_string()));
    option("max-replicas", args.what_if.max_replicas.map(|n| n.to_string()));
    words.join(" ")
}

fn code(comparison: &Comparison, require: Option<&str>) -> Result<Code, Failure> {
    if comparison.stopped {
        return Ok(Code::Stopped);
    }
    let Some(name) = require else { return Ok(Code::Done) };
    let wanted = comparison.attainment_wanted;
    let mut found = comparison.rows.iter().filter(|row| name == "any" || row.name == name).peekable();
    if found.peek().is_none() {
        let known: Vec<&str> = comparison.rows.iter().map(|row| row.name.as_str()).collect();
        let problem = format!("--require {name}: no such policy ran; there are {}", known.join(", "));
        return Err(Failure::new(problem));
    }
    let met = found.any(|row| row.mean.attainment >= wanted);
    if !met {
        eprintln!("missed: {name} did not reach an attainment of {:.3} %", wanted * 100.0);
    }
    Ok(if met { Code::Done } else { Code::Missed })
}
