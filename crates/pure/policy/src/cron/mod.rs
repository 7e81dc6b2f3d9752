//! Counts by the calendar: daily windows and cron expressions.
//!
//! Source: the cron trigger of KEDA (`cron_scaler.go`): an entry with `start` and `end` is in force when
//! its next end comes no later than its next start. Daily windows say the same in other words. What
//! differs: the time zone is a fixed offset from UTC (no daylight saving), outside of all entries the
//! default count holds, and where entries overlap the largest count holds. KEDA's own composition of the
//! trigger with the horizontal pod autoscaler is in [`crate::keda`]; this policy follows the schedule at
//! once. Reasons count the entries from 1; 0 is the default.

mod calendar;
mod entry;
mod expr;

pub use calendar::UtcOffset;
pub use expr::CronExpr;

pub(crate) use entry::CronWindow;

use homeostat_core::{Cadence, Instant, Need, Observation, Plan, Policy, Reason, Rule, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;
use entry::Active;

/// A schedule: a default count and entries that raise or lower it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CronSpec {
    /// Offset of the local clock from UTC, for example `UTC` or `+02:00`.
    #[serde(default = "utc")]
    pub utc_offset: String,
    /// The count while no entry is in force.
    pub default: u32,
    /// The entries. Where several are in force, the largest count holds.
    pub entries: Vec<CronEntry>,
}

/// One entry: either `from`, `to` and `days`, or the cron expressions `start` and `end`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CronEntry {
    /// Start of a daily window, `08:00`. A window whose end is not after its start runs past midnight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// End of a daily window, `20:00`, itself not included; `24:00` is the end of the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Days on which a daily window begins, `[mon, tue]` or `[mon..fri]`; every day when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<String>,
    /// Cron expression of the moments at which the entry comes into force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// Cron expression of the moments at which it ceases to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// The count while the entry is in force.
    pub replicas: u32,
}

const ENTRY: &str = "a daily window, or the cron expressions `start` and `end`";
const EXAMPLE: &str = r#"{ from: "08:00", to: "20:00", days: [mon..fri], replicas: 10 }"#;

fn utc() -> String {
    "UTC".to_owned()
}

/// Follows a schedule, within bounds.
#[derive(Debug, Clone)]
pub struct Cron {
    offset: UtcOffset,
    default: u32,
    entries: Vec<(Active, u32)>,
    bounds: (u32, u32),
}

impl Cron {
    /// Reads a schedule; `bounds` are the least and greatest count.
    pub fn new(spec: &CronSpec, bounds: (u32, u32)) -> Result<Self, PolicyError> {
        let offset = UtcOffset::parse(&spec.utc_offset).ok_or_else(|| {
            let problem = format!("`{}` is not an offset from UTC", spec.utc_offset);
            PolicyError::new("cron.utc_offset", problem, "hours and minutes east of Greenwich", "+02:00")
        })?;
        let entries = spec.entries.iter().enumerate().map(|(index, entry)| {
            Active::parse(entry).map(|active| (active, entry.replicas)).map_err(|problem| {
                PolicyError::new(format!("cron.entries[{index}]"), problem, ENTRY, EXAMPLE)
            })
        });
        Ok(Self { offset, default: spec.default, entries: entries.collect::<Result<_, _>>()?, bounds })
    }

    /// The entry in force at `at` with the largest count (the first of equals), and its count.
    fn in_force(&self, at: Instant) -> Option<(usize, u32)> {
        let active = self.entries.iter().enumerate().filter(|(_, (entry, _))| entry.holds(at, self.offset));
        active.map(|(index, (_, replicas))| (index, *replicas)).rev().max_by_key(|(_, replicas)| *replicas)
    }
}

impl Policy for Cron {
    fn needs(&self) -> &[Need] {
        &[]
    }

    fn cadence(&self) -> Cadence {
        Cadence::every(Span::from_secs(15))
    }

    fn decide(&mut self, observation: &Observation) -> Plan {
        let (reference, wanted) = match self.in_force(observation.at) {
            Some((index, replicas)) => ((index as i64 + 1) * 1_000, replicas),
            None => (0, self.default),
        };
        let mut reason = Reason::of(Rule::Schedule, wanted);
        reason.reference_milli = reference;
        crate::bounds::clamped(Plan::scale(wanted, reason), self.bounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2024-03-01T00:00:00Z, a Friday.
    const FRIDAY: u64 = 1_709_251_200;

    fn schedule() -> CronSpec {
        let text = r#"{
            "default": 2,
            "entries": [
                {"from": "08:00", "to": "20:00", "days": ["mon..fri"], "replicas": 10},
                {"from": "22:00", "to": "02:00", "days": ["fri"], "replicas": 5},
                {"start": "0 12 * * *", "end": "0 13 * * *", "replicas": 15}
            ]
        }"#;
        serde_json::from_str(text).unwrap()
    }

    fn count(spec: &CronSpec, seconds: u64) -> u32 {
        let mut policy = Cron::new(spec, (0, 100)).unwrap();
        let at = Instant(seconds * 1_000_000_000);
        let seen = Observation { at, desired: 1, current: 1, replicas: Vec::new(), readings: Vec::new() };
        policy.decide(&seen).replicas
    }

    #[test]
    fn follows_the_entries() {
        let spec = schedule();
        let hour = |h: u64| FRIDAY + h * 3_600;
        let expected = [
            (hour(0), 2),
            (hour(8) - 1, 2),
            (hour(8), 10),
            (hour(12), 15),
            (hour(13), 10),
            (hour(20), 2),
            (hour(22), 5),
            (hour(25), 5), // Saturday, 01:00
            (hour(26), 2),
            (hour(24 + 9), 2),   // Saturday has no day window
            (hour(24 + 12), 15), // but a lunch hour
            (hour(24 + 23), 2),
            (hour(3 * 24 + 9), 10), // Monday
        ];
        for (at, replicas) in expected {
            assert_eq!(count(&spec, at), replicas, "{}", (at - FRIDAY) / 3_600);
        }
    }

    #[test]
    fn follows_the_offset() {
        let spec = CronSpec { utc_offset: "-05:00".to_owned(), ..schedule() };
        assert_eq!(count(&spec, FRIDAY + 12 * 3_600), 2);
        assert_eq!(count(&spec, FRIDAY + 13 * 3_600), 10);
    }

    #[test]
    fn says_which_entry_is_wrong() {
        let mut spec = schedule();
        spec.entries[1].to = None;
        let message = Cron::new(&spec, (0, 100)).unwrap_err().to_string();
        assert!(message.contains("cron.entries[1]"), "{message}");
        spec.utc_offset = "Europe/Berlin".to_owned();
        assert!(Cron::new(&spec, (0, 100)).unwrap_err().to_string().contains("utc_offset"));
    }

    #[test]
    fn names_the_entry_and_the_bound() {
        let mut policy = Cron::new(&schedule(), (0, 12)).unwrap();
        let at = Instant((FRIDAY + 12 * 3_600) * 1_000_000_000);
        let seen = Observation { at, desired: 1, current: 1, replicas: Vec::new(), readings: Vec::new() };
        let plan = policy.decide(&seen);
        assert_eq!(plan.replicas, 12);
        assert_eq!(plan.reasons[0].reference_milli, 3_000);
        assert_eq!(plan.reasons[1].rule, Rule::Clamped);
    }

    proptest! {
        #[test]
        fn stays_within_bounds_and_among_its_counts(seconds in 0..5_000_000_000_u64) {
            let wanted = count(&schedule(), seconds);
            prop_assert!([2, 5, 10, 15].contains(&wanted));
        }
    }
}
