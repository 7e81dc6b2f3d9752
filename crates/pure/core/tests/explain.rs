//! Decisions in words.

use homeostat_core::decision::{ForecastNote, GUARDS, GuardAction, GuardKind, Order};
use homeostat_core::explain::{explain, one_line};
use homeostat_core::journal::RecordedDecision;
use homeostat_core::observe::{FetchError, Phase, Readiness, ReplicaView, Sample};
use homeostat_core::reason::RULES;
use homeostat_core::{Instant, Need, Observation, Reading, Reason, ReplicaId, Rule, Span};

const NOW: Instant = Instant(1_772_373_780_000_000_000);

fn needs() -> Vec<Need> {
    vec![
        Need::Resource("cpu".to_owned()),
        Need::External("queue_length".to_owned()),
        Need::Pods("concurrency".to_owned()),
        Need::Object("requests_per_second".to_owned()),
        Need::Resource("memory".to_owned()),
    ]
}

fn view(id: u64, phase: Phase, ready: bool, deleting: bool) -> ReplicaView {
    let readiness = (phase == Phase::Running).then_some(Readiness { ready, since: NOW.back(Span::HOUR) });
    ReplicaView { id: ReplicaId(id), phase, started_at: None, readiness, deleting }
}

fn sample(replica: u64, milli: i64, age: u64) -> Sample {
    let at = NOW.back(Span::from_secs(age));
    Sample { replica: ReplicaId(replica), milli, at, window: Span::from_secs(30) }
}

fn observation() -> Observation {
    let replicas = vec![
        view(1, Phase::Running, true, false),
        view(2, Phase::Running, true, false),
        view(3, Phase::Running, false, false),
        view(4, Phase::Pending, false, false),
        view(5, Phase::Running, true, true),
        view(6, Phase::Failed, false, false),
        view(7, Phase::Running, true, false),
    ];
    let readings = vec![
        Reading::PerReplica(vec![sample(1, 612, 12), sample(2, 700, 27), sample(3, 401, 12)]),
        Reading::Total { milli: vec![800_000, 12_500], at: NOW.back(Span::from_millis(30_500)) },
        Reading::PerReplica(Vec::new()),
        Reading::Failed(FetchError::Unavailable),
        Reading::PerReplica(vec![sample(1, 1_610_612_736_000, 0)]),
    ];
    Observation { at: NOW, desired: 7, current: 7, replicas, readings }
}

fn decision() -> RecordedDecision {
    RecordedDecision {
        at: NOW,
        present: 7,
        proposed: 12,
        order: Order { replicas: 9, retire: vec![ReplicaId(3), ReplicaId(6)], surge: 1, replace: vec![] },
        reasons: vec![
            Reason::metric(Rule::MetricRatio, 0, 571, 500, 8),
            Reason::metric(Rule::MetricRatio, 1, 812_500, 500_000, 12),
            Reason::metric(Rule::MetricUnavailable, 3, 0, 0, 7),
        ],
        guards: vec![GuardAction { guard: GuardKind::Step, from: 12, to: 9 }],
        forecast: None,
    }
}

#[test]
fn a_decision_reads_as_a_whole() {
    let text = explain(&observation(), &decision(), &needs()).to_string();
    let expected = "\
7 → 9 replicas at 2026-03-01 14:03:00 UTC
observed  replicas: 7 asked for, 7 exist, 3 ready (1 pending, 1 running but not ready, 1 failed, 1 stopping)
          cpu: mean 0.571 cores over 3 of 7 replicas (0.401 cores to 0.7 cores), 12s to 27s old
          queue_length: 812.5 (sum of 2 series), 30s500ms old
          concurrency: none of 7 replicas reported
          requests_per_second: the metrics source did not answer
          memory: mean 1.5 GiB over 1 of 7 replicas, 0s old
reasons   cpu at 0.571 cores against a target of 0.5 cores → 8
          queue_length at 812.5 against a target of 500 → 12
          requests_per_second could not be read → 7
guards    step: a larger change at once is not permitted (12 → 9)
outcome   9 replicas ordered; 12 proposed, changed by 1 guard; 1 more for a while; to retire first: 3, 6
";
    assert_eq!(text, expected);
}

