//! Tables for people.

use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use crate::run::{Comparison, Row};

const COLUMNS: [&str; 12] = [
    "policy",
    "attained",
    "failed",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "replica-hours",
    "cost",
    "× bound",
    "gap closed",
    "changes",
    "flips/h",
];

/// Further columns where a service has a memory limit; sums over the seeds.
const AGING: [&str; 3] = ["OOM kills", "replaced", "lost to either"];

/// An empty table with these columns.
pub(crate) fn plain(columns: &[&str]) -> Table {
    let mut table = Table::new();
    let line = LineStyle::none().fill('─').junction('─');
    let style = TableStyle::new().top_border(line).header_separator(line).bottom_border(line);
    table.load_style(style).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(columns.iter().map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
    table
}

/// The comparison as a table with a line of summary.
pub(crate) fn render(comparison: &Comparison) -> String {
    let ages = comparison.rows.iter().any(|row| row.first.aging.is_some());
    let columns = [&COLUMNS[..], if ages { &AGING } else { &[] }].concat();
    let mut table = plain(&columns);
    for row in &comparison.rows {
        let mut cells = cells(comparison, row);
        if ages {
            let sum = &row.aging;
            let lost = sum.lost_to_oom + sum.lost_to_rejuvenation;
            cells.extend([sum.oom_kills, sum.rejuvenations, lost].map(Cell::new));
        }
        table.add_row(cells);
    }
    for column in 1..columns.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut lines = vec![headline(comparison), table.to_string(), verdict(comparison)];
    lines.extend(bound(comparison));
    lines.extend(comparison.bound_notes.iter().cloned());
    if comparison.stopped {
        lines.push(format!("stopped; not run to the end: {}", comparison.unfinished.join(", ")));
    }
    lines.join("\n")
}

fn headline(comparison: &Comparison) -> String {
    let seeds = match comparison.seeds.len() {
        1 => format!("seed {}", comparison.seeds[0]),
        n => format!("{n} seeds, means ± half of the 95 % interval"),
    };
    format!(
        "{}: {} requests, objective {:.3} % within {} ms, {seeds}{}",
        comparison.scenario,
        thousands(comparison.requests),
        comparison.attainment_wanted * 100.0,
        comparison.latency_ms,
        comparison.fidelity.said().map_or(String::new(), |fidelity| format!(", fidelity {fidelity}")),
    )
}

/// The bound at the objective, in a sentence.
fn bound(comparison: &Comparison) -> Option<String> {
    let bound = comparison.bound.as_ref()?;
    let wanted = comparison.attainment_wanted;
    if wanted > bound.attainable {
        let most = percent(bound.attainable);
        return Some(format!(
            "No schedule attains more than {most}: other requests are too much work for it."
        ));
    }
    let point = bound.points.iter().find(|point| point.attainment >= wanted)?;
    let lower = point.lower_cost.unwrap_or(0.0);
    Some(match point.best {
        Some(best) => format!(
            "The best schedule with full knowledge costs {:.1} at {}; none can cost less than {lower:.1}.",
            best.cost,
            percent(point.attainment),
        ),
        None => format!("No schedule found attains {}; none can cost less than {lower:.1}.", percent(wanted)),
    })
}

fn cells(comparison: &Comparison, row: &Row) -> Vec<Cell> {
    let wanted = comparison.attainment_wanted;
    let mean = &row.mean;
    let met = mean.attainment >= wanted;
    let half = |pick: fn(&crate::run::Figures) -> f64| {
        row.interval.as_ref().map(|[low, high]| (pick(high) - pick(low)) / 2.0)
    };
    let with = |text: String, half: Option<f64>, decimals: usize, factor: f64| match half {
        Some(half) => format!("{text} ± {:.decimals$}", half * factor),
        None => text,
    };
    let attained = with(percent(mean.attainment), half(|f| f.attainment), 3, 100.0);
    let hours = with(format!("{:.1}", mean.replica_hours), half(|f| f.replica_hours), 1, 1.0);
    let name = format!("{} {}", if met { "✓" } else { "✗" }, row.name);
    let cell =
        |text: String| if met { Cell::new(text).add_attribute(Attribute::Bold) } else { Cell::new(text) };
    vec![
        cell(name),
        cell(attained),
        Cell::new(percent(mean.failed)),
        Cell::new(ms(mean.p50_ms)),
        Cell::new(ms(mean.p95_ms)),
        Cell::new(ms(mean.p99_ms)),
        cell(hours),
        Cell::new(format!("{:.1}", mean.cost)),
        Cell::new(comparison.over_bound(row).map_or_else(|| "–".to_owned(), |over| format!("{over:.2}"))),
        Cell::new(
            comparison
                .gap_closed(row)
                .map_or_else(|| "–".to_owned(), |gap| format!("{:.0} %", (gap * 100.0).round() + 0.0)),
        ),
        Cell::new(format!("{:.0}", mean.scale_events)),
        Cell::new(format!("{:.2}", mean.flips_per_hour)),
    ]
}

/// The answer in a sentence.
fn verdict(comparison: &Comparison) -> String {
    let meets = |row: &&Row| row.mean.attainment >= comparison.attainment_wanted;
    let cost = |row: &&Row| row.mean.cost;
    let best = comparison.rows.iter().filter(meets).min_by(|a, b| cost(a).total_cmp(&cost(b)));
    if let Some(best) = best {
        return format!("✓ {} keeps the objective at the least cost ({:.1}).", best.name, best.mean.cost);
    }
    let attained = |row: &&Row| row.mean.attainment;
    match comparison.rows.iter().max_by(|a, b| attained(a).total_cmp(&attained(b))) {
        Some(nearest) => format!(
            "✗ no policy keeps the objective; {} comes nearest with {}.",
            nearest.name,
            percent(nearest.mean.attainment)
        ),
        None => "no policy was run to the end.".to_owned(),
    }
}

/// Rounded down, so that nothing looks as if it had reached what it missed.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.3} %", (share * 100_000.0 + 1e-7).floor() / 1_000.0)
}

fn ms(value: f64) -> String {
    if value.is_finite() { format!("{value:.0}") } else { "∞".to_owned() }
}

/// A whole number with thin gaps.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(c);
    }
    out
}
