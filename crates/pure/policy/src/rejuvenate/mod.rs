//! Replaces replicas before a leak kills them: seen hours ahead, one at a time, the new one first.
//!
//! Not a peer: a policy of our own, with no wish for the count. It stands beside a fixed count or any
//! autoscaler behind one arbiter, which keeps its surge replica whatever the other wants.
//!
//! ```text
//! memory, load ─► detector per replica ─► slope ─► hours to the limit ─► least expected cost ─► turnover
//!                     │ too little known            from the level now     (queue, jitter)
//!                     └─► near the limit? a straight line? ────────────────────────┘
//! ```
//!
//! The most urgent replica goes first. One that would reach the limit while others are replaced before it
//! counts as due, so that replicas that leak in step are begun early enough to be done one after the other.
//! An ordinary fall of the count retires those with the shortest life left, which costs nothing.
//!
//! The cost of all five actions is weighed in [`homeostat_forecast::aging::decide`]; `recycle` is the only
//! one that has an actuator today, so that the choice here is between it and nothing.

mod spec;
pub(crate) mod turnover;
mod watch;

use homeostat_core::draw::Key;
use homeostat_core::{Cadence, Need, Observation, Plan, Policy, Reason, ReplicaId, Rule, Span};
use homeostat_forecast::aging::{Action, Costs, Eta, Outlook, Settings, Why, decide};

use crate::error::PolicyError;
pub use spec::RejuvenateSpec;
use turnover::{Manners, Move, Turnover, order_of_retirement};
use watch::{Watch, Watched};

/// Readings near the limit that are believed.
const READINGS: u32 = 2;
/// Share of the limit from which on a trend that hasn't lasted is believed, and a straight line without any.
const HIGH: f64 = 0.8;
const MIB_MILLI: f64 = 1_048_576.0 * 1_000.0;

/// Why a replica is due.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Due {
    replica: ReplicaId,
    rule: Rule,
    mib: f64,
}

/// The policy.
#[derive(Debug, Clone)]
pub struct Rejuvenate {
    spec: RejuvenateSpec,
    limit_mib: f64,
    needs: [Need; 2],
    watch: Watch,
    turnover: Turnover,
    key: Key,
}

impl Rejuvenate {
    /// A policy for a target with this least count and this memory limit in MiB, if it has one.
    pub fn new(spec: &RejuvenateSpec, min: u32, limit_mib: Option<f64>) -> Result<Self, PolicyError> {
        spec.check()?;
        let limit_mib = spec.limit(limit_mib)?;
        let defaults = Settings::default();
        let persistence = spec.persistence.unwrap_or(defaults.persistence);
        let settings = Settings { load: spec.regress_load, persistence, ..defaults };
        let manners = Manners {
            surge: spec.surge,
            min_ready: spec.min_ready.unwrap_or(min),
            per_hour: spec.per_hour,
            start_up: spec.start_up,
        };
        Ok(Self {
            limit_mib,
            needs: [Need::Resource("memory".to_owned()), Need::Pods("requests_per_second".to_owned())],
            watch: Watch::new(settings, limit_mib, limit_mib * spec.near_limit),
            turnover: Turnover::new(manners),
            key: Key::root(spec.seed).child("rejuvenate"),
            spec: spec.clone(),
        })
    }

    /// The time to the limit of a replica, and by which rule it is known.
    fn eta(&self, watched: &Watched) -> Option<(Eta, Rule)> {
        if self.has_trend(watched) {
            return watched.eta(self.limit_mib).map(|eta| (eta, Rule::LeakHeadsForLimit));
        }
        let unknown = matches!(watched.verdict().why, Why::NoData | Why::TooFew | Why::OverLimit);
        let plain = watched.plain_eta(self.limit_mib).filter(|_| unknown && self.is_high(watched));
        plain.map(|eta| (eta, Rule::NearMemoryLimit))
    }

    /// Whether its trend is believed: one that has lasted, or, where there is no time to wait, any.
    fn has_trend(&self, watched: &Watched) -> bool {
        let verdict = watched.verdict();
        verdict.leak || (verdict.why == Why::NotYet && self.is_high(watched))
    }

    fn is_high(&self, watched: &Watched) -> bool {
        watched.last.1 >= HIGH * self.limit_mib
    }

    /// Hours that a replica lives on if nothing is done; replicas without a leak live for ever, those with
    /// more memory a little less.
    fn life(&self, id: ReplicaId) -> f64 {
        let Some(watched) = self.watch.replicas.get(&id) else { return f64::MAX };
        let eta = self.eta(watched).map(|(eta, _)| eta.hours);
        eta.unwrap_or_else(|| 1e9 * (2.0 - watched.last.1 / self.limit_mib))
    }

