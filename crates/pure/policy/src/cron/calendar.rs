//! Days, weekdays and minutes on a local clock that keeps a fixed distance from UTC.

use homeostat_core::Instant;
use homeostat_core::civil::Date;

const NS_PER_S: u64 = 1_000_000_000;
/// Minutes of a day.
pub(super) const MINUTES_PER_DAY: i64 = 1_440;
const DAYS_PER_CYCLE: i64 = 146_097;

/// A fixed offset from UTC, in seconds east of Greenwich.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UtcOffset(i32);

impl UtcOffset {
    /// Reads `UTC`, `Etc/UTC`, `Z`, `+02:00`, `-0530` or `+2`. Names with daylight-saving rules are not
    /// known here: the rules live in a data base that a pure function has no access to.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if ["", "UTC", "Etc/UTC", "GMT", "Z"].contains(&text) {
            return Some(Self(0));
        }
        let text = text.strip_prefix("UTC").unwrap_or(text);
        let (sign, digits) = match text.split_at_checked(1)? {
            ("+", rest) => (1, rest),
            ("-", rest) => (-1, rest),
            _ => return None,
        };
        let (hours, minutes) = match (digits.split_once(':'), digits.len()) {
            (Some(parts), _) => parts,
            (None, 4) => digits.split_at_checked(2)?,
            (None, _) => (digits, "0"),
        };
        let (hours, minutes) = (small(hours)?, small(minutes)?);
        (hours <= 14 && minutes < 60).then_some(Self(sign * (hours * 3_600 + minutes * 60)))
    }
}

/// At most two digits, nothing else.
pub(super) fn small(text: &str) -> Option<i32> {
    let fits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// Whole minutes since 1970-01-01T00:00 on the local clock, rounded down.
pub(super) const fn local_minute(at: Instant, offset: UtcOffset) -> i64 {
    ((at.0 / NS_PER_S) as i64 + offset.0 as i64).div_euclid(60)
}

/// The instant at which a local minute begins; the origin for minutes before it.
pub(super) const fn instant_of(local_minute: i64, offset: UtcOffset) -> Instant {
    let seconds = local_minute * 60 - offset.0 as i64;
    if seconds < 0 { Instant::ZERO } else { Instant((seconds as u64).saturating_mul(NS_PER_S)) }
}

/// Day of the week of a day number: 0 is Sunday.
pub(super) const fn weekday(day: i64) -> u32 {
    (day + 4).rem_euclid(7) as u32
}

/// Month (1 to 12) and day of the month (1 to 31) of a day number since 1970-01-01.
pub(super) const fn month_and_day(day: i64) -> (u32, u32) {
    // The calendar repeats after 400 years; one such cycle keeps the number positive.
    let date = Date::from_days((day + DAYS_PER_CYCLE) as u32);
    (date.month, date.day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_dates() {
        assert_eq!(month_and_day(0), (1, 1));
        assert_eq!(weekday(0), 4); // a Thursday
        // 951 782 400 s = 2000-02-29, a Tuesday.
        assert_eq!(month_and_day(951_782_400 / 86_400), (2, 29));
        assert_eq!(weekday(951_782_400 / 86_400), 2);
        // 1 709 251 200 s = 2024-03-01, a Friday.
        assert_eq!(month_and_day(1_709_251_200 / 86_400), (3, 1));
        assert_eq!(weekday(1_709_251_200 / 86_400), 5);
        assert_eq!(month_and_day(-1), (12, 31));
    }

    #[test]
    fn days_follow_one_another() {
        for day in 0..200_000 {
            let (today, tomorrow) = (month_and_day(day), month_and_day(day + 1));
            let next_day = tomorrow == (today.0, today.1 + 1);
            assert!(next_day || (tomorrow.1 == 1 && tomorrow.0 == today.0 % 12 + 1), "{day}");
        }
    }

    #[test]
    fn reads_offsets() {
        for (text, seconds) in [("UTC", 0), ("+02:00", 7_200), ("-0530", -19_800), ("+2", 7_200), ("Z", 0)] {
            assert_eq!(UtcOffset::parse(text), Some(UtcOffset(seconds)), "{text}");
        }
        for text in ["Europe/Berlin", "+25:00", "02:00", "+1:75", "+", "é"] {
            assert_eq!(UtcOffset::parse(text), None, "{text}");
        }
    }
}
