//! Scenario files. YAML is parsed here and nowhere else.

use std::path::{Path, PathBuf};

use homeostat_twin::Scenario;
use serde::de::DeserializeOwned;

use crate::failure::Failure;

/// A scenario and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) scenario: Scenario,
    /// The file, for messages.
    pub(crate) origin: String,
    /// The folder that relative paths in it start from.
    pub(crate) folder: PathBuf,
}

/// Reads and checks a scenario file.
pub(crate) fn read(path: &Path) -> Result<World, Failure> {
    let text = text(path)?;
    let origin = path.display().to_string();
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    parse(&text, &origin, folder)
}

/// Reads and checks a scenario.
pub(crate) fn parse(text: &str, origin: &str, folder: PathBuf) -> Result<World, Failure> {
    let scenario: Scenario = yaml(text, origin)?;
    scenario.check().map_err(|error| {
        let line = line_of(text, &error.path).map_or(String::new(), |line| format!(":{line}"));
        Failure::new(format!("{origin}{line}: {error}"))
    })?;
    Ok(World { scenario, origin: origin.to_owned(), folder })
}

/// Reads a text file.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))
}

/// Parses one YAML document; errors name the file, line and column.
pub(crate) fn yaml<T: DeserializeOwned>(text: &str, origin: &str) -> Result<T, Failure> {
    serde_saphyr::from_str(text).map_err(|error| {
        let at = error.location().map_or(String::new(), |at| format!(":{}:{}", at.line(), at.column()));
        Failure::new(format!("{origin}{at}: {}", error.without_snippet()))
    })
}

/// The line on which the last named field of a path stands, as far as the keys tell: an aid for
/// messages about values that are well formed but make no sense.
fn line_of(text: &str, path: &str) -> Option<usize> {
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
