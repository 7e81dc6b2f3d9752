//! The guards in their order, with the memory they need.

use std::collections::VecDeque;

use crate::decision::{GuardAction, GuardKind, Order};
use crate::guard::profile::{Bounds, GuardProfile};
use crate::observe::ReplicaId;
use crate::plan::{Plan, Vetted};
use crate::time::{Instant, Span};

/// What the guards know besides the plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Now.
    pub(crate) at: Instant,
    /// The count asked for until now.
    pub(crate) present: u32,
    /// Replicas that take traffic.
    pub(crate) ready: u32,
    /// Age of the freshest data.
    pub(crate) freshness: Option<Span>,
}

/// Guards one target. The only maker of [`Vetted`] orders.
#[derive(Debug, Clone)]
pub struct GuardChain {
    profile: GuardProfile,
    bounds: Bounds,
    recommended: VecDeque<(Instant, u32)>,
    /// The counts ordered, each from its time on. Kept for the budget alone.
    history: VecDeque<(Instant, u32)>,
    last_up: Option<Instant>,
    last_down: Option<Instant>,
    /// When the direction last changed. Kept for the budget of flips alone.
    flips: VecDeque<Instant>,
}

impl GuardChain {
    /// Guards with this profile and these bounds.
    pub const fn new(profile: GuardProfile, bounds: Bounds) -> Self {
        Self {
            profile,
            bounds,
            recommended: VecDeque::new(),
            history: VecDeque::new(),
            last_up: None,
            last_down: None,
            flips: VecDeque::new(),
        }
    }

    /// The profile in force.
    pub const fn profile(&self) -> &GuardProfile {
        &self.profile
    }

    /// Turns a plan into an order, and says what was changed on the way.
    pub(crate) fn vet(&mut self, plan: &Plan, now: Moment) -> (Vetted<Order>, Vec<GuardAction>) {
        type Guard = fn(&mut GuardChain, u32, Moment) -> u32;
        const ORDER: [(GuardKind, Guard); 8] = [
            (GuardKind::Freshness, GuardChain::freshness),
            (GuardKind::DeadBand, GuardChain::dead_band),
            (GuardKind::Stabilization, GuardChain::stabilization),
            (GuardKind::Dwell, GuardChain::dwell),
            (GuardKind::Step, GuardChain::step),
            (GuardKind::Budget, GuardChain::budget),
            (GuardKind::Flips, GuardChain::flips),
            (GuardKind::Bounds, GuardChain::bounds),
        ];
        let mut count = plan.replicas;
        let mut actions = Vec::new();
        for (guard, apply) in ORDER {
            let to = apply(self, count, now);
            if to != count {
                actions.push(GuardAction { guard, from: count, to });
                count = to;
            }
        }
        self.remember(count, now);
        let replace = self.disruption(plan, now, &mut actions);
        let order =
            Order { replicas: count, retire: plan.retire.clone(), surge: self.surge(plan, count), replace };
        (Vetted::seal(order), actions)
    }

    /// Replacing leaves at least the least count of the target ready.
    fn disruption(&self, plan: &Plan, now: Moment, actions: &mut Vec<GuardAction>) -> Vec<ReplicaId> {
        let most = now.ready.saturating_sub(self.bounds.min) as usize;
        let replace: Vec<ReplicaId> = plan.replace.iter().take(most).copied().collect();
        let (from, to) = (plan.replace.len() as u32, replace.len() as u32);
        if from != to {
            actions.push(GuardAction { guard: GuardKind::Disruption, from, to });
        }
        replace
    }

    /// Surge stays within the upper bound.
    fn surge(&self, plan: &Plan, count: u32) -> u32 {
        plan.surge.min(self.bounds.max.saturating_sub(count))
    }

    fn freshness(&mut self, count: u32, now: Moment) -> u32 {
        let stale = |limit| now.freshness.is_none_or(|age| age > limit);
        if self.profile.freshness.is_some_and(stale) { count.max(now.present) } else { count }
    }

    fn dead_band(&mut self, count: u32, now: Moment) -> u32 {
        let small = |share: f64| f64::from(count.abs_diff(now.present)) < share * f64::from(now.present);
        let fall = |share: &f64| count < now.present && small(*share);
        let held =
            self.profile.dead_band.is_some_and(small) || self.profile.fall_band.as_ref().is_some_and(fall);
        if held { now.present } else { count }
    }

