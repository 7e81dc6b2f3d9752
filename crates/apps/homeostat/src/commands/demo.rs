//! `homeostat demo`.

use std::path::PathBuf;

use crate::cli::DemoArgs;
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
    let mut run = args.run.clone();
    if run.shard.is_none() {
        run.result.report.get_or_insert_with(|| PathBuf::from("homeostat-report"));
    }
    compare::compare(world, &run, &format!("homeostat demo {}", demo.name))
}
