//! `homeostat completions`.

use clap::CommandFactory;

use crate::cli::Cli;
use crate::failure::{Code, Outcome};

pub(crate) fn run(shell: clap_complete::Shell) -> Outcome {
    clap_complete::generate(shell, &mut Cli::command(), "homeostat", &mut std::io::stdout());
    Ok(Code::Done)
}
