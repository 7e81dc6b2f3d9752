//! Records with known parameters: the twin under an autoscaler, sampled and made noisy. For tests and the
//! table of docs/calibration.md.

use homeostat_core::draw::Key;
use homeostat_core::guard::Bounds;
use homeostat_core::observe::Reading;
use homeostat_core::{Controller, Decision, GuardProfile, Instant, Observation, Span, num};
use homeostat_policy::spec::{HpaForm, PolicySpec};
use homeostat_twin::scenario::{
    Bursts, Client, Constant, Duration, Generated, MeanCv, Metrics, Objective, Server, Service, Source,
    StartUp, Traffic,
};
use homeostat_twin::{Recorder, Scenario, Simulation, workload};

use crate::record::{Record, SHARES, Sample};

/// A world with known parameters.
#[derive(Debug, Clone)]
pub struct Truth {
    /// How a replica serves.
    pub server: Server,
    /// Mean work in milliseconds.
    pub mean_ms: u64,
    /// Its coefficient of variation.
    pub cv: f64,
    /// Mean start-up in seconds.
    pub start_up_s: u64,
    /// Mean load as work of this many replicas.
    pub replicas: f64,
    /// CPU target of the autoscaler in percent.
    pub target: i32,
    /// Flash crowds a day.
    pub crowds: f64,
    /// Length in hours.
    pub hours: u64,
    /// Seed.
    pub seed: u64,
    /// Relative noise of every value but the counts.
    pub noise: f64,
}

impl Truth {
    /// The scenario: `services[0]` has the known parameters.
    pub fn scenario(&self) -> Scenario {
        let service = Service {
            name: "model".to_owned(),
            server: self.server,
            service_time: Duration::LogNormal(MeanCv { mean: Span::from_millis(self.mean_ms), cv: self.cv }),
            balancer: homeostat_twin::scenario::Balancer::PowerOfTwo,
            replicas: Bounds { min: 1, max: 400 },
            initial: None,
            start_up: StartUp {
                model_load: Duration::LogNormal(MeanCv { mean: Span::from_secs(self.start_up_s), cv: 0.3 }),
                ..StartUp::default()
            },
            drain: Span::from_secs(30),
            cpu_milli: 1_000,
            memory_mib: 1_024,
            memory_limit_mib: None,
            leak: None,
            memory: homeostat_twin::scenario::Memory::default(),
            cold: None,
            price_per_hour: 1.0,
            then: Vec::new(),
        };
        let mean_rps = self.replicas * service.capacity_per_second();
        let bursts = |per_day, height, minutes| Bursts { per_day, height, lasts: Span::MINUTE * minutes };
        let source = Source::Generate(Generated {
            length: Span::HOUR * self.hours,
            mean_rps,
            daily: 0.5,
            bursts: bursts(20.0, 0.4, 5),
            flash_crowds: bursts(self.crowds, 1.5, 20),
            ..Generated::default()
        });
        Scenario {
            currency: None,
            version: homeostat_twin::scenario::SCENARIO_VERSION,
            name: "known".to_owned(),
            description: String::new(),
            traffic: Traffic {
                source,
                scale: None,
                resample: None,
                tokens: None,
                part: None,
                skip: Span::ZERO,
                take: None,
            },
            objective: Objective { latency: Span::from_millis(self.mean_ms * 5), attainment: 0.99 },
            client: Client { timeout: Span::from_secs(60), ..Client::default() },
            services: vec![service],
            metrics: Metrics {
                scrape: Span::from_secs(15),
                window: Span::MINUTE,
                delay: Span::ZERO,
                ..Metrics::default()
            },
            nodes: Vec::new(),
            faults: Vec::new(),
            warm_up: Some(Span::ZERO),
            policies: Vec::new(),
            validation: None,
        }
    }

