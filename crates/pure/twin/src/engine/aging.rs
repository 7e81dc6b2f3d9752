//! Memory over time: kills at the limit, replacements, new versions, cold caches.

use homeostat_core::decision::Order;
use homeostat_core::{Instant, Span};

use super::Simulation;
use super::event::What;
use crate::fleet::Stage;
use crate::outcome::ReplicaAge;
use crate::scenario::{Deploy, FaultKind};

/// How often the kernel looks: the same for every policy, so that a leak kills at the same moment.
pub(crate) const CHECK: Span = Span::from_secs(5);

impl Simulation {
    /// Plans the first look at memory, where memory can grow to a limit.
    pub(super) fn plan_memory(&mut self, service: usize) {
        let fleet = &self.services[service].fleet;
        let deploys = self.scenario.faults.iter().any(|f| matches!(f.kind, FaultKind::Deploy(_)));
        let grows = fleet.live.first().is_some_and(|i| fleet.replicas[*i as usize].growth.grows());
        if fleet.spec.memory_limit_mib.is_some() && (grows || deploys || fleet.spec.leak.is_some()) {
            self.events.push(self.start + CHECK, What::Memory { service: service as u16 });
        }
    }

    /// The kernel kills whoever is over the limit.
    pub(super) fn check_memory(&mut self, service: usize) {
        if self.closing {
            return;
        }
        let fleet = &mut self.services[service].fleet;
        let Some(limit) = fleet.spec.memory_limit_mib.map(f64::from) else { return };
        let mut over = Vec::new();
        for index in &fleet.live {
            let replica = &mut fleet.replicas[*index as usize];
            if matches!(replica.stage, Stage::Ready | Stage::Draining) {
                let lived = replica.lived(self.now);
                if replica.growth.total_mib(lived) >= limit {
                    over.push(*index);
                }
            }
        }
        for index in over {
            let lost = self.crash(service, index);
            self.aging.killed(self.now, lost);
        }
        self.events.push(self.now + CHECK, What::Memory { service: service as u16 });
    }

    /// Retires a replica by order of a policy; `falls`: because the count falls.
    pub(super) fn retire_by(&mut self, service: usize, victim: u32, order: &Order, falls: bool) {
        let replica = &mut self.services[service].fleet.replicas[victim as usize];
        let named = order.retire.contains(&replica.id) || order.replace.contains(&replica.id);
        if named && !falls && replica.stage == Stage::Ready {
            replica.replaced = true;
            self.aging.replaced(self.now);
        }
        self.retire(service, victim);
    }

    /// Notes when a falling count takes the last starting replica although a replacement waits for one.
    pub(super) fn watch_surge(&mut self, service: usize, order: &Order, victims: &[u32]) {
        if self.services[service].fleet.cuts_all_starts(victims) && order.surge > 0 {
            self.aging.cancelled(self.now);
        }
    }

    /// A replica that has just started works more slowly until its caches are warm.
    pub(super) fn chill(&mut self, service: usize, replica: u32) {
        if let Some(cold) = self.services[service].fleet.spec.cold {
            self.slow(service, replica, cold.factor, cold.lasts);
        }
    }

    /// A new version comes.
    pub(super) fn deploy(&mut self, service: usize, deploy: Deploy) {
        let fleet = &mut self.services[service].fleet;
        fleet.version += 1;
        fleet.leak = deploy.leak;
        self.roll(service);
    }

    /// Brings a new version further in: one more than wanted, and the oldest of the old version goes when all
    /// of the new one are ready.
    pub(super) fn roll(&mut self, service: usize) {
        if self.closing {
            return;
        }
        let fleet = &self.services[service].fleet;
        let old = fleet.old();
        let (Some(first), wanted) = (old.first(), (fleet.desired + fleet.surge) as usize) else { return };
        let serving = fleet.serving().count();
        let ready = |i: u32| fleet.replicas[i as usize].stage == Stage::Ready;
        if serving > wanted && fleet.serving().all(|i| old.contains(&i) || ready(i)) {
            self.retire(service, *first);
        }
        let fleet = &self.services[service].fleet;
        if fleet.serving().count() <= wanted && !fleet.old().is_empty() {
            self.order(service);
        }
        self.services[service].fleet.post(self.now);
    }

    /// Remembers how old the replicas are at the end.
    pub(super) fn note_ages(&mut self, end: Instant) {
        for (service, running) in self.services.iter_mut().enumerate() {
            let fleet = &mut running.fleet;
            for index in fleet.serving().collect::<Vec<u32>>() {
                let replica = &mut fleet.replicas[index as usize];
                let lived = replica.lived(end);
                self.aging.sums.replicas.push(ReplicaAge {
                    service,
                    replica: replica.id.0,
                    age_hours: lived.hours,
                    requests: lived.served as u64,
                    memory_mib: replica.growth.total_mib(lived),
                    leaked_mib: replica.growth.leaked_mib(lived),
                    limit_mib: fleet.spec.memory_limit_mib,
                });
            }
        }
    }
}
