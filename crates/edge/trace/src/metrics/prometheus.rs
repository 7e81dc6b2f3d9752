//! Metrics in the form of Prometheus ranges: one figure per file.

use super::role::Role;
use super::{Found, Joined, rows};
use crate::error::{Place, TraceError};
use crate::options::Measure;
use crate::read::prometheus;
use crate::source::Source;

/// Reads a range into the join. Series of a rate or a count are added; latencies and CPU must be one.
pub(super) fn read(source: Source, role: Option<(Role, f64)>, joined: &mut Joined) -> Result<(), TraceError> {
    let path = source.path.clone();
    let stem = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stem = stem.split('.').next().unwrap_or_default();
    let by_stem = || Role::by_name(stem).filter(|(role, _)| *role != Role::Time);
    let Some((role, factor)) = role.or_else(by_stem) else {
        return Err(Place::file(&path).refuse(
            "a Prometheus range does not say what it holds",
            format!("a figure before the name; there are {}", Role::known()),
            format!("p99_s={}", path.display()),
        ));
    };
    let matrix = prometheus::read(source, Measure::Rate)?;
    let added = matches!(role, Role::Rate | Role::Requests | Role::Ready | Role::Desired | Role::CpuCores);
    if matrix.series > 1 && !added {
        return Err(Place::file(&path).refuse(
            format!("there are {} series of {}, which can't be added", matrix.series, role.name()),
            "one series: aggregate in the query",
            "histogram_quantile(0.99, sum by (le) (rate(…)))",
        ));
    }
    joined.holes += matrix.not_numbers;
    joined.calendar = true;
    let file = joined.files.len() - 1;
    let mut open: Option<(homeostat_core::Instant, Found)> = None;
    for row in matrix.sorted {
        let cell = crate::read::Cell::from(row?);
        let Some(number) = cell.value else { continue };
        let value = rows::checked(number, role, factor).map_err(|problem| {
            Place::row(&path, cell.row).refuse(format!("`{number}` {problem}"), "a metric", "12.5")
        })?;
        let Some(value) = value else { continue };
        match &mut open {
            Some((at, found)) if *at == cell.at && added => found.value += value,
            _ => {
                if let Some((at, found)) = open.take() {
                    joined.keep(at, role, found, role.name())?;
                }
                open = Some((cell.at, Found { value, file, row: cell.row }));
            }
        }
    }
    match open {
        Some((at, found)) => joined.keep(at, role, found, role.name()),
        None => Ok(()),
    }
}
