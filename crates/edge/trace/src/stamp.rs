//! Times in cells: ISO 8601 or epoch numbers, read by hand because every row has one.

use homeostat_core::civil::Date;
use homeostat_core::{Instant, Span};
use jiff::civil::DateTime;

use crate::number::{digits, float};
use crate::zone::{Fold, Zone, offset_seconds};

/// What the reader says it wants when a time is refused.
pub(crate) const EXPECTED: &str = "a time: ISO 8601 or an epoch in s, ms, us or ns";
/// An example of a time.
pub(crate) const EXAMPLE: &str = "2024-05-01T13:30:00Z";

/// Unit of epoch numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EpochUnit {
    Seconds,
    Millis,
    Micros,
    Nanos,
}

impl EpochUnit {
    const fn nanos(self) -> u64 {
        match self {
            Self::Seconds => 1_000_000_000,
            Self::Millis => 1_000_000,
            Self::Micros => 1_000,
            Self::Nanos => 1,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Millis => "milliseconds",
            Self::Micros => "microseconds",
            Self::Nanos => "nanoseconds",
        }
    }

    /// The unit that a first stamp of this size must have: seconds reach to the year 5138.
    fn by_magnitude(value: f64) -> Self {
        if value < 1e11 {
            Self::Seconds
        } else if value < 1e14 {
            Self::Millis
        } else if value < 1e17 {
            Self::Micros
        } else {
            Self::Nanos
        }
    }

    /// The unit that a column says it has: `t_ms`.
    fn by_suffix(column: &str) -> Option<Self> {
        let lower = column.to_ascii_lowercase();
        [("_ms", Self::Millis), ("_us", Self::Micros), ("_ns", Self::Nanos)]
            .into_iter()
            .find_map(|(suffix, unit)| lower.ends_with(suffix).then_some(unit))
    }
}

/// How the times of one file are written; decided by its first row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StampKind {
    /// ISO 8601 with an offset.
    IsoOffset,
    /// ISO 8601 without an offset.
    IsoLocal,
    /// Seconds and friends since 1970.
    Epoch(EpochUnit),
    /// Numbers too small for a calendar: time since the start of the trace.
    Relative(EpochUnit),
}

impl StampKind {
    /// Looks at the first time of a file; `None` when it is no time at all.
    pub(crate) fn of(cell: &[u8], column: &str) -> Option<Self> {
        if let Some(value) = float(cell) {
            if !value.is_finite() || value < 0.0 {
                return None;
            }
            let unit = EpochUnit::by_suffix(column).unwrap_or_else(|| EpochUnit::by_magnitude(value));
            let seconds = value * unit.nanos() as f64 / 1e9;
            return Some(if seconds < 1e8 { Self::Relative(unit) } else { Self::Epoch(unit) });
        }
        let parts = Iso::read(cell)?;
        Some(if parts.offset.is_some() { Self::IsoOffset } else { Self::IsoLocal })
    }

    /// Whether the times name a calendar date.
    pub(crate) const fn has_calendar(self) -> bool {
        !matches!(self, Self::Relative(_))
    }
}

/// Reads the times of one file.
#[derive(Debug, Clone)]
pub(crate) struct StampReader {
    pub(crate) kind: StampKind,
    pub(crate) zone: Option<Zone>,
    /// Added to relative times.
    pub(crate) origin: Instant,
}

impl StampReader {
    /// Reads one time; `None` when it is not one, or is before 1970 or after 2554.
    pub(crate) fn read(&self, cell: &[u8], fold: Fold) -> Option<Instant> {
        match self.kind {
            StampKind::Epoch(unit) => Some(Instant(epoch_nanos(cell, unit)?)),
            StampKind::Relative(unit) => self.origin.0.checked_add(epoch_nanos(cell, unit)?).map(Instant),
            StampKind::IsoOffset | StampKind::IsoLocal => {
                let iso = Iso::read(cell)?;
                let seconds = match (iso.offset, &self.zone) {
                    (Some(offset), _) => iso.utc_seconds() - i64::from(offset),
                    (None, None) => iso.utc_seconds(),
                    (None, Some(zone)) => zone.seconds(iso.civil()?, fold)?,
                };
                let seconds = u64::try_from(seconds).ok()?;
                seconds.checked_mul(1_000_000_000)?.checked_add(u64::from(iso.nanos)).map(Instant)
            }
        }
    }
}

