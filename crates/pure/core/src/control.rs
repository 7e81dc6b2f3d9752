//! The loop: observation in, decision out. The same code in every world.

use crate::decision::Decision;
use crate::guard::{Arbiter, Bounds, GuardChain, GuardProfile};
use crate::observe::Observation;
use crate::plan::Plan;
use crate::policy::{Cadence, Need, Policy};
use crate::time::{Instant, Span};

/// One policy of the loop, and what it said last.
struct Seat {
    policy: Box<dyn Policy>,
    /// The policy's readings within those of the observation.
    readings: std::ops::Range<usize>,
    due: Instant,
    plan: Option<Plan>,
}

/// Decides for one target: asks the policies, lets the arbiter merge their plans, and the guards vet
/// the result.
pub struct Controller {
    seats: Vec<Seat>,
    needs: Vec<Need>,
    guards: GuardChain,
}

impl Controller {
    /// A loop with one or more policies behind one guard chain.
    pub fn new(policies: Vec<Box<dyn Policy>>, profile: GuardProfile, bounds: Bounds) -> Self {
        let mut needs = Vec::new();
        let mut seats = Vec::new();
        for policy in policies {
            let start = needs.len();
            needs.extend_from_slice(policy.needs());
            seats.push(Seat { policy, readings: start..needs.len(), due: Instant::ZERO, plan: None });
        }
        Self { seats, needs, guards: GuardChain::new(profile, bounds) }
    }

    /// The metrics that an observation must answer, in order.
    pub fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// When to call [`Self::tick`]: the shortest period of the policies, and the first collector that
    /// one of them brings.
    pub fn cadence(&self) -> Cadence {
        let all = || self.seats.iter().map(|seat| seat.policy.cadence());
        Cadence {
            period: all().map(|c| c.period).min().unwrap_or(Span::MINUTE),
            sensing: all().find_map(|c| c.sensing),
            wake_from_zero: all().any(|c| c.wake_from_zero),
        }
    }

    /// The guards in force.
    pub const fn guards(&self) -> &GuardChain {
        &self.guards
    }

    /// One turn of the loop.
    pub fn tick(&mut self, observation: &Observation) -> Decision {
        let plans = self.plans(observation);
        let plan = Arbiter::merge(&plans, observation.desired);
        let moment = crate::guard::Moment {
            at: observation.at,
            present: observation.desired,
            ready: observation.ready(),
            // A policy that reads nothing can't act on stale data.
            freshness: if self.needs.is_empty() { Some(Span::ZERO) } else { observation.freshness() },
        };
        let (order, guards) = self.guards.vet(&plan, moment);
        Decision {
            at: observation.at,
            present: observation.desired,
            proposed: plan.replicas,
            order,
            reasons: plan.reasons,
            guards,
            forecast: plan.forecast,
        }
    }

    fn plans(&mut self, observation: &Observation) -> Vec<Plan> {
        if let [only] = self.seats.as_mut_slice() {
            return vec![only.policy.decide(observation)];
        }
        for seat in &mut self.seats {
            if observation.at >= seat.due {
                let mut own = observation.clone();
                own.readings = observation.readings[seat.readings.clone()].to_vec();
                let mut plan = seat.policy.decide(&own);
                for reason in &mut plan.reasons {
                    reason.need = reason.need.map(|need| need + seat.readings.start as u8);
                }
                seat.plan = Some(plan);
                seat.due = observation.at + seat.policy.cadence().period;
            }
        }
        self.seats.iter().filter_map(|seat| seat.plan.clone()).collect()
    }
}