    fn stabilization(&mut self, count: u32, now: Moment) -> u32 {
        let Some(windows) = self.profile.stabilization else {
            return count;
        };
        if self.recommended.is_empty() {
            // The count found at the start is the first recommendation (as in Kubernetes): after a
            // restart of the controller a dip is not taken for the largest of the window.
            self.recommended.push_back((now.at, now.present));
        }
        let horizon = now.at.back(windows.up.max(windows.down));
        while self.recommended.front().is_some_and(|(at, _)| *at < horizon) {
            self.recommended.pop_front();
        }
        self.recommended.push_back((now.at, count));
        let within = |window: Span| {
            let from = now.at.back(window);
            self.recommended.iter().filter(move |(at, _)| *at >= from).map(|(_, count)| *count)
        };
        let floor = within(windows.down).max().unwrap_or(count);
        let ceiling = within(windows.up).min().unwrap_or(count);
        if count < now.present {
            count.max(floor).min(now.present)
        } else {
            count.min(ceiling).max(now.present)
        }
    }

    fn dwell(&mut self, count: u32, now: Moment) -> u32 {
        let Some(dwell) = self.profile.dwell else {
            return count;
        };
        let soon = |last: Option<Instant>, wait| last.is_some_and(|last| now.at.since(last) < wait);
        let hold = (count > now.present && soon(self.last_down, dwell.before_up))
            || (count < now.present && soon(self.last_up, dwell.before_down));
        if hold { now.present } else { count }
    }

    fn step(&mut self, count: u32, now: Moment) -> u32 {
        let Some(step) = self.profile.step else {
            return count;
        };
        let share = |share: f64| (f64::from(now.present) * share).floor() as u32;
        let up = share(step.up_share).max(step.up_replicas);
        let down = share(step.down_share).max(step.down_replicas);
        count.clamp(now.present.saturating_sub(down), now.present.saturating_add(up))
    }

    /// A rise is permitted only while the budget's window has replica-hours left.
    fn budget(&mut self, count: u32, now: Moment) -> u32 {
        let Some(budget) = self.profile.budget else {
            return count;
        };
        let from = now.at.back(budget.per);
        while self.history.get(1).is_some_and(|(at, _)| *at <= from) {
            self.history.pop_front();
        }
        let ends = self.history.iter().skip(1).map(|(at, _)| *at).chain([now.at]);
        let used = |((start, count), end): (&(Instant, u32), Instant)| {
            end.since((*start).max(from)).as_hours_f64() * f64::from(*count)
        };
        let spent: f64 = self.history.iter().zip(ends).map(used).sum();
        if spent >= budget.replica_hours { count.min(now.present) } else { count }
    }

    /// A fall that changes the direction is permitted only while the window has flips left.
    fn flips(&mut self, count: u32, now: Moment) -> u32 {
        let Some(flips) = self.profile.flips else {
            return count;
        };
        let from = now.at.back(flips.per);
        while self.flips.front().is_some_and(|at| *at <= from) {
            self.flips.pop_front();
        }
        let used_up = self.flips.len() >= flips.most as usize;
        if used_up && count < now.present && self.last_up > self.last_down { now.present } else { count }
    }

    fn bounds(&mut self, count: u32, _: Moment) -> u32 {
        // Not `clamp`, which panics when the bounds are in the wrong order. Then the upper one holds.
        count.max(self.bounds.min).min(self.bounds.max)
    }

    fn remember(&mut self, count: u32, now: Moment) {
        let flip = match count.cmp(&now.present) {
            std::cmp::Ordering::Greater => self.last_up.replace(now.at) < self.last_down,
            std::cmp::Ordering::Less => self.last_down.replace(now.at) < self.last_up,
            std::cmp::Ordering::Equal => false,
        };
        if flip && self.profile.flips.is_some() {
            self.flips.push_back(now.at);
        }
        let news = self.history.back().is_none_or(|(_, last)| *last != count);
        if self.profile.budget.is_some() && news {
            self.history.push_back((now.at, count));
        }
    }
}
