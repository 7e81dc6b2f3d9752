//! The replicas of one service: ordered, starting, ready, draining, gone.

pub(crate) mod memory;
mod nodes;
mod replica;

use homeostat_core::draw::Key;
use homeostat_core::observe::{ReplicaId, ReplicaView};
use homeostat_core::{Instant, Span};

use crate::balance::Ready;
use crate::outcome::{Counts, Ledger};
use crate::scenario::{FailureKind, Leak, Sampler, Server, Service};
use crate::station::Station;
use crate::station::batch::{Batch, BatchShape};
use crate::station::fcfs::Fcfs;
use crate::station::sharing::Sharing;

pub(crate) use memory::Growth;
pub(crate) use nodes::{Nodes, Placed};
pub(crate) use replica::{Replica, Stage};

/// Pause after the first failed start; doubled each time up to five minutes, as Kubernetes does.
const BACK_OFF: Span = Span::from_secs(10);
const BACK_OFF_MOST: Span = Span::from_secs(300);

/// What a replica waits for next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NextStep {
    /// The next stage begins then.
    At(Instant),
    /// It needs a node.
    Node,
    /// It became ready.
    Ready,
    /// Nothing will happen by itself.
    Nothing,
}

/// The replicas of one service.
#[derive(Debug)]
pub(crate) struct Fleet {
    pub(crate) spec: Service,
    cancels: bool,
    key: Key,
    phases: [Sampler; 4],
    pub(crate) replicas: Vec<Replica>,
    /// Indices of live replicas, by age.
    pub(crate) live: Vec<u32>,
    /// Indices of those that take traffic, by age.
    pub(crate) ready: Vec<u32>,
    /// Slots of `replicas` that can be used again.
    free: Vec<u32>,
    pub(crate) desired: u32,
    /// Replicas allowed on top of `desired` at present.
    pub(crate) surge: u32,
    /// The version of replicas that are ordered, and how it leaks.
    pub(crate) version: u32,
    pub(crate) leak: Option<Leak>,
    ordered: u64,
    memory_key: Key,
    pub(crate) ledger: Ledger,
}

impl Ready for Fleet {
    #[inline]
    fn count(&self) -> usize {
        self.ready.len()
    }

    #[inline]
    fn station(&mut self, k: usize) -> &mut Station {
        &mut self.replicas[self.ready[k] as usize].station
    }
}

impl Fleet {
    pub(crate) fn new(spec: &Service, cancels: bool, key: Key, ledger: Ledger) -> Self {
        Self {
            spec: spec.clone(),
            cancels,
            key: key.child(&spec.name).child("starts"),
            memory_key: key.child(&spec.name).child("memory"),
            phases: spec.start_up.phases().map(crate::scenario::Duration::sampler),
            replicas: Vec::new(),
            live: Vec::new(),
            ready: Vec::new(),
            free: Vec::new(),
            desired: 0,
            surge: 0,
            version: 0,
            leak: spec.leak,
            ordered: 0,
            ledger,
        }
    }

    fn station_for(&self, capacity: &Server) -> Station {
        match capacity {
            Server::Fcfs(s) => Station::Fcfs(Fcfs::new(s.slots, s.queue, self.cancels)),
            Server::Sharing(s) => {
                Station::Sharing(Sharing::new(s.contention, s.coherency, s.cores, s.limit, self.cancels))
            }
            Server::Batch(b) => Station::Batch(Batch::new(BatchShape {
                fixed: b.fixed,
                each: b.each,
                max_batch: b.max_batch,
                max_wait: b.max_wait,
                queue_limit: b.queue,
            })),
        }
    }

    /// Orders a replica. Its start-up draws belong to its number.
    pub(crate) fn order(&mut self, now: Instant) -> u32 {
        let number = self.ordered;
        self.ordered += 1;
        let mut draws = self.key.at(number);
        let plan = std::array::from_fn(|i| self.phases[i].draw(&mut draws));
        let failure = self.failure(draws.uniform());
        let station = self.station_for(&self.spec.server);
        let growth =
            Growth::draw(self.spec.memory_mib, &self.spec.memory, self.leak, self.memory_key, number);
        let mut replica =
            Replica::new(ReplicaId(number), now, plan, failure, station, (self.version, growth));
        let index = if let Some(index) = self.free.pop() {
            replica.epoch = self.replicas[index as usize].epoch + 1;
            self.replicas[index as usize] = replica;
            index
        } else {
            self.replicas.push(replica);
            (self.replicas.len() - 1) as u32
        };
        self.live.push(index);
        index
    }

    fn failure(&self, mut u: f64) -> Option<FailureKind> {
        for failure in &self.spec.start_up.failures {
            if u < failure.probability {
                return Some(failure.kind);
            }
            u -= failure.probability;
        }
        None
    }

