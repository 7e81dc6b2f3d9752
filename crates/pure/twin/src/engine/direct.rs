//! Requests whose fate is known on arrival: no event, one record.

use homeostat_core::{Instant, Span};

use super::event::What;
use super::{Held, Simulation};
use crate::outcome::Verdict;
use crate::station::{Accepted, Left, Task};

/// Requests whose work is drawn in a row.
const ROW: usize = 64;

impl Simulation {
    /// Requests before `horizon` that are expanded already and have no recorded size.
    pub(super) fn arrive_in_rows(&mut self, horizon: u64) {
        let (mut times, mut works) = ([0; ROW], [Span::ZERO; ROW]);
        loop {
            let count = self.arrivals.fill_before(horizon, &mut times);
            if count == 0 {
                return;
            }
            let running = &mut self.services[0];
            running.work.fill(running.size_key, self.next_id, &mut works[..count]);
            running.arrived += count as u64;
            for (at, work) in times[..count].iter().zip(&works) {
                let at = Instant(*at);
                self.serve_direct(at, at, self.next_id, *work);
                self.next_id += 1;
            }
        }
    }

    #[inline]
    pub(super) fn arrive_direct(&mut self, at: Instant, recorded: Option<Span>) {
        let id = self.next_id;
        self.next_id += 1;
        let work = self.work(0, id, recorded);
        self.services[0].arrived += 1;
        if self.services[0].fleet.ready.is_empty() {
            self.hold_direct(Held { visit: 0, generation: 0, arrival: at, id, work });
        } else {
            self.serve_direct(at, at, id, work);
        }
    }

    /// Hands a request that first arrived at `arrival` to a replica at `now`.
    #[inline]
    fn serve_direct(&mut self, arrival: Instant, now: Instant, id: u64, work: Span) {
        let running = &mut self.services[0];
        let bits = running.balance_key.at(id).bits();
        let k = running.picker.pick(&mut running.fleet, now, bits);
        let replica = running.fleet.ready[k] as usize;
        let deadline = arrival + self.scenario.client.timeout;
        let task = Task { tag: arrival.0, arrival: now, work, deadline };
        let time = match running.fleet.replicas[replica].station.accept(&task) {
            Accepted::Serves(at) => Some(at.since(arrival)),
            Accepted::GivesUp(_) | Accepted::Rejected | Accepted::Later => None,
        };
        self.hops += 1;
        self.tally.record(Verdict { arrival, time });
    }

    fn hold_direct(&mut self, held: Held) {
        if self.services[0].held.len() >= self.scenario.client.front_queue as usize {
            self.tally.record(Verdict { arrival: held.arrival, time: None });
            return;
        }
        self.services[0].held.push_back(held);
        self.wake(0, held.arrival);
    }

    /// A service without replicas asks its controller at once, if that one wants to be asked.
    pub(super) fn wake(&mut self, service: usize, now: Instant) {
        let running = &mut self.services[service];
        if running.controller.cadence().wake_from_zero && !running.woken && running.fleet.desired == 0 {
            running.woken = true;
            self.events.push(now, What::Tick { service: service as u16, again: false });
        }
    }

    /// Hands all held requests on; those whose clients have left fail.
    pub(super) fn release_direct(&mut self) {
        let held = std::mem::take(&mut self.services[0].held);
        for held in held {
            if held.arrival + self.scenario.client.timeout <= self.now {
                self.tally.record(Verdict { arrival: held.arrival, time: None });
            } else {
                self.serve_direct(held.arrival, self.now, held.id, held.work);
            }
        }
    }

    /// Requests that were inside a replica when it died had been recorded as served: no longer.
    pub(super) fn lose_direct(&mut self, lost: &[Left]) {
        for left in lost.iter().filter(|left| left.served) {
            let arrival = Instant(left.tag);
            self.tally.take_back(Verdict { arrival, time: Some(left.at.since(arrival)) });
            self.tally.record(Verdict { arrival, time: None });
        }
    }

    /// Requests inside a replica that became slower or faster leave at other times.
    pub(super) fn move_direct(&mut self, moved: &[(Left, Left)]) {
        for (old, new) in moved {
            let arrival = Instant(old.tag);
            let time = |left: &Left| left.served.then(|| left.at.since(arrival));
            self.tally.take_back(Verdict { arrival, time: time(old) });
            self.tally.record(Verdict { arrival, time: time(new) });
        }
    }
}
