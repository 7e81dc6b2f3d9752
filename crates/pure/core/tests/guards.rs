//! The guards and the loop: what must hold whatever the policies propose.

use homeostat_core::decision::GuardKind;
use homeostat_core::guard::{Bounds, Budget, Dwell, Flips, Stabilization, Step};
use homeostat_core::journal::{Decoder, Encoder, RecordedDecision};
use homeostat_core::{
    Cadence, Controller, Decision, GuardProfile, Instant, Need, Observation, Plan, Policy, Reading, Reason,
    ReplicaId, Rule, Span,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

const START: Instant = Instant(1_772_373_780_000_000_000);
const WIDE: Bounds = Bounds { min: 0, max: 1_000 };

/// Proposes one plan after the other, the last one for ever.
struct Script {
    needs: Vec<Need>,
    period: Span,
    plans: Vec<Plan>,
    next: usize,
}

impl Script {
    fn seat(period: Span, plans: Vec<Plan>) -> Box<dyn Policy> {
        Box::new(Self { needs: vec![Need::External("load".to_owned())], period, plans, next: 0 })
    }
}

impl Policy for Script {
    fn needs(&self) -> &[Need] {
        &self.needs
    }

    fn cadence(&self) -> Cadence {
        Cadence::every(self.period)
    }

    fn decide(&mut self, observation: &Observation) -> Plan {
        assert_eq!(observation.readings.len(), 1, "a policy sees its own readings");
        self.next += 1;
        self.plans[(self.next - 1).min(self.plans.len() - 1)].clone()
    }
}

/// What happens at one turn of the loop.
#[derive(Debug, Clone)]
struct Turn {
    /// Seconds since the turn before.
    gap: u64,
    /// What the policy proposes.
    plan: Plan,
    /// Somebody else set the count since.
    set: Option<u32>,
    /// Age of the data in seconds; `None` when they are absent.
    age: Option<u64>,
}

fn turn() -> impl Strategy<Value = Turn> {
    let count = prop_oneof![0..30_u32, 0..1_000_u32];
    let plan = (count, 0..5_u32).prop_map(|(replicas, surge)| Plan { surge, ..plan(replicas, &[]) });
    let set = prop_oneof![9 => Just(None), 1 => (0..1_000_u32).prop_map(Some)];
    (prop_oneof![Just(15), 1..400_u64], plan, set, option::weighted(0.9, 0..300_u64))
        .prop_map(|(gap, plan, set, age)| Turn { gap, plan, set, age })
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    vec(turn(), 1..40)
}

fn seconds(range: std::ops::Range<u64>) -> impl Strategy<Value = Span> {
    range.prop_map(Span::from_secs)
}

fn stabilization() -> impl Strategy<Value = Stabilization> {
    (seconds(0..900), seconds(0..900)).prop_map(|(up, down)| Stabilization { up, down })
}

fn dwell() -> impl Strategy<Value = Dwell> {
    (seconds(0..900), seconds(0..900)).prop_map(|(before_up, before_down)| Dwell { before_up, before_down })
}

fn step() -> impl Strategy<Value = Step> {
    (0.0..3.0, 0..10_u32, 0.0..=1.0, 0..10_u32).prop_map(
        |(up_share, up_replicas, down_share, down_replicas)| Step {
            up_share,
            up_replicas,
            down_share,
            down_replicas,
        },
    )
}

fn budget() -> impl Strategy<Value = Budget> {
    (0.1..100.0, seconds(60..7_200)).prop_map(|(replica_hours, per)| Budget { replica_hours, per })
}

fn flips() -> impl Strategy<Value = Flips> {
    (1..5_u32, seconds(60..7_200)).prop_map(|(most, per)| Flips { most, per })
}

fn profile() -> impl Strategy<Value = GuardProfile> {
    let parts = (
        option::of(seconds(0..300)),
        option::of(0.0..0.9),
        option::of(0.0..0.9),
        option::of(stabilization()),
        option::of(dwell()),
        option::of(step()),
        option::of(budget()),
        option::of(flips()),
    );
    parts.prop_map(|(freshness, dead_band, fall_band, stabilization, dwell, step, budget, flips)| {
        GuardProfile {
            name: "any".to_owned(),
            freshness,
            dead_band,
            fall_band,
            stabilization,
            dwell,
            step,
            budget,
            flips,
        }
    })
}

fn bounds() -> impl Strategy<Value = Bounds> {
    (0..20_u32, 0..200_u32).prop_map(|(min, more)| Bounds { min, max: min + more })
}

fn plan(replicas: u32, retire: &[u64]) -> Plan {
    Plan {
        retire: retire.iter().copied().map(ReplicaId).collect(),
        ..Plan::scale(replicas, Reason::of(Rule::Fixed, replicas))
    }
}

fn observation(at: Instant, desired: u32, readings: Vec<Reading>) -> Observation {
    Observation { at, desired, current: desired, replicas: Vec::new(), readings }
}

/// Plays the turns; the count is what was ordered last unless somebody else set it.
fn play(profile: GuardProfile, bounds: Bounds, turns: &[Turn]) -> Vec<Decision> {
    assert_eq!(profile.check(), Ok(()));
    let plans = turns.iter().map(|turn| turn.plan.clone()).collect();
    let mut controller = Controller::new(vec![Script::seat(Span::from_secs(15), plans)], profile, bounds);
    let (mut at, mut present) = (START, 5);
    let tick = |turn: &Turn| {
        at += Span::from_secs(turn.gap);
        present = turn.set.unwrap_or(present);
        let age = Span::from_secs(turn.age.unwrap_or(0));
        let milli = if turn.age.is_some() { vec![1_000] } else { Vec::new() };
        let reading = Reading::Total { milli, at: at.back(age) };
        let decision = controller.tick(&observation(at, present, vec![reading]));
        present = decision.replicas();
        decision
    };
    turns.iter().map(tick).collect()
}

/// Whether `value` lies between `a` and `b`, whichever of the two is larger.
fn between(value: u32, a: u32, b: u32) -> bool {
    (a.min(b)..=a.max(b)).contains(&value)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bounds_always_hold(profile in profile(), bounds in bounds(), turns in turns()) {
        for decision in play(profile, bounds, &turns) {
            let order = decision.order.get();
            prop_assert!((bounds.min..=bounds.max).contains(&order.replicas));
            prop_assert!(order.replicas + order.surge <= bounds.max);
        }
    }

    #[test]
    fn bounds_alone_leave_plans_within_them(bounds in bounds(), turns in turns()) {
        for (decision, turn) in play(GuardProfile::bounds_only(), bounds, &turns).iter().zip(&turns) {
            let plan = turn.plan.replicas;
            let within = (bounds.min..=bounds.max).contains(&plan);
            prop_assert_eq!(within, decision.guards.is_empty());
            prop_assert_eq!(decision.replicas(), plan.clamp(bounds.min, bounds.max));
        }
    }

    #[test]
    fn every_change_is_told_and_narrows(profile in profile(), bounds in bounds(), turns in turns()) {
        for (decision, turn) in play(profile, bounds, &turns).iter().zip(&turns) {
            prop_assert_eq!(decision.proposed, turn.plan.replicas);
            let (mut count, mut last) = (decision.proposed, None);
            for action in &decision.guards {
                prop_assert_eq!(action.from, count, "the chain has no gaps");
                prop_assert!(action.to != action.from);
                // Bounds come last, whatever their number.
                let place = if action.guard == GuardKind::Bounds { u8::MAX } else { action.guard as u8 };
                prop_assert!(last < Some(place), "guards act in their order");
                let narrows = between(action.to, decision.present, action.from);
                prop_assert!(narrows || action.guard == GuardKind::Bounds);
                (count, last) = (action.to, Some(place));
            }
            prop_assert_eq!(decision.replicas(), count);
        }
    }

    #[test]
    fn stale_data_never_lower_the_count(limit in 0..300_u64, others in profile(), turns in turns()) {
        let profile = GuardProfile { freshness: Some(Span::from_secs(limit)), ..others };
        for (decision, turn) in play(profile, WIDE, &turns).iter().zip(&turns) {
            if turn.age.is_none_or(|age| age > limit) {
                prop_assert!(decision.replicas() >= decision.present);
            }
        }
    }

    #[test]
    fn steps_stay_within_their_limits(step in step(), others in profile(), turns in turns()) {
        let profile = GuardProfile { step: Some(step), ..others };
        for decision in play(profile, WIDE, &turns) {
            let present = f64::from(decision.present);
            let up = f64::from(step.up_replicas).max((present * step.up_share).floor());
            let down = f64::from(step.down_replicas).max((present * step.down_share).floor());
            let count = f64::from(decision.replicas());
            prop_assert!(count <= present + up && count >= present - down);
        }
    }

    #[test]
    fn changes_of_direction_wait(dwell in dwell(), others in profile(), turns in turns()) {
        let profile = GuardProfile { dwell: Some(dwell), ..others };
        let decisions = play(profile, WIDE, &turns);
        for (index, now) in decisions.iter().enumerate() {
            for before in &decisions[..index] {
                let gap = now.at - before.at;
                let fell = before.replicas() < before.present;
                let rose = before.replicas() > before.present;
                prop_assert!(!(fell && now.replicas() > now.present && gap < dwell.before_up));
                prop_assert!(!(rose && now.replicas() < now.present && gap < dwell.before_down));
            }
        }
    }

    #[test]
    fn small_changes_are_not_carried_out(share in 0.0..0.9, turns in turns()) {
        let profile = GuardProfile { dead_band: Some(share), ..GuardProfile::bounds_only() };
        for decision in play(profile, WIDE, &turns) {
            let small = share * f64::from(decision.present);
            let kept = f64::from(decision.proposed.abs_diff(decision.present)) < small;
            prop_assert_eq!(decision.replicas(), if kept { decision.present } else { decision.proposed });
        }
    }

    #[test]
    fn small_falls_are_not_carried_out_but_small_rises_are(share in 0.0..0.9, turns in turns()) {
        let profile = GuardProfile { fall_band: Some(share), ..GuardProfile::bounds_only() };
        for decision in play(profile, WIDE, &turns) {
            let given_up = decision.present.saturating_sub(decision.proposed);
            let kept = given_up > 0 && f64::from(given_up) < share * f64::from(decision.present);
            prop_assert_eq!(decision.replicas(), if kept { decision.present } else { decision.proposed });
        }
    }

    #[test]
    fn stabilization_is_that_of_kubernetes(windows in stabilization(), turns in turns()) {
        let profile = GuardProfile { stabilization: Some(windows), ..GuardProfile::bounds_only() };
        let decisions = play(profile, WIDE, &turns);
        for index in 0..decisions.len() {
            let expected = stabilized(&decisions[..=index], windows);
            prop_assert_eq!(decisions[index].replicas(), expected);
        }
    }

    #[test]
    fn falls_that_turn_back_stay_within_the_budget_of_flips(flips in flips(), turns in turns()) {
        let profile = GuardProfile { flips: Some(flips), ..GuardProfile::bounds_only() };
        let decisions = play(profile, WIDE, &turns);
        let (mut last, mut turned): (i64, Vec<Instant>) = (0, Vec::new());
        for now in &decisions {
            let change = (i64::from(now.replicas()) - i64::from(now.present)).signum();
            let recent = turned.iter().filter(|at| **at > now.at.back(flips.per)).count();
            if change < 0 && last > 0 {
                prop_assert!(recent < flips.most as usize, "a fall turns back though {recent} are used");
            }
            let wanted = (i64::from(now.proposed) - i64::from(now.present)).signum();
            prop_assert!(change == wanted || (change == 0 && wanted < 0), "rises always pass");
            if change != 0 && last != 0 && change != last {
                turned.push(now.at);
            }
            last = if change == 0 { last } else { change };
        }
    }

    #[test]
    fn a_spent_budget_stops_rises(budget in budget(), others in profile(), turns in turns()) {
        let profile = GuardProfile { budget: Some(budget), ..others };
        let decisions = play(profile, WIDE, &turns);
        for (index, now) in decisions.iter().enumerate() {
            let spent = spent(&decisions[..index], now.at, budget.per);
            if spent > budget.replica_hours * (1.0 + 1e-9) {
                prop_assert!(now.replicas() <= now.present, "{} hours spent", spent);
            }
        }
    }

    #[test]
    fn an_unspent_budget_changes_nothing(budget in budget(), turns in turns()) {
        let profile = GuardProfile { budget: Some(budget), ..GuardProfile::bounds_only() };
        let decisions = play(profile, WIDE, &turns);
        for (index, now) in decisions.iter().enumerate() {
            if spent(&decisions[..index], now.at, budget.per) < budget.replica_hours * (1.0 - 1e-9) {
                prop_assert_eq!(now.replicas(), now.proposed);
            }
        }
    }

    #[test]
    fn the_journal_holds_what_the_loop_decides(profile in profile(), bounds in bounds(), turns in turns()) {
        let needs = [Need::External("load".to_owned())];
        let (mut encoder, mut decoder) = (Encoder::new(&needs), Decoder::new(&needs));
        for decision in play(profile, bounds, &turns) {
            let reading = Reading::Total { milli: vec![1_000], at: decision.at };
            let seen = observation(decision.at, decision.present, vec![reading]);
            let read = decoder.next(&encoder.record(&seen, &decision));
            prop_assert!(read.as_ref().is_ok_and(|(observed, _)| *observed == seen));
            prop_assert!(read.as_ref().is_ok_and(|(_, recorded)| *recorded == decision));
            let mut other = RecordedDecision::from(&decision);
            other.order.surge += 1;
            prop_assert!(!other.matches(&decision));
        }
    }

    #[test]
    fn the_same_inputs_give_the_same_decisions(profile in profile(), bounds in bounds(), turns in turns()) {
        prop_assert_eq!(play(profile.clone(), bounds, &turns), play(profile, bounds, &turns));
    }
}

/// The rule of the Kubernetes controller, over all recommendations at every turn: the present count
/// moves up to the least of the `up` window and down to the largest of the `down` window. The count at
/// the start is a recommendation too.
fn stabilized(decisions: &[Decision], windows: Stabilization) -> u32 {
    let (first, now) = (&decisions[0], &decisions[decisions.len() - 1]);
    let within = |window: Span| {
        let made = decisions.iter().map(|decision| (decision.at, decision.proposed));
        let recent = made.chain([(first.at, first.present)]).filter(move |(at, _)| now.at - *at <= window);
        recent.map(|(_, count)| count)
    };
    let least = within(windows.up).min().unwrap_or(0);
    let largest = within(windows.down).max().unwrap_or(0);
    now.present.max(least).min(largest)
}

/// Replica-hours of the window that ends at `now`, second by second.
fn spent(before: &[Decision], now: Instant, per: Span) -> f64 {
    let mut total = 0_u64;
    for (index, decision) in before.iter().enumerate() {
        let end = before.get(index + 1).map_or(now, |next| next.at);
        let mut second = decision.at;
        while second < end {
            if second >= now.back(per) {
                total += u64::from(decision.replicas());
            }
            second += Span::SECOND;
        }
    }
    total as f64 / 3_600.0
}

#[test]
fn bounds_in_the_wrong_order_do_not_panic() {
    let turns = [Turn { gap: 15, plan: Plan::default(), set: None, age: Some(0) }];
    let decisions = play(GuardProfile::bounds_only(), Bounds { min: 9, max: 3 }, &turns);
    assert_eq!(decisions[0].replicas(), 3);
}

#[test]
fn a_restart_of_the_controller_does_not_let_a_dip_through() {
    let low = Turn { gap: 15, plan: plan(2, &[]), set: None, age: Some(0) };
    let first = Turn { set: Some(40), ..low.clone() };
    let turns: Vec<Turn> = std::iter::once(first).chain(vec![low; 30]).collect();
    let decisions = play(GuardProfile::standard(), WIDE, &turns);
    assert!(decisions[..=20].iter().all(|decision| decision.replicas() == 40));
    assert_eq!(decisions[21].replicas(), 20, "half of them, once the window has passed");
}

#[test]
fn policies_with_different_periods_share_a_target() {
    let fast = (0..8).map(|n| plan(n, &[1])).collect();
    let slow = vec![plan(5, &[2, 1]), plan(3, &[]), plan(9, &[4])];
    let policies = vec![Script::seat(Span::from_secs(15), fast), Script::seat(Span::from_secs(40), slow)];
    let mut controller = Controller::new(policies, GuardProfile::bounds_only(), WIDE);
    assert_eq!(controller.cadence().period, Span::from_secs(15));
    assert_eq!(controller.needs().len(), 2);
    let total = |milli| Reading::Total { milli: vec![milli], at: START };
    let tick = |index: u64| {
        let at = START + Span::from_secs(15) * index;
        controller.tick(&observation(at, 5, vec![total(1), total(2)]))
    };
    let decisions: Vec<Decision> = (0..8).map(tick).collect();
    let counts: Vec<u32> = decisions.iter().map(Decision::replicas).collect();
    // The slow one is asked at 0, 45 and 90 s and says 5, 3 and 9; the larger count of both holds.
    assert_eq!(counts, [5, 5, 5, 3, 4, 5, 9, 9]);
    assert_eq!(decisions[0].order.get().retire, [ReplicaId(1), ReplicaId(2)]);
    assert_eq!(decisions[6].order.get().retire, [ReplicaId(1), ReplicaId(4)]);
    assert_eq!(decisions[6].reasons.len(), 2, "the reasons of both are kept");
}

#[test]
fn an_empty_loop_keeps_the_count() {
    let mut controller = Controller::new(Vec::new(), GuardProfile::standard(), WIDE);
    assert_eq!(controller.tick(&observation(START, 5, Vec::new())).replicas(), 5);
}
