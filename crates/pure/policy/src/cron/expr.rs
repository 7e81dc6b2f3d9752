//! Cron expressions of five fields: minute, hour, day of month, month, day of week.

use homeostat_core::Instant;

use super::calendar::{MINUTES_PER_DAY, UtcOffset, instant_of, local_minute, month_and_day, weekday};

/// How far ahead a matching day is looked for: two leap days may lie eight years apart.
const SEARCH_DAYS: i64 = 8 * 366 + 2;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// Short names of the days of the week, Sunday first.
pub(super) const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A parsed cron expression.
///
/// Where both days are restricted a day matches if either does, as in every cron; `*` and `?` do not
/// restrict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronExpr {
    minutes: u64,
    hours: u64,
    days_of_month: u64,
    months: u64,
    days_of_week: u64,
    any_day_matches: bool,
}

/// A field's meaning: its name, its least and greatest value, and names for values.
struct Field {
    name: &'static str,
    least: u32,
    greatest: u32,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, greatest: 59, names: &[] },
    Field { name: "hour", least: 0, greatest: 23, names: &[] },
    Field { name: "day of month", least: 1, greatest: 31, names: &[] },
    Field { name: "month", least: 1, greatest: 12, names: &MONTHS },
    Field { name: "day of week", least: 0, greatest: 7, names: &DAYS },
];

impl CronExpr {
    /// Reads five fields separated by spaces; the error says which field is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day_of_month, month, day_of_week] = parts[..] else {
            return Err(format!(
                "`{text}` has {} fields, not five: minute, hour, day of month, month, day of week",
                parts.len()
            ));
        };
        let mut days_of_week = FIELDS[4].parse(day_of_week)?;
        if days_of_week & (1 << 7) != 0 {
            days_of_week = (days_of_week | 1) & 0x7f;
        }
        let free = |field: &str| field == "*" || field == "?";
        Ok(Self {
            minutes: FIELDS[0].parse(minute)?,
            hours: FIELDS[1].parse(hour)?,
            days_of_month: FIELDS[2].parse(day_of_month)?,
            months: FIELDS[3].parse(month)?,
            days_of_week,
            any_day_matches: !free(day_of_month) && !free(day_of_week),
        })
    }

    /// The first matching minute that begins after `after`; `None` where no date matches (30 February).
    pub fn next(&self, after: Instant, offset: UtcOffset) -> Option<Instant> {
        let first = local_minute(after, offset) + 1;
        let today = first.div_euclid(MINUTES_PER_DAY);
        let of_today = first.rem_euclid(MINUTES_PER_DAY);
        (today..today + SEARCH_DAYS).filter(|day| self.matches_day(*day)).find_map(|day| {
            let from = if day == today { of_today } else { 0 };
            self.minute_of_day(from).map(|minute| instant_of(day * MINUTES_PER_DAY + minute, offset))
        })
    }

    fn matches_day(&self, day: i64) -> bool {
        let (month, of_month) = month_and_day(day);
        let by_month = self.days_of_month & (1 << of_month) != 0;
        let by_week = self.days_of_week & (1 << weekday(day)) != 0;
        let day_matches = if self.any_day_matches { by_month || by_week } else { by_month && by_week };
        day_matches && self.months & (1 << month) != 0
    }

    /// The first matching minute of a day at or after `from`.
    fn minute_of_day(&self, from: i64) -> Option<i64> {
        (from / 60..24).filter(|hour| self.hours & (1 << hour) != 0).find_map(|hour| {
            let first = if hour == from / 60 { from % 60 } else { 0 };
            (first..60).find(|minute| self.minutes & (1 << minute) != 0).map(|minute| hour * 60 + minute)
        })
    }
}

impl Field {
    /// A set of values as bits: lists of values, ranges and steps.
    fn parse(&self, text: &str) -> Result<u64, String> {
        text.split(',').try_fold(0, |set, part| Ok(set | self.part(part)?))
    }

