//! What is known of each replica's memory.

use std::collections::{BTreeMap, VecDeque};

use homeostat_core::observe::Sample;
use homeostat_core::{Instant, Observation, Reading, ReplicaId, Span};
use homeostat_forecast::aging::{Detector, Eta, Settings, Verdict};

const MIB: f64 = 1_048_576.0 * 1_000.0;
/// The level is the highest reading of so long: longer than a collector's cycle, short beside a leak.
const RECENT: Span = Span::from_secs(900);

/// One replica.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    detector: Detector,
    /// When its first reading was taken, and what it was in MiB.
    first: (Instant, f64),
    /// The newest reading.
    pub(super) last: (Instant, f64),
    /// Successive readings near the limit.
    pub(super) near: u32,
    /// Readings of the last quarter of an hour.
    recent: VecDeque<(Instant, f64)>,
    /// The largest sudden rise that two readings before and two after it bear out, in MiB.
    leap: f64,
}

impl Watched {
    pub(super) fn verdict(&self) -> Verdict {
        self.detector.verdict()
    }

    /// Hours that it has been watched for.
    pub(super) fn age_hours(&self) -> f64 {
        self.last.0.since(self.first.0).as_hours_f64()
    }

    /// The highest of the recent readings, in MiB.
    fn level(&self) -> f64 {
        self.recent.iter().map(|(_, mib)| *mib).fold(0.0, f64::max)
    }

    fn keep(&mut self, at: Instant, mib: f64) {
        let from = at.back(RECENT);
        while self.recent.front().is_some_and(|(old, _)| *old < from) {
            self.recent.pop_front();
        }
        self.recent.push_back((at, mib));
        let newest: Vec<f64> = self.recent.iter().rev().take(4).map(|(_, mib)| *mib).collect();
        if let [a, b, c, d] = newest[..] {
            // A saw-tooth hides a leap from the level, noise makes leaps between two readings.
            self.leap = self.leap.max(a.min(b) - c.max(d));
        }
    }

    /// The time to the limit from the present level by the slope of the trend and its interval. The level is
    /// known, so that less and less is uncertain as the limit comes near; the largest leap that was seen may
    /// come again at once.
    pub(super) fn eta(&self, limit_mib: f64) -> Option<Eta> {
        let verdict = self.verdict();
        let room = (limit_mib - self.level() - self.leap).max(0.0);
        let hours = |slope: f64| if slope > 0.0 { room / slope } else { f64::INFINITY };
        let slope = verdict.slope_per_hour;
        (slope > 0.0).then(|| Eta {
            hours: hours(slope),
            low: hours(verdict.slope_high.max(slope)),
            high: hours(verdict.slope_low),
        })
    }

    /// The time to the limit by a straight line from its first reading, while nothing better is known.
    pub(super) fn plain_eta(&self, limit_mib: f64) -> Option<Eta> {
        let hours = self.age_hours();
        let rise = self.last.1 - self.first.1;
        let known = rise > 0.0 && hours > 0.0;
        known.then(|| {
            let left = ((limit_mib - self.last.1) / rise * hours).max(0.0);
            Eta { hours: left, low: left * 0.5, high: left * 2.0 }
        })
    }
}

/// All replicas.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    settings: Settings,
    limit_mib: f64,
    near_mib: f64,
    pub(super) replicas: BTreeMap<ReplicaId, Watched>,
}

impl Watch {
    pub(super) const fn new(settings: Settings, limit_mib: f64, near_mib: f64) -> Self {
        Self { settings, limit_mib, near_mib, replicas: BTreeMap::new() }
    }

    /// Takes in what an observation shows, the memory in its first reading and the load in its second, and
    /// forgets who is gone.
    pub(super) fn look(&mut self, seen: &Observation) {
        self.replicas.retain(|id, _| seen.replicas.iter().any(|view| view.id == *id && !view.deleting));
        let (Some(Reading::PerReplica(memory)), load) = (seen.readings.first(), seen.readings.get(1)) else {
            return;
        };
        for view in seen.replicas.iter().filter(|view| view.is_ready()) {
            let Some(sample) = of(memory, view.id) else { continue };
            let load = match load {
                Some(Reading::PerReplica(samples)) => of(samples, view.id),
                _ => None,
            };
            self.take(sample, load.map(|sample| sample.milli as f64 / 1_000.0));
        }
    }

    fn take(&mut self, sample: &Sample, load: Option<f64>) {
        let mib = sample.milli as f64 / MIB;
        let new = || Watched {
            detector: Detector::new(self.settings, Some(self.limit_mib)),
            first: (sample.at, mib),
            last: (Instant::ZERO, mib),
            near: 0,
            recent: VecDeque::new(),
            leap: 0.0,
        };
        let watched = self.replicas.entry(sample.replica).or_insert_with(new);
        if sample.at <= watched.last.0 {
            return;
        }
        watched.last = (sample.at, mib);
        watched.keep(sample.at, mib);
        watched.near = if mib >= self.near_mib { watched.near + 1 } else { 0 };
        watched.detector.update(sample.at, Some(mib), load);
    }
}

/// The sample of a replica among samples in order of id.
fn of(samples: &[Sample], id: ReplicaId) -> Option<&Sample> {
    samples.binary_search_by_key(&id, |sample| sample.replica).ok().map(|index| &samples[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest leap seen in readings a minute apart.
    fn leap(mib: impl Fn(u64) -> f64) -> f64 {
        let mut watch = Watch::new(Settings::default(), 4_096.0, 3_900.0);
        let replica = ReplicaId(1);
        for minute in 0..180 {
            let at = Instant::ZERO + Span::MINUTE * (minute + 1);
            let milli = (mib(minute) * MIB) as i64;
            watch.take(&Sample { replica, milli, at, window: Span::ZERO }, None);
        }
        watch.replicas[&replica].leap
    }

    /// A collector that gives 60 MiB back every ten minutes.
    fn saw(minute: u64) -> f64 {
        2_000.0 + 6.0 * (minute % 10) as f64
    }

    #[test]
    fn a_rising_saw_tooth_hides_no_step_and_is_none() {
        let step = |minute: u64| if minute >= 94 { 150.0 } else { 0.0 };
        let seen = leap(|minute| saw(minute) + step(minute));
        assert!((145.0..=165.0).contains(&seen), "{seen}");
        assert!(leap(saw) <= 12.0, "{}", leap(saw));
    }

    #[test]
    fn one_wild_reading_is_no_leap() {
        let seen = leap(|minute| saw(minute) + if minute == 75 { 500.0 } else { 0.0 });
        assert!(seen <= 12.0, "{seen}");
    }
}
