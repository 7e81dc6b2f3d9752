//! What to do about a replica whose memory heads for its limit: the least expected cost.
//!
//! Costs are in replica-hours. Waiting for one step risks a kill within the step and the time that a
//! replacement takes. Acting costs a start, but not all of it is lost by acting now: a life that is cut short
//! by a step wastes the step's share of it. That is the rule of age replacement (Barlow and Hunter 1960),
//! with the hazard taken from the forecast of the time to the limit instead of a distribution of lives:
//!
//! ```text
//! nothing      P(limit within lead + step) · kill
//! recycle      start · step / life
//! scale out    step + P(limit within lead + step, at load · n / (n + 1)) · kill
//! raise limit  MiB · price · (time to the new limit, at most a day) + P(new limit …) · kill
//! drain node   start · tenants · step / life; only where most of its tenants leak
//! ```

use homeostat_core::num;
use homeostat_forecast::aging::{Action, Eta};

/// Least relative standard deviation of a time to the limit: no forecast is better than that.
const LEAST_SPREAD: f64 = 0.1;
/// Standard deviations from the middle to the end of a 90 % interval.
const NINETY: f64 = 1.645;

/// What acting costs, in replica-hours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costs {
    /// A kill at the limit: requests lost, and a replica missing until it is back.
    pub kill: f64,
    /// A new replica until it takes traffic.
    pub start: f64,
    /// A MiB more for an hour.
    pub mib_hour: f64,
}

/// The node of a replica, where it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// Replicas on it.
    pub tenants: u32,
    /// Those of them that leak.
    pub leaking: u32,
}

/// One replica and its surroundings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Situation {
    /// When its memory reaches the limit.
    pub eta: Eta,
    /// Its age in hours.
    pub age_hours: f64,
    /// Hours from a decision to replace it until it is out of service.
    pub lead_hours: f64,
    /// Hours until the next decision.
    pub step_hours: f64,
    /// Replicas that share the load.
    pub replicas: u32,
    /// Share of the leak that follows the load, from 0 to 1.
    pub by_load: f64,
    /// MiB by which the limit can be raised in place; 0 where it can't.
    pub room_mib: f64,
    /// MiB per hour that leak.
    pub slope_mib: f64,
    /// Its node.
    pub node: Option<Node>,
}

impl Situation {
    /// P(the limit is reached within so many hours).
    fn risk(&self, eta: Eta, hours: f64) -> f64 {
        let spread = (eta.hours - eta.low).max(LEAST_SPREAD * eta.hours * NINETY) / NINETY;
        if spread <= 0.0 {
            return f64::from(u8::from(eta.hours <= hours));
        }
        0.5 * num::erfc((eta.hours - hours) / (spread * std::f64::consts::SQRT_2))
    }

    /// The expected cost of one action; `None` where it can't be taken.
    pub fn cost(&self, action: Action, costs: &Costs) -> Option<f64> {
        let soon = self.lead_hours + self.step_hours;
        let life = self.age_hours.max(self.step_hours);
        let later = |factor: f64, more: f64| {
            let stretch = |hours: f64| hours * factor + more;
            let eta = self.eta;
            Eta { hours: stretch(eta.hours), low: stretch(eta.low), high: stretch(eta.high) }
        };
        Some(match action {
            Action::Nothing => self.risk(self.eta, soon) * costs.kill,
            Action::Recycle => costs.start * self.step_hours / life,
            Action::ScaleOut => {
                let load = 1.0 - self.by_load / f64::from(self.replicas + 1);
                self.step_hours + self.risk(later(1.0 / load, 0.0), soon) * costs.kill
            }
            Action::RaiseLimit if self.room_mib > 0.0 && self.slope_mib > 0.0 => {
                let eta = later(1.0, self.room_mib / self.slope_mib);
                let hours = eta.hours.min(24.0);
                self.room_mib * costs.mib_hour * hours + self.risk(eta, soon) * costs.kill
            }
            Action::DrainNode => {
                let node = self.node.filter(|node| node.leaking * 4 >= node.tenants * 3)?;
                // One drain instead of as many replacements as replicas leak.
                let each = f64::from(node.tenants) / f64::from(node.leaking.max(1));
                costs.start * each * self.step_hours / life * if node.leaking > 1 { 0.9 } else { 1.1 }
            }
            Action::RaiseLimit => return None,
        })
    }

    /// The action of the least expected cost among these; the first one of equals.
    pub fn choose(&self, among: &[Action], costs: &Costs) -> Action {
        let cost = |action: &Action| self.cost(*action, costs).map(|cost| (cost, *action));
        let best = among.iter().filter_map(cost).min_by(|a, b| a.0.total_cmp(&b.0));
        best.map_or(Action::Nothing, |(_, action)| action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Action; 5] =
        [Action::Nothing, Action::Recycle, Action::ScaleOut, Action::RaiseLimit, Action::DrainNode];
    const COSTS: Costs = Costs { kill: 100.0, start: 0.05, mib_hour: 1e-4 };

    fn at(hours: f64) -> Situation {
        Situation {
            eta: Eta { hours, low: hours * 0.9, high: hours * 1.1 },
            age_hours: 10.0,
            lead_hours: 0.1,
            step_hours: 1.0 / 60.0,
            replicas: 10,
            by_load: 0.0,
            room_mib: 0.0,
            slope_mib: 100.0,
            node: None,
        }
    }

    #[test]
    fn nothing_while_the_limit_is_far_and_recycling_in_time() {
        assert_eq!(at(5.0).choose(&ALL, &COSTS), Action::Nothing);
        assert_eq!(at(0.15).choose(&ALL, &COSTS), Action::Recycle);
        // A kill that costs nothing is waited for.
        assert_eq!(at(0.15).choose(&ALL, &Costs { kill: 0.0, ..COSTS }), Action::Nothing);
    }

    #[test]
    fn an_uncertain_forecast_acts_earlier() {
        let first = |low_share: f64| {
            let mut hours = 5.0;
            loop {
                let eta = Eta { hours, low: hours * low_share, high: hours * 2.0 };
                if (Situation { eta, ..at(hours) }).choose(&ALL, &COSTS) != Action::Nothing {
                    return hours;
                }
                hours -= 0.01;
            }
        };
        assert!(first(0.6) > 1.5 * first(0.9), "{} {}", first(0.6), first(0.9));
    }

    #[test]
    fn a_leak_by_the_request_is_eased_by_scaling_out_where_starts_are_dear() {
        let few = Situation { by_load: 1.0, replicas: 1, ..at(0.3) };
        assert_eq!(few.choose(&ALL, &Costs { start: 50.0, ..COSTS }), Action::ScaleOut);
    }

    #[test]
    fn room_to_raise_the_limit_is_used_where_it_is_cheap() {
        let roomy = Situation { room_mib: 2_000.0, ..at(0.15) };
        assert_eq!(roomy.choose(&ALL, &Costs { mib_hour: 1e-10, ..COSTS }), Action::RaiseLimit);
        assert_eq!(roomy.choose(&ALL, &Costs { mib_hour: 1.0, ..COSTS }), Action::Recycle);
    }

    #[test]
    fn a_node_whose_tenants_all_leak_is_drained() {
        let with = |tenants, leaking| Situation { node: Some(Node { tenants, leaking }), ..at(0.15) };
        assert_eq!(with(4, 4).choose(&ALL, &COSTS), Action::DrainNode);
        assert_eq!(with(4, 1).choose(&ALL, &COSTS), Action::Recycle);
    }
}
