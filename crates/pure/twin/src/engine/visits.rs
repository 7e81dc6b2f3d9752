//! Requests as trees of visits to services, each visit ended by an event.
//!
//! A request is one logical request with its attempts. An attempt begins with a visit to the first
//! service; when the work of a visit is done, its stages of further visits follow. An attempt fails as a
//! whole: visits of it that are still under way end without effect.

use homeostat_core::{Instant, Span};

use super::event::What;
use super::{Held, Simulation, direct};
use crate::outcome::Verdict;
use crate::station::{Accepted, Left, Station, Task};

pub(super) const NONE: u32 = u32::MAX;

/// A logical request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    id: u64,
    first: Instant,
    pub(super) deadline: Instant,
    recorded: Option<Span>,
    attempt: u32,
    /// Visits under way, of whatever attempt, and a pending retry.
    live: u32,
    done: bool,
}

/// A visit to a service.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit {
    request: u32,
    attempt: u32,
    parent: u32,
    generation: u32,
    version: u16,
    service: u16,
    stage: u16,
    /// Visits of the present stage that are not done.
    pending: u16,
}

impl Request {
    /// A request before its first attempt, with one `live` for whoever makes it.
    pub(super) const fn first(id: u64, first: Instant, recorded: Option<Span>) -> Self {
        Self { id, first, deadline: Instant::MAX, recorded, attempt: 0, live: 1, done: false }
    }
}

impl Simulation {
    pub(super) fn arrive_with_events(&mut self, at: Instant, recorded: Option<Span>) {
        let id = self.next_id;
        self.next_id += 1;
        self.now = at;
        let request = self.new_request(Request::first(id, at, recorded));
        self.attempt(request);
    }

    pub(super) fn new_request(&mut self, request: Request) -> u32 {
        if let Some(index) = self.free_requests.pop() {
            self.requests[index as usize] = request;
            return index;
        }
        self.requests.push(request);
        (self.requests.len() - 1) as u32
    }

    /// Begins an attempt; it holds one `live` of the request until its first visit has begun.
    pub(super) fn attempt(&mut self, request: u32) {
        self.requests[request as usize].deadline = self.now + self.scenario.client.timeout;
        self.visit(request, NONE, 0);
        self.release(request);
    }

    fn visit(&mut self, request: u32, parent: u32, service: u16) {
        let index = self.new_visit(request, parent, service);
        self.requests[request as usize].live += 1;
        self.services[usize::from(service)].arrived += 1;
        self.hops += 1;
        if self.services[usize::from(service)].fleet.ready.is_empty() {
            self.hold(index);
        } else {
            self.serve(index);
        }
    }

    pub(super) fn new_visit(&mut self, request: u32, parent: u32, service: u16) -> u32 {
        let attempt = self.requests[request as usize].attempt;
        let fresh =
            Visit { request, attempt, parent, generation: 0, version: 0, service, stage: 0, pending: 0 };
        if let Some(index) = self.free_visits.pop() {
            let generation = self.visits[index as usize].generation;
            self.visits[index as usize] = Visit { generation, ..fresh };
            return index;
        }
        self.visits.push(fresh);
        (self.visits.len() - 1) as u32
    }

    /// What a station knows a visit by.
    pub(super) fn tag(&self, visit: u32) -> u64 {
        u64::from(visit) | u64::from(self.visits[visit as usize].generation) << 32
    }

    /// Hands a visit to a replica.
    fn serve(&mut self, index: u32) {
        let visit = self.visits[index as usize];
        let request = self.requests[visit.request as usize];
        let service = usize::from(visit.service);
        let recorded = if service == 0 { request.recorded } else { None };
        let work = self.work(service, request.id, recorded);
        let running = &mut self.services[service];
        let key = running.balance_key;
        let key = if request.attempt == 0 { key } else { key.nth(request.attempt.into()) };
        let k = running.picker.pick(&mut running.fleet, self.now, key.at(request.id).bits());
        let replica = running.fleet.ready[k];
        let task = Task { tag: self.tag(index), arrival: self.now, work, deadline: request.deadline };
        self.advance(service, replica);
        match self.services[service].fleet.replicas[replica as usize].station.accept(&task) {
            Accepted::Serves(at) => self.plan_leave(index, at, true),
            Accepted::GivesUp(at) => self.plan_leave(index, at, false),
            Accepted::Later => self.plan_report(service, replica),
            Accepted::Rejected => self.fail(index),
        }
    }

