//! Settings and world of one history, twins of `kpa/setup.go` and `kpa/world.go`.

use homeostat_core::observe::{FetchError, Phase, Readiness, ReplicaView, Sample};
use homeostat_core::{Instant, Observation, Reading, ReplicaId, Span};
use homeostat_policy::kpa::{KpaMetric, KpaSpec};

use crate::draw::{Digest, Draws};

/// Stands for a setting that is left out.
const ABSENT: i64 = -1;
/// 2000-01-01T00:00:00Z in milliseconds: the time of second 0.
const BASE_MS: i64 = 946_684_800_000;

pub(crate) struct Setup {
    pub(crate) seconds: i64,
    rps: bool,
    to_zero: bool,
    concurrency: i64,
    target: i64,
    percent: i64,
    window: i64,
    panic_window: i64,
    panicked: i64,
    up_rate: i64,
    down_rate: i64,
    burst: i64,
    delay: i64,
    grace: i64,
    keep: i64,
    min: i64,
    max: i64,
    activation: i64,
    initial: i64,
    deadline: i64,
    start: i64,
    start_delay: i64,
    level: i64,
}

impl Setup {
    fn draw(d: &mut Draws) -> Self {
        // Fields are drawn in the order in which they stand here.
        Self {
            seconds: 150 + d.below(250),
            rps: d.chance(25),
            to_zero: !d.chance(10),
            concurrency: d.pick(&[0, 0, 1, 10, 100]),
            target: if d.chance(60) { 1 + d.below(200) } else { ABSENT },
            percent: if d.chance(30) { 10 + d.below(91) } else { ABSENT },
            window: d.pick(&[60, 60, 6, 10, 30, 90]),
            panic_window: d.pick(&[10, 10, 1, 5, 20, 100]),
            panicked: d.pick(&[200, 200, 110, 150, 400, 1000]),
            up_rate: d.pick(&[1_000_000, 1_000_000, 1100, 2000, 10_000]),
            down_rate: d.pick(&[2000, 2000, 1100, 10_000]),
            burst: d.pick(&[211, 211, 0, -1, 20, 1000]),
            delay: d.pick(&[0, 0, 0, 10, 31, 60]),
            grace: d.pick(&[30, 30, 1, 6, 60]),
            keep: d.pick(&[0, 0, 0, 30, 90]),
            min: d.pick(&[0, 0, 0, 0, 1, 2]),
            max: d.pick(&[0, 0, 5, 10, 50]),
            activation: d.pick(&[ABSENT, ABSENT, ABSENT, 1, 2, 4]),
            initial: d.pick(&[ABSENT, ABSENT, 1, 2, 3]),
            deadline: d.pick(&[600, 600, 1, 20]),
            start: d.pick(&[0, 1, 1, 2, 3, 8]),
            start_delay: d.pick(&[0, 1, 2, 5, 20, 60]),
            level: 1000 * (1 + d.below(100)),
        }
    }

    fn hash(&self, h: &mut Digest) {
        h.put(&[self.seconds, i64::from(self.rps), i64::from(self.to_zero)]);
        h.put(&[self.concurrency, self.target, self.percent, self.window, self.panic_window]);
        h.put(&[self.panicked, self.up_rate, self.down_rate, self.burst, self.delay, self.grace]);
        h.put(&[self.keep, self.min, self.max, self.activation, self.initial, self.deadline]);
        h.put(&[self.start, self.start_delay, self.level]);
    }

    pub(crate) fn spec(&self) -> KpaSpec {
        let seconds = |s: i64| Span::from_secs(s as u64);
        let or_one = |count: i64| if count == ABSENT { 1 } else { count as i32 };
        KpaSpec {
            metric: if self.rps { KpaMetric::Rps } else { KpaMetric::Concurrency },
            container_concurrency: self.concurrency as u32,
            target: (self.target != ABSENT).then_some(self.target as f64),
            target_utilization_percentage: if self.percent == ABSENT { 70.0 } else { self.percent as f64 },
            stable_window: seconds(self.window),
            panic_window_percentage: self.panic_window as f64,
            panic_threshold_percentage: self.panicked as f64,
            max_scale_up_rate: self.up_rate as f64 / 1000.0,
            max_scale_down_rate: self.down_rate as f64 / 1000.0,
            target_burst_capacity: self.burst as f64,
            scale_down_delay: seconds(self.delay),
            scale_to_zero_grace_period: seconds(self.grace),
            scale_to_zero_pod_retention_period: seconds(self.keep),
            min_scale: self.min as i32,
            max_scale: self.max as i32,
            activation_scale: or_one(self.activation),
            initial_scale: or_one(self.initial),
            enable_scale_to_zero: self.to_zero,
            progress_deadline: seconds(self.deadline),
        }
    }
}

struct Pod {
    id: i64,
    ready_at: i64,
    broken: bool,
}