/// Nanoseconds of an epoch number: integers and decimal fractions exactly, exponents through `f64`.
fn epoch_nanos(cell: &[u8], unit: EpochUnit) -> Option<u64> {
    let scale = unit.nanos();
    let dot = cell.iter().position(|b| *b == b'.').unwrap_or(cell.len());
    let (whole, fraction) = (&cell[..dot], cell.get(dot + 1..).unwrap_or_default());
    let whole = if whole.len() <= 18 { digits(whole) } else { std::str::from_utf8(whole).ok()?.parse().ok() };
    let Some(whole) = whole else {
        let nanos = float(cell)? * scale as f64;
        return (0.0..1.8e19).contains(&nanos).then_some((nanos + 0.5) as u64);
    };
    let mut nanos = 0_u64;
    if !fraction.is_empty() {
        let kept = &fraction[..fraction.len().min(9)];
        if !fraction.iter().all(u8::is_ascii_digit) {
            let nanos = float(cell)? * scale as f64;
            return (0.0..1.8e19).contains(&nanos).then_some((nanos + 0.5) as u64);
        }
        let ten = 10_u64.pow(kept.len() as u32);
        nanos = (u128::from(digits(kept)?) * u128::from(scale) / u128::from(ten)) as u64;
    }
    whole.checked_mul(scale)?.checked_add(nanos)
}

/// The parts of an ISO 8601 time, checked for range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Iso {
    year: i16,
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
    nanos: u32,
    offset: Option<i32>,
}

/// Takes two digits and, where wanted, the separator before them.
fn pair(text: &mut &[u8], before: Option<u8>) -> Option<i8> {
    if let Some(separator) = before {
        *text = text.strip_prefix(&[separator])?;
    }
    let [a, b, rest @ ..] = *text else { return None };
    if !a.is_ascii_digit() || !b.is_ascii_digit() {
        return None;
    }
    *text = rest;
    Some(((a - b'0') * 10 + (b - b'0')) as i8)
}

const fn days_in_month(year: i16, month: i8) -> i8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

impl Iso {
    fn read(mut text: &[u8]) -> Option<Self> {
        let rest = &mut text;
        let century = pair(rest, None)?;
        let year = i16::from(century) * 100 + i16::from(pair(rest, None)?);
        let month = pair(rest, Some(b'-'))?;
        let day = pair(rest, Some(b'-'))?;
        let mut iso = Self { year, month, day, hour: 0, minute: 0, second: 0, nanos: 0, offset: None };
        if let [b'T' | b't' | b' ', clock @ ..] = *rest {
            *rest = clock;
            iso.clock(rest)?;
        }
        (iso.in_range() && rest.is_empty()).then_some(iso)
    }

    fn clock(&mut self, rest: &mut &[u8]) -> Option<()> {
        self.hour = pair(rest, None)?;
        self.minute = pair(rest, Some(b':'))?;
        if rest.first() == Some(&b':') {
            self.second = pair(rest, Some(b':'))?;
            if let [b'.' | b',', fraction @ ..] = *rest {
                let length = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
                if !(1..=9).contains(&length) {
                    return None;
                }
                let value = digits(&fraction[..length])? as u32;
                self.nanos = value * 10_u32.pow(9 - length as u32);
                *rest = &fraction[length..];
            }
        }
        self.offset = match rest.trim_ascii_start() {
            b"" => None,
            b"Z" | b"z" | b"UTC" => Some(0),
            offset => Some(offset_seconds(offset)?),
        };
        *rest = &[];
        Some(())
    }

