//! How fast the twin is, as ratios within one run: `cargo xtask bench [--long] [--rounds N]`.
//!
//! The yardstick is a bare queue loop compiled into this program: 20 replicas of 4 slots, power of two
//! choices, log-normal work, Poisson arrivals, a histogram, and nothing else. The others are whole twins.
//! Each round runs all in turn; medians of CPU seconds are compared.

#![allow(missing_docs, reason = "a program, not an interface")]
#![allow(clippy::unwrap_used, reason = "a benchmark may stop anywhere")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the process's CPU clock")]

use std::collections::VecDeque;
use std::process::Command;
use std::sync::Arc;

use homeostat_core::draw::Key;
use homeostat_core::{Controller, Decision, GuardProfile, Instant, Observation, Span, num};
use homeostat_policy::spec::PolicySpec;
use homeostat_twin::bound::{Demand, LowerBound, allowed};
use homeostat_twin::outcome::Histogram;
use homeostat_twin::scenario::{Constant, Duration, Generated, MeanCv};
use homeostat_twin::{Fluid, Outcome, Recorder, Scenario, ServiceCurve, Silent, Simulation, workload};
use serde_json::{Value, json};

/// Offered load of every contender: 70 % of 20 replicas of 4 slots with work of 200 ms.
const RATE: f64 = 0.7 * 20.0 * 4.0 / 0.2;

/// Runs about so many requests; returns how many requests, or visits, were done.
type Contender = fn(u64) -> u64;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let rounds = value(&args, "--rounds").and_then(|n| n.parse().ok()).unwrap_or(5);
    if let Some(name) = value(&args, "--only") {
        match name.as_str() {
            "fluid" => fluid(),
            "bound" => bounded(66),
            _ => only(name),
        }
        return;
    }
    let requests = 20_000_000;
    let contenders: [(&str, u64, Contender); 4] = [
        ("bare queue loop", requests, bare),
        ("twin: HPA, metrics pipeline", requests, plain),
        ("twin: and timeouts, retries, faults", requests / 2, troubled),
        ("twin: graph of five services (hops)", requests / 10, graph),
    ];
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); contenders.len()];
    let mut done = vec![0; contenders.len()];
    for _ in 0..rounds {
        for (i, (_, requests, run)) in contenders.iter().enumerate() {
            let before = cpu_seconds();
            done[i] = run(*requests);
            times[i].push(cpu_seconds() - before);
        }
    }
    let speed = |i: usize| done[i] as f64 / median(&times[i]) / 1e6;
    println!("| what | million per CPU-second | share of the bare loop |");
    println!("|---|---|---|");
    for (i, (name, ..)) in contenders.iter().enumerate() {
        println!("| {name} | {:.1} | {:.2} |", speed(i), speed(i) / speed(0));
    }
    peer(speed(1));
    fluid();
    bounded(if args.iter().any(|a| a == "--long") { 66 } else { 6 });
    linear(args.iter().any(|a| a == "--long"));
    println!("peak resident memory: {} MiB", peak_mib());
}

/// Runs one contender alone, for a profiler.
fn only(name: &str) {
    let run = [("bare", bare as Contender), ("plain", plain), ("troubled", troubled), ("graph", graph)];
    let (_, run) = run.iter().find(|(n, _)| *n == name).unwrap();
    let before = cpu_seconds();
    let done = run(30_000_000);
    println!("{name}: {:.1} million per CPU-second", done as f64 / (cpu_seconds() - before) / 1e6);
}

fn value<'a>(args: &'a [String], name: &str) -> Option<&'a String> {
    args.iter().position(|a| a == name).and_then(|i| args.get(i + 1))
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// CPU seconds of this process, from the scheduler's account.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

fn peak_mib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    line.split_whitespace().next().and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1_024
}

/// A replica of the bare loop.
struct Slots {
    free: [u64; 4],
    starts: VecDeque<u64>,
}

