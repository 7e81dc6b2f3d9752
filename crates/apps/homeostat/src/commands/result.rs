//! What is done with a comparison, whether it was run here or joined from parts: print, write, judge.

use crate::cli::ResultArgs;
use crate::commands::again;
use crate::failure::{Code, Failure, Outcome};
use crate::run::against::{self, Against, Earlier};
use crate::run::{Comparison, Plan, money};
use crate::show;
use crate::show::say;

/// The demands on a result, refused before the first run where they can't be met.
pub(crate) struct Demands<'a> {
    args: &'a ResultArgs,
    earlier: Option<Earlier>,
}

impl<'a> Demands<'a> {
    /// Reads what `args` name. Cheap: before anything else.
    pub(crate) fn read(args: &'a ResultArgs) -> Result<Self, Failure> {
        if let Some(folder) = &args.report {
            show::report::can_hold(folder)?;
        }
        Ok(Self { args, earlier: args.against.as_deref().map(against::read).transpose()? })
    }

    /// Refuses policies that don't take part.
    pub(crate) fn known<'b>(&self, policies: impl Iterator<Item = &'b str> + Clone) -> Result<(), Failure> {
        if let Some(name) = self.args.require.as_deref().filter(|name| *name != "any") {
            known(name, policies.clone())?;
        }
        self.args.baseline.as_deref().map_or(Ok(()), |name| money::known(name, policies))
    }

    /// Refuses an earlier result that can't be compared with this plan's.
    pub(crate) fn fit(&self, plan: &Plan) -> Result<(), Failure> {
        if let Some(earlier) = &self.earlier {
            earlier.fits(plan)?.iter().for_each(|note| eprintln!("note: {note}"));
        }
        Ok(())
    }

    /// Prints and writes the result, and says how the command ends.
    pub(crate) fn show(&self, comparison: &Comparison, plan: &Plan, timing: bool) -> Outcome {
        let args = self.args;
        let savings = comparison.savings(args.baseline.as_deref());
        let changed = self.earlier.as_ref().map(|earlier| {
            earlier.same_traffic(comparison).iter().for_each(|note| eprintln!("note: {note}"));
            earlier.judge(comparison, args.tolerance.unwrap_or(TOLERANCE))
        });
        let json = show::json::Extra { savings: savings.as_ref(), against: changed.as_ref() };
        if args.json {
            say(show::json::render(comparison, &json, timing)?)?;
        } else {
            say(show::table::render(comparison))?;
            match &changed {
                Some(against) => say(show::against::render(against, comparison))?,
                None => {
                    let asked = args.baseline.is_some();
                    let line = savings.as_ref().and_then(|s| show::money::line(comparison, s, asked));
                    line.map_or(Ok(()), say)?;
                }
            }
        }
        if let Some(folder) = &args.report {
            let command = again::with_baseline(&plan.command, args.baseline.as_deref());
            let path = show::report::write(folder, comparison, &json, &plan.load, &command)?;
            eprintln!("report: {}", path.display());
        }
        let met = meets(comparison, args.require.as_deref());
        let kept = changed.as_ref().is_none_or(not_worse);
        Ok(if comparison.stopped {
            Code::Stopped
        } else if met && kept {
            Code::Done
        } else {
            Code::Missed
        })
    }
}

/// Rise of cost that is no failure by default, as a share.
const TOLERANCE: f64 = 0.005;

fn meets(comparison: &Comparison, require: Option<&str>) -> bool {
    let Some(name) = require.filter(|_| !comparison.stopped) else { return true };
    let wanted = comparison.attainment_wanted;
    let mut found = comparison.rows.iter().filter(|row| name == "any" || row.name == name);
    let met = found.any(|row| row.mean.attainment >= wanted);
    if !met {
        let who = if name == "any" { "no policy reached" } else { &format!("{name} did not reach") };
        eprintln!("missed: {who} an attainment of {:.3} %", wanted * 100.0);
    }
    met
}

fn not_worse(against: &Against) -> bool {
    for change in &against.changes {
        for why in &change.worse {
            eprintln!("worse: {}: {why}", change.name);
        }
    }
    !against.worse()
}

/// Refuses to require what does not take part.
fn known<'a>(name: &str, policies: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
    let known: Vec<&str> = policies.collect();
    if known.contains(&name) {
        return Ok(());
    }
    let known = known.join(", ");
    Err(Failure::new(format!("--require {name}: no such policy takes part; expected any, or one of {known}")))
}