    const fn in_range(&self) -> bool {
        self.month >= 1
            && self.month <= 12
            && self.day >= 1
            && self.day <= days_in_month(self.year, self.month)
            && self.hour <= 23
            && self.minute <= 59
            && self.second <= 60
    }

    /// Seconds since 1970 when the parts are read as UTC; a leap second counts as the one before it.
    fn utc_seconds(&self) -> i64 {
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let of_era = year - era * 400;
        let month = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468;
        days * 86_400
            + i64::from(self.hour) * 3_600
            + i64::from(self.minute) * 60
            + i64::from(self.second.min(59))
    }

    fn civil(&self) -> Option<DateTime> {
        let second = self.second.min(59);
        DateTime::new(self.year, self.month, self.day, self.hour, self.minute, second, 0).ok()
    }
}

/// Writes an instant as ISO 8601 in UTC, with as many fraction digits as it needs.
pub fn iso(at: Instant) -> String {
    let seconds = at.0 / 1_000_000_000;
    let clock = seconds % 86_400;
    let Date { year, month, day } = Date::from_days((seconds / 86_400) as u32);
    let (hour, minute, second) = (clock / 3_600, clock / 60 % 60, clock % 60);
    let fraction = fraction(at.0 % 1_000_000_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// Writes a span as plain seconds, with as many fraction digits as it needs.
pub(crate) fn seconds(span: Span) -> String {
    format!("{}{}", span.0 / 1_000_000_000, fraction(span.0 % 1_000_000_000))
}

fn fraction(nanos: u64) -> String {
    if nanos == 0 {
        return String::new();
    }
    format!(".{nanos:09}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<u64> {
        let kind = StampKind::of(text.as_bytes(), "time")?;
        let reader = StampReader { kind, zone: None, origin: Instant::ZERO };
        reader.read(text.as_bytes(), Fold::Earlier).map(|at| at.0)
    }

    #[test]
    fn reads_iso_times() {
        let second = 1_700_158_546_u64;
        assert_eq!(read("2023-11-16 18:15:46.6805900"), Some(second * 1_000_000_000 + 680_590_000));
        assert_eq!(read("2023-11-16T18:15:46Z"), Some(second * 1_000_000_000));
        assert_eq!(read("2023-11-16T20:15:46+02:00"), Some(second * 1_000_000_000));
        assert_eq!(read("2023-11-16T20:15:46 +0200"), Some(second * 1_000_000_000));
        assert_eq!(read("1970-01-02"), Some(86_400_000_000_000));
        assert_eq!(read("1998-04-30T21:30"), Some(893_971_800_000_000_000));
        assert_eq!(read("2000-02-29T00:00,5"), None);
        for bad in ["2023-02-29", "2023-13-01", "2023-01-01T24:00", "2023-01-01T1:00", "1969-12-31", "x"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn tells_epoch_units_by_size() {
        let at = 1_700_000_000_500_000_000;
        assert_eq!(read("1700000000.5"), Some(at));
        assert_eq!(read("1700000000500"), Some(at));
        assert_eq!(read("1700000000500000"), Some(at));
        assert_eq!(read("1700000000500000000"), Some(at));
        assert_eq!(read("1.7000000005e9"), Some(at));
        assert_eq!(StampKind::of(b"57000", "t_ms"), Some(StampKind::Relative(EpochUnit::Millis)));
        assert_eq!(StampKind::of(b"-1", "t"), None);
    }

    proptest! {
        #[test]
        fn writes_what_it_reads(ns in 0..18_000_000_000_000_000_000_u64) {
            prop_assert_eq!(read(&iso(Instant(ns))), Some(ns));
        }

        #[test]
        fn never_panics(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let kind = StampKind::of(&text, "t");
            if let Some(kind) = kind {
                let reader = StampReader { kind, zone: None, origin: Instant(7) };
                let _ = reader.read(&text, Fold::Earlier);
            }
        }

        #[test]
        fn never_panics_on_what_looks_like_time(text in "[0-9TZ:. ,+-]{0,32}") {
            let _ = read(&text);
        }
    }
}
