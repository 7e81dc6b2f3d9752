//! Replicas come and go: starts, places on nodes, drains, deaths.

use homeostat_core::Instant;

use super::Simulation;
use super::event::What;
use crate::fleet::{NextStep, Placed, Stage};
use crate::station::Station;

impl Simulation {
    /// A replica that serves from the start, on a node if there are any.
    pub(super) fn open_replica(&mut self, service: usize, index: u32) {
        let spec = &self.services[service].fleet.spec;
        let (cpu, memory) = (spec.cpu_milli, spec.memory_mib);
        let mut placed = self.nodes.place(cpu, memory, self.start);
        if let Placed::Ordered(node, _) = placed {
            self.nodes.up(node, self.start);
            placed = self.nodes.place(cpu, memory, self.start);
        }
        if let Placed::On(node, speed) = placed {
            self.services[service].fleet.replicas[index as usize].node = node;
            self.services[service].fleet.put_ready(index, self.start);
            self.apply_speed(service, index, speed);
        } else {
            self.plan_step(service, index, self.start);
        }
    }

    /// Orders a replica; its start begins with the search for a node.
    pub(super) fn order(&mut self, service: usize) {
        let index = self.services[service].fleet.order(self.now);
        let wait = self.services[service].fleet.replicas[index as usize].phase();
        self.plan_step(service, index, self.now + wait);
    }

    fn plan_step(&mut self, service: usize, replica: u32, at: Instant) {
        let epoch = self.services[service].fleet.replicas[replica as usize].epoch;
        self.events.push(at, What::Step { service: service as u16, replica, epoch });
    }

    /// A start goes on.
    pub(super) fn step(&mut self, service: usize, replica: u32, epoch: u32) {
        let state = &self.services[service].fleet.replicas[replica as usize];
        if state.epoch != epoch || matches!(state.stage, Stage::Ready | Stage::Draining | Stage::Gone) {
            return;
        }
        let next = self.services[service].fleet.step(replica, self.now);
        self.follow(service, replica, next);
    }

    fn follow(&mut self, service: usize, replica: u32, next: NextStep) {
        match next {
            NextStep::At(at) => self.plan_step(service, replica, at),
            NextStep::Node => self.find_node(service, replica),
            NextStep::Ready => {
                self.services[service].fleet.post(self.now);
                self.chill(service, replica);
                self.release_held(service);
                self.roll(service);
            }
            NextStep::Nothing => {}
        }
    }

    fn find_node(&mut self, service: usize, replica: u32) {
        let running = &mut self.services[service];
        let spec = &running.fleet.spec;
        let (cpu, memory) = (spec.cpu_milli, spec.memory_mib);
        let epoch = running.fleet.replicas[replica as usize].epoch;
        let waiting = running.homeless.len() as u32;
        let spoken_for = self.nodes.coming(cpu) > waiting;
        let placed = if spoken_for {
            self.nodes.place_now(cpu, memory)
        } else {
            self.nodes.place(cpu, memory, self.now)
        };
        match placed {
            Placed::On(node, speed) => {
                let next = running.fleet.placed(replica, node, self.now);
                self.apply_speed(service, replica, speed);
                self.follow(service, replica, next);
            }
            Placed::Ordered(node, at) => {
                running.homeless.push_back((replica, epoch));
                self.events.push(at, What::NodeUp { node });
            }
            Placed::Full => running.homeless.push_back((replica, epoch)),
        }
    }

    /// Sets the speed at which a replica works.
    pub(super) fn apply_speed(&mut self, service: usize, replica: u32, speed: f64) {
        let state = &mut self.services[service].fleet.replicas[replica as usize];
        if state.speed == speed {
            return;
        }
        state.speed = speed;
        self.retime(service, replica, speed);
    }

    /// Makes a replica's station work at `speed` from now on.
    pub(super) fn retime(&mut self, service: usize, replica: u32, speed: f64) {
        self.advance(service, replica);
        let state = &mut self.services[service].fleet.replicas[replica as usize];
        let moved = state.station.set_speed(self.now, speed);
        self.moved(replica, &moved);
        self.plan_report(service, replica);
    }

