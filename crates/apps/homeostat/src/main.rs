//! The command line of Homeostat: wires traces, the twin, policies and reports together, and owns the
//! threads. Everything that decides lives in the crates below `crates/pure`.

mod cli;
mod commands;
mod failure;
mod input;
mod run;
mod show;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Demo(args) => commands::demo::run(&args),
        Command::Compare(args) => commands::compare::run(&args),
        Command::Merge(args) => commands::merge::run(&args),
        Command::Calibrate(args) => commands::calibrate::run(&args),
        Command::Validate(args) => commands::validate::run(&args),
        Command::Aging(args) => commands::aging::run(&args),
        Command::Tune(args) => commands::tune::run(&args),
        Command::Forecast(args) => commands::forecast::run(&args),
        Command::Hindsight(args) => commands::hindsight::run(&args),
        Command::Trace(args) => commands::trace::run(&args),
        Command::Explain(args) => commands::explain::run(&args),
        Command::Replay(args) => commands::replay::run(&args),
        Command::Scenario(args) => commands::scenario::run(&args),
        Command::Policies { spaces } => commands::policies::run(spaces),
        Command::Completions { shell } => commands::completions::run(shell),
    };
    match result {
        Ok(code) => code.into(),
        Err(failure) => failure.report().into(),
    }
}
