//! `homeostat scenario`.

use homeostat_twin::Scenario;

use crate::cli::{ScenarioArgs, ScenarioCommand};
use crate::failure::{Code, Outcome};
use crate::input::{embedded, scenario};

pub(crate) fn run(args: &ScenarioArgs) -> Outcome {
    match &args.command {
        ScenarioCommand::Init => print!("{}", embedded::EXAMPLE),
        ScenarioCommand::Schema => {
            let schema = schemars::schema_for!(Scenario);
            println!("{}", serde_json::to_string_pretty(&schema)?);
        }
        ScenarioCommand::Check { file } => {
            let world = scenario::read(file)?;
            println!("{}: scenario `{}` is well formed", file.display(), world.scenario.name);
        }
    }
    Ok(Code::Done)
}
