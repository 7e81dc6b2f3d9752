//! The configuration of one history, twin of `hpa/setup.go`; and the manifest, twin of `hpa/objects.go`.

use homeostat_core::Span;
use homeostat_policy::hpa::{ContainerTemplate, ControllerFlags, PodTemplate, Requests};
use serde_json::{Value, json};

use crate::draw::{Digest, Draws};

pub(crate) const CPU_UTILIZATION: i64 = 0;
pub(crate) const MEMORY_UTILIZATION: i64 = 1;
pub(crate) const CPU_AVERAGE: i64 = 2;
pub(crate) const MEMORY_AVERAGE: i64 = 3;
pub(crate) const CONTAINER_CPU_UTILIZATION: i64 = 4;
pub(crate) const CONTAINER_MEMORY_UTILIZATION: i64 = 5;
pub(crate) const CONTAINER_CPU_AVERAGE: i64 = 6;
pub(crate) const PODS_AVERAGE: i64 = 7;
pub(crate) const OBJECT_VALUE: i64 = 8;
pub(crate) const OBJECT_AVERAGE: i64 = 9;
pub(crate) const EXTERNAL_VALUE: i64 = 10;
pub(crate) const EXTERNAL_AVERAGE: i64 = 11;
const METRIC_KINDS: i64 = 12;

const MEBIBYTE: i64 = 1 << 20;
/// Stands for a field that is left out.
const ABSENT: i64 = -1;
const CONTAINERS: [&str; 2] = ["app", "side"];

#[derive(Clone, Copy)]
pub(crate) struct MetricSetup {
    pub(crate) kind: i64,
    pub(crate) container: i64,
    pub(crate) target: i64,
}

pub(crate) struct PolicySetup {
    kind: i64,
    value: i64,
    period: i64,
}

pub(crate) struct RulesSetup {
    present: bool,
    window: i64,
    selection: i64,
    tolerance: i64,
    policies: Vec<PolicySetup>,
}

pub(crate) struct Setup {
    pub(crate) syncs: i64,
    min: i64,
    pub(crate) max: i64,
    tolerance: i64,
    down_window: i64,
    cpu_init: i64,
    delay: i64,
    requests: [[i64; 2]; 2],
    pod_level: [i64; 2],
    pub(crate) metrics: Vec<MetricSetup>,
    behavior: bool,
    up: RulesSetup,
    down: RulesSetup,
    pub(crate) edit_at: i64,
    edit_min: i64,
    pub(crate) edit_max: i64,
    pub(crate) missing: i64,
    pub(crate) create_rate: i64,
}

impl MetricSetup {
    fn draw(d: &mut Draws) -> Self {
        let (kind, container) = (d.below(METRIC_KINDS), d.below(2));
        let target = match kind {
            CPU_UTILIZATION
            | MEMORY_UTILIZATION
            | CONTAINER_CPU_UTILIZATION
            | CONTAINER_MEMORY_UTILIZATION => 5 + d.below(196),
            CPU_AVERAGE | CONTAINER_CPU_AVERAGE => 50 + d.below(1000),
            MEMORY_AVERAGE => (1 + d.below(512)) * MEBIBYTE * 1000,
            _ => 1 + d.below(20000),
        };
        Self { kind, container, target }
    }

    pub(crate) fn per_target(&self) -> bool {
        self.kind >= OBJECT_VALUE
    }

    /// Metrics with the same question share their reading; none for named metrics.
    pub(crate) fn question(&self) -> Option<i64> {
        match self.kind {
            CPU_UTILIZATION | CPU_AVERAGE => Some(0),
            MEMORY_UTILIZATION | MEMORY_AVERAGE => Some(1),
            CONTAINER_CPU_UTILIZATION | CONTAINER_CPU_AVERAGE => Some(2 + self.container),
            CONTAINER_MEMORY_UTILIZATION => Some(4 + self.container),
            _ => None,
        }
    }

