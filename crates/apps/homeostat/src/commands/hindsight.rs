//! `homeostat hindsight`.

use homeostat_core::Span;
use homeostat_policy::spec::{Named, PolicySpec};
use serde_json::json;

use crate::cli::HindsightArgs;
use crate::commands::compare;
use crate::failure::{Code, Failure, Outcome};
use crate::input::{scenario, traffic, yaml};
use crate::run::hindsight::{Found, search};
use crate::show::table::plain;
use crate::show::{say, write_whole};

/// The name under which the schedule stands in tables.
const NAME: &str = "hindsight-cron";

pub(crate) fn run(args: &HindsightArgs) -> Outcome {
    for slot in &args.slot {
        if slot.is_zero() || !slot.0.is_multiple_of(Span::MINUTE.0) || !Span::DAY.0.is_multiple_of(slot.0) {
            return Err(Failure::new(format!(
                "--slot {slot}: expected whole minutes that divide the day, for example --slot 30m"
            )));
        }
    }
    let mut world = scenario::read(&args.scenario)?;
    compare::changed(&mut world, &args.what_if)?;
    let load = traffic::survey(&world, args.seed)?;
    for note in &load.notes {
        eprintln!("note: {note}");
    }
    let wanted = args.attainment.unwrap_or(world.scenario.objective.attainment);
    let Some(found) = search(&world, &load, args, wanted)? else { return Ok(Code::Stopped) };
    let reaches = |found: &&Found| found.attainment >= wanted;
    let best = found.iter().filter(reaches).min_by(|a, b| a.cost.total_cmp(&b.cost));
    if args.json {
        let row = |found: &Found| {
            json!({
                "slot_s": found.slot.as_secs_f64(),
                "attainment": found.attainment,
                "cost": found.cost,
                "replica_hours": found.replica_hours,
                "chosen": best.is_some_and(|best| best.slot == found.slot),
            })
        };
        let rows: Vec<_> = found.iter().map(row).collect();
        say(json!({ "scenario": world.scenario.name, "attainment": wanted, "schedules": rows }))?;
    } else {
        let mut table = plain(&["slot", "windows", "attainment", "cost", ""]);
        for found in &found {
            let mark = if best.is_some_and(|best| best.slot == found.slot) { "cheapest" } else { "" };
            table.add_row([
                found.slot.to_string(),
                found.spec.entries.len().to_string(),
                format!("{:.4} %", (found.attainment * 1e6).floor() / 1e4),
                format!("{:.2}", found.cost),
                mark.to_owned(),
            ]);
        }
        say(&table)?;
    }
    let Some(best) = best else {
        eprintln!("no daily schedule reaches {} %", wanted * 100.0);
        return Ok(Code::Missed);
    };
    if let Some(out) = &args.out {
        let named = Named { name: NAME.to_owned(), policy: PolicySpec::Cron(best.spec.clone()) };
        let head = format!(
            "# {NAME}: made by homeostat hindsight for the scenario {} with its traffic known: a reference, not a \
             policy to run.\n",
            world.scenario.name
        );
        write_whole(out, &format!("{head}{}", yaml::write(&named)?))?;
    }
    Ok(Code::Done)
}
