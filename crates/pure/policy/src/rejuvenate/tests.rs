//! A small world under the policy: replicas leak, start, are retired; and what must hold whatever happens.

use homeostat_core::observe::{FetchError, Phase, Readiness, ReplicaView, Sample};
use homeostat_core::{Instant, Reading};
use proptest::prelude::*;

use super::*;

const LIMIT: f64 = 4_000.0;
const TICK: Span = Span::MINUTE;
/// Ticks from order to readiness.
const START: u64 = 2;

#[derive(Debug, Clone)]
struct Replica {
    id: u64,
    ready_at: u64,
    mib_per_hour: f64,
}

/// Carries out plans as an actuator does, and counts what went wrong.
#[derive(Debug, Clone)]
struct World {
    tick: u64,
    desired: u32,
    next: u64,
    replicas: Vec<Replica>,
    rates: Vec<f64>,
    kills: u32,
    /// (tick, id) of ready replicas retired while the count didn't fall.
    replaced: Vec<(u64, u64)>,
    /// Fewest ready beside the count asked for.
    least_spare: i64,
    surges_cancelled: u32,
}

impl World {
    fn new(count: u32, rates: &[f64]) -> Self {
        let mut world = Self {
            tick: 0,
            desired: count,
            next: 0,
            replicas: Vec::new(),
            rates: rates.to_vec(),
            kills: 0,
            replaced: Vec::new(),
            least_spare: i64::MAX,
            surges_cancelled: 0,
        };
        (0..count).for_each(|_| world.order(0));
        world
    }

    fn order(&mut self, start: u64) {
        let id = self.next;
        self.next += 1;
        let mib_per_hour = self.rates[id as usize % self.rates.len()];
        self.replicas.push(Replica { id, ready_at: self.tick + start, mib_per_hour });
    }

    fn at(&self) -> Instant {
        Instant::ZERO + TICK * (self.tick + 1)
    }

    fn mib(&self, replica: &Replica) -> f64 {
        1_000.0 + replica.mib_per_hour * (TICK * (self.tick - replica.ready_at)).as_hours_f64()
    }

    fn is_ready(&self, replica: &Replica) -> bool {
        self.tick >= replica.ready_at
    }

    fn observe(&self) -> Observation {
        let view = |replica: &Replica| {
            let ready = self.is_ready(replica);
            let since = Instant::ZERO + TICK * (replica.ready_at + 1);
            ReplicaView {
                id: ReplicaId(replica.id),
                phase: Phase::Running,
                started_at: Some(since),
                readiness: Some(Readiness { ready, since }),
                deleting: false,
            }
        };
        let sample = |replica: &Replica| Sample {
            replica: ReplicaId(replica.id),
            milli: (self.mib(replica) * MIB_MILLI) as i64,
            at: self.at(),
            window: Span::ZERO,
        };
        let memory = self.replicas.iter().filter(|r| self.is_ready(r)).map(sample).collect();
        Observation {
            at: self.at(),
            desired: self.desired,
            current: self.replicas.len() as u32,
            replicas: self.replicas.iter().map(view).collect(),
            readings: vec![Reading::PerReplica(memory), Reading::Failed(FetchError::Empty)],
        }
    }

    /// One tick: the policy decides, the count becomes `desired`, the order is carried out, memory leaks.
    fn turn(&mut self, policy: &mut Rejuvenate, desired: u32) -> Plan {
        let plan = policy.decide(&self.observe());
        let falls = desired < self.desired;
        self.desired = desired;
        let wanted = (desired + plan.surge) as usize;
        let starting = |world: &Self| world.replicas.iter().filter(|r| !world.is_ready(r)).count();
        let before = starting(self);
        for _ in wanted..self.replicas.len() {
            self.retire(&plan, falls);
        }
        self.surges_cancelled += u32::from(plan.surge > 0 && before > 0 && starting(self) == 0);
        for id in &plan.replace {
            self.replicas.retain(|r| r.id != id.0);
            self.replaced.push((self.tick, id.0));
        }
        for _ in self.replicas.len()..wanted {
            self.order(START);
        }
        let ready = self.replicas.iter().filter(|r| self.is_ready(r)).count();
        self.least_spare = self.least_spare.min(ready as i64 - i64::from(desired));
        self.tick += 1;
        let over: Vec<u64> =
            self.replicas.iter().filter(|r| self.is_ready(r) && self.mib(r) >= LIMIT).map(|r| r.id).collect();
        self.kills += over.len() as u32;
        for id in over {
            self.replicas.retain(|r| r.id != id);
            self.order(START);
        }
        plan
    }