impl Slots {
    fn outstanding(&mut self, now: u64) -> usize {
        while self.starts.front().is_some_and(|start| *start <= now) {
            self.starts.pop_front();
        }
        self.free.iter().filter(|free| **free > now).count() + self.starts.len()
    }

    fn serve(&mut self, now: u64, work: u64) -> u64 {
        let slot = (0..4).min_by_key(|i| self.free[*i]).unwrap();
        let start = self.free[slot].max(now);
        if start > now {
            self.starts.push_back(start);
        }
        self.free[slot] = start + work;
        start + work
    }
}

fn bare(requests: u64) -> u64 {
    let mut replicas: Vec<Slots> = (0..20).map(|_| Slots { free: [0; 4], starts: VecDeque::new() }).collect();
    let mut draws = Key::root(1).at(0);
    let variance = num::ln(2.0);
    let (mu, sigma) = (num::ln(0.2e9) - variance / 2.0, variance.sqrt());
    let gap = 1e9 / RATE;
    let mut times = Histogram::<7>::default();
    let (mut now, mut met) = (0.0, 0_u64);
    for _ in 0..requests {
        now += gap * draws.exponential();
        let at = now as u64;
        let work = num::exp_fast(mu + sigma * draws.normal()) as u64;
        let bits = draws.bits();
        let first = (((bits >> 32) * 20) >> 32) as usize;
        let second = (((bits & 0xFFFF_FFFF) * 19) >> 32) as usize;
        let second = second + usize::from(second >= first);
        let better = replicas[second].outstanding(at) < replicas[first].outstanding(at);
        let finish = replicas[if better { second } else { first }].serve(at, work);
        times.add(Span(finish - at));
        met += u64::from(finish - at <= 1_000_000_000);
    }
    std::hint::black_box((times.quantile(0.99, 0), met));
    requests
}

fn service(name: &str, then: &Value) -> Value {
    json!({
        "name": name,
        "server": { "fcfs": { "slots": 4 } },
        "service_time": { "log_normal": { "mean": "200ms", "cv": 1.0 } },
        "replicas": { "min": 1, "max": 100 },
        "start_up": { "model_load": { "fixed": "60s" } },
        "then": then,
    })
}

fn scenario(client: &Value, faults: &Value, services: &Value) -> Scenario {
    let value = json!({
        "version": 1, "name": "bench", "warm_up": "1m",
        "traffic": { "source": { "constant": { "rps": 1.0, "length": "1h" } } },
        "objective": { "latency": "1s" },
        "client": client, "faults": faults, "services": services,
    });
    let scenario: Scenario = serde_json::from_value(value).unwrap();
    scenario.check().unwrap();
    scenario
}

/// Runs a scenario under an HPA that holds about 20 replicas; returns visits.
fn simulate(scenario: &Scenario, requests: u64) -> u64 {
    let policy: PolicySpec = serde_json::from_value(json!({ "hpa": { "cpu_percent": 70 } })).unwrap();
    let controllers = scenario.services.iter().map(|service| {
        let policy = service.policy(&policy, &scenario.outlook(Instant::ZERO, RATE)).unwrap();
        Controller::new(vec![policy], GuardProfile::bounds_only(), service.replicas)
    });
    let length = Span::from_secs_f64(requests as f64 / RATE);
    let stream = workload::constant(Constant { rps: RATE, length });
    let initial = vec![20; scenario.services.len()];
    let simulation = Simulation::new(scenario, 1, controllers.collect(), &initial, stream).unwrap();
    simulation.run(&mut Silent, &mut |_| false).unwrap().hops
}

fn plain(requests: u64) -> u64 {
    let services = json!([service("model", &json!([]))]);
    simulate(&scenario(&json!({}), &json!([]), &services), requests)
}

fn troubled(requests: u64) -> u64 {
    let client = json!({ "timeout": "3s", "retries": 2 });
    let faults = json!([
        { "kind": "crash", "every": "10m" },
        { "kind": { "slow": { "factor": 2.0, "lasts": "2m" } }, "every": "20m" },
    ]);
    let services = json!([service("model", &json!([]))]);
    simulate(&scenario(&client, &faults, &services), requests)
}

