//! Which replica gets a request.

use homeostat_core::Instant;

use crate::scenario::Balancer;
use crate::station::Station;

/// What a balancer may look at: the ready replicas in order of age.
pub(crate) trait Ready {
    /// Number of ready replicas; positive.
    fn count(&self) -> usize;
    /// The server of the `k`-th.
    fn station(&mut self, k: usize) -> &mut Station;
}

/// The state of a balancer.
#[derive(Debug, Clone)]
pub(crate) struct Picker {
    kind: Balancer,
    turn: usize,
}

impl Picker {
    pub(crate) const fn new(kind: Balancer) -> Self {
        Self { kind, turn: 0 }
    }

    /// The index of the chosen replica among the ready ones; `bits` are the request's own random bits.
    #[inline]
    pub(crate) fn pick(&mut self, ready: &mut impl Ready, now: Instant, bits: u64) -> usize {
        let n = ready.count();
        if n == 1 {
            return 0;
        }
        match self.kind {
            Balancer::RoundRobin => {
                self.turn = (self.turn + 1) % n;
                self.turn
            }
            Balancer::LeastOutstanding => least(ready, now),
            Balancer::PowerOfTwo => power_of_two(ready, now, bits),
            Balancer::IndexPacking(limit) => {
                let open = (0..n).find(|k| ready.station(*k).outstanding(now) < limit);
                open.unwrap_or_else(|| least(ready, now))
            }
        }
    }
}

fn least(ready: &mut impl Ready, now: Instant) -> usize {
    (0..ready.count()).min_by_key(|k| ready.station(*k).outstanding(now)).unwrap_or(0)
}

#[inline]
fn power_of_two(ready: &mut impl Ready, now: Instant, bits: u64) -> usize {
    let n = ready.count() as u64;
    let first = ((bits >> 32) * n) >> 32;
    let second = ((bits & 0xFFFF_FFFF) * (n - 1)) >> 32;
    let second = second + u64::from(second >= first);
    let (first, second) = (first as usize, second as usize);
    let better = ready.station(second).outstanding(now) < ready.station(first).outstanding(now);
    if better { second } else { first }
}
