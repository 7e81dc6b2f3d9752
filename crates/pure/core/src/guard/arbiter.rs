//! One plan for one target, out of the plans of several policies.

use crate::observe::ReplicaId;
use crate::plan::Plan;

/// Merges plans: the largest count and the largest surge win, so that no policy takes away capacity or a
/// surge replica that another one needs; replicas to retire are taken in the order of the policies, and the
/// forecast of the first that has one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Arbiter;

impl Arbiter {
    /// The plan that satisfies all of `plans`; `present` replicas when there is none.
    pub fn merge(plans: &[Plan], present: u32) -> Plan {
        if let [only] = plans {
            return only.clone();
        }
        let mut retire: Vec<ReplicaId> = Vec::new();
        for id in plans.iter().flat_map(|plan| &plan.retire) {
            if !retire.contains(id) {
                retire.push(*id);
            }
        }
        Plan {
            replicas: plans.iter().map(|plan| plan.replicas).max().unwrap_or(present),
            surge: plans.iter().map(|plan| plan.surge).max().unwrap_or(0),
            reasons: plans.iter().flat_map(|plan| plan.reasons.iter().copied()).collect(),
            forecast: plans.iter().find_map(|plan| plan.forecast),
            retire,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_count_and_every_retirement_survive() {
        let a = Plan { replicas: 4, retire: vec![ReplicaId(7)], surge: 1, ..Plan::default() };
        let b = Plan { replicas: 6, retire: vec![ReplicaId(7), ReplicaId(2)], ..Plan::default() };
        let merged = Arbiter::merge(&[a, b], 5);
        assert_eq!((merged.replicas, merged.surge), (6, 1));
        assert_eq!(merged.retire, [ReplicaId(7), ReplicaId(2)]);
    }

    #[test]
    fn no_plan_keeps_the_count() {
        assert_eq!(Arbiter::merge(&[], 5).replicas, 5);
    }
}
