//! What to do about an aging replica, by expected cost.
//!
//! Everything is priced in replica-hours over the time until the next look. A crash costs what it costs times
//! its probability until then; a recycling is a cycle cut short, so its price is spread over the age that
//! the replica reached: the rule of age replacement (Barlow and Hunter, Operations Research 8, 1960), which
//! waits as long as another hour of life is worth more than the risk it brings.

use super::{Action, Eta};
use homeostat_core::num;

/// What things cost, in hours of one replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// A replica killed at its limit: requests lost, restart, cold caches.
    pub crash: f64,
    /// A replica replaced: the surge replica while it starts, and cold caches.
    pub recycle: f64,
    /// An hour of one replica more.
    pub replica: f64,
    /// An hour with a higher limit.
    pub raise: f64,
    /// Emptying a node, beside recycling its replicas.
    pub drain: f64,
}

impl Default for Costs {
    /// A crash is as bad as ten hours of a replica, a start takes 5 min, a raised limit a tenth of a replica.
    fn default() -> Self {
        Self { crash: 10.0, recycle: 0.1, replica: 1.0, raise: 0.1, drain: 1.0 }
    }
}

/// What is known when deciding about one replica.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// Whether it leaks: only then does recycling help.
    pub leak: bool,
    /// Time to the limit, where it is in sight.
    pub to_limit: Option<Eta>,
    /// Hours since it was started.
    pub age_hours: f64,
    /// Hours until the next look, and until what is then decided has been done.
    pub review_hours: f64,
    /// Hours that one replica more would win; 0 where load has no part in it.
    pub scale_out_wins_hours: f64,
    /// Hours that a raised limit would win; 0 where it can't be raised.
    pub raise_wins_hours: f64,
    /// Replicas on its node.
    pub on_node: u32,
    /// Probability that the node is the cause, from 0 to 1: its replicas leak and those elsewhere don't.
    pub node_share: f64,
}

/// What to do and when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// What.
    pub action: Action,
    /// In how many hours; 0 is now, infinite never.
    pub in_hours: f64,
    /// Expected cost over the time until the next look, in the order of [`ACTIONS`]; infinite where an
    /// action can't be had.
    pub costs: [f64; 5],
}

/// All actions, the mildest first: of equal costs the first is taken.
pub const ACTIONS: [Action; 5] =
    [Action::Nothing, Action::ScaleOut, Action::RaiseLimit, Action::Recycle, Action::DrainNode];

/// Looks ahead at most.
const LOOKS: u32 = 10_000;

/// What to do now; `in_hours` says when doing nothing stops being the cheapest.
pub fn decide(outlook: &Outlook, costs: &Costs) -> Choice {
    let mut later = *outlook;
    let now = expected(outlook, costs);
    let (mut in_hours, mut action) = (0.0, cheapest(&now));
    let step = outlook.review_hours.max(1e-3);
    let last = outlook.to_limit.map_or(0.0, |eta| eta.hours + step);
    for _ in 0..LOOKS {
        if action != Action::Nothing || in_hours > last {
            break;
        }
        in_hours += step;
        later.age_hours += step;
        let sooner = |hours: f64| hours - in_hours;
        later.to_limit = outlook.to_limit.map(|eta| Eta {
            hours: sooner(eta.hours),
            low: sooner(eta.low),
            high: sooner(eta.high),
        });
        action = cheapest(&expected(&later, costs));
    }
    if action == Action::Nothing {
        in_hours = f64::INFINITY;
    }
    Choice { action, in_hours, costs: now }
}

fn cheapest(costs: &[f64; 5]) -> Action {
    let mut best = (costs[0], Action::Nothing);
    for (cost, action) in costs.iter().zip(ACTIONS) {
        if *cost < best.0 {
            best = (*cost, action);
        }
    }
    best.1
}

fn expected(outlook: &Outlook, costs: &Costs) -> [f64; 5] {
    let hours = outlook.review_hours.max(1e-3);
    let crash = |won: f64| costs.crash * probability(outlook.to_limit, hours - won);
    let held = |price: f64, won: f64| if won > 0.0 { price * hours + crash(won) } else { f64::INFINITY };
    // Cycles of this age: each is cut short once.
    let cycles = hours / outlook.age_hours.max(hours);
    let uncured = if outlook.leak { 0.0 } else { crash(0.0) };
    let node = outlook.node_share.clamp(0.0, 1.0);
    let replicas = f64::from(outlook.on_node.max(1));
    [
        crash(0.0),
        held(costs.replica, outlook.scale_out_wins_hours),
        held(costs.raise, outlook.raise_wins_hours),
        // On an ailing node each of its replicas needs it, and needs it again.
        (1.0 - node + node * 2.0 * replicas) * costs.recycle * cycles + uncured,
        if node > 0.0 {
            (costs.drain + replicas * costs.recycle) * cycles + uncured + (1.0 - node) * crash(0.0)
        } else {
            f64::INFINITY
        },
    ]
}

/// Probability that the limit is reached within so many hours: normal, by the middle and the 90 % interval.
/// What is decided hangs on the tail, where a logistic curve would act three times as early.
fn probability(eta: Option<Eta>, hours: f64) -> f64 {
    let Some(eta) = eta else { return 0.0 };
    let spread = (eta.hours - eta.low).max(eta.hours.abs() * 0.02).max(0.01) / 1.645;
    0.5 * num::erfc((eta.hours - hours) / (spread * std::f64::consts::SQRT_2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leak(hours: f64) -> Outlook {
        Outlook {
            leak: true,
            to_limit: Some(Eta { hours, low: hours * 0.9, high: hours * 1.1 }),
            age_hours: 20.0,
            review_hours: 0.25,
            scale_out_wins_hours: 0.0,
            raise_wins_hours: 0.0,
            on_node: 4,
            node_share: 0.0,
        }
    }

    #[test]
    fn far_from_the_limit_nothing_is_done_yet() {
        let choice = decide(&leak(10.0), &Costs::default());
        assert_eq!(choice.action, Action::Recycle);
        assert!(choice.in_hours > 5.0 && choice.in_hours < 9.5, "{choice:?}");
    }

    #[test]
    fn near_the_limit_the_replica_is_recycled_now() {
        let choice = decide(&leak(0.3), &Costs::default());
        assert_eq!((choice.action, choice.in_hours), (Action::Recycle, 0.0));
    }

    #[test]
    fn without_a_limit_in_sight_nothing_is_ever_done() {
        let choice = decide(&Outlook { to_limit: None, ..leak(1.0) }, &Costs::default());
        assert_eq!((choice.action, choice.in_hours), (Action::Nothing, f64::INFINITY));
    }

    #[test]
    fn a_level_that_follows_load_is_met_by_replicas() {
        let outlook = Outlook { leak: false, scale_out_wins_hours: 30.0, ..leak(0.2) };
        assert_eq!(decide(&outlook, &Costs::default()).action, Action::ScaleOut);
    }

    #[test]
    fn where_recycling_is_dear_the_limit_is_raised() {
        let outlook = Outlook { raise_wins_hours: 50.0, ..leak(0.2) };
        let costs = Costs { recycle: 5.0, ..Costs::default() };
        assert_eq!(decide(&outlook, &costs).action, Action::RaiseLimit);
    }

    #[test]
    fn a_node_whose_replicas_alone_leak_is_drained() {
        let outlook = Outlook { node_share: 1.0, on_node: 10, ..leak(0.2) };
        let costs = Costs { drain: 0.2, ..Costs::default() };
        assert_eq!(decide(&outlook, &costs).action, Action::DrainNode);
    }
}
