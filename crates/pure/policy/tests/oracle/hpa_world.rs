//! The world that answers the decisions, twin of `hpa/world.go`.

use homeostat_core::observe::{FetchError, Phase, Readiness, ReplicaView, Sample};
use homeostat_core::{Instant, Observation, Reading, ReplicaId, Span};

use crate::draw::{Digest, Draws};
use crate::hpa_setup::{EXTERNAL_AVERAGE, EXTERNAL_VALUE, MetricSetup, OBJECT_AVERAGE, Setup};

const SYNC_MS: i64 = 15_000;
/// 2000-01-01T00:00:00Z in milliseconds: the time of the first sync.
const BASE_MS: i64 = 946_684_800_000;

#[derive(Clone, Copy, PartialEq)]
enum End {
    Running,
    Failed,
    Succeeded,
}

#[expect(clippy::struct_excessive_bools, reason = "independent facts of a pod")]
struct Pod {
    id: i64,
    placed: i64,
    starts: i64,
    ready_at: i64,
    end: End,
    deleting: bool,
    gone_at: i64,
    no_condition: bool,
    no_start_time: bool,
    became_ready: bool,
    ready: bool,
    since: i64,
}

impl Pod {
    fn live(&self) -> bool {
        !self.deleting && self.end == End::Running
    }

    fn phase(&self, now: i64) -> Phase {
        match self.end {
            End::Failed => Phase::Failed,
            End::Succeeded => Phase::Succeeded,
            End::Running if now >= self.starts => Phase::Running,
            End::Running => Phase::Pending,
        }
    }

    fn phase_number(&self, now: i64) -> i64 {
        match self.phase(now) {
            Phase::Pending => 0,
            Phase::Running => 1,
            Phase::Failed => 2,
            Phase::Succeeded => 3,
        }
    }

    fn started(&self, now: i64) -> bool {
        now >= self.placed && !self.no_start_time
    }

    fn known(&self, now: i64) -> bool {
        now >= self.placed && !self.no_condition
    }

    fn view(&self, now: i64) -> ReplicaView {
        ReplicaView {
            id: ReplicaId(self.id as u64),
            phase: self.phase(now),
            started_at: self.started(now).then(|| at(self.placed)),
            readiness: self.known(now).then(|| Readiness { ready: self.ready, since: at(self.since) }),
            deleting: self.deleting,
        }
    }
}

struct Value {
    pod: i64,
    milli: i64,
    at: i64,
    window: i64,
}

enum Answer {
    Samples(Vec<Value>),
    Totals(Vec<i64>),
    Failed(i64),
}

pub(crate) struct World {
    d: Draws,
    pub(crate) setup: Setup,
    pub(crate) digest: Digest,
    now: i64,
    pub(crate) spec: i64,
    status: i64,
    pods: Vec<Pod>,
    last_id: i64,
    demand: i64,
    fail_until: Vec<i64>,
    answers: Vec<(usize, Answer)>,
}