    /// The record of a run: a sample a minute.
    pub fn record(&self) -> Record {
        let scenario = self.scenario();
        let Source::Generate(spec) = &scenario.traffic.source else { unreachable!("set above") };
        let rates = workload::generate(spec, Key::root(self.seed));
        let first = rates.first().copied().unwrap_or(1.0);
        let stream = workload::series(spec.step, rates);
        let form = HpaForm::cpu(self.target);
        let initial = (first / scenario.services[0].capacity_per_second() / 0.6).ceil().max(1.0) as u32;
        let mut keep = Keep::default();
        let outcome = run(&scenario, &PolicySpec::Hpa(form), initial, self.seed, stream, &mut keep);
        let key = Key::root(self.seed).child("noise");
        let Some(meter) = outcome.meter else { return Record::default() };
        let minutes = (outcome.span.0 / Span::MINUTE.0) as usize;
        let samples = meter.windows().iter().take(minutes).enumerate().map(|(i, window)| {
            let mut draws = key.at(i as u64);
            let mut noisy =
                |x: f64| x * num::exp(self.noise * draws.normal() - 0.5 * self.noise * self.noise);
            let at = Instant::ZERO + Span::MINUTE * i as u64;
            let known = window.requests > 0;
            let seconds = |k: usize| match k {
                0 => known.then(|| window.total_ns as f64 / 1e9 / window.requests as f64),
                _ => window.times.quantile_within_s(SHARES[k]),
            };
            let (ready, desired, cpu) = keep.minute(at);
            Sample {
                at,
                span: Span::MINUTE,
                rate: Some(noisy(window.requests as f64 / 60.0)),
                ready,
                desired,
                latency_s: std::array::from_fn(|k| seconds(k).map(&mut noisy)),
                cpu_share: cpu.map(|cpu| noisy(cpu).min(1.0)),
                attained: known.then(|| window.met as f64 / window.requests as f64),
                saturated: None,
            }
        });
        Record { samples: samples.collect() }
    }
}

/// The 99th percentile in milliseconds of a service at a constant utilisation with this many replicas.
pub fn held_out_p99_ms(scenario: &Scenario, rps: f64, replicas: u32, seed: u64) -> Option<f64> {
    let stream = workload::constant(Constant { rps, length: Span::HOUR * 2 });
    let policy =
        PolicySpec::Static(homeostat_policy::fixed::FixedSpec { replicas: Some(replicas), headroom: None });
    run(scenario, &policy, replicas, seed, stream, &mut homeostat_twin::Silent).p99_ms
}

fn run(
    scenario: &Scenario,
    policy: &PolicySpec,
    initial: u32,
    seed: u64,
    stream: homeostat_core::load::LoadStream,
    recorder: &mut dyn Recorder,
) -> homeostat_twin::Outcome {
    let service = &scenario.services[0];
    let failed = |what: &dyn std::fmt::Display| -> ! { unreachable!("a known world runs: {what}") };
    let outlook = scenario.outlook(Instant::ZERO, 1.0);
    let policy = service.policy(policy, &outlook).unwrap_or_else(|e| failed(&e));
    let controller = Controller::new(vec![policy], GuardProfile::bounds_only(), service.replicas);
    let made = Simulation::new(scenario, seed, vec![controller], &[initial], stream);
    let simulation = made.unwrap_or_else(|e| failed(&e)).with_meter(Span::MINUTE);
    simulation.run(recorder, &mut |_| false).unwrap_or_else(|e| failed(&e))
}

/// What a decision saw and did.
#[derive(Debug, Clone, Copy)]
struct Row {
    at: Instant,
    /// Ready replicas on average since the decision before.
    ready: f64,
    desired: u32,
    cpu: Option<f64>,
}

/// All decisions.
#[derive(Debug, Default)]
struct Keep(Vec<Row>);

impl Recorder for Keep {
    fn decided(&mut self, _: usize, seen: &Observation, decision: &Decision) -> Result<(), String> {
        let cpu = seen.readings.iter().find_map(|reading| match reading {
            Reading::PerReplica(samples) if !samples.is_empty() => {
                let sum: f64 = samples.iter().map(|s| s.milli as f64).sum();
                // A CPU request of one core is a thousand thousandths of a core.
                Some(sum / samples.len() as f64 / 1e3)
            }
            _ => None,
        });
        let before = self.0.last().map_or(Instant::ZERO, |row| row.at);
        let part = |since: Instant| {
            seen.at.since(since.max(before)).as_secs_f64() / seen.at.since(before).as_secs_f64().max(1e-9)
        };
        let ready = seen.replicas.iter().filter(|r| r.is_ready()).filter_map(|r| r.readiness);
        let ready = ready.map(|r| part(r.since)).sum();
        self.0.push(Row { at: seen.at, ready, desired: decision.order.get().replicas, cpu });
        Ok(())
    }
}

impl Keep {
    /// Ready and desired on average over the minute, and CPU as read at its end.
    fn minute(&self, at: Instant) -> (Option<f64>, Option<f64>, Option<f64>) {
        let end = at + Span::MINUTE;
        let from = self.0.partition_point(|k| k.at < at);
        let to = self.0.partition_point(|k| k.at < end);
        let (after, before) = (self.0.get(from..to), self.0.get(from + 1..to + 1));
        let mean = |rows: Option<&[Row]>, f: fn(&Row) -> f64| {
            let rows = rows.filter(|rows| !rows.is_empty())?;
            Some(rows.iter().map(f).sum::<f64>() / rows.len() as f64)
        };
        (mean(before, |r| r.ready), mean(after, |r| f64::from(r.desired)), self.0.get(to).and_then(|r| r.cpu))
    }
}
