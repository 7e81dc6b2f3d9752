//! One plan for one target, out of the plans of several policies.

use std::collections::BTreeSet;

use crate::observe::ReplicaId;
use crate::plan::Plan;

/// Merges plans: the largest count and the largest surge win, so that no policy takes away capacity or a
/// surge replica that another one needs; replicas to retire are taken in the order of the policies, and the
/// forecast of the first that has one. A plan that abstains has no say in the count.
#[derive(Debug, Clone, Copy, Default)]
pub struct Arbiter;

impl Arbiter {
    /// The plan that satisfies all of `plans`; `present` replicas when there is none.
    pub fn merge(plans: &[Plan], present: u32) -> Plan {
        if let [only] = plans {
            return only.clone();
        }
        let wishes = || plans.iter().filter(|plan| !plan.abstains).map(|plan| plan.replicas);
        Plan {
            replicas: wishes().max().unwrap_or(present),
            surge: plans.iter().map(|plan| plan.surge).max().unwrap_or(0),
            reasons: plans.iter().flat_map(|plan| plan.reasons.iter().copied()).collect(),
            retire: each_once(plans.iter().flat_map(|plan| &plan.retire)),
            replace: each_once(plans.iter().flat_map(|plan| &plan.replace)),
            abstains: wishes().next().is_none(),
            forecast: plans.iter().find_map(|plan| plan.forecast),
        }
    }
}

/// The ids in their order, each where it comes first.
fn each_once<'a>(ids: impl Iterator<Item = &'a ReplicaId>) -> Vec<ReplicaId> {
    let mut seen = BTreeSet::new();
    ids.copied().filter(|id| seen.insert(*id)).collect()
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
    fn a_plan_that_abstains_neither_raises_nor_holds_the_count() {
        let scale = Plan { replicas: 3, ..Plan::default() };
        for found in [1, 9] {
            let watch = Plan { surge: 1, retire: vec![ReplicaId(4)], ..Plan::abstain(found) };
            let merged = Arbiter::merge(&[scale.clone(), watch.clone()], found);
            assert_eq!((merged.replicas, merged.surge, merged.abstains), (3, 1, false));
            let alone = Arbiter::merge(&[watch.clone(), watch], 5);
            assert_eq!((alone.replicas, alone.abstains), (5, true));
        }
    }

    #[test]
    fn no_plan_keeps_the_count() {
        assert_eq!(Arbiter::merge(&[], 5).replicas, 5);
    }
}
