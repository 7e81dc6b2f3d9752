//! Made-up results with the shape of real ones: a day and a week, bursts, policies that lag.

use homeostat_report::{
    BoundPoint, DecisionMark, Demand, Envelope, Forecast, Objective, PolicyReport, ReportData, Series,
    Summary, TraceFacts,
};

/// Length of a window, in seconds.
const STEP_S: f64 = 60.0;
/// Requests per second that keep one replica busy.
const RATE_PER_REPLICA: f64 = 5.0;

/// A random number between 0 and 1 that depends on nothing but its arguments.
fn noise(seed: u64, i: u64) -> f64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(i.wrapping_mul(0xbf58_476d_1ce4_e5b9));
    z = (z ^ (z >> 30)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z = (z ^ (z >> 27)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Name, source, guards, head-room over demand, lag in windows, hold before scaling down in windows.
type Kind = (&'static str, &'static str, &'static str, f64, usize, usize);

const KINDS: [Kind; 12] = [
    ("hpa-cpu-50", "Kubernetes HPA 1.33", "bounds only", 2.0, 4, 5),
    ("hpa-cpu-80", "Kubernetes HPA 1.33", "bounds only", 1.25, 4, 5),
    ("hpa-tuned", "Kubernetes HPA 1.33, swept", "bounds only", 1.52, 3, 15),
    ("kpa", "Knative KPA 1.17", "bounds only", 1.43, 1, 1),
    ("keda-cron", "KEDA 2.17", "bounds only", 1.7, 0, 60),
    ("static-peak", "tuned static count", "bounds only", 0.0, 0, 0),
    ("target-tracking", "homeostat", "standard", 1.4, 2, 5),
    ("predictive-seasonal", "homeostat", "standard", 1.38, 0, 6),
    ("predictive-hybrid", "homeostat", "standard", 1.32, 0, 4),
    ("predictive-hybrid (bounds only)", "homeostat", "bounds only", 1.3, 0, 3),
    ("queue-length", "homeostat", "standard", 1.6, 1, 8),
    ("learned-ppo-v2", "homeostat learn", "standard", 1.22, 1, 2),
];

fn demand_at(i: usize) -> f64 {
    let t = i as f64 * STEP_S;
    let hour = t / 3600.0 % 24.0;
    let weekday = (t / 86_400.0) as u64 % 7;
    let day = 0.55 - 0.45 * ((hour - 3.0) / 24.0 * std::f64::consts::TAU).cos();
    let weekend = if weekday >= 5 { 0.6 } else { 1.0 };
    let surge = if (t / 86_400.0) as u64 == 40 && (18.0..21.0).contains(&hour) { 1.9 } else { 1.0 };
    let burst = if noise(7, i as u64 / 9) > 0.996 { 1.6 } else { 1.0 };
    36.0 * day * weekend * surge * burst * (0.96 + 0.08 * noise(3, i as u64)) + 2.0
}

/// Twelve policies over `days` days.
pub(crate) fn report(days: usize) -> ReportData {
    let count = days * 1440;
    let demand: Vec<f64> = (0..count).map(demand_at).collect();
    let policies: Vec<_> =
        KINDS.iter().enumerate().map(|(k, kind)| policy(k as u64, kind, &demand)).collect();
    let requests = demand.iter().map(|d| (d * RATE_PER_REPLICA * STEP_S) as u64).sum();
    ReportData {
        title: "World Cup front end: twelve autoscalers over sixty-six days".into(),
        scenario: "worldcup-120s".into(),
        description: "Web front end on one Deployment, start-up 120 s, 4 slots per replica, service time \
            log-normal with mean 200 ms; made-up data for looking at the page."
            .into(),
        command: "homeostat compare scenarios/worldcup-120s.yaml --report worldcup.html --seed 1".into(),
        generated_by: "homeostat 0.1.0".into(),
        objective: Objective { latency_ms: 1000.0, attainment: 0.999 },
        trace: TraceFacts {
            name: "worldcup98".into(),
            start_unix_s: Some(893_964_000),
            span_s: count as f64 * STEP_S,
            scored_from_s: 7200.0,
            requests,
        },
        cost_unit: "USD".into(),
        notes: vec![
            "The replay is open-loop: users do not slow down when the service does.".into(),
            "10 minutes of the trace are missing and were left out, not replayed as silence.".into(),
        ],
        bound: Some(bound(&demand)),
        demand: Demand {
            start_s: 0.0,
            step_s: STEP_S,
            mean_replicas: demand.iter().map(|d| *d as f32).collect(),
            peak_replicas: demand
                .iter()
                .enumerate()
                .map(|(i, d)| (d * (1.0 + 0.2 * noise(4, i as u64))) as f32)
                .collect(),
        },
        policies,
    }
}

fn bound(demand: &[f64]) -> Vec<BoundPoint> {
    let hours: f64 = demand.iter().sum::<f64>() * STEP_S / 3600.0;
    let curve = [(0.9, 0.96), (0.95, 1.0), (0.99, 1.05), (0.995, 1.07), (0.999, 1.12), (0.9999, 1.2)];
    let point = |(attainment, factor): (f64, f64)| BoundPoint {
        attainment,
        cost: hours * factor * 0.12,
        replica_hours: hours * factor,
        lower_cost: Some(hours * factor * 0.12 * 0.9),
    };
    curve.into_iter().map(point).collect()
}

fn wanted(kind: &Kind, demand: &[f64], i: usize) -> u32 {
    let &(_, _, _, headroom, lag, hold) = kind;
    if headroom == 0.0 {
        return 92;
    }
    let end = i.saturating_sub(lag);
    let recent = demand[end.saturating_sub(hold)..=end].iter().copied().fold(0.0, f64::max);
    let ahead = if lag == 0 { demand[(i + 8).min(demand.len() - 1)] } else { 0.0 };
    (recent.max(ahead) * headroom).ceil() as u32
}

fn policy(seed: u64, kind: &Kind, demand: &[f64]) -> PolicyReport {
    let mut series = Series { step_s: STEP_S, ..Series::default() };
    let (mut current, mut ready, mut starting) = (wanted(kind, demand, 0), Vec::new(), [0_u32; 2]);
    let mut now_ready = current;
    let mut decisions = Vec::new();
    for (i, &offered) in demand.iter().enumerate() {
        now_ready += starting[0];
        starting = [starting[1], 0];
        let target = wanted(kind, demand, i);
        let tolerance = f64::from(target.abs_diff(current)) / f64::from(current.max(1));
        if tolerance > 0.08 {
            decisions.push(decision(i, current, target, offered, kind));
            starting[1] = target.saturating_sub(now_ready + starting[0]);
            now_ready = now_ready.min(target);
            current = target;
        }
        ready.push(now_ready as f32);
        series.starting.push((starting[0] + starting[1]) as f32);
        series.desired.push(current as f32);
        serve(&mut series, seed, i, offered, f64::from(now_ready));
    }
    series.ready = Envelope::exact(ready);
    let summary = summary(&series, &decisions);
    let [name, source, guards] = [kind.0, kind.1, kind.2].map(str::to_owned);
    let forecasts = if kind.0.starts_with("predictive") { vec![forecast(seed, demand)] } else { Vec::new() };
    PolicyReport { name, guards, source, summary, series, decisions, forecasts, ..PolicyReport::default() }
}

/// A forecast that starts after an hour and misses a fifth at most.
fn forecast(seed: u64, demand: &[f64]) -> Forecast {
    let expected = |factor: f64| {
        let rate = |(i, offered): (usize, &f64)| {
            let error = 0.9 + 0.2 * noise(seed + 20, i as u64 / 30);
            (i >= 60).then_some((offered * RATE_PER_REPLICA * error * factor) as f32)
        };
        demand.iter().enumerate().map(rate).collect()
    };
    Forecast {
        service: "web".into(),
        ahead_s: 120.0,
        step_s: STEP_S,
        p5: expected(0.85),
        p50: expected(1.0),
        p95: expected(1.17),
        p99: expected(1.3),
        arrived: demand.iter().map(|offered| Some((offered * RATE_PER_REPLICA) as f32)).collect(),
        ..Forecast::default()
    }
}

fn decision(i: usize, from: u32, to: u32, offered: f64, kind: &Kind) -> DecisionMark {
    let text = format!(
        "{}: observed {offered:.1} busy replicas (15 s old), forecast 90 % interval {:.1} to {:.1} in 120 s; \
         proposal {to}; guard min-max unchanged; guard rate-limit unchanged",
        kind.0,
        offered * 0.9,
        offered * 1.2
    );
    DecisionMark { at_s: i as f64 * STEP_S, from, to, text }
}

fn serve(series: &mut Series, seed: u64, i: usize, offered: f64, ready: f64) {
    let load = offered * (1.0 + 0.1 * noise(seed, i as u64)) / ready.max(0.5);
    let requests = (offered * RATE_PER_REPLICA * STEP_S) as u64;
    let late = if load < 0.7 { 0.0 } else { (0.0002 * ((load - 0.7) * 28.0).exp()).min(0.9) };
    let failed = if load > 1.05 { ((load - 1.05) * 0.4).min(0.5) } else { 0.0 };
    let missed = ((late + failed).min(1.0) * requests as f64) as u64;
    let wait = 200.0 * (load * load / (1.02 - load.min(1.0)) / 4.0);
    let quantile = |service: f64, by: f64, share: f64| {
        (failed < share).then_some((service * (0.95 + 0.1 * noise(seed + 9, i as u64)) + wait * by) as f32)
    };
    series.requests.push(requests);
    series.missed.push(missed);
    series.failed.push((failed * requests as f64) as u64);
    series.p50_ms.push(quantile(141.0, 0.7, 0.5));
    series.p95_ms.push(quantile(560.0, 2.1, 0.05));
    series.p99_ms.push(quantile(820.0, 3.4, 0.01));
}

fn summary(series: &Series, decisions: &[DecisionMark]) -> Summary {
    let total = |values: &[u64]| values.iter().sum::<u64>() as f64;
    let requests = total(&series.requests);
    let paid = series.ready.min.iter().zip(&series.starting).map(|(a, b)| f64::from(a + b)).sum::<f64>();
    let hours = paid * STEP_S / 3600.0;
    let rising = |m: &DecisionMark| m.to > m.from;
    let flips = decisions.windows(2).filter(|w| rising(&w[0]) != rising(&w[1])).count() as f64;
    let middle = |values: &[Option<f32>]| {
        let mut known: Vec<f64> = values.iter().flatten().map(|v| f64::from(*v)).collect();
        known.sort_by(f64::total_cmp);
        known.get(known.len() / 2).copied()
    };
    let demand_hours = requests / RATE_PER_REPLICA / 3600.0;
    Summary {
        attainment: 1.0 - total(&series.missed) / requests,
        failed: total(&series.failed) / requests,
        p50_ms: middle(&series.p50_ms),
        p95_ms: middle(&series.p95_ms),
        p99_ms: if total(&series.failed) / requests > 0.01 { None } else { middle(&series.p99_ms) },
        replica_hours: hours,
        cost: hours * 0.12,
        monthly_cost: Some(hours * 0.12 / (series.desired.len() as f64 * STEP_S / 3600.0) * 730.0),
        cost_over_bound: Some(hours / (demand_hours * 1.12)),
        gap_closed: Some(0.25),
        scale_events: decisions.len() as u64,
        flips_per_hour: flips / (series.desired.len() as f64 * STEP_S / 3600.0),
        ci: [("cost".to_owned(), [hours * 0.119, hours * 0.121])].into(),
    }
}
