//! What a caller may say about a trace. Every part reads itself from text.

use std::fmt;
use std::str::FromStr;

use homeostat_core::{Instant, Span};
use serde::Serialize;

use crate::error::BadOption;
use crate::zone::Zone;

/// How to read a trace. The default guesses everything that can be guessed and says so.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadOptions {
    /// Which column means what; `None` guesses by name.
    pub map: Option<ColumnMap>,
    /// Length of a bin. Needed where the file has no times; otherwise taken from the rows.
    pub step: Option<Span>,
    /// Time of the first row, for files without a calendar.
    pub start: Option<Instant>,
    /// Zone of stamps without an offset; UTC when `None`.
    pub time_zone: Option<Zone>,
    /// What to do with a time that occurs twice in a series.
    pub on_duplicate: OnDuplicate,
    /// The format; `None` looks at the first rows.
    pub format: Option<Format>,
    /// Daily windows in which the record is known to be wrong; they become missing.
    pub artefacts: Vec<Artefact>,
    /// Runs of zeros at least this long become missing.
    pub missing_zeros: Option<Span>,
    /// Keep only rows with this key.
    pub key: Option<String>,
    /// Rows may come in any order: sort them first, in bounded memory.
    pub sort: bool,
}

/// Formats of traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// One value per line, evenly spaced.
    Values,
    /// CSV with a time and a count or rate, wide or one row per time and key.
    Series,
    /// CSV with one row per request.
    Events,
    /// The Azure LLM inference traces: `TIMESTAMP,ContextTokens,GeneratedTokens`.
    AzureLlm,
    /// The Mooncake traces: JSON lines with `timestamp` in ms, `input_length`, `output_length`.
    Mooncake,
    /// `ServeGen` rate tables: rate and shape of the gaps per client and window.
    ServeGen,
    /// The answer of Prometheus to `query_range`, a JSON matrix.
    Prometheus,
}

const FORMATS: [(&str, Format); 7] = [
    ("values", Format::Values),
    ("series", Format::Series),
    ("events", Format::Events),
    ("azure-llm", Format::AzureLlm),
    ("mooncake", Format::Mooncake),
    ("servegen", Format::ServeGen),
    ("prometheus", Format::Prometheus),
];

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = FORMATS.iter().find(|(_, format)| format == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for Format {
    type Err = BadOption;

    fn from_str(text: &str) -> Result<Self, BadOption> {
        choose("--format", text, &FORMATS, "series")
    }
}

/// What to do with a time that occurs twice in a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnDuplicate {
    /// Refuse the file.
    #[default]
    Refuse,
    /// Keep the first row.
    First,
    /// Add the rows.
    Sum,
    /// Take the mean of the rows.
    Mean,
}

impl FromStr for OnDuplicate {
    type Err = BadOption;

    fn from_str(text: &str) -> Result<Self, BadOption> {
        let names =
            [("refuse", Self::Refuse), ("first", Self::First), ("sum", Self::Sum), ("mean", Self::Mean)];
        choose("--on-duplicate", text, &names, "sum")
    }
}

fn choose<T: Copy>(
    option: &'static str,
    text: &str,
    names: &[(&str, T)],
    example: &'static str,
) -> Result<T, BadOption> {
    names.iter().find(|(name, _)| *name == text.trim()).map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        BadOption {
            option,
            found: text.to_owned(),
            expected: format!("one of {}", known.join(", ")),
            example,
        }
    })
}

/// Whether values count requests or give requests per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Requests in the bin.
    Count,
    /// Requests per second.
    Rate,
}

/// Which column means what: `time=utc,count=requests`. A column is a name of the header or `#n`;
/// `count` and `rate` also take several, `a+b`, or `*` for all that are left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnMap {
    /// Column with the time.
    pub time: Option<String>,
    /// Column or columns with the load, and what they measure.
    pub value: Option<(Measure, String)>,
    /// Column that tells series apart that share the file.
    pub key: Option<String>,
    /// Column with the tokens of the prompt.
    pub input: Option<String>,
    /// Column with the generated tokens.
    pub output: Option<String>,
    /// Column with the time of service: seconds, or as the suffix `_ms`, `_us`, `_ns` says.
    pub service: Option<String>,
}

const MAP_EXAMPLE: &str = "time=TimeStamp,rate=Value";
const MAP_KEYS: [&str; 7] = ["time", "count", "rate", "key", "input", "output", "service"];

impl FromStr for ColumnMap {
    type Err = BadOption;

