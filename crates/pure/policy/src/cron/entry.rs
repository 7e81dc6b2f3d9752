//! When an entry of a schedule is in force.

use homeostat_core::Instant;

use super::CronEntry;
use super::calendar::{MINUTES_PER_DAY, UtcOffset, local_minute, small, weekday};
use super::expr::{CronExpr, DAYS};

/// The condition of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Active {
    /// A daily window.
    Daily(Daily),
    /// From one cron expression to another.
    Cron(CronWindow),
}

/// Minutes of the day, on the days whose bits are set (Sunday is bit 0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Daily {
    from: i64,
    to: i64,
    days: u8,
}

/// In force from each match of `start` until the next match of `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CronWindow {
    start: CronExpr,
    end: CronExpr,
}

impl Active {
    pub(super) fn parse(entry: &CronEntry) -> Result<Self, String> {
        match (&entry.from, &entry.to, &entry.start, &entry.end) {
            (Some(from), Some(to), None, None) => Ok(Self::Daily(Daily::parse(from, to, &entry.days)?)),
            (None, None, Some(start), Some(end)) if entry.days.is_empty() => {
                Ok(Self::Cron(CronWindow::parse(start, end)?))
            }
            _ => Err("an entry has either `from`, `to` and perhaps `days`, or `start` and `end`".to_owned()),
        }
    }

    pub(super) fn holds(&self, at: Instant, offset: UtcOffset) -> bool {
        match self {
            Self::Daily(daily) => daily.holds(local_minute(at, offset)),
            Self::Cron(window) => window.holds(at, offset),
        }
    }
}

impl CronWindow {
    /// Reads the two expressions.
    pub(crate) fn parse(start: &str, end: &str) -> Result<Self, String> {
        if start == end {
            return Err("start and end are the same".to_owned());
        }
        Ok(Self { start: CronExpr::parse(start)?, end: CronExpr::parse(end)? })
    }

    /// Whether the next end comes no later than the next start.
    pub(crate) fn holds(&self, at: Instant, offset: UtcOffset) -> bool {
        match (self.start.next(at, offset), self.end.next(at, offset)) {
            (Some(start), Some(end)) => end <= start,
            _ => false,
        }
    }
}

impl Daily {
    fn parse(from: &str, to: &str, days: &[String]) -> Result<Self, String> {
        let (from, to) = (clock(from)?, clock(to)?);
        if from == to || from == MINUTES_PER_DAY {
            return Err("the window is empty; a whole day is from 00:00 to 24:00".to_owned());
        }
        let set = days.iter().try_fold(0, |set, text| Ok::<u8, String>(set | day_set(text)?))?;
        Ok(Self { from, to, days: if days.is_empty() { 0x7f } else { set } })
    }

    fn holds(&self, minute: i64) -> bool {
        let (day, of_day) = (minute.div_euclid(MINUTES_PER_DAY), minute.rem_euclid(MINUTES_PER_DAY));
        let begins = |day: i64| self.days & (1 << weekday(day)) != 0;
        if self.from < self.to {
            begins(day) && of_day >= self.from && of_day < self.to
        } else {
            (begins(day) && of_day >= self.from) || (begins(day - 1) && of_day < self.to)
        }
    }
}

/// Minutes since midnight of `HH:MM`.
fn clock(text: &str) -> Result<i64, String> {
    let parts = text.split_once(':').and_then(|(hours, minutes)| Some((small(hours)?, small(minutes)?)));
    match parts {
        Some((hours @ 0..=23, minutes @ 0..=59)) => Ok(i64::from(hours * 60 + minutes)),
        Some((24, 0)) => Ok(MINUTES_PER_DAY),
        _ => Err(format!("`{text}` is not a time of day such as 08:00")),
    }
}

/// The bits of `mon` or `mon..fri`; a range may run over the end of the week.
fn day_set(text: &str) -> Result<u8, String> {
    let day = |name: &str| {
        let known = DAYS.iter().position(|day| day.eq_ignore_ascii_case(name.trim()));
        known.ok_or_else(|| format!("`{name}` is not a day; days are {}", DAYS.join(", ")))
    };
    let (first, last) = match text.split_once("..").or_else(|| text.split_once('-')) {
        Some((first, last)) => (day(first)?, day(last)?),
        None => (day(text)?, day(text)?),
    };
    let length = (last + 7 - first) % 7;
    Ok((0..=length).fold(0, |set, step| set | 1 << ((first + step) % 7)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_days() {
        assert_eq!(day_set("mon"), Ok(0b10));
        assert_eq!(day_set("mon..fri"), Ok(0b0011_1110));
        assert_eq!(day_set("Sat-Sun"), Ok(0b0100_0001));
        assert!(day_set("someday").is_err());
    }

    #[test]
    fn reads_times_of_day() {
        assert_eq!(clock("08:30"), Ok(510));
        assert_eq!(clock("24:00"), Ok(1_440));
        for text in ["8", "25:00", "24:01", "08:60", "-1:00", "08:30:00"] {
            assert!(clock(text).is_err(), "{text}");
        }
    }

    #[test]
    fn refuses_empty_windows() {
        assert!(Daily::parse("08:00", "08:00", &[]).is_err());
        assert!(CronWindow::parse("0 8 * * *", "0 8 * * *").is_err());
    }
}
