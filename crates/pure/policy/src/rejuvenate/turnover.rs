//! One replacement at a time, the new replica before the old one goes.
//!
//! ```text
//!          due                    one more is ready than wanted          the old one is gone
//! resting ─────► starting (surge) ──────────────────────────► leaving ────────────────────► resting
//!    │              │ the surge isn't granted, or the count climbs         ▲
//!    └── no surge ──┴──────────► evict, if enough stay ready ──────────────┘
//! ```

use std::collections::VecDeque;

use homeostat_core::{Instant, Observation, ReplicaId, Span};

/// Shortest time after which a surge replica that isn't ready is given up.
const PATIENCE: Span = Span::from_secs(1_200);

/// How replacements go about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manners {
    /// Whether the new replica comes first.
    pub(crate) surge: bool,
    /// Replicas that stay ready, whatever happens.
    pub(crate) min_ready: u32,
    /// Replacements per hour at most.
    pub(crate) per_hour: Option<u32>,
    /// How long a replica is expected to take until one has been seen.
    pub(crate) start_up: Span,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// Nothing.
    Rest,
    /// Replacements of the last hour, which are as many as permitted.
    Wait(u32),
    /// Have one more replica; so long it has been waited for.
    Surge(Span),
    /// The new one is ready: this one retires.
    Swap(ReplicaId),
    /// This one retires, and a new one is ordered in its place.
    Evict(ReplicaId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Resting,
    Starting { victim: ReplicaId, since: Instant },
    Leaving { victim: ReplicaId },
}

/// The replacement under way, and what is known of those before.
#[derive(Debug, Clone)]
pub(crate) struct Turnover {
    manners: Manners,
    state: State,
    begun: VecDeque<Instant>,
    took: Span,
}

impl Turnover {
    pub(crate) const fn new(manners: Manners) -> Self {
        Self { manners, state: State::Resting, begun: VecDeque::new(), took: manners.start_up }
    }

    /// How long a replacement takes from its decision until the new replica is ready.
    pub(crate) const fn takes(&self) -> Span {
        self.took
    }

    /// Whether a replica starts to take another one's place.
    pub(crate) const fn is_starting(&self) -> bool {
        matches!(self.state, State::Starting { .. })
    }

    /// The replica that is being replaced.
    pub(crate) const fn victim(&self) -> Option<ReplicaId> {
        match self.state {
            State::Resting => None,
            State::Starting { victim, .. } | State::Leaving { victim } => Some(victim),
        }
    }

    /// Goes on; `due` is the replica that should be replaced first, if any should.
    pub(crate) fn step(&mut self, seen: &Observation, due: Option<ReplicaId>) -> Move {
        if let State::Leaving { victim } = self.state {
            self.state = if is_there(seen, victim) && self.manners.surge {
                // The count rose and took the new replica: another one is needed.
                State::Starting { victim, since: seen.at }
            } else {
                State::Resting
            };
        }
        if let State::Starting { victim, since } = self.state {
            return self.go_on(seen, due, victim, since);
        }
        match due {
            Some(victim) => self.begin(seen, victim),
            None => Move::Rest,
        }
    }

    fn begin(&mut self, seen: &Observation, victim: ReplicaId) -> Move {
        let hour_ago = seen.at.back(Span::HOUR);
        while self.begun.front().is_some_and(|at| *at <= hour_ago) {
            self.begun.pop_front();
        }
        let recent = self.begun.len() as u32;
        if self.manners.per_hour.is_some_and(|most| recent >= most) {
            return Move::Wait(recent);
        }
        if !self.manners.surge {
            return self.evict(seen, victim);
        }
        self.begun.push_back(seen.at);
        self.state = State::Starting { victim, since: seen.at };
        Move::Surge(Span::ZERO)
    }

    fn go_on(
        &mut self,
        seen: &Observation,
        due: Option<ReplicaId>,
        victim: ReplicaId,
        since: Instant,
    ) -> Move {
        let still = Some(victim).filter(|id| is_there(seen, *id));
        let Some(victim) = due.or(still) else {
            // Killed, or retired because the count fell: nothing is left to replace.
            self.state = State::Resting;
            return Move::Rest;
        };
        let waited = seen.at.since(since);
        if seen.ready() > seen.desired {
            self.took = waited.max(Span::from_secs(1));
            self.state = State::Leaving { victim };
            return Move::Swap(victim);
        }
        // A count that climbs takes every new replica for itself, for as long as it climbs.
        let late = waited > self.took && due.is_some() && came_since(seen, since);
        if late && seen.ready() > self.manners.min_ready {
            self.state = State::Leaving { victim };
            return Move::Evict(victim);
        }
        if waited > (self.took * 4).max(PATIENCE) {
            self.state = State::Resting;
            return Move::Rest;
        }
        let denied = !waited.is_zero() && seen.current <= seen.desired;
        if denied {
            let evicted = self.evict(seen, victim);
            if evicted != Move::Rest {
                return evicted;
            }
        }
        self.state = State::Starting { victim, since };
        Move::Surge(waited)
    }

    /// Without a surge: only when nobody else is missing, and enough stay.
    fn evict(&mut self, seen: &Observation, victim: ReplicaId) -> Move {
        let ready = seen.ready();
        if ready < seen.desired || ready <= self.manners.min_ready {
            return Move::Rest;
        }
        if !self.manners.surge {
            self.begun.push_back(seen.at);
        }
        self.state = State::Leaving { victim };
        Move::Evict(victim)
    }
}

/// Whether a replica is live and was not told to stop.
fn is_there(seen: &Observation, id: ReplicaId) -> bool {
    seen.replicas.iter().any(|view| view.id == id && !view.deleting)
}

/// Whether a replica that was started since then is ready.
fn came_since(seen: &Observation, since: Instant) -> bool {
    seen.replicas.iter().any(|view| view.is_ready() && view.started_at.is_some_and(|at| at >= since))
}

/// In which order replicas go when the count falls: those that start, youngest first and all but one of them
/// while a replacement waits for it; then the ready ones, shortest life first.
pub(crate) fn order_of_retirement(
    seen: &Observation,
    keeps_one: bool,
    life: impl Fn(ReplicaId) -> f64,
) -> Vec<ReplicaId> {
    let serving = || seen.replicas.iter().filter(|view| !view.deleting);
    let mut starting: Vec<_> = serving().filter(|view| !view.is_ready()).collect();
    // The furthest in its start comes last: it is the one that is kept.
    starting.sort_by_key(|view| (view.started_at.is_some(), std::cmp::Reverse(view.id)));
    if keeps_one {
        starting.pop();
    }
    let mut ready: Vec<(f64, ReplicaId)> =
        serving().filter(|view| view.is_ready()).map(|view| (life(view.id), view.id)).collect();
    ready.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    starting.iter().map(|view| view.id).chain(ready.iter().map(|(_, id)| *id)).collect()
}
