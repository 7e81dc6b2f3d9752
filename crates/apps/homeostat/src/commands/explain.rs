//! `homeostat explain`.

use homeostat_core::explain::{explain, one_line};
use homeostat_core::{Instant, Span};

use crate::cli::ExplainArgs;
use crate::commands::replay::{Journal, Turn};
use crate::failure::{Code, Failure, Outcome};
use crate::input::traffic;
use crate::show::say;

pub(crate) fn run(args: &ExplainArgs) -> Outcome {
    let mut journal = Journal::open(&args.journal)?;
    let needs = journal.header.needs();
    let start = journal.header.trace_start();
    let Some(at) = &args.at else {
        while let Some(turn) = journal.next()? {
            if turn.decision.changes() || !args.changes {
                let line = one_line(&turn.seen, &turn.decision, &needs);
                say(format!("{}  {line}", turn.decision.at.to_utc_string()))?;
            }
        }
        return Ok(Code::Done);
    };
    let at = instant(at, start)?;
    let mut found: Option<Turn> = None;
    let mut last = None;
    while let Some(turn) = journal.next()? {
        if turn.decision.at > at {
            last = None;
            break;
        }
        last = Some(turn.decision.at);
        if turn.decision.changes() || !args.changes {
            found = Some(turn);
        }
    }
    let Some(turn) = found else {
        return Err(Failure::new(format!(
            "{}: no decision at or before {}; the journal begins at {}",
            args.journal.display(),
            at.to_utc_string(),
            start.to_utc_string()
        )));
    };
    if let Some(last) = last.filter(|last| *last < at) {
        eprintln!("note: the last decision is of {}", last.to_utc_string());
    }
    let header = &journal.header;
    say(format!("{} under {} (guards: {})", header.scenario, header.policy, header.guards.name))?;
    say(explain(&turn.seen, &turn.decision, &needs).to_string().trim_end())?;
    Ok(Code::Done)
}

/// A time of day on a date, or a length of time since `start`.
fn instant(text: &str, start: Instant) -> Result<Instant, Failure> {
    if let Ok(span) = text.trim_start_matches('+').parse::<Span>() {
        return Ok(start + span);
    }
    traffic::date(text).ok_or_else(|| {
        Failure::new(format!(
            "--at {text}: expected a time in UTC such as 2026-03-01T14:03, or a length of time since the start \
             such as 3h2m"
        ))
    })
}
