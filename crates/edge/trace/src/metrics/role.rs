//! What a column of metrics means, and in which unit.

use std::str::FromStr;

use crate::error::BadOption;
use crate::names::{plain, time_rank};

/// What a value means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The time of the row.
    Time,
    /// Requests per second.
    Rate,
    /// Requests in the stretch.
    Requests,
    /// Replicas that take traffic.
    Ready,
    /// Replicas asked for.
    Desired,
    /// Mean latency in seconds.
    Mean,
    /// Median latency in seconds.
    P50,
    /// 95th percentile in seconds.
    P95,
    /// 99th percentile in seconds.
    P99,
    /// Cores in use over all replicas.
    CpuCores,
    /// CPU in use as a share of the request, mean over replicas.
    CpuShare,
    /// Share of requests within the objective.
    Attained,
    /// Whether the service was saturated: 1 or 0.
    Saturated,
}

const NAMES: [(Role, &str, &[&str]); 13] = [
    (Role::Time, "time", &["time", "timestamp"]),
    (
        Role::Rate,
        "rate",
        &["rate", "rps", "qps", "requestspersecond", "throughput", "raterps", "requestrate"],
    ),
    (Role::Requests, "requests", &["requests", "count", "requestcount"]),
    (Role::Ready, "ready", &["ready", "replicas", "readyreplicas", "replicasready", "available", "pods"]),
    (Role::Desired, "desired", &["desired", "desiredreplicas", "replicasdesired", "wanted", "spec"]),
    (Role::Mean, "mean", &["mean", "avg", "average", "latencymean", "latencyavg", "meanlatency"]),
    (Role::P50, "p50", &["p50", "median", "latencyp50", "p50latency"]),
    (Role::P95, "p95", &["p95", "latencyp95", "p95latency"]),
    (Role::P99, "p99", &["p99", "latencyp99", "p99latency"]),
    (Role::CpuCores, "cpu_cores", &["cpucores", "cores"]),
    (Role::CpuShare, "cpu_percent", &["cpu", "cpuutilisation", "cpuutilization"]),
    (Role::Attained, "attained", &["attained", "attainment", "slo", "sli"]),
    (Role::Saturated, "saturated", &["saturated"]),
];

impl Role {
    /// Number of roles.
    pub const COUNT: usize = NAMES.len();
    /// The latency figures.
    pub const LATENCIES: [Self; 4] = [Self::Mean, Self::P50, Self::P95, Self::P99];

    /// The name without a unit.
    pub fn name(self) -> &'static str {
        NAMES[self as usize].1
    }

    /// All names, for messages.
    pub(crate) fn known() -> String {
        let unit = |role: &Self| if Self::LATENCIES.contains(role) { "_ms" } else { "" };
        let names = NAMES.iter().map(|(role, name, _)| format!("{name}{}", unit(role)));
        names.collect::<Vec<_>>().join(", ")
    }

    /// The role that a name says, and the factor that brings its unit to seconds or shares. Latency and
    /// CPU need their unit in the name.
    pub fn by_name(name: &str) -> Option<(Self, f64)> {
        const UNITS: [(&str, f64); 8] = [
            ("milliseconds", 1e-3),
            ("millis", 1e-3),
            ("seconds", 1.0),
            ("ms", 1e-3),
            ("us", 1e-6),
            ("sec", 1.0),
            ("s", 1.0),
            ("percent", 0.01),
        ];
        let lower = name.trim().to_ascii_lowercase();
        if time_rank(&lower).is_some() {
            return Some((Self::Time, 1.0));
        }
        if let Some(base) = lower.strip_suffix("_share") {
            return Self::base(base)
                .filter(|role| matches!(role, Self::CpuShare | Self::Attained))
                .map(|r| (r, 1.0));
        }
        for (unit, factor) in UNITS {
            let Some(base) = lower.strip_suffix(unit).and_then(|base| base.strip_suffix('_')) else {
                continue;
            };
            let Some(role) = Self::base(base) else { continue };
            let share = unit == "percent";
            let fits = match role {
                Self::CpuShare | Self::Attained => share,
                role => Self::LATENCIES.contains(&role) && !share,
            };
            if fits {
                return Some((role, factor));
            }
        }
        let role = Self::base(&lower)?;
        // Without a unit these could mean anything.
        let needs_unit = Self::LATENCIES.contains(&role) || role == Self::CpuShare;
        (!needs_unit).then_some((role, 1.0))
    }

    fn base(name: &str) -> Option<Self> {
        let name = plain(name);
        NAMES.iter().find(|(_, _, known)| known.contains(&name.as_str())).map(|(role, ..)| *role)
    }
}

/// Columns named by the user: `role=column,…`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricMap {
    entries: Vec<(Role, f64, String)>,
}

impl MetricMap {
    /// Whether the user named a column for this role.
    pub fn names(&self, role: Role) -> bool {
        self.entries.iter().any(|(r, ..)| *r == role)
    }

    /// Role, factor and column of each entry.
    pub(crate) fn entries(&self) -> &[(Role, f64, String)] {
        &self.entries
    }
}

impl FromStr for MetricMap {
    type Err = BadOption;

    fn from_str(text: &str) -> Result<Self, BadOption> {
        let bad = |found: &str| BadOption {
            option: "--map",
            found: found.to_owned(),
            expected: format!("role=column, several with commas; roles are {}", Role::known()),
            example: "time=ts,rate=rps,p99_ms=latency_p99",
        };
        let mut entries: Vec<(Role, f64, String)> = Vec::new();
        for part in text.split(',') {
            let (role, column) = part.split_once('=').ok_or_else(|| bad(part))?;
            let (role, factor) = Role::by_name(role).ok_or_else(|| bad(part))?;
            if column.trim().is_empty() || entries.iter().any(|(r, ..)| *r == role) {
                return Err(bad(part));
            }
            entries.push((role, factor, column.trim().to_owned()));
        }
        Ok(Self { entries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_role_and_unit() {
        let cases = [
            ("p99_ms", Some((Role::P99, 1e-3))),
            ("latency_p50_seconds", Some((Role::P50, 1.0))),
            ("p95", None),
            ("cpu_percent", Some((Role::CpuShare, 0.01))),
            ("cpu_cores", Some((Role::CpuCores, 1.0))),
            ("cpu", None),
            ("RPS", Some((Role::Rate, 1.0))),
            ("replicas", Some((Role::Ready, 1.0))),
            ("timestamp", Some((Role::Time, 1.0))),
            ("colour", None),
            ("rate_ms", None),
        ];
        for (name, wanted) in cases {
            assert_eq!(Role::by_name(name), wanted, "{name}");
        }
        for (i, (role, ..)) in NAMES.iter().enumerate() {
            assert_eq!(*role as usize, i);
        }
    }
}
