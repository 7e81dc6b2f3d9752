//! From plans to the clairvoyant curve: plan, run in the twin, correct the aim, and run again.
//!
//! The service curve tells steady states; what a schedule really misses is known when the twin has run it.
//! Rounds of independent runs are listed here and carried out by the caller: first, where it can, with the
//! fluid twin, which knows the backlog that a missing replica leaves behind and costs next to nothing; then
//! request by request. Only the latter are believed.

use homeostat_core::num;
use serde::{Deserialize, Serialize};

use super::{Planner, Schedule};

/// What a schedule attained in the twin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Share of requests that met the objective.
    pub attainment: f64,
    /// Cost.
    pub cost: f64,
    /// Replica-hours.
    pub replica_hours: f64,
}

/// The search for the cheapest schedule at each of several attainments.
pub struct Search {
    planner: Planner,
    /// Share of requests that no schedule can serve in time.
    inevitable: f64,
    /// Shares of avoidable misses that are wanted, rising.
    targets: Vec<f64>,
    /// Shares aimed at in the round under way.
    round: Vec<f64>,
    /// Rounds that went beyond what the service curve can tell.
    beyond: u32,
    /// Aims and what came of them in rough rounds, both shares of avoidable misses.
    rough: Vec<(f64, f64)>,
    /// The same in rounds that are believed.
    seen: Vec<(f64, f64)>,
    found: Vec<Found>,
}

/// A target is met when the misses are between this share of what is allowed and all of it: the curve is
/// so flat that the line between two schedules does the rest.
const CLOSE: f64 = 0.7;
/// Shares of misses below this are nothing: less than one request in most runs.
const NOTHING: f64 = 1e-9;

/// Aims below this are beyond what the service curve can tell.
const UNTOLD: f64 = 1e-6;
/// Share of replicas by which a schedule beyond the service curve is widened, more each round.
const MARGIN: f64 = 0.1;

/// What to aim at first for a target, both shares of avoidable misses. The service curve counts the noise
/// of a stretch twice where little is missed, and forgets the backlog that a missing replica leaves behind
/// where much is. A guess, fitted by eye to one trace; the runs correct it.
fn first_aim(target: f64) -> f64 {
    (2.0 * target).min(0.0135 * num::pow(target, 0.35))
}

impl Search {
    /// A search at these attainments, where at most `attainable` is possible.
    pub fn new(planner: Planner, attainments: &[f64], attainable: f64) -> Self {
        let inevitable = 1.0 - attainable;
        Self {
            planner,
            inevitable,
            targets: targets(attainments, inevitable),
            round: Vec::new(),
            beyond: 0,
            rough: Vec::new(),
            seen: Vec::new(),
            found: Vec::new(),
        }
    }

    /// Schedules to run next; empty when all targets are met.
    pub fn round(&mut self) -> Vec<Schedule> {
        self.round = self.targets.iter().filter_map(|target| self.next(*target)).collect();
        // The service curve can't tell apart what happens once in a million: beyond it, a margin helps.
        self.beyond += u32::from(self.round.contains(&NOTHING));
        let plan = |aim: &f64| {
            let (schedule, _) = self.planner.plan(self.inevitable + aim);
            if *aim > NOTHING {
                schedule
            } else {
                self.planner.widened(&schedule, MARGIN * f64::from(self.beyond))
            }
        };
        self.round.iter().map(plan).collect()
    }

    /// Ends the rough rounds: what they found steers the first aims of the rounds that are believed, which
    /// look for these attainments.
    pub fn settle(&mut self, attainments: &[f64]) {
        self.rough = std::mem::take(&mut self.seen);
        self.found.clear();
        self.targets = targets(attainments, self.inevitable);
    }

    /// What became of the schedules of this round, in their order.
    pub fn tell(&mut self, results: &[Found]) {
        for (aim, found) in self.round.drain(..).zip(results) {
            let missed = (1.0 - found.attainment - self.inevitable).max(NOTHING);
            self.seen.push((aim, missed));
            self.found.push(*found);
        }
        self.seen.sort_by(|a, b| a.0.total_cmp(&b.0));
    }

