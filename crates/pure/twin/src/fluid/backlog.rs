//! Work that waits, as a fluid: how long a request waits at each replica, and how the balancer fills them.
//!
//! Requests don't move between replicas: a replica that comes up beside full ones is empty, and takes more
//! than its share until it is as full as they are. Replicas that are equally full form a level. With the
//! better of two at random a level gets the requests whose two draws both fall on it or on fuller ones, and
//! at least one on it; with the fewest inside all go to the emptiest; one after the other, each its share.

use crate::scenario::Balancer;

/// Waits closer than this are the same.
const SAME_S: f64 = 1e-9;

/// Replicas that are equally full.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Level {
    pub(super) replicas: u32,
    /// Time until a request that arrives now is served.
    pub(super) wait_s: f64,
}

/// What happened to a part of the requests of a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// Share of the step's requests.
    pub(super) share: f64,
    /// Share of these that found room.
    pub(super) accepted: f64,
    /// Wait of the first of them, and of the last.
    pub(super) from_s: f64,
    pub(super) to_s: f64,
    /// Replicas of their level.
    pub(super) replicas: u32,
    /// Load of the level over its capacity.
    pub(super) used: f64,
    /// Mean distance of waits from the longest one.
    pub(super) depth_s: f64,
}

/// The waits of all ready replicas.
#[derive(Debug, Clone)]
pub(super) struct Backlog {
    balancer: Balancer,
    /// Wait beyond which requests are refused or give up.
    most_s: f64,
    /// Half the variance of the work that comes in a second, over the capacity of a replica: how far below
    /// `most_s` the wait stays on average, times the overload.
    spread_s: f64,
    /// From the emptiest to the fullest.
    levels: Vec<Level>,
    ready: u32,
    drifts: Vec<(f64, f64)>,
}

impl Backlog {
    pub(super) const fn new(balancer: Balancer, most_s: f64, spread_s: f64) -> Self {
        Self { balancer, most_s, spread_s, levels: Vec::new(), ready: 0, drifts: Vec::new() }
    }

    /// How far below the longest wait an overload comes to rest: only what arrives while the wait is shorter
    /// is served, so that it swings below with an exponential distribution.
    fn depth(&self, used: f64) -> f64 {
        (self.spread_s / (used - 1.0).max(1e-3)).min(0.5 * self.most_s)
    }

    pub(super) const fn ready(&self) -> u32 {
        self.ready
    }

    /// Work that waits, in seconds of one replica.
    pub(super) fn waiting_s(&self) -> f64 {
        self.levels.iter().map(|l| f64::from(l.replicas) * l.wait_s).sum()
    }

    /// An empty replica comes up.
    pub(super) fn add(&mut self) {
        self.ready += 1;
        match self.levels.first_mut() {
            Some(first) if first.wait_s <= SAME_S => first.replicas += 1,
            _ => self.levels.insert(0, Level { replicas: 1, wait_s: 0.0 }),
        }
    }

    /// A replica leaves: the emptiest, as it is the youngest that are told to. Returns what it has to do.
    pub(super) fn remove(&mut self) -> f64 {
        let Some(first) = self.levels.first_mut() else { return 0.0 };
        self.ready -= 1;
        let wait_s = first.wait_s;
        first.replicas -= 1;
        if first.replicas == 0 {
            self.levels.remove(0);
        }
        wait_s
    }

    /// Puts work, in seconds of one replica, before all that comes; returns the waits between which it
    /// lies.
    pub(super) fn pour(&mut self, work_s: f64) -> (f64, f64) {
        let each = work_s / f64::from(self.ready.max(1));
        let before = self.levels.first().map_or(0.0, |l| l.wait_s);
        for level in &mut self.levels {
            level.wait_s = (level.wait_s + each).min(self.most_s);
        }
        (before, before + each)
    }

    /// Whether nothing waits and this load leaves it so.
    pub(super) fn is_calm(&self, load: f64) -> bool {
        matches!(self.levels.as_slice(), [only] if only.wait_s == 0.0 && load <= f64::from(only.replicas))
    }

    /// Lets `dt_s` pass under `load` replicas' worth of work. Tells what became of the requests piece by
    /// piece and returns the time that replicas were busy.
    pub(super) fn pass(&mut self, dt_s: f64, load: f64, tell: &mut dyn FnMut(Piece)) -> f64 {
        let (mut rest_s, mut refused_s) = (dt_s, 0.0);
        let before_s = self.waiting_s();
        while rest_s > SAME_S * dt_s && self.ready > 0 {
            let step_s = self.plan(load).min(rest_s);
            for (j, (drift, share)) in self.drifts.iter().enumerate() {
                let level = self.levels[j];
                let used = load * share / f64::from(level.replicas);
                let depth_s = self.depth(used);
                let full = level.wait_s >= self.most_s - depth_s && used > 1.0;
                let to_s = (level.wait_s + drift * step_s).clamp(0.0, self.most_s);
                let accepted = if full { 1.0 / used } else { 1.0 };
                refused_s += (1.0 - accepted) * load * share * step_s;
                tell(Piece {
                    share: share * step_s / dt_s,
                    accepted,
                    from_s: level.wait_s,
                    to_s,
                    replicas: level.replicas,
                    used,
                    depth_s,
                });
                self.levels[j].wait_s = if to_s <= SAME_S { 0.0 } else { to_s };
            }
            self.merge();
            rest_s -= step_s;
        }
        (load * dt_s - refused_s - (self.waiting_s() - before_s)).clamp(0.0, f64::from(self.ready) * dt_s)
    }