pub(crate) struct World {
    d: Draws,
    pub(crate) setup: Setup,
    pub(crate) digest: Digest,
    now: i64,
    pub(crate) spec: i64,
    pods: Vec<Pod>,
    last_id: i64,
    load: i64,
    scraped: i64,
    samples: Vec<(i64, i64)>,
    activator: i64,
    proxied: i64,
}

fn at(ms: i64) -> Instant {
    Instant((BASE_MS + ms) as u64 * 1_000_000)
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut d = Draws(seed);
        let mut digest = Digest::new();
        let setup = Setup::draw(&mut d);
        setup.hash(&mut digest);
        let load = d.below(setup.level);
        let spec = setup.start;
        let mut world = Self {
            d,
            setup,
            digest,
            now: 0,
            spec,
            pods: Vec::new(),
            last_id: 0,
            load,
            scraped: 2,
            samples: Vec::new(),
            activator: 0,
            proxied: 0,
        };
        for _ in 0..spec {
            world.new_pod(0);
        }
        world
    }

    fn new_pod(&mut self, delay: i64) {
        self.last_id += 1;
        self.pods.push(Pod { id: self.last_id, ready_at: self.now + delay, broken: false });
    }

    fn is_ready(&self, pod: &Pod) -> bool {
        self.now >= pod.ready_at && !pod.broken
    }

    fn ready(&self) -> i64 {
        self.pods.iter().filter(|pod| self.is_ready(pod)).count() as i64
    }

    /// Moves the world to second `k` and draws what is seen there.
    pub(crate) fn tick(&mut self, k: i64) {
        self.now = k;
        self.pods.truncate(self.spec as usize);
        while (self.pods.len() as i64) < self.spec {
            let delay = self.setup.start_delay + self.d.below(3);
            self.new_pod(delay);
        }
        for pod in &mut self.pods {
            if self.d.below(500) == 0 {
                pod.broken = !pod.broken;
            } else if pod.broken && self.d.chance(10) {
                pod.broken = false;
            }
        }
        self.draw_load();
        self.measure(k);
        self.hash();
    }

    fn draw_load(&mut self) {
        match self.d.below(100 + 300 * i64::from(self.load == 0)) {
            0 | 1 => self.load = 0,
            2 | 3 => self.load = self.d.below(self.setup.level),
            4 => self.load = self.d.below(20 * self.setup.level),
            5 => self.load = self.d.below(1000),
            _ => {}
        }
    }

    /// Draws the scrape at second `k` and the activator's message a quarter second later.
    fn measure(&mut self, k: i64) {
        let ready = self.ready();
        let mut through = self.load;
        if ready > 0 {
            through = 0;
            if self.d.chance(25) {
                through = self.load * self.d.below(101) / 100;
            }
        }
        self.activator = through * (80 + self.d.below(41)) / 100;
        self.proxied = through * (80 + self.d.below(41)) / 100;
        if k == 0 {
            (self.activator, self.proxied) = (0, 0);
        }
        self.samples.clear();
        self.scraped = 2;
        if ready == 0 || k == 0 {
            return;
        }
        self.scraped = i64::from(self.d.chance(3));
        if self.scraped == 1 {
            return;
        }
        let each = (self.load - through) / ready;
        for i in 0..self.pods.len() {
            if self.is_ready(&self.pods[i]) {
                let value = each * (70 + self.d.below(61)) / 100;
                self.samples.push((self.pods[i].id, value));
            }
        }
    }

    fn hash(&mut self) {
        let ready: Vec<_> = self.pods.iter().map(|pod| (pod.id, i64::from(self.is_ready(pod)))).collect();
        let h = &mut self.digest;
        h.put(&[self.now, self.spec, self.pods.len() as i64]);
        for (id, ready) in ready {
            h.put(&[id, ready]);
        }
        h.put(&[self.scraped, self.activator, self.proxied, self.samples.len() as i64]);
        for (pod, milli) in &self.samples {
            h.put(&[*pod, *milli]);
        }
    }

    /// What is seen in the middle of the present second.
    pub(crate) fn observation(&self) -> Observation {
        let now = self.now * 1000;
        let view = |pod: &Pod| ReplicaView {
            id: ReplicaId(pod.id as u64),
            phase: Phase::Running,
            started_at: Some(at(0)),
            readiness: Some(Readiness { ready: self.is_ready(pod), since: at(0) }),
            deleting: false,
        };
        let sample = |(pod, milli): &(i64, i64)| Sample {
            replica: ReplicaId(*pod as u64),
            milli: *milli,
            at: at(now),
            window: Span::SECOND,
        };
        let pods = match self.scraped {
            1 => Reading::Failed(FetchError::Unavailable),
            _ => Reading::PerReplica(self.samples.iter().map(sample).collect()),
        };
        let message = |milli| Reading::Total { milli: vec![milli], at: at(now + 250) };
        let mut readings = vec![pods, message(self.activator)];
        if self.setup.rps {
            readings.push(message(self.proxied));
        }
        Observation {
            at: at(now + 500),
            desired: self.spec as u32,
            current: self.pods.len() as u32,
            replicas: self.pods.iter().map(view).collect(),
            readings,
        }
    }
}
