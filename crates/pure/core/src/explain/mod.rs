//! A decision in words: "why 9 replicas at 14:03?".
//!
//! ```text
//! 7 → 9 replicas at 2026-03-01 14:03:00 UTC
//! observed  replicas: 7 asked for, 7 exist, 6 ready (1 pending)
//!           cpu: mean 0.612 cores over 6 of 7 replicas (0.41 to 0.8), 12s old
//! forecast  12.1 requests per second 2m to 3m ahead (5 % below 10.4, 5 % above 13.9, 1 % above 14.6)
//! reasons   cpu at 0.612 cores against a target of 0.5 cores → 12
//! guards    step: a larger change at once is not permitted (12 → 9)
//! outcome   9 replicas ordered; 12 proposed, changed by 1 guard
//! ```

mod observed;
mod quantity;
mod words;

use std::fmt;

use crate::decision::GuardAction;
use crate::journal::RecordedDecision;
use crate::observe::Observation;
use crate::policy::Need;
use crate::reason::Reason;

pub use quantity::need_name;

/// Longest line for a hover mark, in characters.
const ONE_LINE: usize = 160;

/// A decision in words. `Display` prints all of it, one statement per line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What changed, and when.
    pub headline: String,
    /// What was observed: the replicas, then each metric.
    pub observed: Vec<String>,
    /// Each reason of the policies, in the order in which they reasoned.
    pub reasons: Vec<String>,
    /// Each change by a guard, in their order.
    pub guards: Vec<String>,
    /// What the actuator got.
    pub outcome: String,
    /// The forecast used, if one was.
    pub forecast: Option<String>,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.headline)?;
        let outcome = std::slice::from_ref(&self.outcome);
        let sections: [(&str, &[String]); 5] = [
            ("observed", &self.observed),
            ("forecast", self.forecast.as_slice()),
            ("reasons", &self.reasons),
            ("guards", &self.guards),
            ("outcome", outcome),
        ];
        for (title, lines) in sections {
            for (index, line) in lines.iter().enumerate() {
                let title = if index == 0 { title } else { "" };
                writeln!(f, "{title:<9} {line}")?;
            }
        }
        Ok(())
    }
}

/// Explains a decision from its observation. `needs` are those of the policies, in the order of the
/// readings; a [`crate::Decision`] converts with `RecordedDecision::from(&decision)`.
pub fn explain(observation: &Observation, decision: &RecordedDecision, needs: &[Need]) -> Explanation {
    Explanation {
        headline: headline(decision),
        observed: observed::lines(observation, needs),
        reasons: decision.reasons.iter().map(|reason| words::reason(reason, observation, needs)).collect(),
        guards: decision.guards.iter().map(words::guard).collect(),
        outcome: outcome(decision),
        forecast: decision.forecast.as_ref().map(|note| words::forecast(note, decision.at)),
    }
}

/// The decision in at most 160 characters: the change, the reason that decided the count, and what the
/// guards made of it.
pub fn one_line(observation: &Observation, decision: &RecordedDecision, needs: &[Need]) -> String {
    let mut line = change(decision);
    if let Some(reason) = deciding(&decision.reasons, decision.proposed) {
        line = format!("{line} · {}", words::reason(reason, observation, needs));
    } else {
        line = format!("{line} · {} of {} ready", observation.ready(), observation.current);
    }
    for GuardAction { guard, from, to } in &decision.guards {
        line = format!("{line} · {} {from} → {to}", words::guard_name(*guard));
    }
    shorten(line, ONE_LINE)
}

/// The first reason that leads to the count proposed, or else the last one.
fn deciding(reasons: &[Reason], proposed: u32) -> Option<&Reason> {
    reasons.iter().find(|reason| reason.proposed == proposed).or(reasons.last())
}

fn headline(decision: &RecordedDecision) -> String {
    format!("{} at {}", change(decision), decision.at.to_utc_string())
}

fn change(decision: &RecordedDecision) -> String {
    let to = decision.replicas();
    if decision.changes() {
        format!("{} → {}", decision.present, words::replicas(to))
    } else {
        format!("{} kept", words::replicas(to))
    }
}

fn outcome(decision: &RecordedDecision) -> String {
    let order = &decision.order;
    let ordered = words::replicas(order.replicas);
    let mut parts = match decision.guards.len() {
        0 => vec![format!("{ordered} ordered, as proposed")],
        n => {
            let guards = if n == 1 { "guard" } else { "guards" };
            let changed = format!("{} proposed, changed by {n} {guards}", decision.proposed);
            vec![format!("{ordered} ordered"), changed]
        }
    };
    if order.surge > 0 {
        parts.push(format!("{} more for a while", order.surge));
    }
    if !order.replace.is_empty() {
        let names: Vec<String> = order.replace.iter().map(|id| id.0.to_string()).collect();
        parts.push(format!("replaced: {}", names.join(", ")));
    }
    if !order.retire.is_empty() {
        let names: Vec<String> = order.retire.iter().map(|id| id.0.to_string()).collect();
        parts.push(format!("to retire first: {}", names.join(", ")));
    }
    parts.join("; ")
}

/// `line`, or its beginning and an ellipsis where it has more than `limit` characters.
fn shorten(line: String, limit: usize) -> String {
    match line.char_indices().nth(limit) {
        None => line,
        Some(_) => line.chars().take(limit - 1).chain(['…']).collect(),
    }
}
