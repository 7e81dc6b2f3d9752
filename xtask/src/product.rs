//! Runs of the release build whose JSON the tables are made of.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The result kept in `kept`, or where `runs` allows it that of a run, which is then kept there. `None` where
/// nothing is kept and nothing runs, and without recorded data.
pub(crate) fn kept(
    root: &Path,
    kept: &Path,
    args: &[&str],
    codes: &[i32],
    runs: bool,
) -> Result<Option<Value>> {
    if let Ok(text) = std::fs::read_to_string(kept) {
        return Ok(Some(serde_json::from_str(&text)?));
    }
    if !runs {
        return Ok(None);
    }
    eprintln!("running {}", kept.file_stem().unwrap_or_default().to_string_lossy());
    let result = json(root, args, codes)?;
    if let Some(value) = &result {
        std::fs::create_dir_all(kept.parent().unwrap_or(root))?;
        std::fs::write(kept, serde_json::to_string_pretty(value)?)?;
    }
    Ok(result)
}

/// What the program prints with these arguments, `--json` and `--quiet`. `None` where recorded data are
/// missing; any exit code but `codes` is an error.
pub(crate) fn json(root: &Path, args: &[&str], codes: &[i32]) -> Result<Option<Value>> {
    let output = Command::new(root.join("target/release/homeostat"))
        .args(args)
        .args(["--json", "--quiet"])
        .current_dir(root)
        .output()
        .context("cannot start target/release/homeostat; run `cargo build --release` first")?;
    let error = String::from_utf8_lossy(&output.stderr);
    if error.contains("cannot find the recorded trace") {
        return Ok(None);
    }
    if !output.status.code().is_some_and(|code| codes.contains(&code)) {
        bail!("{}: {error}", args.join(" "));
    }
    Ok(Some(serde_json::from_slice(&output.stdout)?))
}
