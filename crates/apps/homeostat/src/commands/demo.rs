//! `homeostat demo`.

use std::path::PathBuf;

use crate::cli::{DemoArgs, RunArgs};
use crate::commands::compare;
use crate::failure::{Code, Failure, Outcome};
use crate::input::embedded;
use crate::show::say;
use crate::show::table::plain;

pub(crate) fn run(args: &DemoArgs) -> Outcome {
    if args.list {
        let mut table = plain(&["scenario", "what it shows"]);
        for demo in embedded::DEMOS {
            table.add_row([demo.name, demo.about]);
        }
        say(&table)?;
        return Ok(Code::Done);
    }
    let Some(demo) = embedded::demo(&args.name) else {
        let problem = format!("there is no demo called `{}`; there are {}", args.name, embedded::names());
        return Err(Failure::new(problem));
    };
    let world = demo.read()?;
    let report = args.run.report.clone().unwrap_or_else(|| PathBuf::from("homeostat-report"));
    let run = RunArgs { report: Some(report), ..args.run.clone() };
    compare::compare(world, &run, &format!("homeostat demo {}", demo.name))
}
