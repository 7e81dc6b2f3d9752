//! What stands in front of the records: where they come from and how to replay them.

use serde::{Deserialize, Serialize};

use super::error::JournalError;
use super::{JOURNAL_VERSION, readable};
use crate::guard::{Bounds, GuardProfile};
use crate::policy::Need;
use crate::time::Instant;

/// A [`Need`] as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NeedRecord {
    /// A resource of each replica.
    Resource {
        /// `cpu` or `memory`.
        resource: String,
    },
    /// A resource of one container of each replica.
    ContainerResource {
        /// The container.
        container: String,
        /// `cpu` or `memory`.
        resource: String,
    },
    /// A named metric of each replica.
    Pods {
        /// Its name.
        metric: String,
    },
    /// A named metric of an object in front of the replicas.
    Object {
        /// Its name.
        metric: String,
    },
    /// A named metric from outside.
    External {
        /// Its name.
        metric: String,
    },
}

impl From<&Need> for NeedRecord {
    fn from(need: &Need) -> Self {
        match need.clone() {
            Need::Resource(resource) => Self::Resource { resource },
            Need::ContainerResource { container, resource } => {
                Self::ContainerResource { container, resource }
            }
            Need::Pods(metric) => Self::Pods { metric },
            Need::Object(metric) => Self::Object { metric },
            Need::External(metric) => Self::External { metric },
        }
    }
}

impl From<&NeedRecord> for Need {
    fn from(record: &NeedRecord) -> Self {
        match record.clone() {
            NeedRecord::Resource { resource } => Self::Resource(resource),
            NeedRecord::ContainerResource { container, resource } => {
                Self::ContainerResource { container, resource }
            }
            NeedRecord::Pods { metric } => Self::Pods(metric),
            NeedRecord::Object { metric } => Self::Object(metric),
            NeedRecord::External { metric } => Self::External(metric),
        }
    }
}

/// The first thing to read of a header: a file of another version may differ in everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaProbe {
    /// Version of the journal.
    pub schema_version: u16,
}

impl SchemaProbe {
    /// Refuses a version that this program can't read.
    pub const fn check(self) -> Result<(), JournalError> {
        let found = self.schema_version as u64;
        if readable(found) {
            return Ok(());
        }
        Err(JournalError::Version { found, supported: JOURNAL_VERSION })
    }
}

/// Where a journal comes from, and all that is needed to replay it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Version of the journal, [`JOURNAL_VERSION`] when written by this program.
    pub schema_version: u16,
    /// Version of the program that wrote it.
    pub software_version: String,
    /// Name of the scenario (or of the target on a cluster).
    pub scenario: String,
    /// Digest of the scenario, in hexadecimal digits.
    pub scenario_digest: String,
    /// Name of the policy.
    pub policy: String,
    /// Specification of the policy, as the text that was read.
    pub policy_spec: String,
    /// The guards in force.
    pub guards: GuardProfile,
    /// Least and largest count of the target.
    pub bounds: Bounds,
    /// Names of the needs, to be read by people.
    pub need_names: Vec<String>,
    /// The needs, in the order of the readings.
    pub needs: Vec<NeedRecord>,
    /// Seed of the run.
    pub seed: u64,
    /// Start of the trace, in nanoseconds since 1970-01-01T00:00:00 UTC (or since its own start, when
    /// the trace has no calendar).
    pub trace_start_ns: u64,
}

impl Header {
    /// The needs, for [`super::Decoder::new`].
    pub fn needs(&self) -> Vec<Need> {
        self.needs.iter().map(Need::from).collect()
    }

    /// The start of the trace.
    pub const fn trace_start(&self) -> Instant {
        Instant(self.trace_start_ns)
    }

    /// Writes `needs` into both of their fields.
    pub fn set_needs(&mut self, needs: &[Need]) {
        self.need_names = needs.iter().map(crate::explain::need_name).collect();
        self.needs = needs.iter().map(NeedRecord::from).collect();
    }

    /// Refuses a version that this program can't read.
    pub const fn check(&self) -> Result<(), JournalError> {
        SchemaProbe { schema_version: self.schema_version }.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        let mut header = Header {
            schema_version: JOURNAL_VERSION,
            software_version: "0.1.0".to_owned(),
            scenario: "quickstart".to_owned(),
            scenario_digest: "00ff".to_owned(),
            policy: "hpa".to_owned(),
            policy_spec: "hpa: {}".to_owned(),
            guards: GuardProfile::standard(),
            bounds: Bounds { min: 1, max: 10 },
            need_names: Vec::new(),
            needs: Vec::new(),
            seed: u64::MAX,
            trace_start_ns: 7,
        };
        let container = Need::ContainerResource { container: "app".to_owned(), resource: "cpu".to_owned() };
        header.set_needs(&[
            Need::Resource("memory".to_owned()),
            container,
            Need::Pods("concurrency".to_owned()),
            Need::Object("requests_per_second".to_owned()),
            Need::External("queue".to_owned()),
        ]);
        header
    }

    #[test]
    fn a_header_reads_back() {
        let text = serde_json::to_string(&header()).unwrap();
        let read: Header = serde_json::from_str(&text).unwrap();
        assert_eq!(read, header());
        assert_eq!(read.check(), Ok(()));
        assert_eq!(read.needs()[2], Need::Pods("concurrency".to_owned()));
        assert_eq!(read.need_names[1], "cpu of container app");
    }

    #[test]
    fn another_version_is_refused_by_name() {
        let probe: SchemaProbe = serde_json::from_str(r#"{"schema_version":3,"other":[]}"#).unwrap();
        let error = probe.check().unwrap_err();
        assert_eq!(error.to_string(), "the journal has version 3, this program reads versions up to 2");
    }
}
