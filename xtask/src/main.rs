//! Checks and generators for this repository: `cargo xtask <command>`.
//!
//! | command | what it does |
//! |---|---|
//! | `tidy` | style that lints can't express: module docs, sizes of files and functions, widths |
//! | `oracles` | builds the upstream controllers (needs Go) and writes the golden histories anew |
//! | `bench` | the twin's speed as ratios in one run, see docs/performance.md; or that of the forecaster |
//! | `fidelity` | runs scenarios by request and as a fluid, and prints how far apart they are |
//! | `table` | runs the benchmark scenarios on recorded data and prints the README's table |
//! | `bounds` | tuned policies and the bound on recorded traffic, see docs/bound.md and docs/tuning.md |
//! | `tuning-check` | `tune` against exhaustive search over the same spaces, see docs/tuning.md |
//! | `tuning-replay` | the search of `tune` against kept scans, without a run, see docs/tuning.md |
//! | `calibration` | fits records with known parameters and puts the table into docs/calibration.md |
//! | `peers` | our forecasts beside outside models', see docs/forecasting-peers.md |
//! | `m4` | M4 Hourly, see docs/forecasting-peers.md |
//! | `coverage` | how often our 90 % interval holds, day by day and after the load doubles |
//! | `predictive` | the predictive policy at equal attainment, see docs/predictive-scaling.md |
//! | `oscillation` | square waves under noisy metrics, into docs/oscillation.md |
//! | `rejuvenation` | leaks under `rejuvenate` and today's restarts, into docs/rejuvenation.md |
//! | `aging` | slopes, false alarms, time to the limit and peers: the tables of docs/aging.md |
//! | `schema` | writes the JSON Schema of scenarios to docs/scenario.schema.json |

mod aging;
mod bounds;
mod calibration;
mod coverage;
mod cpu;
mod fidelity;
mod m4;
mod oscillation;
mod peers;
mod predictive;
mod product;
mod rejuvenation;
mod replay;
mod table;
mod tidy;
mod tuning;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    let result = match command.as_str() {
        "tidy" => tidy::run(&root()),
        "oracles" => call(Command::new("bash").arg("testing/oracles/generate.sh").args(&rest)),
        "bench" => bench(&rest),
        "schema" => schema(),
        "table" => table::run(&root()),
        "bounds" => bounds::run(&root(), &rest),
        "tuning-check" => tuning::run(&root(), &rest),
        "tuning-replay" => replay::run(&root(), &rest),
        "fidelity" => fidelity::run(&root(), &rest),
        "aging" => aging::run(&root(), &rest),
        "predictive" => predictive::run(&root(), &rest),
        "oscillation" => oscillation::run(&root()),
        "rejuvenation" => rejuvenation::run(&root(), &rest),
        "calibration" => calibration::run(&root(), cargo()),
        "peers" => peers::run(&root(), &rest),
        "m4" => m4::run(&root(), &rest),
        "coverage" => coverage::run(&root()),
        other => Err(anyhow::anyhow!(
            "unknown command `{other}`; there are tidy, oracles, bench, fidelity, table, bounds, \
             tuning-check, tuning-replay, calibration, aging, predictive, oscillation, rejuvenation, peers, \
             m4, coverage and schema"
        )),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn call(command: &mut Command) -> Result<()> {
    let status = command.current_dir(root()).status().with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

/// The twin's benchmark, or with `--only forecast` the forecaster's.
fn bench(rest: &[String]) -> Result<()> {
    let forecast = rest.windows(2).any(|pair| pair == ["--only", "forecast"]);
    let name = if forecast { "forecast" } else { "twin" };
    let package = format!("homeostat-{name}");
    call(cargo().args(["bench", "-p", &package, "--bench", name, "--"]).args(rest))
}

fn schema() -> Result<()> {
    let output = cargo()
        .args(["run", "--quiet", "--release", "--package", "homeostat", "--", "scenario", "schema"])
        .current_dir(root())
        .output()?;
    if !output.status.success() {
        bail!("`homeostat scenario schema` failed");
    }
    std::fs::write(root().join("docs/scenario.schema.json"), output.stdout)?;
    Ok(())
}
