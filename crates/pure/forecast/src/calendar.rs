//! Local time and known events. The edge reads zones and files; here they are data.

use homeostat_core::Instant;

/// Something known beforehand that changes the load: a match, a campaign, a holiday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it begins.
    pub from: Instant,
    /// When it ends.
    pub until: Instant,
    /// Its kind: events of one kind are expected to do alike.
    pub kind: String,
}

/// Local time and known events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    /// Seconds that local time is ahead of UTC, each from an instant on, in order of time. Before the first
    /// one (and without any) local time is UTC.
    pub offsets: Vec<(Instant, i32)>,
    /// Known events in order of their beginning.
    pub events: Vec<Event>,
}

impl Calendar {
    /// Seconds since the epoch of local time at `at`.
    pub fn local_seconds(&self, at: Instant) -> i64 {
        let after = self.offsets.partition_point(|(from, _)| *from <= at);
        let offset = after.checked_sub(1).map_or(0, |index| self.offsets[index].1);
        (at.0 / 1_000_000_000) as i64 + i64::from(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeostat_core::Span;

    #[test]
    fn local_time_jumps_where_the_offset_changes() {
        let hour = |h: u64| Instant::ZERO + Span::HOUR * h;
        let calendar = Calendar { offsets: vec![(hour(10), 3_600), (hour(20), 7_200)], events: vec![] };
        assert_eq!([9, 10, 19, 20].map(|h| calendar.local_seconds(hour(h)) / 3_600), [9, 11, 20, 22]);
    }
}
