//! The calendar, in UTC and without a library.
//!
//! Days to dates by the algorithm that Howard Hinnant describes in "chrono-Compatible Low-Level Date
//! Algorithms" (`civil_from_days`): years begin in March, so that the leap day comes last, and 400 years
//! have 146 097 days.

use crate::time::{Instant, Span};

const NS_PER_S: u64 = 1_000_000_000;
const S_PER_DAY: u64 = 86_400;
/// Times below one year have no calendar: they count from the start of a trace.
const CALENDAR: u64 = 365 * S_PER_DAY * NS_PER_S;

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// The year, for example 2026.
    pub year: u32,
    /// 1 (January) to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
}

impl Date {
    /// The date `days` days after 1970-01-01, for up to the ten million years that fit 32 bits.
    pub const fn from_days(days: u32) -> Self {
        let shifted = days as u64 + 719_468; // days since 0000-03-01
        let era = shifted / 146_097;
        let of_era = shifted % 146_097;
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Self {
            year: (era * 400 + year_of_era + (month <= 2) as u64) as u32,
            month: month as u32,
            day: (of_year - (153 * from_march + 2) / 5 + 1) as u32,
        }
    }
}

impl Instant {
    /// The instant for people: `2026-03-01 14:03:00 UTC`, or `+3h02m15s` when it lies within a year of
    /// the origin, which is then the start of a trace. Fractions of a second appear where there are any.
    pub fn to_utc_string(self) -> String {
        if self.0 < CALENDAR {
            return format!("+{}", elapsed(Span(self.0)));
        }
        let seconds = self.0 / NS_PER_S;
        let date = Date::from_days((seconds / S_PER_DAY) as u32);
        let (hour, minute, second) = clock(seconds % S_PER_DAY);
        let fraction = fraction(self.0 % NS_PER_S);
        let Date { year, month, day } = date;
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{fraction} UTC")
    }
}

const fn clock(seconds: u64) -> (u64, u64, u64) {
    (seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// `3h02m15s`, `2m15s`, `15.25s`.
fn elapsed(span: Span) -> String {
    let (hours, minutes, seconds) = clock(span.0 / NS_PER_S);
    let fraction = fraction(span.0 % NS_PER_S);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}{fraction}s"),
        (0, _) => format!("{minutes}m{seconds:02}{fraction}s"),
        _ => format!("{hours}h{minutes:02}m{seconds:02}{fraction}s"),
    }
}

/// `.25` for a quarter of a second, nothing for none.
fn fraction(ns: u64) -> String {
    if ns == 0 { String::new() } else { format!(".{ns:09}").trim_end_matches('0').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Instant {
        Instant(seconds * NS_PER_S)
    }

    #[test]
    fn instants_have_dates() {
        assert_eq!(at(1_772_373_780).to_utc_string(), "2026-03-01 14:03:00 UTC");
        assert_eq!(at(951_782_400).to_utc_string(), "2000-02-29 00:00:00 UTC");
        assert_eq!(at(951_868_799).to_utc_string(), "2000-02-29 23:59:59 UTC");
        assert_eq!(at(31_536_000).to_utc_string(), "1971-01-01 00:00:00 UTC");
        assert_eq!(at(4_107_542_400).to_utc_string(), "2100-03-01 00:00:00 UTC");
        assert_eq!(Instant(1_772_373_780_250_000_000).to_utc_string(), "2026-03-01 14:03:00.25 UTC");
        assert_eq!(Instant::MAX.to_utc_string(), "2554-07-21 23:34:33.709551615 UTC");
    }

    #[test]
    fn traces_without_a_calendar_have_elapsed_time() {
        assert_eq!(Instant::ZERO.to_utc_string(), "+0s");
        assert_eq!(at(10_935).to_utc_string(), "+3h02m15s");
        assert_eq!(at(135).to_utc_string(), "+2m15s");
        assert_eq!(Instant(15_250_000_000).to_utc_string(), "+15.25s");
        assert_eq!(at(31_535_999).to_utc_string(), "+8759h59m59s");
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let length = |year: u32, month: u32| match month {
            2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let mut expected = Date { year: 1970, month: 1, day: 1 };
        for days in 0..220_000 {
            assert_eq!(Date::from_days(days), expected);
            expected.day += 1;
            if expected.day > length(expected.year, expected.month) {
                expected = Date { month: expected.month + 1, day: 1, ..expected };
            }
            if expected.month > 12 {
                expected = Date { year: expected.year + 1, month: 1, day: 1 };
            }
        }
    }
}