    /// The next aim for a target, unless one came close enough.
    fn next(&self, target: f64) -> Option<f64> {
        let close = |(_, missed): &(f64, f64)| (CLOSE * target..=target).contains(missed);
        if self.seen.iter().any(close) {
            return None;
        }
        let aim = self.aim(target);
        if aim == NOTHING {
            return Some(aim);
        }
        let again = self.seen.iter().any(|(seen, _)| (aim / seen - 1.0).abs() < 1e-3);
        (!again).then_some(aim)
    }

    /// The aim that should lead to a target: between what was seen, on logarithmic scales.
    fn aim(&self, target: f64) -> f64 {
        let wanted = target * (1.0 + CLOSE) / 2.0;
        let seen = if self.seen.is_empty() { &self.rough } else { &self.seen };
        let (Some(first), Some(last)) = (seen.first(), seen.last()) else { return first_aim(target) };
        let above = seen.iter().position(|(_, missed)| *missed > wanted);
        let (low, high) = match above {
            Some(0) if first.0 <= UNTOLD => return NOTHING,
            Some(0) => return (first.0 * wanted / first.1).max(NOTHING),
            None => return last.0 * wanted / last.1,
            Some(i) => (seen[i - 1], seen[i]),
        };
        let span = num::ln(high.1 / low.1);
        if span <= 0.0 {
            return low.0;
        }
        low.0 * num::exp(num::ln(high.0 / low.0) * num::ln(wanted / low.1) / span)
    }

    /// The curve: schedules that none of the others beats, by rising attainment.
    pub fn curve(&self) -> Curve {
        let mut points = self.found.clone();
        points.sort_by(|a, b| a.cost.total_cmp(&b.cost).then(b.attainment.total_cmp(&a.attainment)));
        let mut frontier: Vec<Found> = Vec::new();
        for point in points {
            if frontier.last().is_none_or(|last| point.attainment > last.attainment) {
                frontier.push(point);
            }
        }
        Curve { points: convex(&frontier) }
    }
}

/// Shares of avoidable misses for attainments, rising.
fn targets(attainments: &[f64], inevitable: f64) -> Vec<f64> {
    let mut targets: Vec<f64> = attainments.iter().map(|a| (1.0 - a - inevitable).max(NOTHING)).collect();
    targets.sort_by(f64::total_cmp);
    targets.dedup();
    targets
}

/// Leaves out points above the line between their neighbours: a mix of those two is cheaper.
fn convex(frontier: &[Found]) -> Vec<Found> {
    let mut hull: Vec<Found> = Vec::new();
    let slope = |a: &Found, b: &Found| (b.cost - a.cost) / (b.attainment - a.attainment);
    for point in frontier {
        while let [.., a, b] = hull.as_slice() {
            if slope(a, b) <= slope(b, point) {
                break;
            }
            hull.pop();
        }
        hull.push(*point);
    }
    hull
}

/// Cost against attainment of the best schedules found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Curve {
    /// Schedules that were run, by rising attainment and cost.
    pub points: Vec<Found>,
}

impl Curve {
    /// The schedule at this attainment: on the line between its neighbours, the cheapest below all of them;
    /// `None` where no schedule found attains it.
    pub fn at(&self, attainment: f64) -> Option<Found> {
        let above = self.points.iter().position(|point| point.attainment >= attainment)?;
        let high = self.points[above];
        let Some(low) = above.checked_sub(1).map(|i| self.points[i]) else { return Some(high) };
        let share = (attainment - low.attainment) / (high.attainment - low.attainment);
        let between = |a: f64, b: f64| a + (b - a) * share;
        Some(Found {
            attainment,
            cost: between(low.cost, high.cost),
            replica_hours: between(low.replica_hours, high.replica_hours),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(attainment: f64, cost: f64) -> Found {
        Found { attainment, cost, replica_hours: cost / 2.0 }
    }

    #[test]
    fn the_curve_is_convex_and_linear_between_schedules() {
        let points = [found(0.9, 10.0), found(0.99, 11.0), found(0.995, 14.0), found(0.999, 14.5)];
        let curve = Curve { points: convex(&points) };
        assert_eq!(curve.points.len(), 3);
        assert_eq!(curve.at(0.945).map(|f| f.cost), Some(10.5));
        assert_eq!(curve.at(0.5).map(|f| f.cost), Some(10.0));
        assert_eq!(curve.at(0.9999), None);
        assert_eq!(curve.at(0.999).map(|f| f.replica_hours), Some(7.25));
    }
}
