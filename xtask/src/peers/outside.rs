//! Installs and runs the outside programs: Python libraries in an environment of their own under `target/peers`,
//! augurs as a separate Rust program.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::KEPT;

const PROGRAMS: &str = "testing/peers";

/// All outside models on the series in `folder`, one after the other on one core.
pub(crate) fn run(root: &Path, folder: &Path) -> Result<()> {
    let python = python(root)?;
    let script = root.join(PROGRAMS).join("forecast/forecast.py");
    let models = Command::new(&python).arg(&script).arg(folder).arg("--list").output()?;
    if !models.status.success() {
        bail!("{}", String::from_utf8_lossy(&models.stderr));
    }
    for model in String::from_utf8_lossy(&models.stdout).lines() {
        eprintln!("{}: {model}", folder.file_name().unwrap_or_default().to_string_lossy());
        call(nice(&python).arg(&script).arg(folder).arg(model))?;
    }
    if !folder.join("augurs-mstl-ets.cpu.csv").exists() {
        eprintln!("{}: augurs-mstl-ets", folder.file_name().unwrap_or_default().to_string_lossy());
        call(nice(&augurs(root)?).arg(folder))?;
    }
    Ok(())
}

/// Forecasts of statsforecast on M4 Hourly, from the rows in `train` into `folder`.
pub(crate) fn m4(root: &Path, train: &Path, folder: &Path) -> Result<()> {
    let script = root.join(PROGRAMS).join("forecast/m4.py");
    call(nice(&python(root)?).arg(script).arg(train).arg(folder))
}

/// The Python of an environment with the libraries of `requirements.txt`, made anew when that changes.
fn python(root: &Path) -> Result<PathBuf> {
    let wanted = root.join(PROGRAMS).join("forecast/requirements.txt");
    let environment = root.join(KEPT).join("venv");
    let python = environment.join("bin/python");
    let installed = environment.join("requirements.txt");
    if std::fs::read(&installed).ok() != std::fs::read(&wanted).ok() {
        call(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        call(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(&wanted))?;
        std::fs::copy(&wanted, &installed)?;
    }
    Ok(python)
}

fn augurs(root: &Path) -> Result<PathBuf> {
    let target = root.join(KEPT).join("augurs");
    let manifest = root.join(PROGRAMS).join("augurs/Cargo.toml");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    call(
        Command::new(cargo)
            .args(["build", "--quiet", "--release", "--locked", "--manifest-path"])
            .arg(manifest)
            .arg("--target-dir")
            .arg(&target),
    )?;
    Ok(target.join("release/augurs-peer"))
}

fn nice(program: &Path) -> Command {
    let mut command = Command::new("nice");
    command.args(["-n", "5"]).arg(program);
    command
}

fn call(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}
