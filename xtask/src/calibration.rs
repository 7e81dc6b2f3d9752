//! The table of docs/calibration.md: runs the example of the calibration crate and puts it in its place.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

const FILE: &str = "docs/calibration.md";
const BEGIN: &str = "<!-- table -->\n";
const END: &str = "<!-- /table -->";

/// Makes the table anew with `cargo`, from `root`.
pub(crate) fn run(root: &Path, mut cargo: Command) -> Result<()> {
    cargo.args([
        "run",
        "--quiet",
        "--release",
        "--package",
        "homeostat-calibrate",
        "--example",
        "calibration",
    ]);
    let output = cargo.current_dir(root).output()?;
    if !output.status.success() {
        bail!("the example failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let table = String::from_utf8(output.stdout)?;
    print!("{table}");
    let path = root.join(FILE);
    let text = std::fs::read_to_string(&path)?;
    let (head, rest) =
        text.split_once(BEGIN).with_context(|| format!("{FILE} has no place for the table"))?;
    let (_, tail) = rest.split_once(END).with_context(|| format!("{FILE}: the table has no end"))?;
    std::fs::write(&path, format!("{head}{BEGIN}{table}{END}{tail}"))?;
    Ok(())
}