    /// Puts a replica into service at once: the state at the start of a run.
    pub(crate) fn put_ready(&mut self, index: u32, now: Instant) {
        let replica = &mut self.replicas[index as usize];
        replica.started_at = Some(now);
        replica.enter(Stage::Ready, now);
        self.insert_ready(index);
    }

    fn insert_ready(&mut self, index: u32) {
        let id = self.replicas[index as usize].id;
        let at = self.ready.partition_point(|i| self.replicas[*i as usize].id < id);
        self.ready.insert(at, index);
    }

    /// Takes a replica to its next stage of starting.
    pub(crate) fn step(&mut self, index: u32, now: Instant) -> NextStep {
        let replica = &mut self.replicas[index as usize];
        let next = match replica.stage {
            Stage::Scheduling => return NextStep::Node,
            Stage::BackOff => replica.resume(),
            Stage::Pulling if replica.fails(FailureKind::Image) => return replica.back_off(now),
            Stage::Loading if replica.fails(FailureKind::Crash) => return replica.back_off(now),
            Stage::Loading if replica.fails(FailureKind::Hang) => return NextStep::Nothing,
            Stage::Pulling => Stage::Loading,
            Stage::Loading => Stage::Warming,
            Stage::Warming => Stage::Ready,
            Stage::Ready | Stage::Draining | Stage::Gone => return NextStep::Nothing,
        };
        replica.enter(next, now);
        if next == Stage::Ready {
            self.insert_ready(index);
            return NextStep::Ready;
        }
        NextStep::At(now + self.replicas[index as usize].phase())
    }

    /// A scheduled replica got its place.
    pub(crate) fn placed(&mut self, index: u32, node: Option<u32>, now: Instant) -> NextStep {
        let replica = &mut self.replicas[index as usize];
        replica.node = node;
        replica.started_at = Some(now);
        replica.enter(Stage::Pulling, now);
        NextStep::At(now + replica.phase())
    }

    /// The replicas to retire, `n` of them: those named first, then those not ready, then the youngest.
    pub(crate) fn victims(&self, n: usize, named: &[ReplicaId]) -> Vec<u32> {
        let mut order: Vec<u32> = self.serving().collect();
        let rank = |index: &u32| {
            let replica = &self.replicas[*index as usize];
            let name = named.iter().position(|id| *id == replica.id).unwrap_or(named.len());
            (name, replica.stage.rank(), std::cmp::Reverse(replica.id))
        };
        order.sort_by_key(rank);
        order.truncate(n);
        order
    }

    /// Live replicas that have not been told to stop.
    pub(crate) fn serving(&self) -> impl Iterator<Item = u32> + '_ {
        self.live.iter().copied().filter(|i| self.replicas[*i as usize].stage != Stage::Draining)
    }

    /// Those of them that are named, in the order of their names.
    pub(crate) fn named(&self, names: &[ReplicaId]) -> Vec<u32> {
        let find = |id: &ReplicaId| self.serving().find(|i| self.replicas[*i as usize].id == *id);
        names.iter().filter_map(find).collect()
    }

    /// Whether replicas start, and all of them are among these victims.
    pub(crate) fn cuts_all_starts(&self, victims: &[u32]) -> bool {
        let starts = |i: &u32| self.replicas[*i as usize].stage != Stage::Ready;
        let starting = self.serving().filter(starts).count();
        starting > 0 && victims.iter().filter(|i| starts(i)).count() == starting
    }

    /// Live replicas that have not been told to stop and run an old version.
    pub(crate) fn old(&self) -> Vec<u32> {
        self.serving().filter(|i| self.replicas[*i as usize].version < self.version).collect()
    }

    /// Stops sending requests to a replica.
    pub(crate) fn withdraw(&mut self, index: u32) {
        self.ready.retain(|i| *i != index);
    }

    /// Ends a replica for good.
    pub(crate) fn end(&mut self, index: u32, now: Instant) {
        self.withdraw(index);
        self.live.retain(|i| *i != index);
        let replica = &mut self.replicas[index as usize];
        replica.enter(Stage::Gone, now);
        replica.epoch += 1;
        self.free.push(index);
    }

    /// Enters the present counts into the ledger.
    pub(crate) fn post(&mut self, now: Instant) {
        let serving = self.serving().count() as u32;
        let counts = Counts {
            ready: self.ready.len() as u32,
            starting: serving - self.ready.len() as u32,
            existing: self.live.len() as u32,
            desired: self.desired,
        };
        self.ledger.set(now, counts);
    }

    /// How the control plane shows the replicas.
    pub(crate) fn views(&self) -> Vec<ReplicaView> {
        self.live.iter().map(|i| self.replicas[*i as usize].view()).collect()
    }
}