    fn from_str(text: &str) -> Result<Self, BadOption> {
        let bad = |expected: String| BadOption {
            option: "--map",
            found: text.to_owned(),
            expected,
            example: MAP_EXAMPLE,
        };
        let mut map = Self::default();
        for piece in text.split(',') {
            let (key, column) =
                piece.split_once('=').ok_or_else(|| bad("ROLE=COLUMN pairs, comma separated".to_owned()))?;
            let (key, column) = (key.trim(), column.trim().to_owned());
            if column.is_empty() {
                return Err(bad(format!("a column after `{key}=`")));
            }
            let slot = match key {
                "time" => &mut map.time,
                "key" => &mut map.key,
                "input" => &mut map.input,
                "output" => &mut map.output,
                "service" => &mut map.service,
                "count" | "rate" => {
                    let measure = if key == "count" { Measure::Count } else { Measure::Rate };
                    if map.value.replace((measure, column)).is_some() {
                        return Err(bad("count or rate once".to_owned()));
                    }
                    continue;
                }
                _ => return Err(bad(format!("roles out of {}", MAP_KEYS.join(", ")))),
            };
            if slot.replace(column).is_some() {
                return Err(bad(format!("`{key}` once")));
            }
        }
        Ok(map)
    }
}

/// A window of the day, in UTC (or since the start of a trace without a calendar), start included
/// and end excluded: `23:31:01-24:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Artefact {
    /// Start after midnight.
    pub from: Span,
    /// End after midnight, at most 24 h; windows over midnight are written as two.
    pub to: Span,
}

impl fmt::Display for Artefact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |span: Span| {
            let s = span.0 / 1_000_000_000;
            format!("{:02}:{:02}:{:02}", s / 3_600, s / 60 % 60, s % 60)
        };
        write!(f, "{}-{}", clock(self.from), clock(self.to))
    }
}

impl FromStr for Artefact {
    type Err = BadOption;

    fn from_str(text: &str) -> Result<Self, BadOption> {
        let window = text.split_once(['-', '–']).and_then(|(from, to)| {
            let (from, to) = (clock(from)?, clock(to)?);
            (from < to && to <= Span::DAY).then_some(Self { from, to })
        });
        window.ok_or_else(|| BadOption {
            option: "--artefact",
            found: text.to_owned(),
            expected: "a daily window HH:MM[:SS]-HH:MM[:SS] that ends by 24:00".to_owned(),
            example: "23:31:01-24:00",
        })
    }
}

/// Reads `HH:MM` or `HH:MM:SS`.
fn clock(text: &str) -> Option<Span> {
    let mut parts = text.trim().split(':');
    let mut next = |most: u64| {
        let part = parts.next()?;
        let value = part.parse::<u64>().ok()?;
        (part.len() == 2 && value <= most).then_some(value)
    };
    let (hours, minutes) = (next(24)?, next(59)?);
    let seconds = if text.matches(':').count() > 1 { next(59)? } else { 0 };
    parts.next().is_none().then_some(Span::from_secs(hours * 3_600 + minutes * 60 + seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_maps() {
        let map: ColumnMap = "time=TimeStamp, rate=Value,key=app".parse().unwrap();
        assert_eq!(map.time.as_deref(), Some("TimeStamp"));
        assert_eq!(map.value, Some((Measure::Rate, "Value".to_owned())));
        for bad in ["", "time", "time=", "hour=x", "count=a,rate=b", "time=a,time=b"] {
            let error = bad.parse::<ColumnMap>().unwrap_err().to_string();
            assert!(error.contains("--map") && error.contains(MAP_EXAMPLE), "{error}");
        }
    }

    #[test]
    fn reads_windows() {
        let window: Artefact = "23:31:01-24:00".parse().unwrap();
        assert_eq!(window, Artefact { from: Span::from_secs(84_661), to: Span::DAY });
        assert_eq!(window.to_string(), "23:31:01-24:00:00");
        for bad in
            ["", "23:00", "5-6", "23:00-22:00", "10:00-25:00", "10:00-10:00", "1:00-2:00", "01:00:-02:00"]
        {
            assert!(bad.parse::<Artefact>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names_formats_both_ways() {
        for (name, format) in FORMATS {
            assert_eq!(format.to_string(), name);
            assert_eq!(name.parse(), Ok(format));
        }
        let error = "parquet".parse::<Format>().unwrap_err().to_string();
        assert!(error.contains("servegen"), "{error}");
        assert_eq!("mean".parse(), Ok(OnDuplicate::Mean));
    }
}
