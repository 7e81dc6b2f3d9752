//! From windows of load to a count: the stable and the panic decision.
//!
//! Source: `pkg/autoscaler/scaling/autoscaler.go`; the first values of the status come from
//! `createScaler` in `multiscaler.go`.

use homeostat_core::{Instant, Reason, Rule, Span};

use super::spec::KpaSpec;
use super::window::{Buckets, Greatest};

/// Time between two decisions.
pub const TICK: Span = Span::from_secs(2);

/// State of the decision, and its latest result.
#[derive(Debug, Clone, PartialEq)]
pub struct Decider {
    /// Load of the stable window.
    pub stable: Buckets,
    /// Load of the panic window.
    pub panic: Buckets,
    /// Since when the panic was last confirmed.
    pub panicking: Option<Instant>,
    /// The greatest count of this panic.
    pub panic_peak: i32,
    /// Latest count; -1 before the first.
    pub desired: i32,
    /// Latest excess burst capacity; below zero the activator stays in the path.
    pub excess_burst: i32,
    delay: Option<Greatest>,
}

/// The load as the two windows show it.
#[derive(Debug, Clone, Copy)]
struct Load {
    stable: f64,
    panic: f64,
}

impl Decider {
    /// A decider of a target with `ready` replicas. With more than one it starts in panic, so that it
    /// doesn't shrink what it knows nothing of yet.
    pub(super) fn new(spec: &KpaSpec, ready: u32, now: Instant) -> Self {
        let burst = spec.target_burst_capacity;
        let (total, _) = spec.capacity();
        let excess =
            if burst == -1.0 || burst == 0.0 { burst } else { f64::from(spec.initial_scale) * total - burst };
        let delay = spec.scale_down_delay;
        Self {
            stable: Buckets::new(spec.stable_window),
            panic: Buckets::new(spec.panic_window()),
            panicking: (ready > 1).then_some(now),
            panic_peak: ready as i32,
            desired: -1,
            excess_burst: excess as i32,
            delay: (!delay.is_zero()).then(|| Greatest::new(delay, TICK)),
        }
    }

    /// Adds one second's load.
    pub(super) fn record(&mut self, at: Instant, load: f64) {
        self.stable.record(at, load);
        self.panic.record(at, load);
    }

    /// Decides anew from the windows. Without data nothing changes.
    pub(super) fn scale(&mut self, spec: &KpaSpec, ready: u32, now: Instant, reasons: &mut Vec<Reason>) {
        if self.stable.is_empty(now) && spec.target_burst_capacity != -1.0 {
            reasons.push(Reason::of(Rule::NoData, self.desired.max(0) as u32));
            return;
        }
        let load = Load { stable: self.stable.average(now), panic: self.panic.average(now) };
        let (total, target) = spec.capacity();
        let present = f64::from(ready).max(1.0);
        let stable = paced(spec, load.stable / target, present);
        let panic = paced(spec, load.panic / target, present);
        let (milli, target_milli) = (thousandths(load.stable), thousandths(target));
        let seen =
            |rule, observed, count: i32| Reason::metric(rule, 0, observed, target_milli, count.max(0) as u32);
        reasons.push(seen(Rule::StableWindow, milli, stable));

        let alarmed = (load.panic / target).ceil() / present >= spec.panic_threshold_percentage / 100.0;
        self.update_panic(spec, alarmed, now);
        let mut desired = stable;
        if self.panicking.is_some() {
            let wanted = desired.max(panic);
            reasons.push(seen(Rule::PanicWindow, thousandths(load.panic), panic));
            if wanted < self.panic_peak {
                reasons.push(Reason::of(Rule::PanicHold, self.panic_peak as u32));
            }
            self.panic_peak = self.panic_peak.max(wanted);
            desired = self.panic_peak;
        }
        if let Some(delay) = &mut self.delay {
            let held = delay.record(now, desired);
            if held != desired {
                reasons.push(Reason::of(Rule::DelayNotElapsed, held.max(0) as u32));
            }
            desired = held;
        }
        self.desired = desired;
        self.excess_burst = excess_burst(spec, f64::from(ready) * total, load.panic);
    }

    fn update_panic(&mut self, spec: &KpaSpec, alarmed: bool, now: Instant) {
        if alarmed {
            self.panicking = Some(now);
        } else if self.panicking.is_some_and(|since| since + spec.stable_window < now) {
            self.panicking = None;
            self.panic_peak = 0;
        }
    }
}

/// The count for so many replicas' worth of load, within the permitted rates and the activation
/// scale.
fn paced(spec: &KpaSpec, worth: f64, present: f64) -> i32 {
    let wanted = worth.ceil();
    let most = (spec.max_scale_up_rate * present).ceil();
    let least = (present / spec.max_scale_down_rate).floor();
    let count = wanted.max(least).min(most) as i32;
    let activates = spec.activation_scale > 1 && wanted > 0.0;
    if activates { count.max(spec.activation_scale) } else { count }
}

/// Capacity left after the present load and the burst to be taken.
fn excess_burst(spec: &KpaSpec, capacity: f64, load: f64) -> i32 {
    let burst = spec.target_burst_capacity;
    if burst == 0.0 {
        0
    } else if burst > 0.0 {
        (capacity - burst - load).floor() as i32
    } else {
        -1
    }
}

fn thousandths(value: f64) -> i64 {
    (value * 1000.0).round() as i64
}
