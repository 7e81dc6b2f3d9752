//! The recorded traces as series of minutes: what is missing by docs/forecasting-peers.md is missing here.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use homeostat_core::load::{BinLoad, LoadItem};
use homeostat_core::{Instant, Span};
use homeostat_forecast::{Series, Value};
use homeostat_trace::{ReadOptions, open};

/// A recorded trace.
pub(crate) struct Trace {
    /// Its name in tables.
    pub(crate) name: &'static str,
    file: &'static str,
    map: Option<&'static str>,
    step: Option<Span>,
    /// Time of the first row, for files without times: seconds since the epoch. Log time counts as UTC.
    start: Option<u64>,
    artefact: Option<&'static str>,
    missing_zeros: Option<Span>,
    /// Where two logs are joined: offset of the second in the file, and where it belongs, in seconds.
    join: Option<(u64, u64)>,
    /// Whether values are counts.
    counts: bool,
    /// Seasons in minutes that outside models are told.
    pub(crate) periods: &'static [u64],
}

const PLAIN: Trace = Trace {
    name: "",
    file: "",
    map: None,
    step: None,
    start: None,
    artefact: None,
    missing_zeros: None,
    join: None,
    counts: true,
    periods: &[1_440, 10_080],
};

/// The traces that forecasts are compared on.
pub(crate) const TRACES: [Trace; 4] = [
    Trace {
        name: "world-cup",
        file: "request-traces/worldcup98_1min.csv.gz",
        map: Some("time=utc,count=requests"),
        missing_zeros: Some(Span::MINUTE),
        ..PLAIN
    },
    Trace {
        name: "nasa",
        file: "request-traces/nasa_http_1995_10s.csv.gz",
        step: Some(Span::from_secs(10)),
        start: Some(804_556_800),
        missing_zeros: Some(Span::HOUR),
        join: Some((2_381_545, 31 * 86_400)),
        ..PLAIN
    },
    Trace {
        name: "mongo-01",
        file: "anomaly-msft-cloud/mongodb-application-rps/mongo-01.csv.gz",
        map: Some("time=TimeStamp,rate=Value"),
        counts: false,
        ..PLAIN
    },
    Trace {
        name: "twitter",
        file: "request-traces/twitter_stream_2021-08_1s.csv.gz",
        step: Some(Span::SECOND),
        start: Some(1_627_776_000),
        artefact: Some("23:31:01-24:00"),
        periods: &[60, 1_440],
        ..PLAIN
    },
];

/// A trace by the minute.
pub(crate) struct Recorded {
    /// Mean rates in requests per second.
    pub(crate) series: Series,
    /// Minutes of the tuning part: 40 % of the whole, cut at the midnight before.
    pub(crate) cut: usize,
    /// Size of one count in the unit of the series, where values are counts.
    pub(crate) count: Option<f64>,
}

