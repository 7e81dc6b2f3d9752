//! Time zones of stamps without an offset. The zone data is bundled; no system files are read.

use std::fmt;
use std::str::FromStr;

use homeostat_core::Instant;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

use crate::error::BadOption;

/// A time zone: UTC, a fixed offset such as `+02:00`, or a name such as `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// Which instant is meant when clocks are set back and a wall-clock time happens twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fold {
    /// The first of the two: rows come in any order.
    Earlier,
    /// The first that is not before the previous row: stamps may repeat.
    NotBefore(Instant),
    /// The first that is after the previous row: stamps may not repeat.
    After(Instant),
}

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }

    /// The name as given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Seconds since the epoch of a wall-clock time; `None` outside of the calendar.
    pub(crate) fn seconds(&self, civil: DateTime, fold: Fold) -> Option<i64> {
        let ambiguous = self.zone.to_ambiguous_timestamp(civil);
        let (first, second) = match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { offset } => (offset, offset),
            AmbiguousOffset::Gap { before, .. } => (before, before),
            AmbiguousOffset::Fold { before, after } => (before, after),
        };
        let at = |offset: Offset| offset.to_timestamp(civil).ok().map(jiff::Timestamp::as_second);
        let early = at(first)?;
        // Whole seconds are compared; the fraction is the same for both candidates.
        let too_early = match fold {
            Fold::Earlier => false,
            Fold::NotBefore(last) => early < (last.0 / 1_000_000_000) as i64,
            Fold::After(last) => early <= (last.0 / 1_000_000_000) as i64,
        };
        if too_early { at(second) } else { Some(early) }
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::utc()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl FromStr for Zone {
    type Err = BadOption;

    fn from_str(text: &str) -> Result<Self, BadOption> {
        let name = text.trim();
        let zone = if name.eq_ignore_ascii_case("utc") || name == "Z" {
            Some(TimeZone::UTC)
        } else if let Some(seconds) = offset_seconds(name.as_bytes()) {
            Offset::from_seconds(seconds).ok().map(TimeZone::fixed)
        } else {
            TimeZoneDatabase::bundled().get(name).ok()
        };
        zone.map(|zone| Self { name: name.to_owned(), zone }).ok_or_else(|| BadOption {
            option: "--time-zone",
            found: text.to_owned(),
            expected: "a name of the IANA time zone data base, UTC, or an offset".to_owned(),
            example: "Europe/Berlin",
        })
    }
}

/// Reads `+hh`, `+hhmm` or `+hh:mm`, with either sign, into seconds east of UTC.
pub(crate) fn offset_seconds(text: &[u8]) -> Option<i32> {
    let (sign, rest) = match text {
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let two = |a: u8, b: u8| {
        (a.is_ascii_digit() && b.is_ascii_digit()).then(|| i32::from(a - b'0') * 10 + i32::from(b - b'0'))
    };
    let (hours, minutes) = match *rest {
        [a, b] => (two(a, b)?, 0),
        [a, b, c, d] | [a, b, b':', c, d] => (two(a, b)?, two(c, d)?),
        _ => return None,
    };
    (hours <= 25 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn reads_names_and_offsets() {
        assert_eq!("+02:00".parse::<Zone>().unwrap().name(), "+02:00");
        assert!("Europe/Berlin".parse::<Zone>().is_ok());
        let error = "Mars/Olympus".parse::<Zone>().unwrap_err().to_string();
        assert!(error.contains("--time-zone") && error.contains("Europe/Berlin"), "{error}");
    }

    #[test]
    fn a_repeated_hour_goes_forward() {
        let berlin: Zone = "Europe/Berlin".parse().unwrap();
        let civil = date(2023, 10, 29).at(2, 30, 0, 0);
        let early = berlin.seconds(civil, Fold::Earlier).unwrap();
        let last = Instant(early as u64 * 1_000_000_000);
        assert_eq!(berlin.seconds(civil, Fold::After(last)), Some(early + 3_600));
        assert_eq!(berlin.seconds(civil, Fold::NotBefore(last)), Some(early));
    }
}
