//! `homeostat scenario`.

use homeostat_twin::Scenario;

use crate::cli::{ScenarioArgs, ScenarioCommand};
use crate::failure::{Code, Outcome};
use crate::input::{embedded, policies, scenario};
use crate::show::say;

pub(crate) fn run(args: &ScenarioArgs) -> Outcome {
    match &args.command {
        ScenarioCommand::Init => say(embedded::EXAMPLE.trim_end())?,
        ScenarioCommand::Schema => {
            let schema = schemars::schema_for!(Scenario);
            say(serde_json::to_string_pretty(&schema)?)?;
        }
        ScenarioCommand::Check { file } => {
            let world = scenario::read(file)?;
            policies::entrants(&world, &[])?;
            say(format!("{}: scenario `{}` is well formed", file.display(), world.scenario.name))?;
        }
    }
    Ok(Code::Done)
}
