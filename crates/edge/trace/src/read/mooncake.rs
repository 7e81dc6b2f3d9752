//! Mooncake traces: JSON lines with a time in milliseconds and token counts.

use homeostat_core::load::RequestSize;
use homeostat_core::{Instant, Span};
use serde::Deserialize;

use super::Event;
use crate::error::{Place, TraceError, shown};
use crate::source::Lines;

/// Reads the lines; fields that are not used are skipped.
pub(crate) struct Mooncake {
    pub(crate) lines: Lines,
    pub(crate) origin: Instant,
}

#[derive(Deserialize)]
struct Line {
    timestamp: f64,
    input_length: u32,
    output_length: u32,
}

const EXAMPLE: &str = r#"{"timestamp": 0, "input_length": 512, "output_length": 64}"#;

impl Mooncake {
    fn read(&self, line: &[u8]) -> Result<Event, String> {
        let line: Line =
            serde_json::from_slice(line).map_err(|error| format!("`{}`: {error}", shown(line)))?;
        let nanos = line.timestamp * 1e6;
        if !(0.0..1.8e19).contains(&nanos) {
            return Err(format!("timestamp {} is not a number of milliseconds", line.timestamp));
        }
        let size = RequestSize {
            service: None,
            input_tokens: Some(line.input_length),
            output_tokens: Some(line.output_length),
        };
        Ok(Event { at: self.origin + Span((nanos + 0.5) as u64), row: self.lines.row, size })
    }
}

impl Iterator for Mooncake {
    type Item = Result<Event, TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = loop {
            match self.lines.next_line()? {
                Ok([]) => {}
                Ok(line) => break line.to_owned(),
                Err(error) => return Some(Err(error)),
            }
        };
        Some(self.read(&line).map_err(|problem| {
            let expected = "timestamp in ms, input_length and output_length on every line";
            Place::row(&self.lines.path, self.lines.row).refuse(problem, expected, EXAMPLE)
        }))
    }
}
