//! What the controller is told besides the manifest: its own flags and the pod template.

use homeostat_core::Span;

/// Flags of `kube-controller-manager` that bear on the decision, with upstream's defaults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ControllerFlags {
    /// Time between two decisions.
    pub sync_period: Span,
    /// How long a recommendation holds the count up where the manifest doesn't say.
    pub downscale_stabilization: Span,
    /// Deviation of the ratio from 1 that causes nothing, where the manifest doesn't say.
    pub tolerance: f64,
    /// Time after a replica's start in which CPU values count only once it is ready for a window.
    pub cpu_initialization_period: Span,
    /// Time after a replica's start in which "not ready" means "was never ready".
    pub initial_readiness_delay: Span,
    /// The feature gate `HPAScaleToZero`, on by default since 1.37.
    pub scale_to_zero: bool,
}

impl Default for ControllerFlags {
    fn default() -> Self {
        Self {
            sync_period: Span::from_secs(15),
            downscale_stabilization: Span::from_secs(300),
            tolerance: 0.1,
            cpu_initialization_period: Span::from_secs(300),
            initial_readiness_delay: Span::from_secs(30),
            scale_to_zero: true,
        }
    }
}

/// What is requested of each resource, in thousandths (CPU: millicores, memory: thousandths of a byte).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Requests {
    /// Millicores.
    pub cpu: Option<i64>,
    /// Thousandths of a byte.
    pub memory: Option<i64>,
}

impl Requests {
    fn of(&self, resource: &str) -> Option<i64> {
        match resource {
            "cpu" => self.cpu,
            "memory" => self.memory,
            _ => None,
        }
    }
}

/// One container of the pod template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerTemplate {
    /// Its name.
    pub name: String,
    /// Its requests.
    pub requests: Requests,
}

/// The part of a workload's pod template that utilisation is measured against. Sidecars (restartable
/// init containers) come after the containers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodTemplate {
    /// The containers, in order.
    pub containers: Vec<ContainerTemplate>,
    /// Requests of the pod as a whole (pod-level resources); they take precedence where set.
    pub pod_level: Requests,
}

impl PodTemplate {
    /// A template of one container named `app`.
    pub fn single(cpu_milli: i64, memory_milli: i64) -> Self {
        let requests = Requests { cpu: Some(cpu_milli), memory: Some(memory_milli) };
        let container = ContainerTemplate { name: "app".to_owned(), requests };
        Self { containers: vec![container], pod_level: Requests::default() }
    }

    /// What one replica requests of `resource` in thousandths, or one container of it. `None` when a
    /// request is missing: utilisation can't be computed then.
    pub fn request(&self, resource: &str, container: Option<&str>) -> Option<i64> {
        if let Some(name) = container {
            return self.containers.iter().find(|c| c.name == name)?.requests.of(resource);
        }
        let mut each = self.containers.iter().map(|c| c.requests.of(resource));
        if self.pod_level == Requests::default() {
            return each.try_fold(0_i64, |sum, request| Some(sum.saturating_add(request?)));
        }
        let stated = || each.flatten().reduce(i64::saturating_add);
        self.pod_level.of(resource).or_else(stated)
    }
}