#[test]
fn a_decision_shows_the_forecast_that_it_used() {
    let (from, until) = (NOW + Span::from_secs(120), NOW + Span::from_secs(180));
    let milli = [10_400, 12_100, 13_300, 13_900, 14_600];
    let forecast = Some(ForecastNote { from, until, milli });
    let text = explain(&observation(), &RecordedDecision { forecast, ..decision() }, &needs()).to_string();
    let line =
        "forecast  12.1 requests per second 2m to 3m ahead (5 % below 10.4, 5 % above 13.9, 1 % above 14.6)";
    assert!(text.lines().any(|own| own == line), "{text}");
}

#[test]
fn one_line_names_the_reason_that_decided() {
    let line = one_line(&observation(), &decision(), &needs());
    assert_eq!(line, "7 → 9 replicas · queue_length at 812.5 against a target of 500 → 12 · step 12 → 9");
}

#[test]
fn a_count_that_stays_says_so() {
    let order = Order { replicas: 1, ..Order::default() };
    let (at, reasons, guards) = (Instant::ZERO, Vec::new(), Vec::new());
    let kept = RecordedDecision { at, present: 1, proposed: 1, order, reasons, guards, forecast: None };
    let text = explain(&observation(), &kept, &[]);
    assert_eq!(text.headline, "1 replica kept at +0s");
    assert_eq!(text.outcome, "1 replica ordered, as proposed");
    assert!(text.observed[1].starts_with("metric 1: mean 0.571 over 3"));
    assert_eq!(one_line(&observation(), &kept, &[]), "1 replica kept · 3 of 7 ready");
}

#[test]
fn every_rule_and_guard_has_words_of_its_own() {
    let rules = RULES.iter().map(|rule| Reason::metric(*rule, 2, 1_500, 2_000, 4));
    let guards = GUARDS.iter().map(|guard| GuardAction { guard: *guard, from: 5, to: 4 });
    let all = RecordedDecision { reasons: rules.collect(), guards: guards.collect(), ..decision() };
    let text = explain(&observation(), &all, &needs());
    let mut lines: Vec<&String> = text.reasons.iter().chain(&text.guards).collect();
    assert!(lines.iter().all(|line| line.contains("→ 4")));
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), RULES.len() + GUARDS.len());
    assert!(text.reasons[15].contains("(1.5s of 2s)"), "cool-downs are in seconds: {}", text.reasons[15]);
    assert_eq!(text.reasons[17], "concurrency at 1.5 above the high watermark of 2 → 4");
}

#[test]
fn one_line_has_at_most_160_characters() {
    let name = Need::External("a_metric_with_a_very_long_name_".repeat(9));
    let line = one_line(&observation(), &decision(), &[name.clone(), name]);
    assert_eq!(line.chars().count(), 160);
    assert!(line.ends_with('…'));
}

#[test]
fn usage_and_its_share_of_the_request_are_told_apart() {
    let say = |reason| {
        let decision = RecordedDecision { reasons: vec![reason], ..decision() };
        explain(&observation(), &decision, &needs()).reasons.remove(0)
    };
    let share = Reason::metric(Rule::MetricRatio, 0, 57_000, 50_000, 8);
    assert_eq!(say(share), "cpu at 57 % of the request against a target of 50 % of the request → 8");
    let usage = Reason::metric(Rule::WithinTolerance, 0, 612, 600, 7);
    assert_eq!(say(usage), "cpu at 0.612 cores against a target of 0.6 cores: within tolerance → 7");
    let neither = Reason::metric(Rule::BetweenWatermarks, 0, 57_500, 0, 7);
    assert_eq!(say(neither), "cpu at 57.5 between the watermarks → 7");
    assert_eq!(say(Reason::of(Rule::Schedule, 3)), "no entry of the schedule is active → 3");
}
