//! How much memory a replica has taken: see [`crate::scenario::Leak`] for the formula.

use homeostat_core::draw::Key;
use homeostat_core::{Instant, num};

use crate::scenario::{Leak, Memory};

/// What is drawn for one replica. Draws belong to its number, so that every policy meets the same leaks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Growth {
    leak: Option<Leak>,
    memory: Memory,
    base_mib: f64,
    /// How fast this one leaks beside the others.
    factor: f64,
    /// Where it is in its collector's cycle at the start.
    phase: f64,
}

/// What has happened to a replica so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lived {
    /// Hours since it became ready.
    pub(crate) hours: f64,
    /// Requests taken in.
    pub(crate) served: f64,
    /// Requests inside now.
    pub(crate) inside: f64,
}

impl Growth {
    /// The growth of the replica with this number, under the leak of its version.
    pub(crate) fn draw(base_mib: u32, memory: &Memory, leak: Option<Leak>, key: Key, number: u64) -> Self {
        let mut draws = key.at(number);
        let (leaks, normal, phase) = (draws.uniform(), draws.normal(), draws.uniform());
        let factor = leak.map_or(0.0, |leak| {
            let variance = num::ln(1.0 + leak.cv * leak.cv);
            let factor = num::exp(variance.sqrt() * normal - 0.5 * variance);
            if leaks < leak.share { factor } else { 0.0 }
        });
        Self { leak, memory: *memory, base_mib: f64::from(base_mib), factor, phase }
    }

    /// Whether it ever takes more than it starts with.
    pub(crate) fn grows(&self) -> bool {
        let Memory { cache, collector, mib_per_request, .. } = self.memory;
        self.leak.is_some() || cache.is_some() || collector.is_some() || mib_per_request > 0.0
    }

    /// What has leaked, in MiB.
    pub(crate) fn leaked_mib(&self, lived: Lived) -> f64 {
        let Some(leak) = self.leak else { return 0.0 };
        let h = lived.hours;
        let by_time = leak.mib_per_hour * (h + 0.5 * leak.acceleration_per_hour * h * h);
        let mib = self.factor * (by_time + leak.mib_per_1000_requests * lived.served / 1_000.0);
        if leak.step_mib > 0.0 { (mib / leak.step_mib).floor() * leak.step_mib } else { mib }
    }

    /// All that it has taken, in MiB.
    pub(crate) fn total_mib(&self, lived: Lived) -> f64 {
        let cache = self.memory.cache.map_or(0.0, |cache| {
            cache.mib * (1.0 - num::exp(-lived.hours / cache.fills_in.as_hours_f64().max(1e-9)))
        });
        let collector = self.memory.collector.map_or(0.0, |collector| {
            let cycles = lived.hours / collector.every.as_hours_f64().max(1e-9) + self.phase;
            collector.mib * (cycles - cycles.floor())
        });
        let inside = self.memory.mib_per_request * lived.inside;
        self.base_mib + self.leaked_mib(lived) + cache + collector + inside
    }

    /// What the metrics source shows of `mib` at the scrape with this key.
    pub(crate) fn shown_bytes(&self, mib: f64, key: Key, replica: u64) -> u64 {
        let noise = if self.memory.noise_mib > 0.0 {
            self.memory.noise_mib * key.child("memory").at(replica).normal()
        } else {
            0.0
        };
        ((mib + noise).max(0.0) * 1_048_576.0) as u64
    }
}

/// Hours from `ready` to `now`.
pub(crate) fn hours_since(ready: Option<Instant>, now: Instant) -> f64 {
    ready.map_or(0.0, |ready| now.since(ready).as_hours_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Cache, Collector};
    use homeostat_core::Span;

    const LEAK: Leak = Leak {
        mib_per_hour: 100.0,
        mib_per_1000_requests: 2.0,
        acceleration_per_hour: 0.0,
        step_mib: 0.0,
        cv: 0.0,
        share: 1.0,
    };

    fn growth(leak: Leak, memory: &Memory) -> Growth {
        Growth::draw(1_000, memory, Some(leak), Key::root(1), 3)
    }

    fn after(hours: f64) -> Lived {
        Lived { hours, served: 0.0, inside: 0.0 }
    }

    #[test]
    fn leaks_by_the_hour_and_by_the_request() {
        let leak = growth(LEAK, &Memory::default());
        assert_eq!(leak.total_mib(Lived { served: 5_000.0, ..after(2.5) }), 1_000.0 + 250.0 + 10.0);
    }

    #[test]
    fn an_accelerating_leak_grows_by_the_square() {
        let leak = growth(Leak { acceleration_per_hour: 0.5, ..LEAK }, &Memory::default());
        assert_eq!(leak.leaked_mib(after(4.0)), 100.0 * (4.0 + 0.25 * 16.0));
    }

    #[test]
    fn a_stepped_leak_stays_on_its_step() {
        let leak = growth(Leak { step_mib: 64.0, ..LEAK }, &Memory::default());
        assert_eq!([0.5, 0.7, 1.27, 1.29].map(|h| leak.leaked_mib(after(h))), [0.0, 64.0, 64.0, 128.0]);
    }

    #[test]
    fn caches_come_to_rest_and_collectors_give_back() {
        let cache = Some(Cache { mib: 200.0, fills_in: Span::HOUR });
        let quiet = Growth::draw(500, &Memory { cache, ..Memory::default() }, None, Key::root(1), 0);
        assert!((quiet.total_mib(after(1.0)) - 500.0 - 200.0 * (1.0 - num::exp(-1.0))).abs() < 1e-9);
        assert!((quiet.total_mib(after(40.0)) - 700.0).abs() < 1e-6);
        let collector = Some(Collector { mib: 80.0, every: Span::MINUTE * 10 });
        let saw = Growth::draw(500, &Memory { collector, ..Memory::default() }, None, Key::root(1), 0);
        let values: Vec<f64> = (0..600).map(|s| saw.total_mib(after(f64::from(s) / 3_600.0))).collect();
        let (least, most) = values.iter().fold((f64::MAX, 0.0_f64), |(l, m), v| (l.min(*v), m.max(*v)));
        assert!((499.9..501.0).contains(&least) && (579.0..580.1).contains(&most), "{least} {most}");
    }

    #[test]
    fn replicas_differ_around_the_same_mean_and_some_do_not_leak() {
        let leak = Leak { cv: 0.4, share: 0.75, ..LEAK };
        let draw =
            |i| Growth::draw(0, &Memory::default(), Some(leak), Key::root(9), i).leaked_mib(after(1.0));
        let rates: Vec<f64> = (0..20_000).map(draw).collect();
        let mean = rates.iter().sum::<f64>() / rates.len() as f64;
        assert!((mean - 75.0).abs() < 1.0, "{mean}");
        let dry = rates.iter().filter(|r| **r == 0.0).count() as f64 / rates.len() as f64;
        assert!((dry - 0.25).abs() < 0.01, "{dry}");
    }
}
