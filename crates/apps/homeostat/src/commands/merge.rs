//! `homeostat merge`: parts of a run become the result of the whole.

use crate::cli::MergeArgs;
use crate::commands::part::Piece;
use crate::commands::result::Demands;
use crate::commands::scan;
use crate::failure::{Failure, Outcome};
use crate::run::shard::{self, Kind};
use crate::run::{self, Done, Plan};

pub(crate) fn run(args: &MergeArgs) -> Outcome {
    let of_tune = [("--out", args.out.is_some()), ("--plot", args.plot.is_some())];
    let demands = Demands::read(&args.result)?;
    let parts = shard::read(&args.parts)?;
    match parts.kind() {
        Kind::Tune => scan::merge(parts, args),
        Kind::Compare => {
            if let Some((option, _)) = of_tune.into_iter().find(|(_, given)| *given) {
                return Err(Failure::new(format!(
                    "{option}: these are parts of compare; expected --report DIR or --json for their result"
                )));
            }
            let (plan, pieces) = parts.join::<Plan, Piece>()?;
            demands.known(plan.policies.iter().map(|policy| policy.name.as_str()))?;
            demands.fit(&plan)?;
            plan.load.notes.iter().for_each(|note| eprintln!("note: {note}"));
            let (mut done, mut bound) = (Vec::new(), None);
            for piece in pieces {
                match piece {
                    Piece::Run(outcome) => done.push(Some(Done { outcome: *outcome, cpu_seconds: 0.0 })),
                    Piece::Bound(computed) => bound = Some(computed),
                }
            }
            let mut comparison = run::gather(&plan, done)?;
            if let Some(computed) = bound {
                comparison.take(computed);
            }
            demands.show(&comparison, &plan, false)
        }
    }
}
