//! The tables of docs/forecasting-peers.md.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use homeostat_forecast::backtest::AUTOMATIC;

use super::exchange::HORIZONS;
use super::files::{Difference, Scored};
use super::recorded::TRACES;
use super::scores::OURS;

const FILE: &str = "docs/forecasting-peers.md";
/// The columns of the ablation: linear part, learner, both, and the choice among all.
pub(crate) const ABLATION: [&str; 4] = ["direct", "learned", "hybrid", AUTOMATIC];

/// Puts the tables into their places.
pub(crate) fn write(root: &Path, rows: &[Scored], differences: &[Difference]) -> Result<()> {
    place(root, "bars", &bars(rows, differences)?)?;
    place(root, "differences", &compared(rows, differences)?)?;
    place(root, "scores", &all(rows)?)
}

/// Puts the table of our own models into its place.
pub(crate) fn write_ablation(root: &Path, rows: &[Scored]) -> Result<()> {
    let mut text =
        format!("| trace | min | {} |\n|---|---|{}\n", ABLATION.join(" | "), "---|".repeat(ABLATION.len()));
    for trace in TRACES.iter().map(|t| t.name) {
        for horizon in HORIZONS {
            let cell = |model: &&str| {
                let row = find(rows, trace, horizon, model);
                let of = |number: fn(&Scored) -> Option<f64>| ratio(row.and_then(number));
                [of(|row| row.wape), of(|row| row.pinball_90), of(|row| row.pinball_99)].join(", ")
            };
            let cells: Vec<String> = ABLATION.iter().map(cell).collect();
            writeln!(text, "| {trace} | {horizon} | {} |", cells.join(" | "))?;
        }
    }
    print!("{text}");
    place(root, "ablation", &text)
}

/// Replaces what is between the marks `<!-- name -->` and `<!-- /name -->`.
pub(crate) fn place(root: &Path, name: &str, table: &str) -> Result<()> {
    let path = root.join(FILE);
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (head, rest) = text.split_once(&begin).with_context(|| format!("{FILE}: no place for {name}"))?;
    let (_, tail) = rest.split_once(&end).with_context(|| format!("{FILE}: {name} has no end"))?;
    std::fs::write(path, format!("{head}{begin}{table}{end}{tail}"))?;
    Ok(())
}

/// Per trace: how the losses compare, and WAPE over the last value's.
fn bars(rows: &[Scored], differences: &[Difference]) -> Result<String> {
    let mut text = String::from(
        "| trace | chosen on the tuning part: wins, ties, losses | worst | in hindsight: wins, ties, losses | worst \
         | WAPE over the last value's, 5, 15, 60 min | CPU, theirs over ours |\n|---|---|---|---|---|---|---|\n",
    );
    for trace in TRACES.iter().map(|t| t.name) {
        let of = |role: &str| -> Vec<&Difference> {
            differences.iter().filter(|d| d.of.trace == trace && d.of.role == role).collect()
        };
        let wape = |h: u64, name: &str| find(rows, trace, h, name).and_then(|row| row.wape);
        let ratios: Vec<String> = HORIZONS
            .iter()
            .map(|h| ratio(wape(*h, OURS).zip(wape(*h, "last")).map(|(a, b)| a / b)))
            .collect();
        let chosen = of("tuning");
        let cpu: Vec<f64> = chosen.iter().filter_map(|d| cpu_ratio(rows, d)).collect();
        let least = cpu.iter().copied().fold(f64::INFINITY, f64::min);
        let most = cpu.iter().copied().fold(0.0, f64::max);
        writeln!(
            text,
            "| {trace} | {} | {} | {} | {least:.0} to {most:.0} |",
            tally(&chosen),
            tally(&of("hindsight")),
            ratios.join(", ")
        )?;
    }
    Ok(text)
}

