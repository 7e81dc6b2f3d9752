//! How long replicas take from their order until they take traffic, as it was observed.

use std::collections::{BTreeMap, VecDeque};

use homeostat_core::observe::{Observation, Phase};
use homeostat_core::{Instant, ReplicaId, Span};

/// Start-ups that are remembered.
const KEPT: usize = 50;
/// Start-ups after which the time told beforehand doesn't count any longer.
const ENOUGH: usize = 5;

/// Start-ups observed.
#[derive(Debug, Clone)]
pub(super) struct Leads {
    told: Span,
    seen: VecDeque<Span>,
    /// Replicas not ready yet, with the decision that ordered them.
    waiting: BTreeMap<ReplicaId, Instant>,
    /// When the decision before was taken; replicas that are new now were ordered then.
    before: Option<Instant>,
}

impl Leads {
    /// Before any start-up was seen, `told` stands for all.
    pub(super) const fn new(told: Span) -> Self {
        Self { told, seen: VecDeque::new(), waiting: BTreeMap::new(), before: None }
    }

    /// Looks at the replicas of now.
    pub(super) fn watch(&mut self, observation: &Observation) {
        let now = observation.at;
        let mut waiting = BTreeMap::new();
        for view in observation.replicas.iter().filter(|view| !view.deleting) {
            let ordered = self.waiting.get(&view.id).copied();
            if view.is_ready() {
                if let (Some(ordered), Some(readiness)) = (ordered, view.readiness) {
                    self.remember(readiness.since.since(ordered));
                }
            } else if let Some(ordered) = ordered {
                waiting.insert(view.id, ordered);
            } else if let (Some(before), true) = (self.before, view.phase == Phase::Pending) {
                waiting.insert(view.id, before);
            }
        }
        self.waiting = waiting;
        self.before = Some(now);
    }

    fn remember(&mut self, took: Span) {
        if self.seen.len() == KEPT {
            self.seen.pop_front();
        }
        self.seen.push_back(took);
    }

    /// The quantile `level` of the start-ups, those that are overdue included with their age.
    pub(super) fn quantile(&self, level: f64, now: Instant) -> Span {
        let mut all: Vec<Span> = self.seen.iter().copied().collect();
        if self.seen.len() < ENOUGH {
            all.push(self.told);
        }
        let longest = all.iter().copied().max().unwrap_or(self.told);
        all.extend(self.waiting.values().map(|ordered| now.since(*ordered)).filter(|age| *age > longest));
        all.sort_unstable();
        all[((all.len() as f64 * level).ceil() as usize).clamp(1, all.len()) - 1]
    }

    /// Replicas that have been starting for more than twice `lead`: nobody should count on them.
    pub(super) fn overdue(&self, lead: Span, now: Instant) -> u32 {
        self.waiting.values().filter(|ordered| now.since(**ordered) > lead * 2).count() as u32
    }
}