    /// The replica to be replaced now, if one must.
    fn due(&self, seen: &Observation) -> Option<Due> {
        let ready = seen.replicas.iter().filter(|view| view.is_ready());
        let mut queue: Vec<(f64, ReplicaId)> = ready.map(|view| (self.life(view.id), view.id)).collect();
        queue.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let near = queue.iter().find_map(|(_, id)| {
            // A leak that is known is trusted up to its limit.
            let watched = self.watch.replicas.get(id)?;
            let unknown = watched.near >= READINGS && !self.has_trend(watched);
            let watched = unknown.then_some(watched)?;
            Some(Due { replica: *id, rule: Rule::NearMemoryLimit, mib: watched.last.1 })
        });
        let due = |(place, (_, id)): (usize, &(f64, ReplicaId))| {
            let watched = self.watch.replicas.get(id)?;
            let (eta, rule) = self.eta(watched)?;
            (self.action(*id, watched, eta, place) == Action::Recycle).then_some(rule)
        };
        let rule = queue.iter().enumerate().find_map(due);
        let first = queue.first().and_then(|(_, id)| Some((*id, self.watch.replicas.get(id)?)));
        let leaking = rule.zip(first).map(|(rule, (id, w))| Due { replica: id, rule, mib: w.last.1 });
        near.or(leaking)
    }

    /// What to do now about a replica that has this place in the queue.
    fn action(&self, id: ReplicaId, watched: &Watched, eta: Eta, place: usize) -> Action {
        // Decided, started, seen to be ready, retired; then the next in the queue.
        let turn = (self.turnover.takes() + self.spec.period * 2).as_hours_f64();
        let jitter = 1.0 + self.spec.jitter * self.key.at(id.0).uniform();
        let outlook = Outlook {
            leak: true,
            to_limit: Some(eta),
            age_hours: watched.age_hours(),
            review_hours: turn * (place as f64 + jitter) + self.spec.period.as_hours_f64(),
            // What has no actuator wins nothing.
            scale_out_wins_hours: 0.0,
            raise_wins_hours: 0.0,
            on_node: 1,
            node_share: 0.0,
        };
        let recycle = self.turnover.takes().as_hours_f64();
        let costs = Costs { crash: self.spec.kill_cost, recycle, ..Costs::default() };
        let choice = decide(&outlook, &costs);
        if choice.in_hours > 0.0 { Action::Nothing } else { choice.action }
    }
}

impl Policy for Rejuvenate {
    fn needs(&self) -> &[Need] {
        &self.needs
    }

    fn cadence(&self) -> Cadence {
        Cadence::every(self.spec.period)
    }

    fn decide(&mut self, seen: &Observation) -> Plan {
        self.watch.look(seen);
        let due = self.due(seen);
        let step = self.turnover.step(seen, due.map(|due| due.replica));
        let mut plan = moved(step, seen.desired, self.turnover.takes());
        let why = due.map(|due| {
            let milli = |mib: f64| (mib * MIB_MILLI) as i64;
            Reason::metric(due.rule, 0, milli(due.mib), milli(self.limit_mib), seen.desired)
        });
        plan.reasons.splice(0..0, why);
        let order = order_of_retirement(seen, self.turnover.is_starting(), |id| self.life(id));
        plan.retire.extend(order);
        plan
    }
}

/// The plan that a move of the turnover makes, with the replica that retires named first.
pub(crate) fn moved(step: Move, present: u32, takes: Span) -> Plan {
    let mut plan = Plan::abstain(present);
    let whole = |count: u64| count as i64 * 1_000;
    let (rule, observed, reference) = match step {
        Move::Rest => return plan,
        Move::Wait(recent) => (Rule::DisruptionBudget, whole(recent.into()), 0),
        Move::Surge(waited) => {
            plan.surge = 1;
            let milli = |span: Span| (span.0 / 1_000_000) as i64;
            (Rule::SurgeStarts, milli(waited), milli(takes))
        }
        Move::Swap(victim) => {
            plan.retire = vec![victim];
            (Rule::Replaced, whole(victim.0), 0)
        }
        Move::Evict(victim) => {
            plan.replace = vec![victim];
            (Rule::Replaced, whole(victim.0), 0)
        }
    };
    let reason = Reason { observed_milli: observed, reference_milli: reference, ..Reason::of(rule, present) };
    plan.reasons = vec![reason];
    plan
}

#[cfg(test)]
mod tests;