/// Wins, ties and losses, and the largest excess over their loss.
fn tally(cells: &[&Difference]) -> String {
    let wins = cells.iter().filter(|d| d.interval.high < 0.0).count();
    let losses = cells.iter().filter(|d| d.interval.low > 0.0).count();
    let worst = cells.iter().map(|d| d.ours / d.theirs - 1.0).fold(f64::NEG_INFINITY, f64::max);
    format!("{wins}, {}, {losses} | {:+.1} %", cells.len() - wins - losses, 100.0 * worst)
}

fn cpu_ratio(rows: &[Scored], d: &Difference) -> Option<f64> {
    let cpu = |name: &str| find(rows, &d.of.trace, d.of.horizon_min, name).and_then(|row| row.cpu_us);
    cpu(&d.of.model).zip(cpu(OURS)).map(|(theirs, ours)| theirs / ours)
}

/// Ours against the best outside model: the one chosen on the tuning part, and the best in hindsight.
fn compared(rows: &[Scored], differences: &[Difference]) -> Result<String> {
    let mut text = String::from(
        "| trace | min | level | ours | chosen on the tuning part | loses | ours less theirs, 95 % | \
         best in hindsight | loses | ours less theirs, 95 % |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for d in differences.iter().filter(|d| d.of.role == "tuning") {
        let same = |other: &&Difference| {
            let (a, b) = (&other.of, &d.of);
            a.role == "hindsight" && (&a.trace, a.horizon_min, a.level) == (&b.trace, b.horizon_min, b.level)
        };
        let hindsight = differences.iter().find(same);
        writeln!(
            text,
            "| {} | {} | {} | {:.4} | {} | {} |",
            d.of.trace,
            d.of.horizon_min,
            d.of.level,
            d.ours,
            against(rows, d),
            hindsight.map_or_else(|| "– | – | –".to_owned(), |d| against(rows, d)),
        )?;
    }
    Ok(text)
}

fn against(rows: &[Scored], d: &Difference) -> String {
    let intervals = find(rows, &d.of.trace, d.of.horizon_min, &d.of.model).map_or("", |r| &r.intervals);
    let percent = |x: f64| 100.0 * x / d.theirs;
    let (mean, low, high) = (percent(d.interval.mean), percent(d.interval.low), percent(d.interval.high));
    let text = format!("{mean:+.0} % ({low:+.0} to {high:+.0})");
    let text = if high < 0.0 {
        format!("**{text}**")
    } else if low > 0.0 {
        format!("*{text}*")
    } else {
        text
    };
    format!("{}, {intervals} | {:.4} | {text}", d.of.model, d.theirs)
}

fn find<'a>(rows: &'a [Scored], trace: &str, horizon_min: u64, model: &str) -> Option<&'a Scored> {
    rows.iter().find(|r| r.trace == trace && r.horizon_min == horizon_min && r.model == model)
}

fn all(rows: &[Scored]) -> Result<String> {
    let mut text = String::new();
    for trace in TRACES.iter().map(|t| t.name) {
        writeln!(
            text,
            "\n### {trace}\n\n| min | model | intervals | WAPE | MASE | pinball 0.5 | 0.9 | 0.99 | coverage | width | \
             CPU µs |\n|---|---|---|---|---|---|---|---|---|---|---|"
        )?;
        for row in rows.iter().filter(|row| row.trace == trace) {
            let numbers: Vec<String> = row.numbers().into_iter().map(ratio).collect();
            let cpu = row.cpu_us.map_or_else(|| "–".to_owned(), |us| format!("{us:.0}"));
            let name = if row.model == OURS { format!("**{OURS}**") } else { row.model.clone() };
            let Scored { horizon_min, intervals, .. } = row;
            writeln!(text, "| {horizon_min} | {name} | {intervals} | {} | {cpu} |", numbers.join(" | "))?;
        }
    }
    writeln!(text)?;
    Ok(text)
}

fn ratio(number: Option<f64>) -> String {
    number.map_or_else(|| "–".to_owned(), |n| if n < 0.1 { format!("{n:.4}") } else { format!("{n:.3}") })
}
