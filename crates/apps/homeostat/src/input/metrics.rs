//! Recorded metrics of a service, in the form that calibration takes.

use homeostat_calibrate::{Record, Sample, Starts};
use homeostat_trace::{MetricOptions, MetricRow, Metrics, Role};

use crate::cli::MetricArgs;
use crate::failure::Failure;

/// A record and what was assumed on the way.
pub(crate) struct Recorded {
    pub(crate) record: Record,
    pub(crate) notes: Vec<String>,
}

fn options(args: &MetricArgs) -> Result<MetricOptions, Failure> {
    let at_end = match args.stamps.as_deref() {
        None => None,
        Some("start") => Some(false),
        Some("end") => Some(true),
        Some(other) => {
            return Err(Failure::new(format!(
                "--stamps {other}: expected start or end, for example --stamps end"
            )));
        }
    };
    Ok(MetricOptions {
        map: args.map.as_deref().map(str::parse).transpose()?.unwrap_or_default(),
        time_zone: args.time_zone.as_deref().map(str::parse).transpose()?,
        at_end,
    })
}

/// Reads metrics; `cpu_milli` is the CPU request of a replica, for use in cores.
pub(crate) fn read(args: &MetricArgs) -> Result<Recorded, Failure> {
    let metrics: Metrics = homeostat_trace::read_metrics(&args.metrics, &options(args)?)?;
    let notes = metrics.notes.iter().map(ToString::to_string).collect();
    let samples = metrics.rows.iter().map(|row| sample(row, args.cpu_milli)).collect();
    Ok(Recorded { record: Record { samples }, notes })
}

/// Starts of single replicas.
pub(crate) fn starts(path: &std::path::Path, args: &MetricArgs) -> Result<Starts, Failure> {
    let delays_s = homeostat_trace::read_starts(path, &options(args)?)?;
    Ok(Starts { delays_s })
}

fn sample(row: &MetricRow, cpu_milli: u32) -> Sample {
    let ready = row.get(Role::Ready);
    let cores = row.get(Role::CpuCores).zip(ready.filter(|ready| *ready > 0.0));
    let by_cores = cores.map(|(cores, ready)| cores / ready / (f64::from(cpu_milli) / 1_000.0));
    Sample {
        at: row.at,
        span: row.span,
        rate: row.get(Role::Rate),
        ready,
        desired: row.get(Role::Desired),
        latency_s: Role::LATENCIES.map(|role| row.get(role).filter(|t| *t > 0.0)),
        cpu_share: row.get(Role::CpuShare).or(by_cores),
        attained: row.get(Role::Attained),
        saturated: row.get(Role::Saturated).map(|s| s > 0.0),
    }
}
