//! The answer of Prometheus to `query_range`: a matrix, one series after the other.
//!
//! The document is parsed as it is read; samples go to the bounded sort and come back by time.

use std::fmt;
use std::io::{BufReader, Read};
use std::path::Path;

use homeostat_core::Instant;
use homeostat_core::load::Gaps;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Cell;
use super::sort::{Sorted, Sorter};
use crate::error::{Place, TraceError};
use crate::number::{checked_count, checked_rate, float};
use crate::options::Measure;
use crate::source::{Source, io_error};

const EXAMPLE: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[…]}}"#;

/// What was read.
pub(crate) struct Matrix {
    pub(crate) sorted: Sorted,
    pub(crate) series: u32,
    /// Samples that are not a number; they are holes.
    pub(crate) not_numbers: u64,
}

/// Reads a whole answer into the sort.
pub(crate) fn read(source: Source, measure: Measure) -> Result<Matrix, TraceError> {
    let path = source.path;
    let mut sink = Sink {
        sorter: Sorter::new(),
        measure,
        series: 0,
        samples: 0,
        not_numbers: 0,
        matrix: false,
        failure: None,
    };
    parse(source.reader, &mut sink).map_err(|error| match sink.failure.take() {
        Some(failure) => failure,
        None => json_error(&path, error),
    })?;
    let refuse = |problem: &str| {
        Place::file(&path).refuse(problem, "the JSON answer of Prometheus to query_range, a matrix", EXAMPLE)
    };
    if !sink.matrix {
        return Err(refuse("there is no data.result"));
    }
    if sink.samples == 0 {
        return Err(refuse("the answer has no samples"));
    }
    Ok(Matrix { sorted: sink.sorter.finish()?, series: sink.series, not_numbers: sink.not_numbers })
}

fn parse(reader: Box<dyn Read + Send>, sink: &mut Sink) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_reader(BufReader::with_capacity(1 << 16, reader));
    Part::Answer.seed(sink).deserialize(&mut json)?;
    json.end()
}

fn json_error(path: &Path, error: serde_json::Error) -> TraceError {
    if error.is_io() {
        return io_error(path, error.into());
    }
    let place = if error.line() > 0 { Place::row(path, error.line() as u64) } else { Place::file(path) };
    let expected = "the JSON answer of Prometheus to query_range, a matrix";
    place.refuse(error.to_string(), expected, EXAMPLE)
}

/// Where samples go.
struct Sink {
    sorter: Sorter,
    measure: Measure,
    series: u32,
    samples: u64,
    not_numbers: u64,
    matrix: bool,
    failure: Option<TraceError>,
}

impl Sink {
    fn sample<E: de::Error>(&mut self, seconds: f64, text: &str) -> Result<(), E> {
        self.samples += 1;
        let place = || format!("sample {} of series {}", self.samples, self.series);
        let nanos = (seconds * 1e6 + 0.5).floor() * 1e3;
        if !(0.0..1.8e19).contains(&nanos) {
            return Err(E::custom(format!("{}: {seconds} is not a Unix time in seconds", place())));
        }
        let value = float(text.as_bytes())
            .ok_or_else(|| E::custom(format!("{}: `{text}` is not a number", place())))?;
        let value = if value.is_nan() {
            self.not_numbers += 1;
            None
        } else {
            let checked = match self.measure {
                Measure::Count => checked_count((value * 1e6 + 0.5).floor() / 1e6),
                Measure::Rate => checked_rate(value),
            };
            Some(checked.map_err(|bad| E::custom(format!("{}: `{text}` {}", place(), bad.says())))?)
        };
        let (at, row) = (Instant(nanos as u64), self.samples);
        let cell = Cell { at, row, key: self.series, value, gaps: Gaps::Poisson };
        self.sorter.push(cell).map_err(|error| {
            self.failure = Some(error);
            E::custom("the samples could not be sorted")
        })
    }
}

/// The part of the document that a seed stands for.
#[derive(Clone, Copy)]
enum Part {
    Answer,
    Data,
    Matrix,
    Series,
    Samples,
    Sample,
}

impl Part {
    const fn seed(self, sink: &mut Sink) -> Seed<'_> {
        Seed { part: self, sink }
    }
}

struct Seed<'a> {
    part: Part,
    sink: &'a mut Sink,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.part {
            Part::Answer | Part::Data | Part::Series => deserializer.deserialize_map(self),
            Part::Matrix | Part::Samples | Part::Sample => deserializer.deserialize_seq(self),
        }
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.part {
            Part::Answer => "an answer with `status` and `data`",
            Part::Data => "data with `resultType` and `result`",
            Part::Matrix => "an array of series",
            Part::Series => "a series with `metric` and `values`",
            Part::Samples => "an array of samples",
            Part::Sample => "a sample [time, \"value\"]",
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let sink = self.sink;
        if matches!(self.part, Part::Series) {
            sink.series += 1;
        }
        while let Some(key) = map.next_key::<String>()? {
            match (self.part, key.as_str()) {
                (Part::Answer, "status") => expect(&mut map, "status", "success")?,
                (Part::Answer, "data") => map.next_value_seed(Part::Data.seed(sink))?,
                (Part::Data, "resultType") => expect(&mut map, "resultType", "matrix")?,
                (Part::Data, "result") => {
                    sink.matrix = true;
                    map.next_value_seed(Part::Matrix.seed(sink))?;
                }
                (Part::Series, "values") => map.next_value_seed(Part::Samples.seed(sink))?,
                (Part::Series, "histograms") => {
                    return Err(de::Error::custom("native histograms are not a load; query a rate"));
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let part = match self.part {
            Part::Matrix => Part::Series,
            Part::Samples => Part::Sample,
            _ => {
                let short = || de::Error::custom("a sample needs a time and a value");
                let seconds: f64 = seq.next_element()?.ok_or_else(short)?;
                seq.next_element_seed(Text { seconds, sink: self.sink })?.ok_or_else(short)?;
                return Ok(());
            }
        };
        while seq.next_element_seed(part.seed(self.sink))?.is_some() {}
        Ok(())
    }
}

/// Checks a field that has one acceptable value.
fn expect<'de, A: MapAccess<'de>>(map: &mut A, field: &str, wanted: &str) -> Result<(), A::Error> {
    let found: String = map.next_value()?;
    if found == wanted {
        return Ok(());
    }
    Err(de::Error::custom(format!("`{field}` is `{found}` instead of `{wanted}`")))
}

/// The value of a sample, which Prometheus writes as a string.
struct Text<'a> {
    seconds: f64,
    sink: &'a mut Sink,
}

impl<'de> DeserializeSeed<'de> for Text<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Text<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value as a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.sink.sample(self.seconds, text)
    }
}
