//! The decision, against its observation and the reasons before.

use super::bytes::{Reader, Writer};
use super::error::JournalError;
use super::memory::Moment;
use super::record::{Parts, RecordedDecision};
use crate::decision::{ForecastNote, GUARDS, GuardAction, Order};
use crate::observe::ReplicaId;
use crate::reason::{RULES, Reason, Rule};
use crate::time::Instant;

type Result<T> = std::result::Result<T, JournalError>;

/// What a reason is written against when no reason stood in its place before.
const NO_REASON: Reason = Reason::of(Rule::Fixed, 0);

/// Writes a decision.
pub(super) fn write(writer: &mut Writer, decision: Parts, last: &[Reason], now: Moment) {
    writer.time(decision.at.0, now.at.0);
    writer.diff(decision.present.into(), now.desired.into());
    writer.diff(decision.proposed.into(), decision.present.into());
    writer.count(decision.guards.len());
    let mut count = decision.proposed;
    for action in decision.guards {
        writer.byte(action.guard as u8);
        writer.diff(action.from.into(), count.into());
        writer.diff(action.to.into(), action.from.into());
        count = action.to;
    }
    writer.diff(decision.order.replicas.into(), count.into());
    writer.uint(decision.order.surge.into());
    write_ids(writer, &decision.order.retire);
    writer.count(decision.reasons.len());
    for (index, reason) in decision.reasons.iter().enumerate() {
        write_reason(writer, reason, last.get(index).unwrap_or(&NO_REASON));
    }
}

/// Writes ids, each against the one before.
pub(super) fn write_ids(writer: &mut Writer, ids: &[ReplicaId]) {
    writer.count(ids.len());
    let mut last = 0;
    for replica in ids {
        writer.diff(replica.0, last);
        last = replica.0;
    }
}

fn write_reason(writer: &mut Writer, reason: &Reason, last: &Reason) {
    writer.byte(reason.rule as u8);
    writer.uint(reason.need.map_or(0, |need| u64::from(need) + 1));
    writer.signed(reason.observed_milli, last.observed_milli);
    writer.signed(reason.reference_milli, last.reference_milli);
    writer.diff(reason.proposed.into(), last.proposed.into());
}

/// Reads what [`write`] wrote.
pub(super) fn read(reader: &mut Reader, last: &[Reason], now: Moment) -> Result<RecordedDecision> {
    let at = Instant(reader.time(now.at.0, "the time of a decision")?);
    let present = reader.small(now.desired, "the count until now")?;
    let proposed = reader.small(present, "the count proposed")?;
    let guards = read_guards(reader, proposed)?;
    let count = guards.last().map_or(proposed, |action| action.to);
    let order = read_order(reader, count)?;
    let reasons = read_reasons(reader, last)?;
    Ok(RecordedDecision { at, present, proposed, order, reasons, guards, forecast: None })
}

/// Writes a forecast against the one before.
pub(super) fn write_forecast(writer: &mut Writer, note: &ForecastNote, last: &ForecastNote, now: Moment) {
    writer.time(note.from.0, now.at.0);
    writer.time(note.until.0, note.from.0);
    for (value, before) in note.milli.iter().zip(last.milli) {
        writer.signed(*value, before);
    }
}

/// Reads what [`write_forecast`] wrote.
pub(super) fn read_forecast(reader: &mut Reader, last: &ForecastNote, now: Moment) -> Result<ForecastNote> {
    let from = Instant(reader.time(now.at.0, "the beginning of a forecast")?);
    let until = Instant(reader.time(from.0, "the end of a forecast")?);
    let mut milli = last.milli;
    for value in &mut milli {
        *value = reader.signed(*value, "a quantile of a forecast")?;
    }
    Ok(ForecastNote { from, until, milli })
}

fn read_guards(reader: &mut Reader, proposed: u32) -> Result<Vec<GuardAction>> {
    let (mut guards, mut count) = (Vec::new(), proposed);
    for _ in 0..reader.count("the number of guard actions")? {
        let number = reader.byte("a guard")?;
        let guard =
            *GUARDS.get(usize::from(number)).ok_or_else(|| reader.invalid("a guard", number.into()))?;
        let from = reader.small(count, "the count before a guard")?;
        count = reader.small(from, "the count after a guard")?;
        guards.push(GuardAction { guard, from, to: count });
    }
    Ok(guards)
}

fn read_order(reader: &mut Reader, count: u32) -> Result<Order> {
    let replicas = reader.small(count, "the count ordered")?;
    let surge = reader.uint("the surge")?;
    let surge = u32::try_from(surge).map_err(|_| reader.invalid("the surge", surge))?;
    let retire = read_ids(reader, "a replica to retire")?;
    Ok(Order { replicas, retire, surge, replace: Vec::new() })
}

/// Reads what [`write_ids`] wrote.
pub(super) fn read_ids(reader: &mut Reader, what: &'static str) -> Result<Vec<ReplicaId>> {
    let (mut ids, mut id) = (Vec::new(), 0);
    for _ in 0..reader.count(what)? {
        id = reader.diff(id, what)?;
        ids.push(ReplicaId(id));
    }
    Ok(ids)
}

fn read_reasons(reader: &mut Reader, last: &[Reason]) -> Result<Vec<Reason>> {
    let mut reasons = Vec::new();
    for index in 0..reader.count("the number of reasons")? {
        reasons.push(read_reason(reader, last.get(index).unwrap_or(&NO_REASON))?);
    }
    Ok(reasons)
}

fn read_reason(reader: &mut Reader, last: &Reason) -> Result<Reason> {
    let number = reader.byte("a rule")?;
    let rule = *RULES.get(usize::from(number)).ok_or_else(|| reader.invalid("a rule", number.into()))?;
    let need = match reader.uint("the metric of a reason")? {
        0 => None,
        n => Some(u8::try_from(n - 1).map_err(|_| reader.invalid("the metric of a reason", n))?),
    };
    Ok(Reason {
        rule,
        need,
        observed_milli: reader.signed(last.observed_milli, "the value observed")?,
        reference_milli: reader.signed(last.reference_milli, "the value compared with")?,
        proposed: reader.small(last.proposed, "the count a rule leads to")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_rules_and_guards_are_their_places() {
        for (number, rule) in RULES.iter().enumerate() {
            assert_eq!(*rule as usize, number);
        }
        for (number, guard) in GUARDS.iter().enumerate() {
            assert_eq!(*guard as usize, number);
        }
    }
}