    /// Works out how each level fills, and for how long this holds.
    fn plan(&mut self, load: f64) -> f64 {
        self.drifts.clear();
        let n = f64::from(self.ready);
        let tail = |m: f64| if n > 1.0 { m * (m - 1.0) / (n * (n - 1.0)) } else { m };
        let mut above = n;
        for (j, level) in self.levels.iter().enumerate() {
            let replicas = f64::from(level.replicas);
            let share = match self.balancer {
                Balancer::RoundRobin => replicas / n,
                Balancer::PowerOfTwo => tail(above) - tail((above - replicas).max(0.0)),
                Balancer::LeastOutstanding | Balancer::IndexPacking(_) => f64::from(u8::from(j == 0)),
            };
            above -= replicas;
            let drift = load * share / replicas - 1.0;
            let full = level.wait_s >= self.most_s - self.depth(drift + 1.0);
            let stays = (level.wait_s <= 0.0 && drift < 0.0) || (full && drift > 0.0);
            self.drifts.push((if stays { 0.0 } else { drift }, share));
        }
        let mut holds_s = f64::INFINITY;
        for (j, level) in self.levels.iter().enumerate() {
            let drift = self.drifts[j].0;
            if drift < 0.0 {
                holds_s = holds_s.min(level.wait_s / -drift);
            } else if drift > 0.0 {
                holds_s = holds_s.min((self.most_s - self.depth(drift + 1.0) - level.wait_s) / drift);
            }
            if let Some(next) = self.levels.get(j + 1) {
                let closing = drift - self.drifts[j + 1].0;
                if closing > 0.0 {
                    holds_s = holds_s.min((next.wait_s - level.wait_s) / closing);
                }
            }
        }
        holds_s.max(10.0 * SAME_S)
    }

    fn merge(&mut self) {
        let mut i = 1;
        while i < self.levels.len() {
            if self.levels[i].wait_s - self.levels[i - 1].wait_s <= 100.0 * SAME_S {
                self.levels[i - 1].replicas += self.levels[i].replicas;
                self.levels.remove(i);
            } else {
                i += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backlog(balancer: Balancer, replicas: u32) -> Backlog {
        let mut new = Backlog::new(balancer, 10.0, 0.0);
        (0..replicas).for_each(|_| new.add());
        new
    }

    #[test]
    fn an_overload_fills_and_drains_at_the_difference_of_the_rates() {
        let mut backlog = backlog(Balancer::PowerOfTwo, 10);
        // 15 replicas' worth for 4 s: each replica is 2 s behind, all are busy.
        assert!((backlog.pass(4.0, 15.0, &mut |_| {}) - 40.0).abs() < 1e-6);
        assert!((backlog.waiting_s() - 20.0).abs() < 1e-6);
        // 5 replicas' worth: gone after 4 s, then half idle.
        assert!((backlog.pass(6.0, 5.0, &mut |_| {}) - 50.0).abs() < 1e-6);
        assert_eq!(backlog.waiting_s(), 0.0);
    }

    #[test]
    fn clients_give_up_at_the_longest_wait() {
        let mut backlog = backlog(Balancer::RoundRobin, 2);
        backlog.pass(20.0, 4.0, &mut |_| {}); // 10 s behind after 10 s
        assert!((backlog.waiting_s() - 20.0).abs() < 1e-6);
        let mut refused = 0.0;
        backlog.pass(1.0, 4.0, &mut |p| refused += p.share * (1.0 - p.accepted));
        assert!((refused - 0.5).abs() < 1e-9);
    }

    #[test]
    fn an_empty_replica_takes_more_until_it_is_as_full() {
        let mut backlog = backlog(Balancer::PowerOfTwo, 1);
        backlog.pass(5.0, 2.0, &mut |_| {});
        backlog.add();
        // Both draws fall on the two: the empty one takes all of 1.5, the other drains.
        let mut waits = Vec::new();
        backlog.pass(1.0, 1.5, &mut |p| waits.push((p.share, p.from_s, p.to_s)));
        assert_eq!(waits.len(), 2, "{waits:?}");
        assert!((waits[0].0 - 1.0).abs() < 1e-9 && (waits[0].2 - 0.5).abs() < 1e-6, "{waits:?}");
        assert!((waits[1].1 - 5.0).abs() < 1e-6 && (waits[1].2 - 4.0).abs() < 1e-6, "{waits:?}");
        // They meet 3 s later, at 2 s behind, and go on together.
        let busy = backlog.pass(20.0, 1.5, &mut |_| {});
        assert!(busy > 30.0 && backlog.levels.len() == 1, "{backlog:?}");
    }
}
