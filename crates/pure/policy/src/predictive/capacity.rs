//! What share of requests is late, given a rate and a number of replicas.
//!
//! Two things make requests wait: the pool as a whole (M/G/m with all slots as servers: Erlang's C, its wait
//! scaled by (1 + cv²) / 2 as Lee and Longton do), and a balancer that sees only two replicas, so that one
//! queues while another has room (the mean-field limit of the power of two choices, Mitzenmacher 2001, for
//! replicas of several slots). Above capacity there is no steady state: a fluid backlog grows, and everyone
//! waits for what lies before them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use homeostat_core::num;

use crate::spec::{Promise, ServiceModel};

/// Utilisations at which the imbalance of the balancer is tabulated; beyond the last one it stays.
const USES: usize = 50;
/// Points over which a wait's distribution is summed.
const POINTS: usize = 64;
/// Waits are followed up to so many times the objective: nothing beyond is any later.
const LONGEST: f64 = 4.0;

/// The late share of one target.
#[derive(Debug, Clone)]
pub struct Capacity {
    /// Objective in seconds.
    latency: f64,
    /// Mean work in seconds.
    work: f64,
    /// (1 + cv²) / 2.
    spread: f64,
    /// Slots of a replica.
    slots: f64,
    /// Share of requests whose work alone exceeds k / n of the latency.
    beyond: Vec<f64>,
    /// The integral of `beyond` from the latency downwards: entry k is ∫ over waits 0 to k / n of the
    /// latency.
    waited: Vec<f64>,
    /// Late share that the balancer's imbalance adds, by utilisation in steps of 1 / [`USES`].
    imbalance: Vec<f64>,
    /// Highest steady rates by count, for the late shares asked for lately.
    highest: RefCell<BTreeMap<(u64, u32), f64>>,
}

impl Capacity {
    /// From a calibrated service.
    pub fn new(service: &ServiceModel, promise: Promise) -> Self {
        let cv = service.work_cv.clamp(0.0, 10.0);
        let mut new = Self {
            latency: promise.latency.as_secs_f64(),
            work: service.work.as_secs_f64().max(1e-9),
            spread: f64::midpoint(1.0, cv * cv),
            slots: service.slots.max(1e-6),
            beyond: service.beyond.clone(),
            waited: Vec::new(),
            imbalance: Vec::new(),
            highest: RefCell::default(),
        };
        let n = new.beyond.len() - 1;
        let mut sum = 0.0;
        new.waited.push(0.0);
        for k in 0..n {
            sum += f64::midpoint(new.beyond[n - k], new.beyond[n - k - 1]) / n as f64 * new.latency;
            new.waited.push(sum);
        }
        new.imbalance = (0..=USES).map(|i| new.uneven(i as f64 / USES as f64)).collect();
        new
    }

    /// Requests per second of `replicas` that are never idle.
    pub fn rate_of(&self, replicas: f64) -> f64 {
        replicas * self.slots / self.work
    }

    /// Share that is late after waiting `wait` seconds.
    fn after(&self, wait: f64) -> f64 {
        let n = self.beyond.len() - 1;
        let place = (1.0 - wait / self.latency) * n as f64;
        if place <= 0.0 {
            return 1.0;
        }
        let low = (place as usize).min(n);
        let (a, b) = (self.beyond[low], self.beyond[(low + 1).min(n)]);
        a + (b - a) * (place - low as f64)
    }

    /// ∫ of [`Self::after`] over waits from 0 to `wait`.
    fn integral(&self, wait: f64) -> f64 {
        let n = self.waited.len() - 1;
        let place = wait / self.latency * n as f64;
        if place >= n as f64 {
            return self.waited[n] + (wait - self.latency);
        }
        let low = place.max(0.0) as usize;
        self.waited[low] + (self.waited[low + 1] - self.waited[low]) * (place - low as f64)
    }

    /// Mean late share while the wait goes from `from` to `to` seconds at a constant pace.
    fn between(&self, from: f64, to: f64) -> f64 {
        if (to - from).abs() < 1e-6 {
            return self.after(f64::midpoint(from, to));
        }
        (self.integral(to) - self.integral(from)) / (to - from)
    }

    /// Share of requests whose work alone is too long.
    pub fn inevitable(&self) -> f64 {
        self.after(0.0)
    }

    /// Late share in a steady state below capacity; 1 at or above it.
    pub fn steady(&self, rate: f64, replicas: u32) -> f64 {
        let capacity = self.rate_of(f64::from(replicas));
        let used = rate / capacity;
        if used >= 1.0 || !used.is_finite() {
            return 1.0;
        }
        let servers = (f64::from(replicas) * self.slots).max(1.0);
        let waits = erlang_c(servers, used * servers);
        // Of those who wait, the wait is exponential with this mean.
        let mean = self.spread / (capacity - rate);
        let late = self.exponential(mean);
        let place = used * USES as f64;
        let low = place as usize;
        let uneven = if replicas == 1 {
            0.0
        } else {
            let (a, b) = (self.imbalance[low], self.imbalance[(low + 1).min(USES)]);
            a + (b - a) * (place - low as f64)
        };
        let base = self.inevitable();
        (base + waits * (late - base) + uneven).clamp(0.0, 1.0)
    }

