//! The committed tables: testing/peers/forecast/{scores,losses,differences}.csv.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use homeostat_forecast::backtest::Row;
use homeostat_forecast::score::Interval;

use super::exchange::HORIZONS;

/// Scores of a model at one horizon of one trace; see `homeostat_forecast::backtest::Row`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scored {
    pub(crate) trace: String,
    pub(crate) horizon_min: u64,
    pub(crate) model: String,
    /// `own`, `conformal` (absolute errors) or `conformal, relative`.
    pub(crate) intervals: String,
    pub(crate) n: u64,
    pub(crate) wape: Option<f64>,
    pub(crate) mase: Option<f64>,
    pub(crate) pinball_50: Option<f64>,
    pub(crate) pinball_90: Option<f64>,
    pub(crate) pinball_99: Option<f64>,
    pub(crate) coverage_90: Option<f64>,
    pub(crate) width_90: Option<f64>,
    /// CPU time per forecast in µs where one is made each minute, refits included.
    pub(crate) cpu_us: Option<f64>,
    /// Pinball losses on the tuning part, by which outside models are chosen.
    pub(crate) tuning_90: Option<f64>,
    pub(crate) tuning_99: Option<f64>,
}

const SCORES: &str = "trace,horizon_min,model,intervals,n,wape,mase,pinball_50,pinball_90,pinball_99,\
                      coverage_90,width_90,cpu_us,tuning_90,tuning_99";

impl Scored {
    pub(crate) fn of(trace: &str, row: &Row, intervals: &str, cpu_us: Option<f64>) -> Self {
        Self {
            trace: trace.to_owned(),
            horizon_min: row.horizon.0 / homeostat_core::Span::MINUTE.0,
            model: row.model.clone(),
            intervals: intervals.replace(',', ""),
            n: row.n as u64,
            wape: row.wape,
            mase: row.mase,
            pinball_50: row.pinball_50,
            pinball_90: row.pinball_90,
            pinball_99: row.pinball_99,
            coverage_90: row.coverage_90,
            width_90: row.width_90,
            cpu_us,
            tuning_90: None,
            tuning_99: None,
        }
    }

    /// The scores in the order of the columns.
    pub(crate) fn numbers(&self) -> [Option<f64>; 7] {
        let Self { wape, mase, pinball_50, pinball_90, pinball_99, coverage_90, width_90, .. } = self;
        [*wape, *mase, *pinball_50, *pinball_90, *pinball_99, *coverage_90, *width_90]
    }

    fn line(&self) -> String {
        let cell = |number: &Option<f64>| number.map_or_else(String::new, |n| format!("{n:.6}"));
        let mut cells: Vec<String> = self.numbers().iter().map(cell).collect();
        cells.push(self.cpu_us.map_or_else(String::new, |us| format!("{us:.1}")));
        cells.extend([&self.tuning_90, &self.tuning_99].map(cell));
        let Self { trace, horizon_min, model, intervals, n, .. } = self;
        format!("{trace},{horizon_min},{model},{intervals},{n},{}", cells.join(","))
    }

    fn read(line: &str) -> Result<Self> {
        let cells: Vec<&str> = line.split(',').collect();
        ensure!(cells.len() == 15, "15 columns");
        let number = |i: usize| -> Result<Option<f64>> {
            (!cells[i].is_empty()).then(|| cells[i].parse().context("a number")).transpose()
        };
        Ok(Self {
            trace: cells[0].to_owned(),
            horizon_min: cells[1].parse()?,
            model: cells[2].to_owned(),
            intervals: cells[3].to_owned(),
            n: cells[4].parse()?,
            wape: number(5)?,
            mase: number(6)?,
            pinball_50: number(7)?,
            pinball_90: number(8)?,
            pinball_99: number(9)?,
            coverage_90: number(10)?,
            width_90: number(11)?,
            cpu_us: number(12)?,
            tuning_90: number(13)?,
            tuning_99: number(14)?,
        })
    }
}

