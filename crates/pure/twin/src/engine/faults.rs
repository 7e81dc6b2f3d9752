//! Things go wrong: on a timeline and at rates. Leaks are in [`super::aging`].

use homeostat_core::{Instant, Span};

use super::Simulation;
use super::event::What;
use crate::fleet::Stage;
use crate::scenario::{FaultKind, Which};

impl Simulation {
    /// Plans the `nth` strike of a fault after `from`.
    pub(super) fn plan_strike(&mut self, fault: usize, nth: u32, from: Instant) {
        let spec = &self.scenario.faults[fault];
        let at = match (spec.at, spec.every) {
            (Some(at), _) if nth == 0 => self.start + at,
            (None, Some(every)) => {
                let key = self.seed.child("faults").nth(fault as u64);
                let gap = every.as_secs_f64() * key.at(nth.into()).exponential();
                from + Span::from_secs_f64(gap)
            }
            _ => return,
        };
        self.events.push(at, What::Strike { fault: fault as u16, nth });
    }

    pub(super) fn strike(&mut self, fault: usize, nth: u32) {
        if self.closing {
            return;
        }
        let spec = self.scenario.faults[fault].clone();
        let named = |name: &String| self.scenario.services.iter().position(|s| s.name == *name);
        let service = spec.service.as_ref().and_then(named).unwrap_or(0);
        if let FaultKind::Deploy(deploy) = spec.kind {
            self.deploy(service, deploy);
            self.plan_strike(fault, nth + 1, self.now);
            return;
        }
        for replica in self.hit(service, fault, nth, spec.which) {
            match spec.kind {
                FaultKind::Crash => {
                    self.crash(service, replica);
                }
                FaultKind::NodeLoss => self.lose_node(service, replica),
                FaultKind::Slow { factor, lasts } => self.slow(service, replica, factor, lasts),
                FaultKind::Deploy(_) => {}
            }
        }
        self.plan_strike(fault, nth + 1, self.now);
    }

    /// The replicas that a fault hits.
    fn hit(&self, service: usize, fault: usize, nth: u32, which: Which) -> Vec<u32> {
        let ready = &self.services[service].fleet.ready;
        match which {
            _ if ready.is_empty() => Vec::new(),
            Which::All => ready.clone(),
            Which::Oldest => vec![ready[0]],
            Which::Random => {
                let key = self.seed.child("fault targets").nth(fault as u64);
                vec![ready[key.at(nth.into()).below(ready.len() as u64) as usize]]
            }
        }
    }

    pub(super) fn slow(&mut self, service: usize, replica: u32, factor: f64, lasts: Span) {
        let state = &self.services[service].fleet.replicas[replica as usize];
        let (speed, epoch) = (state.speed / factor, state.epoch);
        self.retime(service, replica, speed);
        let what = What::SlowEnd { service: service as u16, replica, epoch };
        self.events.push(self.now + lasts, what);
    }

    pub(super) fn slow_end(&mut self, service: usize, replica: u32, epoch: u32) {
        let state = &self.services[service].fleet.replicas[replica as usize];
        if state.epoch == epoch {
            self.retime(service, replica, state.speed);
        }
    }

    /// The node of a replica goes down with all its tenants; new ones are ordered for them.
    fn lose_node(&mut self, service: usize, replica: u32) {
        let node = self.services[service].fleet.replicas[replica as usize].node;
        let mut tenants = vec![(service, replica)];
        if let Some(node) = node {
            tenants = (0..self.services.len())
                .flat_map(|s| self.services[s].fleet.live.iter().map(move |i| (s, *i)))
                .filter(|(s, i)| self.services[*s].fleet.replicas[*i as usize].node == Some(node))
                .collect();
            self.nodes.lose(node, self.now);
        }
        for (service, replica) in tenants {
            let leaving = self.services[service].fleet.replicas[replica as usize].stage == Stage::Draining;
            self.die(service, replica);
            if !leaving {
                self.order(service);
                self.services[service].fleet.post(self.now);
            }
        }
    }
}
