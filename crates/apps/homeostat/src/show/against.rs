//! What changed since an earlier result, for people.

use comfy_table::{Cell, CellAlignment};

use crate::run::Comparison;
use crate::run::against::{Against, Change, Delta};
use crate::show::money::amount;
use crate::show::table::plain;

const COLUMNS: [&str; 6] = ["policy", "figure", "before", "now", "difference", "95 % interval"];

/// Figures of the table, with their names there.
const SHOWN: [(&str, &str); 6] = [
    ("attainment", "attained %"),
    ("p99_ms", "p99 ms"),
    ("replica_hours", "replica-hours"),
    ("cost", "cost"),
    ("scale_events", "changes"),
    ("flips_per_hour", "flips/h"),
];

/// A table of what changed, and what follows from it.
pub(crate) fn render(against: &Against, comparison: &Comparison) -> String {
    let mut lines = vec![String::new(), headline(against)];
    let changed = |change: &&Change| shown(change).next().is_some();
    if against.changes.iter().any(|change| changed(&change)) {
        let mut table = plain(&COLUMNS);
        for change in against.changes.iter().filter(changed) {
            for (i, (name, delta)) in shown(change).enumerate() {
                table.add_row(cells(change, i == 0, name, delta));
            }
        }
        for column in 2..COLUMNS.len() {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        lines.push(table.to_string());
    }
    let same: Vec<String> = against.changes.iter().filter(|c| !changed(c)).map(|c| c.name.clone()).collect();
    for (what, names) in [("unchanged", &same), ("added", &against.added), ("removed", &against.removed)] {
        if !names.is_empty() {
            lines.push(format!("{what}: {}", names.join(", ")));
        }
    }
    lines.extend(against.changes.iter().filter_map(|change| saving(change, against, comparison)));
    lines.push(verdict(against));
    lines.join("\n")
}

fn headline(against: &Against) -> String {
    let pairs = match against.seeds.as_slice() {
        [] => "no seed in both, differences of means".to_owned(),
        [seed] => format!("seed {seed} in both; intervals of differences need --seeds 2 or more in both"),
        seeds => format!("{} seeds in both, differences are paired", seeds.len()),
    };
    format!("against {}: {pairs}", against.file)
}

/// The figures of the table that changed.
fn shown(change: &Change) -> impl Iterator<Item = (&'static str, &Delta)> {
    let named = |(figure, name): (&'static str, &'static str)| {
        let delta = change.deltas.iter().find(|delta| delta.figure == figure)?;
        let moved = delta.difference != 0.0 || delta.interval.is_some_and(|[low, high]| low != high);
        moved.then_some((name, delta))
    };
    SHOWN.into_iter().filter_map(named)
}

fn cells(change: &Change, first: bool, name: &'static str, delta: &Delta) -> Vec<Cell> {
    let mark = if change.worse.is_empty() { ' ' } else { '✗' };
    let policy = if first { format!("{mark} {}", change.name) } else { String::new() };
    let (factor, decimals) = match delta.figure {
        "attainment" => (100.0, 3),
        "p99_ms" | "scale_events" => (1.0, 0),
        "flips_per_hour" => (1.0, 2),
        _ => (1.0, 1),
    };
    let plain = |value: f64| {
        // Rounded down as in the table above it.
        let value = if delta.figure == "attainment" { (value * 1e5 + 1e-7).floor() / 1e5 } else { value };
        if value.is_finite() { format!("{:.decimals$}", value * factor) } else { "∞".to_owned() }
    };
    // A difference has a digit more than the values, so that small ones don't look like none.
    let digits = decimals + 1;
    let signed = |value: f64| match value {
        v if v.is_finite() => format!("{:+.digits$}", v * factor).replace('-', "−"),
        v if v > 0.0 => "+∞".to_owned(),
        _ => "−∞".to_owned(),
    };
    let relative = match delta.figure {
        "replica_hours" | "cost" if delta.old > 0.0 => {
            format!(" ({:+.1} %)", delta.difference / delta.old * 100.0).replace('-', "−")
        }
        _ => String::new(),
    };
    let interval = delta.interval.map(|[low, high]| format!("{} to {}", signed(low), signed(high)));
    vec![
        Cell::new(policy),
        Cell::new(name),
        Cell::new(plain(delta.old)),
        Cell::new(plain(delta.new)),
        Cell::new(format!("{}{relative}", signed(delta.difference))),
        Cell::new(interval.unwrap_or_else(|| "–".to_owned())),
    ]
}

/// Money is saved only where the objective is kept, and only where it is not chance: a difference whose
/// interval holds 0 is not told.
fn saving(change: &Change, against: &Against, comparison: &Comparison) -> Option<String> {
    let row = comparison.rows.iter().find(|row| row.name == change.name)?;
    if change.monthly_interval.is_some_and(|[low, high]| low <= 0.0 && high >= 0.0) {
        return None;
    }
    let (name, unit, file) = (&change.name, comparison.unit(), &against.file);
    let monthly = format!("{} {unit} a month", amount(change.monthly_saving, change.monthly_interval));
    let share = format!("{:.1} %", change.saving_share.abs() * 100.0);
    let keeps = row.mean.attainment >= comparison.attainment_wanted;
    let (mark, but) = if keeps { ("✓", "") } else { ("✗", ", and misses the objective") };
    match change.monthly_saving {
        0.0 => None,
        s if s > 0.0 => Some(format!("{mark} {name} saves {monthly} against {file} ({share}){but}.")),
        _ => Some(format!("{name} costs {monthly} more than in {file} ({share}){but}.")),
    }
}

/// Who got worse; why is told on standard error.
fn verdict(against: &Against) -> String {
    let worse = against.changes.iter().filter(|change| !change.worse.is_empty());
    let names: Vec<&str> = worse.map(|change| change.name.as_str()).collect();
    if names.is_empty() {
        "✓ nothing got worse.".to_owned()
    } else {
        format!("✗ worse: {}.", names.join(", "))
    }
}