/// Losses of an outside model origin by origin, over the mean of the targets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Losses {
    pub(crate) trace: String,
    pub(crate) horizon_min: u64,
    pub(crate) level: f64,
    /// What the model was best on: `tuning` or, in hindsight, the test part: `hindsight`.
    pub(crate) role: String,
    pub(crate) model: String,
    pub(crate) losses: Vec<f64>,
}

impl Losses {
    fn line(&self) -> String {
        let Self { trace, horizon_min, level, role, model, losses } = self;
        let losses: Vec<String> = losses.iter().map(|loss| format!("{loss:.5}")).collect();
        format!("{trace},{horizon_min},{level},{role},{model},{}", losses.join(" "))
    }

    fn read(line: &str) -> Result<Self> {
        let cells: Vec<&str> = line.split(',').collect();
        ensure!(cells.len() == 6, "6 columns");
        Ok(Self {
            trace: cells[0].to_owned(),
            horizon_min: cells[1].parse()?,
            level: cells[2].parse()?,
            role: cells[3].to_owned(),
            model: cells[4].to_owned(),
            losses: cells[5].split(' ').map(str::parse).collect::<Result<_, _>>()?,
        })
    }
}

/// Our mean loss less that of an outside model.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    pub(crate) of: Losses,
    pub(crate) n: usize,
    pub(crate) ours: f64,
    pub(crate) theirs: f64,
    pub(crate) interval: Interval,
}

impl Difference {
    fn line(&self) -> String {
        let Losses { trace, horizon_min, level, role, model, .. } = &self.of;
        let Interval { mean, low, high } = self.interval;
        let Self { n, ours, theirs, .. } = self;
        format!(
            "{trace},{horizon_min},{level},{role},{model},{n},{ours:.6},{theirs:.6},{mean:.6},{low:.6},{high:.6}"
        )
    }
}

fn path(root: &Path, name: &str) -> PathBuf {
    root.join("testing/peers/forecast").join(name)
}

pub(crate) fn read_scores(root: &Path) -> Result<Vec<Scored>> {
    read(&path(root, "scores.csv"), Scored::read)
}

pub(crate) fn write_scores(root: &Path, rows: &[Scored]) -> Result<()> {
    write(&path(root, "scores.csv"), SCORES, rows.iter().map(Scored::line))
}

pub(crate) fn read_losses(root: &Path) -> Result<Vec<Losses>> {
    read(&path(root, "losses.csv"), Losses::read)
}

pub(crate) fn write_losses(root: &Path, rows: &[Losses]) -> Result<()> {
    let head = "trace,horizon_min,level,role,model,losses_over_mean_actual";
    write(&path(root, "losses.csv"), head, rows.iter().map(Losses::line))
}

pub(crate) fn write_differences(root: &Path, rows: &[Difference]) -> Result<()> {
    let head = "trace,horizon_min,level,best_on,model,n,ours,theirs,difference,low_95,high_95";
    write(&path(root, "differences.csv"), head, rows.iter().map(Difference::line))
}

fn read<T>(path: &Path, line: impl Fn(&str) -> Result<T>) -> Result<Vec<T>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let row = |(i, text): (usize, &str)| line(text).with_context(|| format!("{}:{}", path.display(), i + 1));
    text.lines().enumerate().skip(1).map(row).collect()
}

fn write(path: &Path, head: &str, lines: impl Iterator<Item = String>) -> Result<()> {
    let text: String = [head.to_owned()].into_iter().chain(lines).map(|line| line + "\n").collect();
    std::fs::write(path, text).with_context(|| path.display().to_string())
}

/// In the order of the tables: trace, horizon, ours first, then by name.
pub(crate) fn sort(rows: &mut [Scored], traces: &[&str], ours: &str) {
    let place = |row: &Scored| {
        let trace = traces.iter().position(|t| *t == row.trace);
        let horizon = HORIZONS.iter().position(|h| *h == row.horizon_min);
        (trace, horizon, row.model != ours, row.model.clone())
    };
    rows.sort_by_key(place);
}
