//! Known events and local time: files and zones to data.

use std::path::Path;

use homeostat_core::{Instant, Span};
use homeostat_forecast::{Calendar, Event};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::Deserialize;

use crate::failure::Failure;
use crate::input::yaml;

/// A time of a calendar in every form, for messages.
const EXAMPLE: &str = "2026-06-14T21:00 (local time of --zone) or 2026-06-14T19:00Z";

/// An event as files have it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    from: String,
    until: String,
    kind: String,
}

/// The calendar for a series that lies between `start` and `end`.
pub(crate) fn read(
    file: Option<&Path>,
    zone: Option<&str>,
    start: Instant,
    end: Instant,
) -> Result<Calendar, Failure> {
    let zone = zone.map_or(Ok(TimeZone::UTC), by_name)?;
    let mut events = match file {
        Some(path) => read_events(path, &zone)?,
        None => Vec::new(),
    };
    events.sort_by_key(|event| (event.from, event.until));
    Ok(Calendar { offsets: offsets(&zone, start, end), events })
}

fn by_name(name: &str) -> Result<TimeZone, Failure> {
    TimeZoneDatabase::bundled().get(name.trim()).map_err(|_| {
        Failure::new(format!(
            "--zone {name}: there is no such zone; expected a name of the IANA time zone data base, for \
             example Europe/Madrid"
        ))
    })
}

/// What local time is ahead of UTC: at the start, and where it changes before the end.
fn offsets(zone: &TimeZone, start: Instant, end: Instant) -> Vec<(Instant, i32)> {
    let stamp = |at: Instant| Timestamp::from_nanosecond(i128::from(at.0)).unwrap_or(Timestamp::MAX);
    let first = (Instant::ZERO, zone.to_offset(stamp(start)).seconds());
    let changes = zone
        .following(stamp(start))
        .map(|change| (u64::try_from(change.timestamp().as_nanosecond()), change.offset().seconds()))
        .map_while(|(at, offset)| Some((Instant(at.ok()?), offset)))
        .take_while(|(at, _)| *at < end + Span::DAY);
    let all: Vec<(Instant, i32)> = std::iter::once(first).chain(changes).collect();
    if all == [(Instant::ZERO, 0)] { Vec::new() } else { all }
}

fn read_events(path: &Path, zone: &TimeZone) -> Result<Vec<Event>, Failure> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("cannot read the calendar {name}: {error}")))?;
    let yaml = path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml");
    let entries = if yaml { from_yaml(&text, &name)? } else { from_csv(&text, &name)? };
    entries.into_iter().map(|(place, entry)| event(&place, &entry, zone)).collect()
}

fn from_yaml(text: &str, name: &str) -> Result<Vec<(String, Entry)>, Failure> {
    let entries: Vec<Entry> = yaml::read(text, name)?;
    let place = |(index, entry)| (format!("{name}: event {}", index + 1), entry);
    Ok(entries.into_iter().enumerate().map(place).collect())
}

fn from_csv(text: &str, name: &str) -> Result<Vec<(String, Entry)>, Failure> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let cells = |line: &str| line.split(',').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let header = lines.next().map(|(_, line)| cells(line)).unwrap_or_default();
    let column = |wanted: &str| {
        header.iter().position(|name| name.eq_ignore_ascii_case(wanted)).ok_or_else(|| {
            Failure::new(format!(
                "{name}:1: there is no column `{wanted}`; expected the header from,until,kind"
            ))
        })
    };
    let columns = [column("from")?, column("until")?, column("kind")?];
    let entry = |(index, line): (usize, &str)| {
        let (place, cells) = (format!("{name}:{}", index + 1), cells(line));
        let [from, until, kind] = columns.map(|column| cells.get(column).cloned());
        match (from, until, kind) {
            (Some(from), Some(until), Some(kind)) => Ok((place, Entry { from, until, kind })),
            _ => Err(Failure::new(format!(
                "{place}: the row ends after {} cells; expected from, until and kind, for example \
                 2026-06-14T21:00,2026-06-14T23:00,match",
                cells.len()
            ))),
        }
    };
    lines.map(entry).collect()
}

fn event(place: &str, entry: &Entry, zone: &TimeZone) -> Result<Event, Failure> {
    let time = |field: &str, text: &str| {
        instant(text, zone).ok_or_else(|| {
            Failure::new(format!("{place}: {field}: `{text}` is not a time; expected for example {EXAMPLE}"))
        })
    };
    let (from, until) = (time("from", &entry.from)?, time("until", &entry.until)?);
    if until <= from {
        let problem = format!(
            "{place}: until: {} is not after from, {}; expected a later time",
            entry.until, entry.from
        );
        return Err(Failure::new(problem));
    }
    if entry.kind.is_empty() {
        return Err(Failure::new(format!("{place}: kind: is empty; expected a name, for example match")));
    }
    Ok(Event { from, until, kind: entry.kind.clone() })
}

/// A time with an offset, or one of the zone.
fn instant(text: &str, zone: &TimeZone) -> Option<Instant> {
    let text = text.trim();
    let stamp = match text.parse::<Timestamp>() {
        Ok(stamp) => stamp,
        Err(_) => zone.to_timestamp(text.parse::<DateTime>().ok()?).ok()?,
    };
    u64::try_from(stamp.as_nanosecond()).ok().map(Instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        instant(text, &TimeZone::UTC).unwrap()
    }

    #[test]
    fn local_time_follows_daylight_saving() {
        let calendar =
            read(None, Some("Europe/Madrid"), at("2026-03-01T00:00Z"), at("2026-11-30T00:00Z")).unwrap();
        let changes: Vec<Instant> = calendar.offsets[1..].iter().map(|(at, _)| *at).collect();
        assert_eq!(changes, [at("2026-03-29T01:00Z"), at("2026-10-25T01:00Z")]);
        let local = |text| calendar.local_seconds(at(text)) % 86_400 / 3_600;
        assert_eq!(local("2026-03-28T08:00Z"), 9);
        assert_eq!(local("2026-03-30T07:00Z"), 9, "nine in the morning comes an hour of UTC earlier");
        assert_eq!(local("2026-10-26T08:00Z"), 9);
        assert!(read(None, None, at("2026-03-01"), at("2026-04-01")).unwrap().offsets.is_empty());
    }

    #[test]
    fn events_are_read_in_the_time_of_the_zone() {
        let zone = by_name("Europe/Madrid").unwrap();
        let csv = "kind,from,until\nmatch,2026-06-14T21:00,2026-06-14T23:00\n";
        let read = |(place, entry): &(String, Entry)| event(place, entry, &zone).unwrap();
        let from_csv = from_csv(csv, "c.csv").unwrap().iter().map(read).collect::<Vec<_>>();
        let expected =
            Event { from: at("2026-06-14T19:00Z"), until: at("2026-06-14T21:00Z"), kind: "match".into() };
        assert_eq!(from_csv, [expected]);
        let yaml = "- { from: 2026-06-14T19:00Z, until: 2026-06-14T21:00Z, kind: match }\n";
        let from_yaml = from_yaml(yaml, "c.yaml").unwrap().iter().map(read).collect::<Vec<_>>();
        assert_eq!(from_yaml, from_csv);
    }
}
