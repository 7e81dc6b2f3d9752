//! Memory over time in a fluid: the same leaks and the same kills as in [`crate::engine`]. Requests are shared
//! evenly, and those inside a replica that is killed are as many as the load puts there.

use homeostat_core::Instant;
use homeostat_core::decision::Order;

use super::Fluid;
use super::tally::{Batch, Kind};
use crate::engine::CHECK;
use crate::engine::event::What;
use crate::fleet::Stage;
use crate::fleet::memory::{Lived, hours_since};
use crate::outcome::ReplicaAge;

impl Fluid {
    /// Plans the first look at memory, where memory can grow to a limit.
    pub(super) fn plan_memory(&mut self) {
        let grows = self.fleet.live.first().is_some_and(|i| self.fleet.replicas[*i as usize].growth.grows());
        if self.fleet.spec.memory_limit_mib.is_some() && (grows || self.fleet.leak.is_some()) {
            self.events.push(self.start + CHECK, What::Memory { service: 0 });
        }
    }

    fn lived(&self, index: u32) -> Lived {
        let stay = &self.stays[index as usize];
        let joined = stay.joined.arrived;
        let served = if joined.is_finite() { self.sums.arrived.min(stay.left.arrived) - joined } else { 0.0 };
        let ready_at = self.fleet.replicas[index as usize].ready_at;
        let inside = self.inside / f64::from(self.backlog.ready().max(1));
        Lived { hours: hours_since(ready_at, self.now), served, inside }
    }

    /// The kernel kills whoever is over the limit.
    pub(super) fn check_memory(&mut self) {
        let Some(limit) = self.fleet.spec.memory_limit_mib.filter(|_| !self.closing) else { return };
        let live = self.fleet.live.clone();
        for index in live {
            let replica = &self.fleet.replicas[index as usize];
            let takes = matches!(replica.stage, Stage::Ready | Stage::Draining);
            if takes && replica.growth.total_mib(self.lived(index)) >= f64::from(limit) {
                self.kill(index);
            }
        }
        self.events.push(self.now + CHECK, What::Memory { service: 0 });
    }

    /// A replica dies with what is inside; a new process loads in its place, unless it was on its way out.
    fn kill(&mut self, index: u32) {
        let draining = self.fleet.replicas[index as usize].stage == Stage::Draining;
        if draining {
            // It has worked off its part for as long as it drains: nobody knows how much of it is left.
            self.end(index);
            self.aging.killed(self.now, 0);
            return;
        }
        let used = self.used();
        self.fleet.withdraw(index);
        let wait_s = self.backlog.remove();
        self.stays[index as usize].left = self.sums;
        let lost = self.shape.slots * (used + wait_s / self.shape.mean_s);
        self.tally.fared(self.now, Batch { requests: lost, late: lost, failed: lost, kind: Kind::Steady(0) });
        self.aging.killed(self.now, (lost + 0.5) as u64);
        self.end(index);
        let new = self.enlist();
        let load = self.fleet.replicas[new as usize].restart(self.now, None, 1.0);
        let epoch = self.fleet.replicas[new as usize].epoch;
        self.events.push(self.now + load, What::Step { service: 0, replica: new, epoch });
        self.fleet.post(self.now);
    }

    /// Retires a replica by order of a policy; `falls`: because the count falls.
    pub(super) fn retire_by(&mut self, index: u32, order: &Order, falls: bool) {
        let replica = &mut self.fleet.replicas[index as usize];
        let named = order.retire.contains(&replica.id) || order.replace.contains(&replica.id);
        if named && !falls && replica.stage == Stage::Ready {
            replica.replaced = true;
            self.aging.replaced(self.now);
        }
        self.retire(index);
    }

    /// Notes when a falling count takes the last starting replica although a replacement waits for one.
    pub(super) fn watch_surge(&mut self, order: &Order, victims: &[u32]) {
        if self.fleet.cuts_all_starts(victims) && order.surge > 0 {
            self.aging.cancelled(self.now);
        }
    }

    /// Remembers how old the replicas are at the end.
    pub(super) fn note_ages(&mut self, end: Instant) {
        for index in self.fleet.serving().collect::<Vec<u32>>() {
            let lived = Lived {
                hours: hours_since(self.fleet.replicas[index as usize].ready_at, end),
                ..self.lived(index)
            };
            let replica = &self.fleet.replicas[index as usize];
            self.aging.sums.replicas.push(ReplicaAge {
                service: 0,
                replica: replica.id.0,
                age_hours: lived.hours,
                requests: lived.served as u64,
                memory_mib: replica.growth.total_mib(lived),
                leaked_mib: replica.growth.leaked_mib(lived),
                limit_mib: self.fleet.spec.memory_limit_mib,
            });
        }
    }
}