    fn part(&self, text: &str) -> Result<u64, String> {
        let (range, step) = text.split_once('/').map_or((text, None), |(range, step)| (range, Some(step)));
        let step = match step {
            None => 1,
            Some(step) => number(step).filter(|step| *step > 0).ok_or_else(|| self.bad(text))?,
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" || range == "?" => (self.least, self.end()),
            Some((first, last)) => (self.value(first)?, self.value(last)?),
            None if text.contains('/') => (self.value(range)?, self.end()),
            None => (self.value(range)?, self.value(range)?),
        };
        if first > last {
            return Err(self.bad(text));
        }
        Ok((first..=last).step_by(step as usize).fold(0, |set, value| set | 1 << value))
    }

    /// The greatest value of an open range: Saturday, not the second Sunday.
    const fn end(&self) -> u32 {
        if self.greatest == 7 { 6 } else { self.greatest }
    }

    fn value(&self, text: &str) -> Result<u32, String> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = named.map_or_else(|| number(text), |index| Some(index as u32 + self.least));
        value.filter(|v| (self.least..=self.greatest).contains(v)).ok_or_else(|| self.bad(text))
    }

    fn bad(&self, text: &str) -> String {
        format!("`{text}` is not a {} ({} to {})", self.name, self.least, self.greatest)
    }
}

fn number(text: &str) -> Option<u32> {
    super::calendar::small(text).map(|value| value as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 2024-03-01T00:00:00Z, a Friday.
    const FRIDAY: u64 = 1_709_251_200;

    fn seconds_until(expr: &str, from: u64) -> u64 {
        let next = CronExpr::parse(expr).unwrap().next(Instant(from * 1_000_000_000), UtcOffset::default());
        next.unwrap().0 / 1_000_000_000 - from
    }

    #[test]
    fn finds_the_next_minute() {
        assert_eq!(seconds_until("0 8 * * *", FRIDAY), 8 * 3_600);
        assert_eq!(seconds_until("* * * * *", FRIDAY), 60);
        assert_eq!(seconds_until("*/15 * * * *", FRIDAY + 1), 15 * 60 - 1);
        assert_eq!(seconds_until("0 0 * * mon-fri", FRIDAY), 3 * 86_400);
        assert_eq!(seconds_until("30 9 * * 7", FRIDAY), 2 * 86_400 + 9 * 3_600 + 1_800);
        assert_eq!(seconds_until("0 0 1 jan *", FRIDAY), (366 - 60) * 86_400);
        // 13th or Friday: the next is Friday the 8th.
        assert_eq!(seconds_until("0 0 13 * 5", FRIDAY), 7 * 86_400);
        assert_eq!(seconds_until("0 0 29 2 *", FRIDAY), (365 * 3 + 366 - 1) * 86_400);
        assert_eq!(seconds_until("5/20 0 * * *", FRIDAY + 300), 20 * 60);
    }

    #[test]
    fn follows_the_offset() {
        let expr = CronExpr::parse("0 8 * * *").unwrap();
        let offset = UtcOffset::parse("+02:00").unwrap();
        let next = expr.next(Instant(FRIDAY * 1_000_000_000), offset).unwrap();
        assert_eq!(next.0 / 1_000_000_000 - FRIDAY, 6 * 3_600);
    }

    #[test]
    fn refuses_nonsense() {
        for text in [
            "",
            "* * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "a * * * *",
            "-1 * * * *",
        ] {
            assert!(CronExpr::parse(text).is_err(), "{text}");
        }
        let never = CronExpr::parse("0 0 30 2 *").unwrap();
        assert_eq!(never.next(Instant::ZERO, UtcOffset::default()), None);
    }

    proptest! {
        #[test]
        fn next_is_the_first_match(
            minute in 0..60_u64,
            hour in 0..24_u64,
            from in 0..4_000_000_000_u64,
        ) {
            let expr = format!("{minute} {hour} * * *");
            let ahead = seconds_until(&expr, from);
            prop_assert!(ahead > 0 && ahead <= 86_400);
            prop_assert_eq!((from + ahead) % 86_400, hour * 3_600 + minute * 60);
        }
    }
}