fn graph(requests: u64) -> u64 {
    let services = json!([
        service("front", &json!([["a", "b"], ["c"], ["d"]])),
        service("a", &json!([])),
        service("b", &json!([])),
        service("c", &json!([])),
        service("d", &json!([])),
    ]);
    simulate(&scenario(&json!({ "timeout": "30s" }), &json!([]), &services), requests)
}

/// Cost per request at growing lengths: linear if it doesn't grow.
fn linear(long: bool) {
    println!("\n| requests | ns of CPU per request |\n|---|---|");
    let lengths: &[u64] = if long {
        &[1_000_000, 10_000_000, 100_000_000, 1_000_000_000]
    } else {
        &[1_000_000, 10_000_000, 100_000_000]
    };
    for requests in lengths {
        let before = cpu_seconds();
        let hops = plain(*requests);
        println!("| {requests} | {:.1} |", (cpu_seconds() - before) * 1e9 / hops as f64);
    }
}

/// The proven bound for a load with a daily shape that keeps 20 replicas busy on average: the time to read
/// the requests, and the time to bound them at all attainments.
fn bounded(days: u32) {
    let services = json!([service("model", &json!([]))]);
    let scenario = scenario(&json!({}), &json!([]), &services);
    let generated = json!({
        "length": format!("{days}d"), "mean_rps": 20.0 * 4.0 / 0.2, "daily": 0.6,
        "bursts": { "per_day": 12, "height": 0.5, "lasts": "4m" },
        "flash_crowds": { "per_day": 0.7, "height": 2.0, "lasts": "30m" },
    });
    let generated: Generated = serde_json::from_value(generated).unwrap();
    let stream = workload::series(generated.step, workload::generate(&generated, Key::root(1)));
    let before = cpu_seconds();
    let demand = Demand::read(&scenario, 1, Span::DAY * u64::from(days), stream, &mut || false).unwrap();
    let read_s = cpu_seconds() - before;
    let requests = demand.requests();
    let attainments = [0.90, 0.95, 0.99, 0.995, 0.999, 0.9999, 1.0];
    let missed = attainments.map(|attainment| allowed(requests, attainment));
    let before = cpu_seconds();
    let bound = LowerBound::new(&scenario, &demand, &missed);
    let solve_s = cpu_seconds() - before;
    std::hint::black_box(bound.cost(missed[4]));
    println!("\n| bound over | requests | CPU s to read them | CPU s to bound | peak MiB so far |");
    println!("|---|---|---|---|---|");
    println!("| {days} days | {requests} | {read_s:.1} | {solve_s:.1} | {} |", peak_mib());
}