    fn manifest(&self, i: usize) -> Value {
        let percent = json!({"type": "Utilization", "averageUtilization": self.target});
        let milli = format!("{}m", self.target);
        let average = json!({"type": "AverageValue", "averageValue": milli});
        let value = json!({"type": "Value", "value": milli});
        let metric = json!({"name": format!("m{i}")});
        let container = CONTAINERS[self.container as usize];
        let resource = |name: &str, target: Value| json!({"type": "Resource", "resource": {"name": name, "target": target}});
        let container = |name: &str, target: Value| {
            json!({"type": "ContainerResource", "containerResource":
                {"name": name, "container": container, "target": target}})
        };
        let object = |target: Value| {
            json!({"type": "Object", "object": {"metric": metric, "target": target,
                "describedObject": {"kind": "Service", "apiVersion": "v1", "name": "front"}}})
        };
        let external =
            |target: Value| json!({"type": "External", "external": {"metric": metric, "target": target}});
        match self.kind {
            CPU_UTILIZATION => resource("cpu", percent),
            MEMORY_UTILIZATION => resource("memory", percent),
            CPU_AVERAGE => resource("cpu", average),
            MEMORY_AVERAGE => resource("memory", average),
            CONTAINER_CPU_UTILIZATION => container("cpu", percent),
            CONTAINER_MEMORY_UTILIZATION => container("memory", percent),
            CONTAINER_CPU_AVERAGE => container("cpu", average),
            PODS_AVERAGE => json!({"type": "Pods", "pods": {"metric": metric, "target": average}}),
            OBJECT_VALUE => object(value),
            OBJECT_AVERAGE => object(average),
            EXTERNAL_VALUE => external(value),
            _ => external(average),
        }
    }
}

impl RulesSetup {
    fn draw(d: &mut Draws) -> Self {
        let present = d.chance(75);
        let window = d.pick(&[ABSENT, ABSENT, 0, 15, 30, 60, 120, 300]);
        let selection = d.pick(&[0, 0, 0, 1, 1, 2, 2, 3]);
        let tolerance = d.pick(&[ABSENT, ABSENT, ABSENT, 0, 10, 50, 150, 1000]);
        let mut policies = Vec::new();
        if d.chance(70) {
            for _ in 0..=d.below(3) {
                let kind = d.below(2);
                let value = 1 + d.below(if kind == 0 { 6 } else { 120 });
                let period = d.pick(&[5, 15, 15, 30, 60, 100, 180, 600]);
                policies.push(PolicySetup { kind, value, period });
            }
        }
        Self { present, window, selection, tolerance, policies }
    }

    fn hash(&self, h: &mut Digest) {
        h.put(&[i64::from(self.present), self.window, self.selection, self.tolerance]);
        h.put(&[self.policies.len() as i64]);
        for p in &self.policies {
            h.put(&[p.kind, p.value, p.period]);
        }
    }

    fn manifest(&self) -> Value {
        if !self.present {
            return Value::Null;
        }
        let mut rules = json!({});
        if self.window != ABSENT {
            rules["stabilizationWindowSeconds"] = json!(self.window);
        }
        if self.selection > 0 {
            rules["selectPolicy"] = json!(["Max", "Min", "Disabled"][self.selection as usize - 1]);
        }
        if self.tolerance != ABSENT {
            rules["tolerance"] = json!(format!("{}m", self.tolerance));
        }
        let policy = |p: &PolicySetup| {
            let kind = ["Pods", "Percent"][p.kind as usize];
            json!({"type": kind, "value": p.value, "periodSeconds": p.period})
        };
        if !self.policies.is_empty() {
            rules["policies"] = self.policies.iter().map(policy).collect();
        }
        rules
    }
}

fn draw_requests(d: &mut Draws) -> [[i64; 2]; 2] {
    let mut requests = [[0; 2]; 2];
    for container in &mut requests {
        container[0] = 50 + d.below(950);
        container[1] = (1 + d.below(1024)) * MEBIBYTE * 1000;
        for request in container {
            if d.chance(3) {
                *request = ABSENT;
            }
        }
    }
    requests
}

/// Draws a minimum that the maximum and the metrics allow.
fn draw_min(d: &mut Draws, max: i64, metrics: &[MetricSetup]) -> i64 {
    let zero = metrics.iter().any(MetricSetup::per_target);
    match d.below(6) {
        0 => ABSENT,
        1 | 2 if zero => 0,
        1..=4 => 1,
        _ => 1 + d.below(max.min(6)),
    }
}

