//! Target tracking: two alarms on the load per ready replica, minute by minute.

use std::collections::VecDeque;

use homeostat_core::{Instant, Span};

/// Minutes above the target before the count grows.
const HIGH: usize = 3;
/// Minutes below [`LOW_SHARE`] of the target before the count shrinks.
const LOW: usize = 15;
const LOW_SHARE: f64 = 0.9;

/// What target tracking asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tracked {
    /// As many as the load of now needs.
    Out(u32),
    /// Fewer.
    In(u32),
    /// Fewer, but the last change is too recent: the time since.
    Cooling(Span),
    /// As many as there are.
    Keep,
}

/// The alarms' memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Tracking {
    /// Load per replica over the target, the newest last.
    ratios: VecDeque<f64>,
    changed: Option<Instant>,
}

impl Tracking {
    /// No data: the alarms know nothing.
    pub(super) fn forget(&mut self) {
        self.ratios.clear();
    }

    /// The count has changed.
    pub(super) fn changed(&mut self, at: Instant) {
        self.changed = Some(at);
    }

    /// Takes the rate of a minute; `target` is the rate that one replica should get.
    pub(super) fn track(
        &mut self,
        at: Instant,
        (rate, target): (f64, f64),
        (ready, desired): (u32, u32),
        cooldown: Span,
    ) -> Tracked {
        let ready = f64::from(ready.max(1));
        self.ratios.push_back(rate / (ready * target));
        if self.ratios.len() > LOW {
            self.ratios.pop_front();
        }
        let needed = |rate: f64| (rate / target).ceil() as u32;
        if self.all(HIGH, |ratio| ratio > 1.0) && needed(rate) > desired {
            return Tracked::Out(needed(rate));
        }
        if !self.all(LOW, |ratio| ratio < LOW_SHARE) {
            return Tracked::Keep;
        }
        // The largest load of the whole time below, so that one quiet minute doesn't decide.
        let most = self.ratios.iter().copied().fold(0.0, f64::max) * ready * target;
        match self.changed.map(|changed| at.since(changed)) {
            _ if needed(most) >= desired => Tracked::Keep,
            Some(since) if since < cooldown => Tracked::Cooling(since),
            _ => Tracked::In(needed(most)),
        }
    }

    /// Whether the last `count` minutes are there and all like this.
    fn all(&self, count: usize, like: impl Fn(f64) -> bool) -> bool {
        self.ratios.len() >= count && self.ratios.iter().rev().take(count).all(|ratio| like(*ratio))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOLDOWN: Span = Span::from_secs(300);

    /// What is asked for after each minute of these rates, at 10 per replica and 10 replicas.
    fn asked(rates: &[f64], changed: Option<u64>) -> Vec<Tracked> {
        let at = |minute: u64| Instant::ZERO + Span::MINUTE * minute;
        let mut tracking = Tracking { changed: changed.map(at), ..Tracking::default() };
        let minutes = rates.iter().enumerate();
        minutes.map(|(i, rate)| tracking.track(at(i as u64), (*rate, 10.0), (10, 10), COOLDOWN)).collect()
    }

    #[test]
    fn grows_after_three_minutes() {
        let expected = [Tracked::Keep, Tracked::Keep, Tracked::Out(13), Tracked::Keep];
        assert_eq!(asked(&[120.0, 125.0, 130.0, 100.0], None), expected);
        assert!(asked(&[120.0, 90.0, 130.0, 120.0], None).iter().all(|t| *t == Tracked::Keep));
    }

    #[test]
    fn shrinks_after_fifteen_minutes_to_the_largest_load() {
        let mut rates = [60.0; 16];
        rates[9] = 85.0;
        let found = asked(&rates, None);
        assert!(found[..14].iter().all(|t| *t == Tracked::Keep));
        assert_eq!(found[14..], [Tracked::In(9), Tracked::In(9)]);
        rates[9] = 91.0; // within 90 % and 100 %
        assert!(asked(&rates, None).iter().all(|t| *t == Tracked::Keep));
    }

    #[test]
    fn waits_after_a_change() {
        let found = asked(&[60.0; 18], Some(12));
        assert_eq!(found[14], Tracked::Cooling(Span::from_secs(120)));
        assert_eq!(found[17], Tracked::In(6));
    }
}
