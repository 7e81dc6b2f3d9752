//! YAML is parsed here and nowhere else; errors say where, what was expected, and an example.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// Parses one YAML document; errors name the file, line and column.
pub(crate) fn read<T: DeserializeOwned>(text: &str, origin: &str) -> Result<T, Failure> {
    if text.trim().is_empty() {
        return Err(Failure::new(format!(
            "{origin}: the file is empty; expected a YAML document, `homeostat scenario init` prints an example"
        )));
    }
    serde_saphyr::from_str(text).map_err(|error| {
        let said = error.without_snippet().to_string();
        let Some(at) = error.location() else { return Failure::new(format!("{origin}: {said}")) };
        let (line, column) = (at.line(), at.column());
        let said = said.trim_end_matches(&format!(" at line {line}, column {column}"));
        let found = found(text, line as usize, column as usize).unwrap_or_default();
        Failure::new(format!("{origin}:{line}:{column}: {}", explained(said, &found)))
    })
}

/// Writes one YAML document.
pub(crate) fn write<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_saphyr::to_string(value).map_err(|error| Failure::new(format!("cannot write YAML: {error}")))
}

/// The parser's words with the form that it wanted, where it says only what it did not get.
fn explained(said: &str, found: &str) -> String {
    let here = if found.is_empty() { String::new() } else { format!("`{found}`: ") };
    if let Some(rest) = said.strip_prefix("duplicate mapping key: ") {
        let key = rest.split_once(", ").map_or(rest, |(key, _)| key);
        return format!("`{key}` stands here twice; expected every field once");
    }
    let expected = match said {
        "invalid floating point" => "expected a number, for example 0.5",
        "expected string scalar" => "expected text, for example my-service",
        "expected sequence start" => "expected a list, for example [a, b]",
        "expected mapping start" => "expected settings, for example { name: value }",
        "expected string key for externally tagged enum" => {
            "expected one kind with its settings, for example { kind: { name: value } }"
        }
        "expected end of mapping after enum variant value" => {
            "expected one kind only; remove this one or the one before"
        }
        _ if said.starts_with("invalid u") => "expected a whole number, 0 or more, for example 3",
        _ if said.starts_with("invalid i") => "expected a whole number, for example 3",
        _ if said.starts_with("invalid bool") => "expected true or false",
        _ if said.contains("found a tab") => return format!("{said}; YAML is indented with spaces only"),
        _ => return said.to_owned(),
    };
    format!("{here}{expected}")
}

/// The value at a place with its key: `min: -1`.
fn found(text: &str, line: usize, column: usize) -> Option<String> {
    let line = text.lines().nth(line.checked_sub(1)?)?;
    let (start, _) = line.char_indices().nth(column.checked_sub(1)?)?;
    let (before, after) = line.split_at(start);
    let value = after.split([',', '}', ']', '#']).next().unwrap_or_default().trim();
    let before = before.trim_end();
    let Some(key) = before.strip_suffix(':') else { return Some(value.to_owned()) };
    let key = key.rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
    Some(format!("{key}: {value}").trim_end().to_owned())
}

/// The line on which the last named field of a path stands, as far as the keys tell: an aid for
/// messages about values that are well formed but make no sense.
pub(crate) fn line_of(text: &str, path: &str) -> Option<usize> {
    let mut lines = text.lines().enumerate();
    let mut found = None;
    for piece in path.split('.') {
        let (key, index) = match piece.split_once('[') {
            Some((key, index)) => (key, index.trim_end_matches(']').parse().unwrap_or(0)),
            None => (piece, 0),
        };
        let is_key = |line: &str| line.trim_start_matches([' ', '-']).starts_with(&format!("{key}:"));
        let inline =
            found.is_some_and(|line| text.lines().nth(line).is_some_and(|l| l.contains(&format!("{key}:"))));
        if !inline {
            match lines.by_ref().find(|(_, line)| is_key(line)) {
                Some((line, _)) => found = Some(line),
                None => break,
            }
        }
        for _ in 0..index {
            let next = lines.by_ref().skip(1).find(|(_, line)| line.trim_start().starts_with("- "));
            found = next.map(|(line, _)| line).or(found);
        }
    }
    found.map(|line| line + 1)
}
