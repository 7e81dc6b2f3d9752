//! From the decider's count to the count that is ordered: bounds, activation, and the way to zero.
//!
//! Source: `pkg/reconciler/autoscaling/kpa/{scaler,kpa}.go`; the activator's endpoints follow
//! `pkg/reconciler/serverlessservice`. Times of conditions are cut to whole seconds, as in an API
//! server. The probe of the activator succeeds as soon as the activator is in the path.

use homeostat_core::{Instant, Reason, Rule, Span};

use super::decider::Decider;
use super::spec::KpaSpec;

/// On top of the progress deadline before an activation counts as failed.
const ACTIVATION_BUFFER: Span = Span::from_secs(30);
/// "No count is known."
const UNKNOWN: i32 = -1;

/// The condition `Active` of a revision, with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Unknown: just created.
    Created,
    /// Unknown: replicas are on their way.
    Activating,
    /// True.
    Active,
    /// False: no traffic.
    Idle,
    /// False: the replicas did not become ready in time.
    TimedOut,
}

/// State of the way from and to zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scaler {
    /// Whether the revision serves.
    pub activity: Activity,
    /// Since when.
    pub since: Instant,
    /// Whether the initial scale was reached once.
    pub initialized: bool,
    /// Since when the activator is in the path; `None` while it is not.
    pub proxying: Option<Instant>,
}

/// What is known at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: Instant,
    pub(super) ready: u32,
    /// The count asked for at present.
    pub(super) current: i32,
}

/// The count wanted, and whether to order it.
#[derive(Debug, Clone, Copy)]
struct Want {
    count: i32,
    apply: bool,
}

impl Scaler {
    /// A target that already ran and is at zero, or one that is just being created.
    pub(super) fn new(current: u32, now: Instant) -> Self {
        let now = whole_seconds(now);
        let asleep = current == 0;
        Self {
            activity: if asleep { Activity::Idle } else { Activity::Created },
            since: now,
            initialized: asleep,
            proxying: asleep.then_some(now),
        }
    }

    fn is_activating(&self) -> bool {
        matches!(self.activity, Activity::Created | Activity::Activating)
    }

    /// Whether the revision is known not to serve.
    pub fn is_inactive(&self) -> bool {
        matches!(self.activity, Activity::Idle | Activity::TimedOut)
    }

    /// One reconciliation: the count to be asked for from now on.
    pub(super) fn reconcile(
        &mut self,
        spec: &KpaSpec,
        decider: &Decider,
        moment: Moment,
        reasons: &mut Vec<Reason>,
    ) -> i32 {
        let want = self.want(spec, decider.desired, moment.now, reasons);
        let serving = want.count > 0 && decider.excess_burst >= 0;
        let proxied = moment.ready == 0 || !serving;
        self.proxying = proxied.then(|| self.proxying.unwrap_or_else(|| whole_seconds(moment.now)));
        self.observe(spec, want.count, moment);
        if want.apply { want.count } else { moment.current }
    }

    fn want(&self, spec: &KpaSpec, desired: i32, now: Instant, reasons: &mut Vec<Reason>) -> Want {
        if desired < 0 && !self.is_activating() {
            return Want { count: desired, apply: false };
        }
        let initial = spec.initial_scale > 1 && !self.initialized;
        let least = if initial { spec.min_scale.max(spec.initial_scale) } else { spec.min_scale };
        let bounded = if desired < least {
            least
        } else if spec.max_scale != 0 && desired > spec.max_scale {
            spec.max_scale
        } else {
            desired
        };
        if bounded != desired {
            reasons.push(Reason::of(Rule::Clamped, bounded as u32));
        }
        if bounded != 0 {
            return Want { count: bounded, apply: true };
        }
        let want = self.to_zero(spec, now);
        if want.count != 0 || !want.apply {
            reasons.push(Reason::of(Rule::Grace, want.count.max(0) as u32));
        }
        want
    }

    /// Whether the last replica may go.
    fn to_zero(&self, spec: &KpaSpec, now: Instant) -> Want {
        let zero = |apply| Want { count: 0, apply };
        if !spec.enable_scale_to_zero {
            return Want { count: 1, apply: true };
        }
        let spent = now.since(self.since);
        match self.activity {
            Activity::Created | Activity::Activating => {
                if spent > spec.progress_deadline + ACTIVATION_BUFFER {
                    zero(true)
                } else {
                    Want { count: UNKNOWN, apply: false }
                }
            }
            Activity::Active if spent >= spec.stable_window => zero(false),
            Activity::Active => Want { count: 1, apply: true },
            Activity::Idle | Activity::TimedOut => {
                let retention = spec.scale_to_zero_pod_retention_period;
                let grace = spec.scale_to_zero_grace_period;
                let proxied = self.proxying.map_or(Span::ZERO, |since| now.since(since));
                let longest = retention.max(grace);
                zero(spent >= longest || (spent >= retention && proxied >= grace))
            }
        }
    }

    /// Brings the condition up to date.
    fn observe(&mut self, spec: &KpaSpec, want: i32, moment: Moment) {
        let initial = if self.initialized { 1 } else { spec.initial_scale };
        let threshold = spec.min_scale.max(initial);
        let enough = moment.ready as i32 >= threshold;
        self.initialized |= enough;
        let called = want > 0 || !self.is_inactive();
        let activity = if want == 0 {
            if self.is_activating() { Activity::TimedOut } else { Activity::Idle }
        } else if enough {
            if called { Activity::Active } else { self.activity }
        } else if called {
            Activity::Activating
        } else {
            Activity::Idle
        };
        if activity != self.activity {
            self.activity = activity;
            self.since = whole_seconds(moment.now);
        }
    }
}

fn whole_seconds(at: Instant) -> Instant {
    Instant(at.0 - at.0 % Span::SECOND.0)
}
