//! Counts laid down beforehand, tile by tile.
//!
//! Not a peer and not for a cluster: it carries out what somebody who knows the load has planned, so that
//! the twin can tell what the plan attains. It reads nothing.

use std::sync::Arc;

use homeostat_core::{Cadence, Instant, Need, Observation, Plan, Policy, Reason, Rule, Span};

/// Asks for the counts of a plan.
#[derive(Debug, Clone)]
pub struct Planned {
    /// When the first tile begins.
    pub from: Instant,
    /// Length of a tile, and time between two decisions.
    pub tile: Span,
    /// Count before the first tile.
    pub before: u32,
    /// Count of each tile; the last one holds on.
    pub counts: Arc<[u32]>,
}

impl Planned {
    /// The most of all counts until the next decision.
    fn count(&self, at: Instant) -> u32 {
        let until = at + self.tile;
        if until.0 <= self.from.0 {
            return self.before;
        }
        let last = self.counts.len().saturating_sub(1);
        let index = |at: u64| ((at.saturating_sub(self.from.0) / self.tile.0) as usize).min(last);
        let tiles = self.counts.get(index(at.0)..=index(until.0 - 1)).unwrap_or_default();
        let most = tiles.iter().copied().max().unwrap_or(self.before);
        if at < self.from { most.max(self.before) } else { most }
    }
}

impl Policy for Planned {
    fn needs(&self) -> &[Need] {
        &[]
    }

    fn cadence(&self) -> Cadence {
        Cadence::every(self.tile)
    }

    fn decide(&mut self, observation: &Observation) -> Plan {
        let count = self.count(observation.at);
        Plan::scale(count, Reason::of(Rule::Schedule, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_for_the_most_until_the_next_decision() {
        let (from, tile) = (Instant::ZERO + Span::MINUTE, Span::from_secs(15));
        let policy = Planned { from, tile, before: 9, counts: Arc::new([3, 5, 4]) };
        let at = |seconds| policy.count(Instant::ZERO + Span::from_secs(seconds));
        assert_eq!([0, 45, 50, 60, 75, 80, 90, 900].map(at), [9, 9, 9, 3, 5, 5, 4, 4]);
    }
}
