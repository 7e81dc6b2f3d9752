//! `homeostat merge`: parts of a run become the result of the whole.

use homeostat_twin::Outcome as Ran;

use crate::cli::MergeArgs;
use crate::commands::result::Demands;
use crate::failure::Outcome;
use crate::run::shard::{self, Kind};
use crate::run::{self, Done, Plan};

pub(crate) fn run(args: &MergeArgs) -> Outcome {
    let demands = Demands::read(&args.result)?;
    let parts = shard::read(&args.parts)?;
    match parts.kind() {
        Kind::Compare => {
            let (plan, outcomes) = parts.join::<Plan, Ran>()?;
            demands.known(plan.policies.iter().map(|policy| policy.name.as_str()))?;
            demands.fit(&plan)?;
            plan.load.notes.iter().for_each(|note| eprintln!("note: {note}"));
            let done = outcomes.into_iter().map(|outcome| Some(Done { outcome, cpu_seconds: 0.0 }));
            let comparison = run::gather(&plan, done.collect())?;
            demands.show(&comparison, &plan, false)
        }
    }
}
