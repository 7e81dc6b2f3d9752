//! Values in thousandths, printed in the units that people use for them.

use crate::policy::Need;

/// The name of a metric for people: `cpu`, `cpu of container app`, `requests_per_second`.
pub fn need_name(need: &Need) -> String {
    match need {
        Need::ContainerResource { container, resource } => format!("{resource} of container {container}"),
        Need::Resource(name) | Need::Pods(name) | Need::Object(name) | Need::External(name) => name.clone(),
    }
}

/// What a number of thousandths stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Processor cores.
    Cores,
    /// Bytes.
    Bytes,
    /// Per cent of what is requested.
    Percent,
    /// Seconds.
    Seconds,
    /// A plain number.
    Plain,
}

impl Unit {
    /// The unit of a metric.
    pub(super) fn of(need: &Need) -> Self {
        match need {
            Need::Resource(resource) | Need::ContainerResource { resource, .. } => match resource.as_str() {
                "cpu" => Self::Cores,
                "memory" => Self::Bytes,
                _ => Self::Plain,
            },
            _ => Self::Plain,
        }
    }

    /// A value with its unit: `0.612 cores`, `1.5 GiB`, `90s`.
    pub(super) fn show(self, milli: i64) -> String {
        match self {
            Self::Cores if milli == 1_000 => "1 core".to_owned(),
            Self::Cores => format!("{} cores", plain(milli)),
            Self::Bytes => bytes(milli),
            Self::Percent => format!("{} % of the request", plain(milli)),
            Self::Seconds => format!("{}s", plain(milli)),
            Self::Plain => plain(milli),
        }
    }
}

/// Thousandths as a decimal number without needless digits.
pub(super) fn plain(milli: i64) -> String {
    let sign = if milli < 0 { "-" } else { "" };
    let (whole, part) = (milli.unsigned_abs() / 1_000, milli.unsigned_abs() % 1_000);
    if part == 0 {
        return format!("{sign}{whole}");
    }
    let digits = format!("{part:03}");
    format!("{sign}{whole}.{}", digits.trim_end_matches('0'))
}

const BYTES: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// Thousandths of bytes, to a tenth of the unit.
fn bytes(milli: i64) -> String {
    let sign = if milli < 0 { "-" } else { "" };
    let whole = milli.unsigned_abs() / 1_000;
    match BYTES.iter().find(|(_, size)| whole >= *size) {
        None => format!("{} B", plain(milli)),
        Some((unit, size)) => {
            let tenths = (u128::from(whole) * 10 + u128::from(size / 2)) / u128::from(*size);
            format!("{sign}{} {unit}", plain(tenths as i64 * 100))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_print_in_the_units_of_their_metric() {
        assert_eq!(Unit::of(&Need::Resource("cpu".to_owned())).show(612), "0.612 cores");
        assert_eq!(Unit::Cores.show(1_000), "1 core");
        assert_eq!(Unit::of(&Need::Resource("memory".to_owned())).show(1_610_612_736_000), "1.5 GiB");
        assert_eq!(Unit::Bytes.show(999_000), "999 B");
        assert_eq!(Unit::Bytes.show(i64::MIN), "-8388.6 TiB");
        assert_eq!(Unit::Seconds.show(90_500), "90.5s");
        assert_eq!(Unit::of(&Need::External("queue".to_owned())).show(-1), "-0.001");
        assert_eq!(plain(i64::MIN), "-9223372036854775.808");
    }
}
