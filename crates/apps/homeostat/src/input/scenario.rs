//! Scenario files.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use homeostat_twin::Scenario;

use crate::failure::Failure;
use crate::input::yaml;

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
    let scenario: Scenario = yaml::read(text, origin)?;
    scenario.check().map_err(|error| {
        let line = yaml::line_of(text, &error.path).map_or(String::new(), |line| format!(":{line}"));
        Failure::new(format!("{origin}{line}: {error}"))
    })?;
    Ok(World { scenario, origin: origin.to_owned(), folder })
}

/// Reads a text file.
pub(crate) fn text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => {
            Failure::new(format!("{}: this is not UTF-8 text; expected a YAML file", path.display()))
        }
        _ => Failure::new(format!("cannot read {}: {error}", path.display())),
    })
}