    pub(super) fn node_up(&mut self, node: u32) {
        self.nodes.up(node, self.now);
        self.events.push(self.now + self.nodes.idle(node), What::NodeIdle { node });
        self.house_the_homeless();
    }

    /// Replicas without a node try again.
    fn house_the_homeless(&mut self) {
        for service in 0..self.services.len() {
            for (replica, epoch) in std::mem::take(&mut self.services[service].homeless) {
                let state = &self.services[service].fleet.replicas[replica as usize];
                if state.epoch == epoch && state.stage == Stage::Scheduling {
                    self.find_node(service, replica);
                }
            }
        }
    }

    /// Tells a replica to stop: a starting one ends at once, a ready one works off what it has.
    pub(super) fn retire(&mut self, service: usize, replica: u32) {
        let fleet = &mut self.services[service].fleet;
        if fleet.replicas[replica as usize].stage != Stage::Ready {
            self.end(service, replica);
            return;
        }
        fleet.withdraw(replica);
        let limit = self.now + fleet.spec.drain;
        let state = &mut fleet.replicas[replica as usize];
        state.enter(Stage::Draining, self.now);
        let at = state.station.empty_at(self.now).unwrap_or(limit).min(limit);
        let what = What::DrainEnd { service: service as u16, replica, epoch: state.epoch };
        self.events.push(at, what);
    }

    pub(super) fn drain_end(&mut self, service: usize, replica: u32, epoch: u32) {
        let state = &self.services[service].fleet.replicas[replica as usize];
        if state.epoch == epoch && state.stage == Stage::Draining {
            let replaced = state.replaced;
            let lost = self.die(service, replica);
            if replaced {
                self.aging.cut_off(self.now, lost);
            }
        }
    }

    pub(super) fn end_if_drained(&mut self, service: usize, replica: u32) {
        let state = &mut self.services[service].fleet.replicas[replica as usize];
        if state.stage == Stage::Draining && state.station.outstanding(self.now) == 0 {
            self.end(service, replica);
        }
    }

    /// Ends a replica; requests inside are lost. Returns how many of them would have been served.
    pub(super) fn die(&mut self, service: usize, replica: u32) -> u64 {
        self.advance(service, replica);
        let fleet = &mut self.services[service].fleet;
        fleet.withdraw(replica);
        let station = &mut fleet.replicas[replica as usize].station;
        // Other servers don't know beforehand who would have been served.
        let knows = matches!(station, Station::Fcfs(_));
        let lost = station.kill(self.now);
        self.end(service, replica);
        self.lose(&lost);
        lost.iter().filter(|left| left.served || !knows).count() as u64
    }

    fn end(&mut self, service: usize, replica: u32) {
        let fleet = &mut self.services[service].fleet;
        let (cpu, memory) = (fleet.spec.cpu_milli, fleet.spec.memory_mib);
        let node = fleet.replicas[replica as usize].node.take();
        fleet.end(replica, self.now);
        fleet.post(self.now);
        if let Some(node) = node {
            if let Some(at) = self.nodes.leave(node, cpu, memory, self.now) {
                self.events.push(at, What::NodeIdle { node });
            }
            self.house_the_homeless();
        }
    }

    /// The process of a replica dies. A new one starts on the same node, unless it was on its way out.
    /// Returns how many requests were lost.
    pub(super) fn crash(&mut self, service: usize, replica: u32) -> u64 {
        let state = &self.services[service].fleet.replicas[replica as usize];
        let (node, speed, draining) = (state.node, state.speed, state.stage == Stage::Draining);
        // The node's place passes to the new process.
        self.services[service].fleet.replicas[replica as usize].node = None;
        if draining {
            self.services[service].fleet.replicas[replica as usize].node = node;
            return self.die(service, replica);
        }
        let lost = self.die(service, replica);
        let index = self.services[service].fleet.order(self.now);
        let load = self.services[service].fleet.replicas[index as usize].restart(self.now, node, 1.0);
        self.apply_speed(service, index, speed);
        self.plan_step(service, index, self.now + load);
        self.services[service].fleet.post(self.now);
        lost
    }
}
