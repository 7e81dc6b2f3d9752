//! Declared spaces: which settings of a family of policies a search may try, and how a point becomes a
//! policy.
//!
//! A space is data: settings with their values in order, and a function from values to a
//! [`PolicySpec`]. A point is known by its index, the first setting varying slowest. A new family is an
//! entry of [`spaces`] and a function in `families.rs`; no space has more than [`MOST`] points, except
//! fixed counts, which are searched by bisection.

mod families;

use std::fmt;

use homeostat_core::Span;
use serde::{Serialize, Serializer};

use crate::spec::PolicySpec;

pub use families::{counts, spaces};

/// Points of a space at most.
pub const MOST: usize = 500;

/// The value of a setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A number in the setting's unit.
    Number(f64),
    /// A length of time.
    Time(Span),
    /// One of several words.
    Word(&'static str),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Time(span) => span.fmt(f),
            Self::Word(word) => f.write_str(word),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
                serializer.serialize_i64(*number as i64)
            }
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Time(span) => serializer.collect_str(span),
            Self::Word(word) => serializer.serialize_str(word),
        }
    }
}

/// A setting and the values that a search may give it, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// Its name, as it is written in our forms.
    pub name: &'static str,
    /// The values, from the first to the last.
    pub values: Vec<Value>,
}

/// The settings of a family of policies.
#[derive(Debug, Clone)]
pub struct Space {
    /// The family, as typed on the command line.
    pub family: &'static str,
    /// The settings.
    pub settings: Vec<Setting>,
    make: fn(&[Value]) -> PolicySpec,
}

impl Space {
    /// A space of these settings; `make` gets one value of each, in their order.
    pub fn new(family: &'static str, settings: Vec<Setting>, make: fn(&[Value]) -> PolicySpec) -> Self {
        Self { family, settings, make }
    }

    /// Number of points.
    pub fn size(&self) -> usize {
        self.settings.iter().map(|setting| setting.values.len()).product()
    }

    /// How many values each setting has.
    pub fn dimensions(&self) -> Vec<usize> {
        self.settings.iter().map(|setting| setting.values.len()).collect()
    }

    /// The settings of a point by name.
    pub fn settings_of(&self, point: usize) -> Vec<(&'static str, Value)> {
        let values = self.values(point);
        self.settings.iter().map(|setting| setting.name).zip(values).collect()
    }

    /// The policy at a point.
    pub fn policy(&self, point: usize) -> PolicySpec {
        (self.make)(&self.values(point))
    }

    fn values(&self, point: usize) -> Vec<Value> {
        let mut rest = point;
        let mut values: Vec<Value> = Vec::with_capacity(self.settings.len());
        for setting in self.settings.iter().rev() {
            let n = setting.values.len();
            values.push(setting.values[rest % n]);
            rest /= n;
        }
        values.reverse();
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hpa::PodTemplate;
    use crate::spec::{BuildContext, Promise, ServiceModel};
    use homeostat_core::Instant;

    fn context() -> BuildContext {
        let service = ServiceModel {
            work: Span::from_millis(200),
            work_cv: 0.5,
            beyond: vec![1.0, 0.01, 0.0],
            slots: 4.0,
            start_up: Span::from_secs(120),
        };
        BuildContext {
            service: Some(service),
            promise: Some(Promise { latency: Span::SECOND, attainment: 0.999 }),
            template: PodTemplate::single(1_000, 1_000_000),
            min: 1,
            max: 50,
            capacity_per_replica: 20.0,
            memory_limit_mib: Some(4_096.0),
            peak_rate: 310.0,
            start: Instant::ZERO,
            ..BuildContext::default()
        }
    }

    #[test]
    fn every_point_builds_and_no_two_are_the_same() {
        let mut all = spaces();
        all.push(counts(1, 40));
        for space in all {
            let mut seen = Vec::new();
            for point in 0..space.size() {
                let spec = space.policy(point);
                spec.with_slots(4).build_all(&context()).unwrap();
                assert!(!seen.contains(&spec), "{}: point {point} is there twice", space.family);
                seen.push(spec);
            }
        }
    }

    #[test]
    fn sizes_are_as_documented() {
        let sizes: Vec<_> = spaces().iter().map(|space| (space.family, space.size())).collect();
        let expected = [
            ("hpa", 420),
            ("kpa", 480),
            ("keda", 225),
            ("watermark", 480),
            ("predictive", 48),
            ("phpa", 336),
            ("mark", 44),
            ("mu", 30),
            ("aws_predictive", 180),
            ("rejuvenate", 84),
            ("restart", 336),
        ];
        assert_eq!(sizes, expected);
        assert!(sizes.iter().all(|(_, size)| *size <= MOST));
        assert_eq!(counts(3, 40).size(), 38);
    }

    #[test]
    fn a_point_says_its_settings() {
        let all = spaces();
        let hpa = all.iter().find(|space| space.family == "hpa").unwrap();
        let last = hpa.settings_of(hpa.size() - 1);
        let text: Vec<String> = last.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let expected =
            ["target_percent=95", "scale_down_window=30m", "tolerance=0.1", "metric=requests_per_second"];
        assert_eq!(text, expected);
        assert_eq!(serde_json::to_string(&last[1].1).unwrap(), "\"30m\"");
        assert_eq!(serde_json::to_string(&last[0].1).unwrap(), "95");
        assert_eq!(serde_json::to_string(&last[2].1).unwrap(), "0.1");
    }

    #[test]
    fn the_hpa_has_both_metrics() {
        let all = spaces();
        let hpa = all.iter().find(|space| space.family == "hpa").unwrap();
        let by = |point| match hpa.policy(point) {
            PolicySpec::Hpa(form) => (form.cpu_percent, form.capacity_percent),
            other => panic!("{other:?}"),
        };
        assert_eq!(by(0), (Some(30), None));
        assert_eq!(by(1), (None, Some(30.0)));
    }
}