/// A time of the world as the policy sees it.
fn at(ms: i64) -> Instant {
    Instant((BASE_MS + ms) as u64 * 1_000_000)
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut d = Draws(seed);
        let mut digest = Digest::new();
        let setup = Setup::draw(&mut d);
        setup.hash(&mut digest);
        let mut spec = 1 + d.below(setup.max);
        if d.chance(8) {
            spec = d.below(setup.max + 4);
        }
        let demand = d.below(setup.max * 130 + 50);
        let fail_until = vec![0; setup.metrics.len()];
        let mut world = Self {
            d,
            setup,
            digest,
            now: 0,
            spec,
            status: 0,
            pods: Vec::new(),
            last_id: 0,
            demand,
            fail_until,
            answers: Vec::new(),
        };
        for _ in 0..spec {
            world.new_pod();
            let age = world.d.below(900) * 1000;
            let pod = world.pods.last_mut().unwrap();
            pod.placed -= age;
            pod.starts -= age;
            pod.ready_at -= age;
            pod.since -= age;
        }
        world
    }

    fn new_pod(&mut self) {
        self.last_id += 1;
        let placed = self.now + self.d.pick(&[0, 0, 1, 7]) * 1000;
        let starts = placed + self.d.below(40) * 1000;
        let ready_at = starts + self.d.below(60) * 1000;
        let (no_condition, no_start_time) = (self.d.chance(2), self.d.chance(2));
        self.pods.push(Pod {
            id: self.last_id,
            placed,
            starts,
            ready_at,
            end: End::Running,
            deleting: false,
            gone_at: 0,
            no_condition,
            no_start_time,
            became_ready: false,
            ready: false,
            since: placed,
        });
    }

    /// Moves the world to sync `k` and draws what the policy will see there.
    pub(crate) fn tick(&mut self, k: i64) {
        self.now = k * SYNC_MS;
        let hand = 2 + 8 * i64::from(self.spec == 0);
        if k > 0 && self.d.chance(hand) {
            self.spec = if self.d.below(4) == 0 { 0 } else { self.d.below(self.setup.max + 5) };
        }
        self.reconcile(k);
        for i in 0..self.pods.len() {
            self.live(i, k);
        }
        self.status = self.alive();
        self.load(k);
        self.hash();
    }

    fn alive(&self) -> i64 {
        self.pods.iter().filter(|pod| pod.live()).count() as i64
    }

    fn reconcile(&mut self, k: i64) {
        self.pods.retain(|pod| pod.live() || pod.gone_at > k);
        let mut alive = self.alive();
        for pod in self.pods.iter_mut().rev() {
            if alive > self.spec && pod.live() {
                pod.deleting = true;
                pod.gone_at = k + 1 + self.d.below(3);
                alive -= 1;
            }
        }
        for _ in 0..(self.spec - alive).min(self.setup.create_rate) {
            self.new_pod();
        }
    }

    fn live(&mut self, i: usize, k: i64) {
        let (pod, now) = (&mut self.pods[i], self.now);
        if !pod.became_ready && now >= pod.ready_at {
            pod.became_ready = true;
            pod.ready = true;
            pod.since = pod.ready_at;
        }
        if !pod.live() {
            return;
        }
        match self.d.below(1000) {
            0..8 => {
                pod.end = End::Failed;
                pod.gone_at = k + 1 + self.d.below(4);
            }
            8..12 => {
                pod.end = End::Succeeded;
                pod.gone_at = k + 1 + self.d.below(4);
            }
            12..40 if pod.became_ready => {
                pod.ready = !pod.ready;
                pod.since = now - self.d.below(15) * 1000;
            }
            _ => {}
        }
    }

    fn load(&mut self, k: i64) {
        if self.d.chance(10) {
            self.demand = self.d.below(self.setup.max * 130 + 50);
        }
        if self.d.chance(4) {
            self.demand = 0;
        }
        let ready = self.pods.iter().filter(|p| p.phase(self.now) == Phase::Running && p.ready).count();
        let mut level = self.demand / (ready as i64).max(1);
        let exact = self.d.chance(15);
        if exact {
            level = self.d.pick(&[90, 95, 100, 105, 110, 111]);
        }
        self.answers.clear();
        for i in 0..self.setup.metrics.len() {
            let metric = self.setup.metrics[i];
            let same = |m: &MetricSetup| m.question().is_some() && m.question() == metric.question();
            let answer = match self.setup.metrics[..i].iter().position(same) {
                Some(earlier) => (self.answers[earlier].0, Answer::Totals(Vec::new())),
                None => (i, self.read(i, metric, k, level, exact)),
            };
            self.answers.push(answer);
        }
    }

    fn read(&mut self, i: usize, m: MetricSetup, k: i64, level: i64, exact: bool) -> Answer {
        if self.d.chance(3) {
            self.fail_until[i] = k + 1 + self.d.below(4);
        }
        if k < self.fail_until[i] {
            return Answer::Failed(2 + self.d.below(2));
        }
        if m.per_target() {
            return Answer::Totals(self.read_total(m, level, exact));
        }
        Answer::Samples(self.read_pods(self.setup.per_pod(&m), level, exact))
    }

    fn noise(&mut self, value: i64, exact: bool) -> i64 {
        if exact { value } else { value * (90 + self.d.below(21)) / 100 }
    }

    fn read_total(&mut self, m: MetricSetup, level: i64, exact: bool) -> Vec<i64> {
        let mut value = m.target * level / 100;
        if m.kind == OBJECT_AVERAGE || m.kind == EXTERNAL_AVERAGE {
            value = m.target * self.demand / 100;
            if exact {
                value = m.target * self.status * level / 100;
            }
        }
        value = self.noise(value, exact);
        if m.kind < EXTERNAL_VALUE {
            return vec![value];
        }
        let mut totals = Vec::new();
        for _ in 0..self.d.below(3) {
            totals.push(value / 2);
            value -= value / 2;
        }
        totals.push(value);
        if self.d.chance(3) {
            totals.push(-(1 + self.d.below(m.target)));
        }
        if self.d.chance(1) && self.spec > 0 {
            totals.push(i64::MAX - self.d.below(3));
            totals.push(1 + self.d.below(100));
        }
        totals
    }

    fn read_pods(&mut self, per_pod: i64, level: i64, exact: bool) -> Vec<Value> {
        let mut values = Vec::new();
        for i in 0..self.pods.len() {
            let pod = self.pods[i].id;
            let odds = match self.pods[i].phase(self.now) {
                Phase::Pending => 10,
                Phase::Running => 100 - self.setup.missing,
                Phase::Failed | Phase::Succeeded => 30,
            };
            if self.d.chance(odds) {
                let milli = self.noise(per_pod * level / 100, exact);
                let at = self.now - self.d.below(60) * 1000 - self.d.below(2) * 500;
                let window = self.d.pick(&[15, 30, 60]) * 1000;
                values.push(Value { pod, milli, at, window });
            }
        }
        if self.d.chance(2) {
            values.push(Value { pod: 1_000_000, milli: per_pod, at: self.now, window: 15_000 });
        }
        values
    }

    fn hash(&mut self) {
        let (h, now) = (&mut self.digest, self.now);
        h.put(&[now, self.spec, self.status, self.pods.len() as i64]);
        for p in &self.pods {
            h.put(&[p.id, p.phase_number(now), i64::from(p.started(now)), p.placed]);
            h.put(&[i64::from(p.known(now)), i64::from(p.ready), p.since]);
            h.put(&[i64::from(p.deleting)]);
        }
        for i in 0..self.answers.len() {
            match &self.answers[self.answers[i].0].1 {
                Answer::Failed(kind) => h.put(&[*kind, 0, 0]),
                Answer::Totals(totals) => {
                    h.put(&[1, 0, totals.len() as i64]);
                    h.put(totals);
                }
                Answer::Samples(values) => {
                    h.put(&[0, values.len() as i64, 0]);
                    for v in values {
                        h.put(&[v.pod, v.milli, v.at, v.window]);
                    }
                }
            }
        }
    }

    pub(crate) fn observation(&self) -> Observation {
        let reading = |i: usize| match &self.answers[self.answers[i].0].1 {
            Answer::Failed(2) => Reading::Failed(FetchError::Unavailable),
            Answer::Failed(_) => Reading::Failed(FetchError::Empty),
            Answer::Totals(milli) => Reading::Total { milli: milli.clone(), at: at(self.now) },
            Answer::Samples(values) => Reading::PerReplica(values.iter().map(sample).collect()),
        };
        Observation {
            at: at(self.now),
            desired: self.spec as u32,
            current: self.status as u32,
            replicas: self.pods.iter().map(|pod| pod.view(self.now)).collect(),
            readings: (0..self.answers.len()).map(reading).collect(),
        }
    }
}

fn sample(v: &Value) -> Sample {
    Sample {
        replica: ReplicaId(v.pod as u64),
        milli: v.milli,
        at: at(v.at),
        window: Span::from_millis(v.window as u64),
    }
}