    /// Retires the first named, else one that starts, else the youngest.
    fn retire(&mut self, plan: &Plan, falls: bool) {
        let named = plan.retire.iter().find_map(|id| self.replicas.iter().position(|r| r.id == id.0));
        let starts = || self.replicas.iter().rposition(|r| !self.is_ready(r));
        let index = named.or_else(starts).unwrap_or(self.replicas.len() - 1);
        let gone = self.replicas.remove(index);
        if !falls && self.is_ready(&gone) {
            self.replaced.push((self.tick, gone.id));
        }
    }
}

fn policy(spec: &RejuvenateSpec) -> Rejuvenate {
    Rejuvenate::new(spec, 1, Some(LIMIT)).unwrap()
}

#[test]
fn leaks_in_step_are_replaced_one_after_the_other_before_any_kill() {
    let mut world = World::new(8, &[300.0]);
    let mut policy = policy(&RejuvenateSpec::default());
    for _ in 0..60 * 24 {
        world.turn(&mut policy, 8);
    }
    assert_eq!((world.kills, world.least_spare, world.surges_cancelled), (0, 0, 0));
    assert!(world.replaced.len() >= 16, "{:?}", world.replaced);
    let ticks: Vec<u64> = world.replaced.iter().map(|(tick, _)| *tick).collect();
    assert!(ticks.windows(2).all(|pair| pair[1] - pair[0] > START), "two at a time: {ticks:?}");
    // None goes earlier than two thirds of its ten hours: waiting is cheap.
    assert!(ticks[0] > 60 * 20 / 3, "{ticks:?}");
}

#[test]
fn without_a_leak_nothing_happens() {
    let mut world = World::new(4, &[0.0]);
    let mut policy = policy(&RejuvenateSpec::default());
    for _ in 0..60 * 24 {
        let plan = world.turn(&mut policy, 4);
        assert_eq!((plan.surge, plan.replace.len(), plan.abstains), (0, 0, true));
    }
    assert_eq!(world.next, 4);
}

#[test]
fn a_falling_count_takes_the_most_leaked_first() {
    let mut world = World::new(6, &[10.0, 250.0, 40.0, 90.0, 0.0, 20.0]);
    let mut policy = policy(&RejuvenateSpec::default());
    for _ in 0..60 * 4 {
        world.turn(&mut policy, 6);
    }
    let before: Vec<u64> = world.replicas.iter().map(|r| r.id).collect();
    assert_eq!(before, [0, 1, 2, 3, 4, 5], "too early for a replacement");
    world.turn(&mut policy, 4);
    let left: Vec<u64> = world.replicas.iter().map(|r| r.id).collect();
    assert_eq!(left, [0, 2, 4, 5]);
}

#[test]
fn a_fast_leak_without_enough_data_is_caught_by_the_plain_line() {
    // 25 min from start to limit: no trend can be had in that time.
    let mut world = World::new(3, &[7_200.0, 0.0, 0.0, 0.0]);
    let spec = RejuvenateSpec { start_up: Span::MINUTE * 2, ..RejuvenateSpec::default() };
    let mut policy = policy(&spec);
    for _ in 0..40 {
        world.turn(&mut policy, 3);
    }
    assert_eq!(world.kills, 0);
    assert!(world.replaced.iter().any(|(_, id)| *id == 0), "{:?}", world.replaced);
}

#[test]
fn a_trend_that_has_not_lasted_yet_is_believed_near_the_limit() {
    // 54 min from start to limit: the detector knows a trend, but not for long enough to call it a leak.
    let mut world = World::new(1, &[3_333.0, 0.0]);
    let spec = RejuvenateSpec { start_up: Span::MINUTE * 2, ..RejuvenateSpec::default() };
    let mut policy = policy(&spec);
    let mut reasons = Vec::new();
    for _ in 0..60 {
        let plan = world.turn(&mut policy, 1);
        reasons.extend(plan.reasons.iter().map(|reason| reason.rule));
    }
    assert_eq!(world.kills, 0);
    let trend = reasons.iter().position(|rule| *rule == Rule::LeakHeadsForLimit);
    assert_eq!(trend, Some(0), "not by the straight line: {reasons:?}");
    // The straight line would replace it at four fifths of the limit, in minute 40.
    assert!(world.replaced[0].0 >= 44, "{:?}", world.replaced);
}