    pub(super) fn plan_leave(&mut self, visit: u32, at: Instant, served: bool) {
        let Visit { generation, version, .. } = self.visits[visit as usize];
        self.events.push(at, What::Leave { visit, generation, version, served });
    }

    fn hold(&mut self, index: u32) {
        let visit = self.visits[index as usize];
        let service = usize::from(visit.service);
        if self.services[service].held.len() >= self.scenario.client.front_queue as usize {
            self.fail(index);
            return;
        }
        let generation = visit.generation;
        self.services[service].held.push_back(Held { visit: index, generation });
        let deadline = self.requests[visit.request as usize].deadline;
        self.events.push(deadline, What::Deadline { visit: index, generation });
        self.wake(service);
    }

    /// A service without replicas asks its controller at once, if that one wants to be asked.
    fn wake(&mut self, service: usize) {
        let running = &mut self.services[service];
        if running.controller.cadence().wake_from_zero && !running.woken && running.fleet.desired == 0 {
            running.woken = true;
            self.events.push(self.now, What::Tick { service: service as u16, again: false });
        }
    }

    /// The client of a held visit leaves.
    pub(super) fn give_up_waiting(&mut self, visit: u32, generation: u32) {
        if self.visits[visit as usize].generation != generation {
            return;
        }
        let held = &mut self.services[usize::from(self.visits[visit as usize].service)].held;
        let before = held.len();
        held.retain(|h| (h.visit, h.generation) != (visit, generation));
        if held.len() < before {
            self.fail(visit);
        }
    }

    /// Hands all held visits of a service on.
    pub(super) fn release_held(&mut self, service: usize) {
        for held in std::mem::take(&mut self.services[service].held) {
            if self.visits[held.visit as usize].generation == held.generation {
                self.serve(held.visit);
            }
        }
    }

    /// A visit ends at its station.
    pub(super) fn leave(&mut self, visit: u32, generation: u32, version: u16, served: bool) {
        let Visit { generation: present, version: latest, .. } = self.visits[visit as usize];
        if (generation, version) == (present, latest) {
            if served { self.go_on(visit) } else { self.fail(visit) }
        }
    }

    /// The work of a visit, or a stage after it, is done.
    fn go_on(&mut self, index: u32) {
        let visit = self.visits[index as usize];
        let orphan = visit.attempt != self.requests[visit.request as usize].attempt;
        let stages = self.stages[usize::from(visit.service)].len();
        if orphan || usize::from(visit.stage) >= stages {
            self.complete(index, orphan);
            return;
        }
        let (service, stage) = (usize::from(visit.service), usize::from(visit.stage));
        let calls = self.stages[service][stage].len();
        let mine = &mut self.visits[index as usize];
        (mine.pending, mine.stage) = (calls as u16, visit.stage + 1);
        let generation = visit.generation;
        for call in 0..calls {
            let to = self.stages[service][stage][call];
            // A call may fail at once and take the whole attempt with it.
            if self.visits[index as usize].generation == generation {
                self.visit(visit.request, index, to);
            }
        }
    }

    fn complete(&mut self, index: u32, orphan: bool) {
        let visit = self.visits[index as usize];
        self.drop_visit(index);
        if orphan {
            self.release(visit.request);
            return;
        }
        if visit.parent == NONE {
            let request = &mut self.requests[visit.request as usize];
            request.done = true;
            let verdict = Verdict { arrival: request.first, time: Some(self.now.since(request.first)) };
            self.tally.record(verdict);
        } else {
            let parent = &mut self.visits[visit.parent as usize];
            parent.pending -= 1;
            if parent.pending == 0 {
                self.go_on(visit.parent);
            }
        }
        self.release(visit.request);
    }