impl Setup {
    pub(crate) fn draw(d: &mut Draws) -> Self {
        let (syncs, mut max) = (20 + d.below(61), 1 + d.below(24));
        if d.chance(10) {
            max += 40;
        }
        let tolerance = d.pick(&[100, 100, 100, 0, 50, 200]);
        let down_window = d.pick(&[300, 300, 300, 0, 60, 120]);
        let cpu_init = d.pick(&[300, 300, 0, 60, 120]);
        let delay = d.pick(&[30, 30, 0, 10]);
        let requests = draw_requests(d);
        let mut pod_level = [ABSENT; 2];
        if d.chance(10) {
            let which = d.below(2) as usize;
            pod_level[which] = 1000 * (1 + d.below(2000));
        }
        let count = d.pick(&[1, 1, 1, 2, 2, 3]);
        let metrics: Vec<_> = (0..count).map(|_| MetricSetup::draw(d)).collect();
        let min = draw_min(d, max, &metrics);
        let behavior = d.chance(60);
        let (up, down) = (RulesSetup::draw(d), RulesSetup::draw(d));
        let (mut edit_at, mut edit_min, mut edit_max) = (ABSENT, 0, 0);
        if d.chance(20) {
            edit_at = 1 + d.below(syncs - 1);
            edit_max = 1 + d.below(24);
            edit_min = draw_min(d, edit_max, &metrics);
        }
        let (missing, create_rate) = (d.pick(&[0, 0, 5, 25]), d.pick(&[1, 3, 100]));
        Self {
            syncs,
            min,
            max,
            tolerance,
            down_window,
            cpu_init,
            delay,
            requests,
            pod_level,
            metrics,
            behavior,
            up,
            down,
            edit_at,
            edit_min,
            edit_max,
            missing,
            create_rate,
        }
    }

    pub(crate) fn hash(&self, h: &mut Digest) {
        h.put(&[self.syncs, self.min, self.max, self.tolerance]);
        h.put(&[self.down_window, self.cpu_init, self.delay]);
        h.put(&self.requests.concat());
        h.put(&self.pod_level);
        h.put(&[self.metrics.len() as i64]);
        for m in &self.metrics {
            h.put(&[m.kind, m.container, m.target]);
        }
        h.put(&[i64::from(self.behavior)]);
        self.up.hash(h);
        self.down.hash(h);
        h.put(&[self.edit_at, self.edit_min, self.edit_max, self.missing, self.create_rate]);
    }

    /// The value of one pod that is at its target.
    pub(crate) fn per_pod(&self, m: &MetricSetup) -> i64 {
        let given =
            |container: i64, resource: i64| self.requests[container as usize][resource as usize].max(0);
        let sum = match m.kind {
            CPU_UTILIZATION | MEMORY_UTILIZATION => given(0, m.kind) + given(1, m.kind),
            CONTAINER_CPU_UTILIZATION | CONTAINER_MEMORY_UTILIZATION => {
                given(m.container, m.kind - CONTAINER_CPU_UTILIZATION)
            }
            _ => return m.target,
        };
        if sum == 0 { 100_000 } else { sum * m.target / 100 }
    }

    pub(crate) fn manifest(&self) -> String {
        let metrics: Vec<_> = self.metrics.iter().enumerate().map(|(i, m)| m.manifest(i)).collect();
        let mut spec = json!({
            "scaleTargetRef": {"kind": "Deployment", "apiVersion": "apps/v1", "name": "w"},
            "maxReplicas": self.max,
            "metrics": metrics,
        });
        if self.min != ABSENT {
            spec["minReplicas"] = json!(self.min);
        }
        if self.behavior {
            spec["behavior"] = json!({"scaleUp": self.up.manifest(), "scaleDown": self.down.manifest()});
        }
        json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "h", "namespace": "d"}, "spec": spec})
        .to_string()
    }

    pub(crate) fn flags(&self) -> ControllerFlags {
        let seconds = |s: i64| Span::from_secs(s as u64);
        ControllerFlags {
            downscale_stabilization: seconds(self.down_window),
            tolerance: self.tolerance as f64 / 1000.0,
            cpu_initialization_period: seconds(self.cpu_init),
            initial_readiness_delay: seconds(self.delay),
            ..ControllerFlags::default()
        }
    }

    pub(crate) fn template(&self) -> PodTemplate {
        let given = |milli: i64| (milli != ABSENT).then_some(milli);
        let requests = |[cpu, memory]: [i64; 2]| Requests { cpu: given(cpu), memory: given(memory) };
        let containers = CONTAINERS.iter().zip(self.requests);
        let container = |(name, r): (&&str, [i64; 2])| ContainerTemplate {
            name: (*name).to_owned(),
            requests: requests(r),
        };
        PodTemplate { containers: containers.map(container).collect(), pod_level: requests(self.pod_level) }
    }

    /// The bounds after the edit.
    pub(crate) fn edited(&self) -> (u32, u32) {
        let min = if self.edit_min == ABSENT { 1 } else { self.edit_min };
        (min as u32, self.edit_max as u32)
    }
}