/// Rates beside requests: cost per decision, and how many times less than by request.
fn fluid() {
    println!(
        "\n| fluid run of a day | requests/s | replicas | µs per tick, without the policy | the policy's own | \
         times faster than by request | without the policy's own |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (name, policy) in
        [("static", json!({ "static": {} })), ("HPA", json!({ "hpa": { "cpu_percent": 70 } }))]
    {
        for (rate, replicas) in [(RATE, 20), (10_000.0, 20), (10_000.0, 714)] {
            fluid_at(name, &policy, rate, replicas);
        }
    }
}

/// A service whose work is such that this many replicas are used at 70 %.
fn fluid_at(name: &str, policy: &Value, rate: f64, initial: u32) {
    let services = json!([service("model", &json!([]))]);
    let mut scenario = scenario(&json!({}), &json!([]), &services);
    scenario.services[0].replicas.max = 2_000;
    let mean = Span::from_secs_f64(0.7 * 4.0 * f64::from(initial) / rate);
    scenario.services[0].service_time = Duration::LogNormal(MeanCv { mean, cv: 1.0 });
    let spec: PolicySpec = serde_json::from_value(policy.clone()).unwrap();
    let curve = Arc::new(ServiceCurve::measure(&scenario, 128, 1));
    let controllers = || {
        let service = &scenario.services[0];
        let policy = service.policy(&spec, &scenario.outlook(Instant::ZERO, rate / 0.7)).unwrap();
        vec![Controller::new(vec![policy], GuardProfile::bounds_only(), service.replicas)]
    };
    let load = |length| workload::constant(Constant { rps: rate, length });
    let timed = |run: &dyn Fn() -> Outcome| {
        let before = cpu_seconds();
        let outcome = run();
        (cpu_seconds() - before, outcome)
    };
    let short = Span::from_secs_f64(3e6 / rate).max(Span::MINUTE * 2);
    let (exact_s, exact) = timed(&|| {
        let new = Simulation::new(&scenario, 1, controllers(), &[initial], load(short)).unwrap();
        new.run(&mut Silent, &mut |_| false).unwrap()
    });
    let day = || Fluid::new(&scenario, 1, controllers(), &[initial], load(Span::DAY), &curve).unwrap();
    let (days_s, outcome) = timed(&|| {
        let days = (0..ROUNDS_SHORT).map(|_| day().run(&mut Silent, &mut |_| false).unwrap());
        days.collect::<Vec<_>>().pop().unwrap()
    });
    let mut watch = Watch::default();
    day().run(&mut watch, &mut |_| false).unwrap();
    // The policy's own time: the same decisions on the same observations, without a world.
    let before = cpu_seconds();
    for _ in 0..ROUNDS_SHORT {
        let mut alone = controllers().remove(0);
        for seen in &watch.0 {
            std::hint::black_box(alone.tick(seen));
        }
    }
    let own_us = (cpu_seconds() - before) * 1e6 / (ROUNDS_SHORT * watch.0.len().max(1)) as f64;
    // A policy that decides seldom still has a scrape every 15 s.
    let ticks = outcome.decisions.max(Span::DAY.0 / Span::from_secs(15).0) as f64;
    let own_us = own_us * outcome.decisions as f64 / ticks;
    let tick_us = days_s / ROUNDS_SHORT as f64 * 1e6 / ticks;
    let exact_us = exact_s * 1e6 * fluid_day(&exact) / ticks;
    println!(
        "| {name} | {rate:.0} | {initial} | {:.2} | {own_us:.2} | {:.0} | {:.0} |",
        (tick_us - own_us).max(0.0),
        exact_us / tick_us,
        (exact_us - own_us) / (tick_us - own_us).max(0.1),
    );
}

/// How many times a run fits into a day.
fn fluid_day(outcome: &Outcome) -> f64 {
    Span::DAY.as_secs_f64() / outcome.span.as_secs_f64()
}

/// Repetitions of what is too short to be timed once: a policy's decisions, a fluid day.
const ROUNDS_SHORT: usize = 20;

/// Keeps observations.
#[derive(Default)]
struct Watch(Vec<Observation>);

impl Recorder for Watch {
    fn decided(&mut self, _: usize, seen: &Observation, _: &Decision) -> Result<(), String> {
        if self.0.len() < 2_000 {
            self.0.push(seen.clone());
        }
        Ok(())
    }
}

/// The same queue in `SimPy`, where Python has it.
fn peer(ours: f64) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../testing/peers/simpy_queue.py");
    let python = std::env::var("HOMEOSTAT_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let output = Command::new(python).arg(script).output();
    let speed = output.ok().filter(|o| o.status.success());
    let speed = speed.and_then(|o| String::from_utf8_lossy(&o.stdout).trim().parse::<f64>().ok());
    match speed {
        Some(speed) => println!(
            "| SimPy, the same queue without metrics | {:.3} | {:.0} times slower than the twin |",
            speed / 1e6,
            ours * 1e6 / speed
        ),
        None => {
            println!("skipped: SimPy is not installed (pip install simpy; HOMEOSTAT_PYTHON names a Python)");
        }
    }
}
