//! What the encoder and the decoder both remember of the records before.

use crate::decision::ForecastNote;
use crate::observe::{Observation, ReplicaView, Sample};
use crate::reason::Reason;
use crate::time::Instant;

/// The last values of one reading. They survive a reading that failed.
#[derive(Debug, Clone, Default)]
pub(super) struct Series {
    pub(super) samples: Vec<Sample>,
    pub(super) totals: Vec<i64>,
    pub(super) totals_at: Instant,
}

/// The moment of a record, and the time that passed since the record before (wrapping).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moment {
    pub(super) at: Instant,
    pub(super) step: u64,
    pub(super) desired: u32,
    pub(super) current: u32,
}

/// All that the next record is written against.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    pub(super) moment: Moment,
    pub(super) replicas: Vec<ReplicaView>,
    pub(super) series: Vec<Series>,
    pub(super) reasons: Vec<Reason>,
    pub(super) forecast: ForecastNote,
}

impl Memory {
    /// The moment of `observation`, seen from here.
    pub(super) const fn moment_of(&self, observation: &Observation) -> Moment {
        Moment {
            at: observation.at,
            step: observation.at.0.wrapping_sub(self.moment.at.0),
            desired: observation.desired,
            current: observation.current,
        }
    }

    /// The series of reading `index`. Readings beyond those known start empty.
    pub(super) fn series(&mut self, index: usize) -> &mut Series {
        if self.series.len() <= index {
            self.series.resize_with(index + 1, Series::default);
        }
        &mut self.series[index]
    }
}
