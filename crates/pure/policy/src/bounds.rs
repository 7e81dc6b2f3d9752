//! The least and greatest count, applied to a plan with the reason kept.

use homeostat_core::{Plan, Reason, Rule};

/// `plan` with its count within `bounds`, and a further reason where that changed it.
pub(crate) fn clamped(mut plan: Plan, (least, greatest): (u32, u32)) -> Plan {
    let within = plan.replicas.max(least).min(greatest);
    if within != plan.replicas {
        let mut reason = Reason::of(Rule::Clamped, within);
        reason.observed_milli = i64::from(plan.replicas) * 1_000;
        reason.reference_milli = i64::from(within) * 1_000;
        plan.replicas = within;
        plan.reasons.push(reason);
    }
    plan
}
