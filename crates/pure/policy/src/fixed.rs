//! A count that never changes.
//!
//! Source: the `replicas` field of a Kubernetes Deployment; also the policy of Gandhi et al. (ACM TOCS
//! 30(4), 2012) that has enough servers for the peak at all times. Nothing differs.

use homeostat_core::{Cadence, Need, Observation, Plan, Policy, Reason, Rule, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of a fixed count. Without `replicas` the count is what the peak load needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixedSpec {
    /// How many replicas, always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// Where `replicas` is left out: capacity beyond the peak rate, as a share of it (0.1 is 10 %).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headroom: Option<f64>,
}

/// Asks for the same count at every decision.
#[derive(Debug, Clone)]
pub struct Fixed {
    replicas: u32,
    period: Span,
}

impl Fixed {
    /// A policy that always asks for `replicas`.
    pub const fn new(replicas: u32) -> Self {
        Self { replicas, period: Span::MINUTE }
    }
}

impl Policy for Fixed {
    fn needs(&self) -> &[Need] {
        &[]
    }

    fn cadence(&self) -> Cadence {
        Cadence::every(self.period)
    }

    fn decide(&mut self, _: &Observation) -> Plan {
        Plan::scale(self.replicas, Reason::of(Rule::Fixed, self.replicas))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeostat_core::Instant;

    #[test]
    fn asks_for_its_count_whatever_it_sees() {
        let mut policy = Fixed::new(7);
        for desired in [0, 7, 100] {
            let seen = Observation {
                at: Instant::ZERO,
                desired,
                current: desired,
                replicas: Vec::new(),
                readings: Vec::new(),
            };
            let plan = policy.decide(&seen);
            assert_eq!(plan.replicas, 7);
            assert_eq!(plan.reasons, vec![Reason::of(Rule::Fixed, 7)]);
        }
    }
}