    fn drop_visit(&mut self, index: u32) {
        let visit = &mut self.visits[index as usize];
        visit.generation += 1;
        self.free_visits.push(index);
    }

    /// One thing less is under way for a request.
    fn release(&mut self, request: u32) {
        let state = &mut self.requests[request as usize];
        state.live -= 1;
        if state.live == 0 {
            self.free_requests.push(request);
        }
    }

    /// A visit fails, and with it its attempt, up to the client.
    pub(super) fn fail(&mut self, index: u32) {
        let visit = self.visits[index as usize];
        self.drop_visit(index);
        let request = &mut self.requests[visit.request as usize];
        if request.done || visit.attempt != request.attempt {
            self.release(visit.request);
            return;
        }
        let tried = request.attempt;
        request.attempt += 1;
        let mut parent = visit.parent;
        while parent != NONE {
            let above = self.visits[parent as usize];
            self.drop_visit(parent);
            self.release(above.request);
            parent = above.parent;
        }
        let request = &mut self.requests[visit.request as usize];
        if tried < self.scenario.client.retries {
            request.live += 1;
            let key = self.seed.child("backoff").nth(tried.into());
            let spread = 0.5 + key.at(request.id).uniform();
            let pause = self.scenario.client.backoff.as_secs_f64() * spread * f64::from(1 << tried.min(20));
            let at = self.now + Span::from_secs_f64(pause);
            self.events.push(at, What::Retry { request: visit.request });
        } else {
            request.done = true;
            self.tally.record(Verdict { arrival: request.first, time: None });
        }
        self.release(visit.request);
    }

    /// Lets a station report what happened up to now.
    #[inline]
    pub(super) fn advance(&mut self, service: usize, replica: u32) {
        let station = &mut self.services[service].fleet.replicas[replica as usize].station;
        if matches!(station, Station::Fcfs(_)) {
            return;
        }
        let mut left = Vec::new();
        station.advance(self.now, &mut left);
        for left in left {
            self.left(&left);
        }
    }

    fn left(&mut self, left: &Left) {
        let (visit, generation) = (left.tag as u32, (left.tag >> 32) as u32);
        if self.visits[visit as usize].generation == generation {
            if left.served { self.go_on(visit) } else { self.fail(visit) }
        }
    }

    /// Plans an event for the next report of a station.
    pub(super) fn plan_report(&mut self, service: usize, replica: u32) {
        let state = &mut self.services[service].fleet.replicas[replica as usize];
        let next = state.station.next();
        if next != state.due {
            state.due = next;
            if let Some(at) = next {
                let what = What::Station { service: service as u16, replica, epoch: state.epoch };
                self.events.push(at.max(self.now), what);
            }
        }
    }

    /// A station's event is due.
    pub(super) fn report(&mut self, service: usize, replica: u32, epoch: u32) {
        let state = &mut self.services[service].fleet.replicas[replica as usize];
        if state.epoch != epoch || state.due != Some(self.now) {
            return;
        }
        state.due = None;
        self.advance(service, replica);
        self.plan_report(service, replica);
        self.end_if_drained(service, replica);
    }

    /// Requests that were inside a replica when it died.
    pub(super) fn lose(&mut self, lost: &[Left]) {
        for left in lost {
            let (visit, generation) = (left.tag as u32, (left.tag >> 32) as u32);
            if direct::is_direct(left.tag) {
                self.lose_direct(left);
            } else if self.visits[visit as usize].generation == generation {
                self.fail(visit);
            }
        }
    }

    /// Requests inside a replica that became slower or faster.
    pub(super) fn moved(&mut self, replica: u32, moved: &[(Left, Left)]) {
        for (old, new) in moved {
            let (visit, generation) = (new.tag as u32, (new.tag >> 32) as u32);
            if direct::is_direct(new.tag) {
                self.move_direct(replica, old, new);
            } else if self.visits[visit as usize].generation == generation {
                self.visits[visit as usize].version += 1;
                self.plan_leave(visit, new.at, new.served);
            }
        }
    }
}
