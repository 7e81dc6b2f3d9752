//! Requests whose fate is known on arrival: no event, one record.
//!
//! Only first attempts that are served take this way. One that fails while its client has attempts left
//! becomes a visit like any other (see [`super::visits`]), as do all that find no replica.

use homeostat_core::{Instant, Span};

use super::{Simulation, visits};
use crate::outcome::Verdict;
use crate::station::{Accepted, Left, Task};
use crate::workload::Arrival;

/// Requests whose work is drawn in a row.
const ROW: usize = 64;
/// Marks a station's tags that are numbers of requests; all others are visits.
const DIRECT: u64 = 1 << 63;

/// Whether a station's tag is that of a request on this way.
pub(super) const fn is_direct(tag: u64) -> bool {
    tag & DIRECT != 0
}

impl Simulation {
    /// Whether this request needs no events. What is recorded of its work would be forgotten, so that it
    /// can't be tried again.
    #[inline]
    pub(super) fn goes_direct(&self, recorded: Option<Span>) -> bool {
        let kept = recorded.is_none() || self.scenario.client.retries == 0;
        self.direct && kept && !self.services[0].fleet.ready.is_empty()
    }

    #[inline]
    pub(super) fn arrive_direct(&mut self, arrival: &Arrival, recorded: Option<Span>) {
        let work = self.work(0, self.next_id, recorded);
        self.services[0].arrived += 1;
        if self.serve_direct(arrival.at, work) {
            self.arrive_in_rows();
        }
    }

    /// Requests before the next event that are expanded already and have no recorded size.
    fn arrive_in_rows(&mut self) {
        let horizon = self.events.next_at();
        let (mut times, mut works) = ([0; ROW], [Span::ZERO; ROW]);
        loop {
            let count = self.arrivals.fill_before(horizon, &mut times);
            if count == 0 {
                return;
            }
            let running = &mut self.services[0];
            running.work.fill(running.size_key, self.next_id, &mut works[..count]);
            for (i, (at, work)) in times[..count].iter().zip(&works).enumerate() {
                self.services[0].arrived += 1;
                if !self.serve_direct(Instant(*at), *work) {
                    self.arrivals.put_back(count - i - 1);
                    return;
                }
            }
        }
    }

    /// Hands the next request to a replica. Returns false if that made an event.
    #[inline]
    fn serve_direct(&mut self, now: Instant, work: Span) -> bool {
        let id = self.next_id;
        self.next_id += 1;
        self.hops += 1;
        let running = &mut self.services[0];
        let bits = running.balance_key.at(id).bits();
        let k = running.picker.pick(&mut running.fleet, now, bits);
        let replica = running.fleet.ready[k];
        let deadline = now + self.scenario.client.timeout;
        let task = Task { tag: DIRECT | id, arrival: now, work, deadline };
        let accepted = running.fleet.replicas[replica as usize].station.accept(&task);
        if let Accepted::Serves(at) = accepted {
            self.tally.record(Verdict { arrival: now, time: Some(at.since(now)) });
            return true;
        }
        self.not_served(replica, &task, accepted)
    }

    #[cold]
    fn not_served(&mut self, replica: u32, task: &Task, accepted: Accepted) -> bool {
        if self.scenario.client.retries == 0 {
            self.tally.record(Verdict { arrival: task.arrival, time: None });
            return true;
        }
        self.now = task.arrival;
        let visit = self.adopt(task.tag, task.arrival);
        if let Accepted::GivesUp(at) = accepted {
            self.rename(replica, task.tag, visit);
            self.plan_leave(visit, at, false);
        } else {
            self.fail(visit);
        }
        false
    }

    /// Makes a visit of a request that was on this way.
    fn adopt(&mut self, tag: u64, first: Instant) -> u32 {
        let request = self.new_request(visits::Request::first(tag & !DIRECT, first, None));
        self.requests[request as usize].deadline = first + self.scenario.client.timeout;
        self.new_visit(request, visits::NONE, 0)
    }

    fn rename(&mut self, replica: u32, old: u64, visit: u32) {
        let tag = self.tag(visit);
        self.services[0].fleet.replicas[replica as usize].station.rename(old, tag);
    }

    /// A request that was inside a replica when it died had been recorded as served: no longer.
    pub(super) fn lose_direct(&mut self, lost: &Left) {
        if !lost.served {
            return;
        }
        self.tally.take_back(Verdict { arrival: lost.arrival, time: Some(lost.at.since(lost.arrival)) });
        if self.scenario.client.retries == 0 {
            self.tally.record(Verdict { arrival: lost.arrival, time: None });
        } else {
            let visit = self.adopt(lost.tag, lost.arrival);
            self.fail(visit);
        }
    }

    /// A request inside a replica that became slower or faster leaves at another time.
    pub(super) fn move_direct(&mut self, replica: u32, old: &Left, new: &Left) {
        let time = |left: &Left| left.served.then(|| left.at.since(left.arrival));
        self.tally.take_back(Verdict { arrival: old.arrival, time: time(old) });
        if new.served || self.scenario.client.retries == 0 {
            self.tally.record(Verdict { arrival: new.arrival, time: time(new) });
        } else {
            let visit = self.adopt(new.tag, new.arrival);
            self.rename(replica, new.tag, visit);
            self.plan_leave(visit, new.at, false);
        }
    }
}