/// Where recordings are.
pub(crate) fn folder(root: &Path) -> PathBuf {
    std::env::var_os("HOMEOSTAT_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from)
}

impl Trace {
    /// Reads the trace; `None`, and a word about it, without the file.
    pub(crate) fn read(&self, root: &Path) -> Result<Option<Recorded>> {
        let path = folder(root).join(self.file);
        if !path.exists() {
            println!("skipped: no data at {} (set HOMEOSTAT_DATA)", path.display());
            return Ok(None);
        }
        let series = self.minutes(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let whole = series.step * series.values.len() as u64;
        let at = series.start + Span((whole.0 as f64 * 0.4) as u64);
        let midnight = Instant(at.0 - at.0 % Span::DAY.0);
        let cut = (midnight.since(series.start).0 / Span::MINUTE.0) as usize;
        Ok(Some(Recorded { series, cut, count: self.counts.then_some(1.0 / 60.0) }))
    }

    fn minutes(&self, path: &Path) -> Result<Series> {
        let options = ReadOptions {
            map: self.map.map(str::parse).transpose()?,
            step: self.step,
            start: self.start.map(|s| Instant::ZERO + Span::from_secs(s)),
            artefacts: self.artefact.map(str::parse).transpose()?.into_iter().collect(),
            missing_zeros: self.missing_zeros,
            ..ReadOptions::default()
        };
        let mut minutes = Minutes::default();
        for item in open(path, &options)?.stream {
            let LoadItem::Bin { start, span, load } = item.map_err(|e| anyhow::anyhow!("{e}"))? else {
                anyhow::bail!("an event log where a series was expected");
            };
            let first = *minutes.start.get_or_insert(start);
            if let Some((start, load)) = self.placed(start.since(first), span, load) {
                minutes.add(start, span, load);
            }
        }
        Ok(minutes.series())
    }

    /// A bin at its place in time. The bin in which two logs meet is of neither.
    fn placed(&self, from: Span, span: Span, load: BinLoad) -> Option<(Span, BinLoad)> {
        let Some((join, belongs)) = self.join else { return Some((from, load)) };
        let join = Span::from_secs(join);
        if from + span <= join {
            Some((from, load))
        } else if from < join {
            None
        } else {
            let into = Span((from.0 - join.0) / span.0 * span.0);
            Some((Span::from_secs(belongs) + into, load))
        }
    }
}

/// Requests and known time of each minute.
#[derive(Default)]
struct Minutes {
    start: Option<Instant>,
    requests: Vec<f64>,
    known: Vec<Span>,
}

impl Minutes {
    fn add(&mut self, from: Span, span: Span, load: BinLoad) {
        let minute = (from.0 / Span::MINUTE.0) as usize;
        if self.requests.len() <= minute {
            self.requests.resize(minute + 1, 0.0);
            self.known.resize(minute + 1, Span::ZERO);
        }
        let requests = match load {
            BinLoad::Count(count) => count as f64,
            BinLoad::Rate { per_second, .. } => per_second * span.as_secs_f64(),
            BinLoad::Missing => return,
        };
        self.requests[minute] += requests;
        self.known[minute] += span;
    }

    /// Minutes that are not known as a whole are missing.
    fn series(self) -> Series {
        let value = |(requests, known): (f64, Span)| {
            if known == Span::MINUTE { Value::Known(requests / 60.0) } else { Value::Missing }
        };
        let values = self.requests.into_iter().zip(self.known).map(value).collect();
        Series { start: self.start.unwrap_or(Instant::ZERO), step: Span::MINUTE, values }
    }
}

/// Values without holes, for models that can't take any: the first 5 minutes of a hole keep the last value,
/// the rest repeats the day before.
pub(crate) fn filled(values: &[Value]) -> Vec<f64> {
    const DAY: usize = 1_440;
    let mut out: Vec<f64> = Vec::with_capacity(values.len());
    let mut hole = 0;
    for (i, value) in values.iter().enumerate() {
        hole = if value.known().is_some() { 0 } else { hole + 1 };
        let kept = || out.last().copied().unwrap_or(0.0);
        let before = if hole > 5 && i >= DAY { out[i - DAY] } else { kept() };
        out.push(value.known().unwrap_or(before));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_from_the_past_only() {
        let mut values = vec![Value::Known(1.0); 1_440];
        values.push(Value::Known(9.0));
        values.extend([Value::Missing; 7]);
        assert_eq!(filled(&values)[1_440..], [9.0, 9.0, 9.0, 9.0, 9.0, 9.0, 1.0, 1.0]);
    }

    #[test]
    fn masks_are_those_of_the_definitions() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let missing = |name: &str| {
            let trace = TRACES.iter().find(|t| t.name == name)?;
            let recorded = trace.read(&root).unwrap()?;
            let holes = recorded.series.values.iter().filter(|v| v.known().is_none()).count();
            Some((recorded.series.values.len(), recorded.cut, holes))
        };
        let Some(world_cup) = missing("world-cup") else { return };
        // 66.1 days from 21:30; the cut is the midnight after 26 days and the first evening.
        assert_eq!(world_cup, (95_190, 26 * 1_440 + 150, 10));
        // July 28 13:32 to August 1 (4 947 min and the one cut short), and the hurricane (2 264 min).
        let nasa = missing("nasa").unwrap();
        assert_eq!((nasa.0, nasa.1), (62 * 1_440, 24 * 1_440));
        assert!((7_200..7_220).contains(&nasa.2), "{nasa:?}");
        assert_eq!(missing("twitter"), Some((20_160, 5 * 1_440, 14 * 29)));
    }
}
