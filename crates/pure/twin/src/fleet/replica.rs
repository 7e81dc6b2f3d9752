//! One replica and its stages.

use std::collections::VecDeque;

use homeostat_core::observe::{Phase, Readiness, ReplicaId, ReplicaView};
use homeostat_core::{Instant, Span};

use super::memory::{Growth, Lived, hours_since};
use super::{BACK_OFF, BACK_OFF_MOST, NextStep};
use crate::scenario::FailureKind;
use crate::sense::Snap;
use crate::station::Station;

/// Where a replica is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Scheduling,
    Pulling,
    Loading,
    Warming,
    Ready,
    Draining,
    BackOff,
    Gone,
}

impl Stage {
    /// Order in which replicas are retired: those furthest from service first.
    pub(crate) const fn rank(self) -> u8 {
        match self {
            Self::Scheduling => 0,
            Self::Pulling | Self::BackOff => 1,
            Self::Loading | Self::Warming => 2,
            Self::Ready | Self::Draining | Self::Gone => 3,
        }
    }
}

/// A replica.
#[derive(Debug)]
pub(crate) struct Replica {
    pub(crate) id: ReplicaId,
    pub(crate) stage: Stage,
    /// When the present stage began.
    pub(crate) since: Instant,
    pub(crate) started_at: Option<Instant>,
    pub(crate) node: Option<u32>,
    /// Events made for an earlier life of this slot, or of this station, are stale.
    pub(crate) epoch: u32,
    pub(crate) station: Station,
    /// When the station's next event is due, if one is in the queue.
    pub(crate) due: Option<Instant>,
    pub(crate) snaps: VecDeque<Snap>,
    /// Speed of the node times that of any slowness in force.
    pub(crate) speed: f64,
    /// When it became ready.
    pub(crate) ready_at: Option<Instant>,
    /// How its memory grows.
    pub(crate) growth: Growth,
    /// The version that it runs.
    pub(crate) version: u32,
    /// Whether it was told to stop to be replaced.
    pub(crate) replaced: bool,
    plan: [Span; 4],
    failure: Option<FailureKind>,
    failures: u32,
}

impl Replica {
    pub(crate) fn new(
        id: ReplicaId,
        now: Instant,
        plan: [Span; 4],
        failure: Option<FailureKind>,
        station: Station,
        (version, growth): (u32, Growth),
    ) -> Self {
        Self {
            id,
            stage: Stage::Scheduling,
            since: now,
            started_at: None,
            node: None,
            epoch: 0,
            station,
            due: None,
            snaps: VecDeque::new(),
            speed: 1.0,
            ready_at: None,
            growth,
            version,
            replaced: false,
            plan,
            failure,
            failures: 0,
        }
    }

    pub(crate) const fn enter(&mut self, stage: Stage, now: Instant) {
        self.stage = stage;
        self.since = now;
        if matches!(stage, Stage::Ready) {
            self.ready_at = Some(now);
        }
    }

    /// What its memory depends on.
    pub(crate) fn lived(&mut self, now: Instant) -> Lived {
        Lived {
            hours: hours_since(self.ready_at, now),
            served: self.station.counters(now).arrived as f64,
            inside: f64::from(self.station.outstanding(now)),
        }
    }

    /// Length of the present stage.
    pub(crate) const fn phase(&self) -> Span {
        match self.stage {
            Stage::Scheduling => self.plan[0],
            Stage::Pulling => self.plan[1],
            Stage::Loading => self.plan[2],
            Stage::Warming => self.plan[3],
            Stage::Ready | Stage::Draining | Stage::BackOff | Stage::Gone => Span::ZERO,
        }
    }

    pub(crate) fn fails(&self, kind: FailureKind) -> bool {
        self.failure == Some(kind)
    }

    /// A start failed: the next try comes after a pause, and succeeds.
    pub(crate) fn back_off(&mut self, now: Instant) -> NextStep {
        let pause = Span(BACK_OFF.0 << self.failures.min(5)).min(BACK_OFF_MOST);
        self.failures += 1;
        self.enter(Stage::BackOff, now);
        NextStep::At(now + pause)
    }

    /// Where to go on after a pause.
    pub(crate) fn resume(&mut self) -> Stage {
        match self.failure.take() {
            Some(FailureKind::Image) => Stage::Pulling,
            _ => Stage::Loading,
        }
    }

    /// A replacement of a process that died: it loads and warms up on its node again.
    pub(crate) fn restart(&mut self, now: Instant, node: Option<u32>, speed: f64) -> Span {
        self.node = node;
        self.speed = speed;
        self.started_at = Some(now);
        self.failure = self.failure.filter(|kind| *kind != FailureKind::Image);
        self.enter(Stage::Loading, now);
        self.phase()
    }

    const fn runs(&self) -> bool {
        matches!(self.stage, Stage::Loading | Stage::Warming | Stage::Ready | Stage::Draining)
    }

    /// Whether its metrics endpoint answers.
    pub(crate) const fn scraped(&self) -> bool {
        matches!(self.stage, Stage::Warming | Stage::Ready | Stage::Draining)
    }

    /// As the control plane shows it.
    pub(crate) fn view(&self) -> ReplicaView {
        let ready = matches!(self.stage, Stage::Ready | Stage::Draining);
        let since = if ready { Some(self.since) } else { self.started_at };
        ReplicaView {
            id: self.id,
            phase: if self.runs() { Phase::Running } else { Phase::Pending },
            started_at: self.started_at,
            readiness: since.map(|since| Readiness { ready, since }),
            deleting: self.stage == Stage::Draining,
        }
    }
}