#[test]
fn the_budget_of_disruptions_holds() {
    let mut world = World::new(10, &[300.0]);
    let mut policy = policy(&RejuvenateSpec { per_hour: Some(3), ..RejuvenateSpec::default() });
    for _ in 0..60 * 24 {
        world.turn(&mut policy, 10);
    }
    let ticks: Vec<u64> = world.replaced.iter().map(|(tick, _)| *tick).collect();
    assert!(ticks.len() > 6, "{ticks:?}");
    for (i, first) in ticks.iter().enumerate() {
        let within = ticks[i..].iter().take_while(|tick| **tick < first + 60 - START).count();
        assert!(within <= 3, "{ticks:?}");
    }
}

#[test]
fn at_the_upper_bound_it_replaces_without_a_surge() {
    let mut world = World::new(5, &[300.0]);
    let mut policy = policy(&RejuvenateSpec::default());
    for _ in 0..60 * 12 {
        // The guards cut the surge.
        let mut seen = world.observe();
        seen.desired = world.desired;
        let mut plan = policy.decide(&seen);
        plan.surge = 0;
        for id in &plan.replace {
            world.replicas.retain(|r| r.id != id.0);
            world.replaced.push((world.tick, id.0));
            world.order(START);
        }
        let ready = world.replicas.iter().filter(|r| world.is_ready(r)).count();
        assert!(ready >= 4, "one at a time");
        world.tick += 1;
        assert!(world.replicas.iter().filter(|r| world.is_ready(r)).all(|r| world.mib(r) < LIMIT));
    }
    assert!(world.replaced.len() >= 5, "{:?}", world.replaced);
}

#[test]
fn while_the_count_climbs_the_new_replica_serves_for_the_old_one() {
    let mut world = World::new(6, &[300.0]);
    let start_up = Span::MINUTE * START;
    let mut policy = policy(&RejuvenateSpec { start_up, ..RejuvenateSpec::default() });
    let mut climbs: Option<u32> = None;
    for _ in 0..60 * 12 {
        let climbed = climbs.map_or(0, |ticks| ticks.min(90));
        let plan = world.turn(&mut policy, 6 + climbed);
        climbs = climbs.map(|ticks| ticks + 1).or((plan.surge > 0).then_some(0));
    }
    assert!(climbs.is_some());
    assert_eq!((world.kills, world.surges_cancelled), (0, 0));
    assert!(world.replaced.len() >= 6, "{:?}", world.replaced);
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let refused = |spec: RejuvenateSpec, limit| Rejuvenate::new(&spec, 1, limit).unwrap_err().to_string();
    assert!(refused(RejuvenateSpec::default(), None).contains("memory_limit_mib"));
    let share = RejuvenateSpec { near_limit: 1.5, ..RejuvenateSpec::default() };
    assert!(refused(share, Some(1.0)).contains("rejuvenate.near_limit"));
    let period = RejuvenateSpec { period: Span::ZERO, ..RejuvenateSpec::default() };
    assert!(refused(period, Some(1.0)).contains("rejuvenate.period"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any leaks within reason, any autoscaler.
    #[test]
    fn invariants_hold_beside_any_autoscaler(
        rates in prop::collection::vec(0.0..600.0_f64, 1..7),
        wishes in prop::collection::vec((1_u64..90, 2_u32..12), 4..16),
        count in 2_u32..12,
    ) {
        let mut world = World::new(count, &rates);
        let mut policy = policy(&RejuvenateSpec { start_up: Span::MINUTE * 3, ..RejuvenateSpec::default() });
        let mut wishes = wishes.iter().cycle();
        let (mut hold, mut wish) = (30, count);
        for _ in 0..60 * 16 {
            if hold == 0 {
                let (next, count) = wishes.next().unwrap();
                (hold, wish) = (*next, *count);
            }
            hold -= 1;
            let replaced = world.replaced.len();
            let ready = world.replicas.iter().filter(|r| world.is_ready(r)).count();
            let desired = world.desired;
            let wished = (desired.min(wish) as usize).min(ready);
            let plan = world.turn(&mut policy, wish);
            prop_assert!(world.replaced.len() <= replaced + 1, "two at a time");
            let left = world.replicas.iter().filter(|r| world.tick > r.ready_at).count();
            // Only where none is left over, while the count climbs, one goes although all are wanted.
            prop_assert!(plan.replace.is_empty() || ready <= desired as usize, "evicted with one to spare");
            let gone = plan.replace.len() + world.kills as usize;
            prop_assert!(left + gone >= wished, "fewer ready than wished and there were");
        }
        prop_assert_eq!(world.surges_cancelled, 0);
        prop_assert_eq!(world.kills, 0);
    }
}