    /// Late share after an exponential wait of this mean.
    fn exponential(&self, mean: f64) -> f64 {
        let mut late = 0.0;
        for i in 0..POINTS {
            let level = (i as f64 + 0.5) / POINTS as f64;
            late += self.after(-mean * num::ln(1.0 - level));
        }
        late / POINTS as f64
    }

    /// Late share added by queues that form at the better of two replicas while others have room.
    ///
    /// With `s_k` the share of replicas with at least k inside, the flow into k equals that out of it:
    /// `λ s²_{k−1} = μ (k s_k + s_{k+1} + … + s_c)` up to the slots c, and `λ s²_{k−1} = c μ s_k` beyond.
    fn uneven(&self, used: f64) -> f64 {
        let slots = (self.slots.round() as usize).max(1);
        let used = used.clamp(1e-6, 0.999);
        let offered = used * slots as f64;
        // s_c that makes s_0 one: s_0 rises with it.
        let (mut low, mut high) = (0.0, 1.0);
        let mut at = vec![0.0; slots + 1];
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            below(middle, offered, &mut at);
            if at[0] > 1.0 { high = middle } else { low = middle }
        }
        let mut share = at[slots];
        let pace = slots as f64 / self.work;
        let base = self.inevitable();
        let mut late = 0.0;
        // Both replicas have k or more inside with probability s²_k; then k − c + 1 have to end first.
        for ahead in 1..200 {
            let next = used * share * share;
            let weight = share * share - next * next;
            late += weight * (self.after(f64::from(ahead) / pace) - base).max(0.0);
            share = next;
            if share < 1e-6 {
                break;
            }
        }
        late
    }

    /// The highest steady rate that keeps the late share of `replicas` at or below `permitted`.
    pub fn highest_rate(&self, replicas: u32, permitted: f64) -> f64 {
        let key = (permitted.to_bits(), replicas);
        if let Some(rate) = self.highest.borrow().get(&key) {
            return *rate;
        }
        let (mut low, mut high) = (0.0, self.rate_of(f64::from(replicas)));
        for _ in 0..30 {
            let middle = f64::midpoint(low, high);
            if self.steady(middle, replicas) <= permitted { low = middle } else { high = middle }
        }
        let mut known = self.highest.borrow_mut();
        if known.len() > 20_000 {
            known.clear();
        }
        known.insert(key, low);
        low
    }

    /// Fewest replicas whose steady late share at `rate` is at or below `permitted`.
    pub fn fewest(&self, rate: f64, permitted: f64) -> u32 {
        let mut count = (rate / self.rate_of(1.0)).ceil().clamp(1.0, 1e6) as u32;
        // A few per cent more at most, save at very few replicas.
        while count < 1_000_000 && self.highest_rate(count, permitted) < rate {
            count += 1;
        }
        count
    }

    /// A stretch of time at a constant rate with a backlog of requests before it: the late share within it,
    /// and the backlog after it.
    pub fn stretch(&self, rate: f64, capacity: f64, backlog: f64, seconds: f64) -> (f64, f64) {
        if capacity <= 0.0 {
            return (1.0, backlog + rate * seconds);
        }
        let most = LONGEST * self.latency * capacity;
        let grows = rate - capacity;
        let after = backlog + grows * seconds;
        if after >= 0.0 {
            let after = after.min(most);
            return (self.between(backlog / capacity, after / capacity), after);
        }
        // The backlog is gone before the end.
        if backlog <= 0.0 {
            return (self.inevitable(), 0.0);
        }
        let until = backlog / -grows;
        let late = self.between(0.0, backlog / capacity) * until;
        ((late + self.inevitable() * (seconds - until)) / seconds, 0.0)
    }

    /// Share that is late when so many requests wait for so many replicas: what an observed queue says.
    pub fn queued(&self, waiting: f64, replicas: f64) -> f64 {
        let capacity = self.rate_of(replicas);
        if capacity <= 0.0 { f64::from(u8::from(waiting > 0.0)) } else { self.after(waiting / capacity) }
    }
}

/// Shares of replicas with at least k inside, given that with at least c = the last one.
fn below(last: f64, offered: f64, at: &mut [f64]) {
    let slots = at.len() - 1;
    at[slots] = last;
    let mut above = 0.0;
    for k in (1..=slots).rev() {
        // at[k] is known; `above` is the sum of those over k.
        at[k - 1] = ((k as f64 * at[k] + above) / offered).sqrt();
        above += at[k];
    }
}

/// Probability that all `servers` are busy when `offered` of them are on average (Erlang's C). The number of
/// servers need not be whole; the recursion starts at its fraction.
fn erlang_c(servers: f64, offered: f64) -> f64 {
    let whole = servers.floor().max(1.0);
    let mut inverse = 1.0;
    let mut k = 1.0;
    while k <= whole {
        inverse = 1.0 + inverse * k / offered;
        if inverse > 1e12 {
            return 0.0;
        }
        k += 1.0;
    }
    let blocked = 1.0 / inverse;
    let used = offered / servers;
    (blocked / (1.0 - used * (1.0 - blocked))).clamp(0.0, 1.0)
}
