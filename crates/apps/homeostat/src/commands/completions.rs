//! `homeostat completions`.

use clap::CommandFactory;

use crate::cli::Cli;
use crate::failure::{Code, Outcome};
use crate::show::say;

pub(crate) fn run(shell: clap_complete::Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "homeostat", &mut script);
    say(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Code::Done)
}
