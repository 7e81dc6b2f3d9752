//! Latency as a function of load: short runs of the twin's stations, in units of the mean work.
//!
//! A replica's latency depends on the mean work only through the offered load, so that one run at mean 1
//! serves for all: `T = S · f(server, cv, a, n)` with `a = λ S / n` the work offered to each of `n`
//! replicas. `f` has no closed form for log-normal work behind the better of two replicas; it is measured
//! on [`homeostat_twin::station`]'s own servers with common random numbers, at a few loads, and
//! interpolated. Works and gaps are stratified (each of N equal shares of the distribution occurs once),
//! which takes most of the noise out of the quantiles.
//!
//! Recorded percentiles are those of one minute each, and the mean of their logarithms is not the
//! logarithm of the long-run percentile: short windows have few requests, and a queue wanders between
//! them. The runs are cut into windows of as many requests and averaged in the same way.

use homeostat_core::draw::Key;
use homeostat_core::{Instant, Span, num};
use homeostat_twin::station::fcfs::Fcfs;
use homeostat_twin::station::sharing::Sharing;
use homeostat_twin::station::{Accepted, Station, Task};

use crate::record::SHARES;

/// Nanoseconds that stand for the mean work.
const UNIT: f64 = 1e9;
/// Replicas beyond which one more changes nothing for a request that looks at two.
pub const MOST_REPLICAS: u32 = 16;
/// Requests inside a shared replica at most, so that a hopeless load ends.
const CROWD: u32 = 2_000;
/// Requests of a window at most: beyond it a window is as good as the long run.
const WINDOW: usize = 4_000;

/// How a replica serves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Form {
    /// Bounded concurrency with a queue.
    Fcfs {
        /// Requests served at the same time.
        slots: u32,
    },
    /// Processor sharing under the Universal Scalability Law.
    Sharing {
        /// σ.
        contention: f64,
        /// κ.
        coherency: f64,
        /// Cores, for utilisation.
        cores: u32,
    },
}

impl Form {
    fn station(self) -> Station {
        match self {
            Self::Fcfs { slots } => Station::Fcfs(Fcfs::new(slots, u32::MAX, false)),
            Self::Sharing { contention, coherency, cores } => {
                Station::Sharing(Sharing::new(contention, coherency, cores, CROWD, false))
            }
        }
    }

    /// Work that a replica does per unit of time at best, in mean works: its capacity times the mean work.
    pub fn most_work(self) -> f64 {
        match self {
            Self::Fcfs { slots } => f64::from(slots),
            Self::Sharing { contention, coherency, .. } => {
                let at = |n: f64| n / (1.0 + contention * (n - 1.0) + coherency * n * (n - 1.0));
                (1..=CROWD).map(|n| at(f64::from(n))).fold(0.0, f64::max)
            }
        }
    }
}

/// What a run at one load shows, in units of the mean work.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Node {
    /// Mean over windows of the logarithm of mean, median, 95th and 99th percentile.
    pub ln: [f64; 4],
    /// Covariance of those and of the logarithm of the busy share between windows of the same rate.
    pub covariance: [[f64; 5]; 5],
    /// Busy share of slots or cores.
    pub busy: f64,
    /// Requests per window: what the covariance belongs to.
    pub window: f64,
}

/// Random numbers that all runs have in common.
#[derive(Debug, Clone)]
pub struct Numbers {
    scores: Vec<f64>,
    gaps: Vec<f64>,
    bits: Vec<u64>,
}

impl Numbers {
    /// Numbers for runs of this many requests.
    pub fn new(requests: usize, seed: u64) -> Self {
        let key = Key::root(seed).child("calibrate");
        let middle = |i: &usize| (*i as f64 + 0.5) / requests as f64;
        let scores = shuffled(requests, key.child("work")).iter().map(|i| probit(middle(i))).collect();
        let gaps = shuffled(requests, key.child("gaps")).iter().map(|i| -num::ln(1.0 - middle(i))).collect();
        let bits = (0..requests).map(|i| key.child("balance").at(i as u64).bits()).collect();
        Self { scores, gaps, bits }
    }

    /// One run: work offered per replica, replicas, requests per window.
    pub fn run(&self, form: Form, cv: f64, offered: f64, replicas: u32, window: f64) -> Node {
        let sigma = num::ln(1.0 + cv * cv).sqrt();
        let mean_gap = UNIT / (offered * f64::from(replicas));
        let mut stations = vec![form.station(); replicas as usize];
        let mut times = vec![0_u64; self.scores.len()];
        let windows = Windows::of(times.len(), window);
        let (mut now, mut left, mut marks) = (0.0, Vec::new(), Vec::new());
        for (i, time) in times.iter_mut().enumerate() {
            now += self.gaps[i] * mean_gap;
            let at = Instant(now as u64);
            if windows.starts(i) {
                marks.push((now, busy(&mut stations, at, &mut left)));
            }
            let chosen = pick(&mut stations, at, self.bits[i], &mut left);
            let work = Span((UNIT * num::exp_fast(sigma * self.scores[i] - 0.5 * sigma * sigma)) as u64);
            let task = Task { tag: i as u64, arrival: at, work, deadline: Instant::MAX };
            *time = match stations[chosen].accept(&task) {
                Accepted::Serves(end) => end.since(at).0.max(1),
                _ => u64::MAX,
            };
        }
        let all = busy(&mut stations, Instant(now as u64), &mut left);
        marks.push((now, all));
        for station in &mut stations {
            while let Some(next) = station.next() {
                station.advance(next, &mut left);
            }
        }
        for gone in &left {
            times[gone.tag as usize] = gone.at.since(gone.arrival).0.max(1);
        }
        let mut node = windows.summary(&mut times, &marks);
        node.busy = all / (now * f64::from(replicas));
        node
    }
}

/// The better of two at random, as the twin's default balancer does.
fn pick(
    stations: &mut [Station],
    at: Instant,
    bits: u64,
    left: &mut Vec<homeostat_twin::station::Left>,
) -> usize {
    let n = stations.len() as u64;
    let first = ((bits >> 32) * n) >> 32;
    if n == 1 {
        stations[0].advance(at, left);
        return 0;
    }
    let second = ((bits & 0xFFFF_FFFF) * (n - 1)) >> 32;
    let (first, second) = (first as usize, (second + u64::from(second >= first)) as usize);
    stations[first].advance(at, left);
    stations[second].advance(at, left);
    if stations[second].outstanding(at) < stations[first].outstanding(at) { second } else { first }
}

/// Busy time of all replicas up to a moment, in times of a whole replica.
fn busy(stations: &mut [Station], at: Instant, left: &mut Vec<homeostat_twin::station::Left>) -> f64 {
    let mut sum = 0.0;
    for station in stations {
        station.advance(at, left);
        sum += station.counters(at).busy_ns as f64 / f64::from(station.slots());
    }
    sum
}

/// The windows of a run. Its first tenth, which starts empty, is left out.
struct Windows {
    from: usize,
    length: usize,
    count: usize,
}

impl Windows {
    fn of(requests: usize, window: f64) -> Self {
        let from = requests / 10;
        let rest = requests - from;
        let length = (window.clamp(20.0, WINDOW as f64) as usize).min(rest / 8).max(1);
        Self { from, length, count: rest / length }
    }

    /// Whether one begins, or the last one has ended, with this request.
    const fn starts(&self, request: usize) -> bool {
        request >= self.from
            && (request - self.from).is_multiple_of(self.length)
            && (request - self.from) / self.length <= self.count
    }

    /// The figures, from the time of every request, and moment and busy time at every start of a window.
    fn summary(&self, times: &mut [u64], marks: &[(f64, f64)]) -> Node {
        let (mut sums, mut products) = ([0.0; 6], [[0.0; 6]; 6]);
        let chunks = times[self.from..].chunks_exact_mut(self.length);
        for (chunk, marks) in chunks.zip(marks.windows(2)) {
            let ((since, before), (until, after)) = (marks[0], marks[1]);
            chunk.sort_unstable();
            let mean = chunk.iter().map(|t| *t as f64).sum::<f64>() / self.length as f64;
            // Mean, p50, p95, p99, busy share, rate.
            let logs: [f64; 6] = std::array::from_fn(|k| match k {
                0 => num::ln(mean / UNIT),
                1..4 => num::ln(ranked(chunk, SHARES[k]) / UNIT),
                4 => num::ln(((after - before) / (until - since)).max(1e-9)),
                _ => -num::ln(until - since),
            });
            for (i, row) in products.iter_mut().enumerate() {
                sums[i] += logs[i];
                for (j, cell) in row.iter_mut().enumerate() {
                    *cell += logs[i] * logs[j];
                }
            }
        }
        let count = self.count as f64;
        let mean = sums.map(|sum| sum / count);
        let all = |i: usize, j: usize| products[i][j] / count - mean[i] * mean[j];
        // A record has the rate of every window: what follows it is no error.
        let rate = all(5, 5).max(1e-12);
        let covariance = square(|i, j| all(i, j) - all(i, 5) * all(j, 5) / rate);
        let ln = std::array::from_fn(|k| mean[k]);
        Node { ln, covariance, busy: 0.0, window: self.length as f64 }
    }
}

fn square(cell: impl Fn(usize, usize) -> f64) -> [[f64; 5]; 5] {
    std::array::from_fn(|i| std::array::from_fn(|j| cell(i, j)))
}

/// The value at rank `q · N`, between neighbours by proportion: what a fine histogram reports.
fn ranked(sorted: &[u64], q: f64) -> f64 {
    let rank = (q * sorted.len() as f64).max(1.0) - 1.0;
    let low = (rank as usize).min(sorted.len() - 1);
    let high = (low + 1).min(sorted.len() - 1);
    let (a, b) = (sorted[low] as f64, sorted[high] as f64);
    a + (b - a) * (rank - low as f64)
}

fn shuffled(n: usize, key: Key) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        order.swap(i, key.at(i as u64).below(i as u64 + 1) as usize);
    }
    order
}

/// The normal quantile, to nine digits (Acklam's rational approximation, 2003).
pub(crate) fn probit(p: f64) -> f64 {
    const A: [f64; 6] = [
        -39.696_830_286_653_76,
        220.946_098_424_520_5,
        -275.928_510_446_968_7,
        138.357_751_867_269,
        -30.664_798_066_147_16,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -54.476_098_798_224_06,
        161.585_836_858_040_9,
        -155.698_979_859_886_6,
        66.801_311_887_719_72,
        -13.280_681_552_885_72,
    ];
    const C: [f64; 6] = [
        -0.007_784_894_002_430_293,
        -0.322_396_458_041_136_5,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] =
        [0.007_784_695_709_041_462, 0.322_467_129_070_039_8, 2.445_134_137_142_996, 3.754_408_661_907_416];
    let poly = |c: &[f64], x: f64| c.iter().fold(0.0, |sum, c| sum * x + c);
    let tail = |p: f64| {
        let q = (-2.0 * num::ln(p)).sqrt();
        poly(&C, q) / (poly(&D, q) * q + 1.0)
    };
    if p <= 0.0 || p >= 1.0 {
        return if p <= 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    if p < 0.024_25 {
        tail(p)
    } else if p > 0.975_75 {
        -tail(1.0 - p)
    } else {
        let (q, r) = (p - 0.5, (p - 0.5) * (p - 0.5));
        poly(&A, r) * q / (poly(&B, r) * r + 1.0)
    }
}

/// Runs at several loads and replica counts, and what lies between them.
#[derive(Debug, Clone)]
pub struct Surface {
    offered: Vec<f64>,
    replicas: Vec<u32>,
    /// By replica count, then by load.
    nodes: Vec<Vec<Node>>,
}

impl Surface {
    /// Measures at these loads (rising) and replica counts (rising, at most [`MOST_REPLICAS`]); `windows`
    /// gives the requests per window at a load and count.
    pub fn measure(
        numbers: &Numbers,
        (form, cv): (Form, f64),
        offered: &[f64],
        replicas: &[u32],
        window: impl Fn(f64, u32) -> f64,
    ) -> Self {
        let row = |n: &u32| offered.iter().map(|a| numbers.run(form, cv, *a, *n, window(*a, *n))).collect();
        Self {
            offered: offered.to_vec(),
            replicas: replicas.to_vec(),
            nodes: replicas.iter().map(row).collect(),
        }
    }

    /// The figures at a load and a number of replicas.
    pub fn at(&self, offered: f64, replicas: f64) -> Node {
        let inverse = |n: u32| 1.0 / f64::from(n);
        let x = 1.0 / replicas.clamp(1.0, f64::from(MOST_REPLICAS));
        let above = self.replicas.iter().position(|n| inverse(*n) <= x).unwrap_or(self.replicas.len() - 1);
        let below = above.saturating_sub(1);
        let (high, low) = (inverse(self.replicas[below]), inverse(self.replicas[above]));
        let part = if high > low { ((high - x) / (high - low)).clamp(0.0, 1.0) } else { 1.0 };
        let (a, b) = (self.row(below, offered), self.row(above, offered));
        Node {
            ln: std::array::from_fn(|k| a.ln[k] + (b.ln[k] - a.ln[k]) * part),
            covariance: square(|i, j| a.covariance[i][j] + (b.covariance[i][j] - a.covariance[i][j]) * part),
            busy: a.busy + (b.busy - a.busy) * part,
            window: a.window + (b.window - a.window) * part,
        }
    }

    /// Cubic between the loads (Catmull and Rom, for uneven steps), linear beyond them.
    fn row(&self, row: usize, offered: f64) -> Node {
        let (xs, nodes) = (&self.offered, &self.nodes[row]);
        let last = xs.len() - 1;
        let i = xs.partition_point(|x| *x <= offered).saturating_sub(1).min(last.saturating_sub(1));
        let j = (i + 1).min(last);
        let width = (xs[j] - xs[i]).max(1e-12);
        let t = (offered - xs[i]) / width;
        let slope = |get: &dyn Fn(&Node) -> f64, k: usize| {
            let (a, b) = (k.saturating_sub(1), (k + 1).min(last));
            (get(&nodes[b]) - get(&nodes[a])) / (xs[b] - xs[a]).max(1e-12)
        };
        let cubic = |get: &dyn Fn(&Node) -> f64| {
            let (y0, y1, m0, m1) =
                (get(&nodes[i]), get(&nodes[j]), slope(get, i) * width, slope(get, j) * width);
            if t < 0.0 {
                return y0 + m0 * t;
            }
            if t > 1.0 {
                return y1 + m1 * (t - 1.0);
            }
            let (t2, t3) = (t * t, t * t * t);
            (2.0 * t3 - 3.0 * t2 + 1.0) * y0
                + (t3 - 2.0 * t2 + t) * m0
                + (3.0 * t2 - 2.0 * t3) * y1
                + (t3 - t2) * m1
        };
        let linear = |get: &dyn Fn(&Node) -> f64| {
            let (y0, y1) = (get(&nodes[i]), get(&nodes[j]));
            y0 + (y1 - y0) * t.clamp(0.0, 1.0)
        };
        Node {
            ln: std::array::from_fn(|k| cubic(&|node: &Node| node.ln[k])),
            covariance: square(|i, j| linear(&|node: &Node| node.covariance[i][j])),
            busy: cubic(&|node: &Node| node.busy).clamp(1e-6, 1.0),
            window: linear(&|node: &Node| node.window),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_replica_shows_the_work_alone() {
        let numbers = Numbers::new(20_000, 1);
        let node = numbers.run(Form::Fcfs { slots: 4 }, 0.5, 0.01, 1, 2_000.0);
        let sigma = num::ln(1.25_f64).sqrt();
        let wanted = [0.0, -0.5 * sigma * sigma, 1.645 * sigma - 0.5 * sigma * sigma];
        for (found, wanted) in node.ln.iter().zip(wanted) {
            assert!((found - wanted).abs() < 0.02, "{node:?}");
        }
        assert!((node.busy - 0.0025).abs() < 0.0003);
    }

    /// Pollaczek and Khinchine at ρ = 0.7, cv = 1: T = 1 + ρ (1 + cv²) / (2 (1 − ρ)).
    #[test]
    fn the_mean_follows_pollaczek_and_khinchine() {
        let mut mean = 0.0;
        for seed in 0..8 {
            let node = Numbers::new(100_000, seed).run(Form::Fcfs { slots: 1 }, 1.0, 0.7, 1, 1e9);
            mean += num::exp(node.ln[0]) / 8.0;
        }
        assert!((mean / (1.0 + 0.7 / 0.3) - 1.0).abs() < 0.06, "{mean}");
    }

    #[test]
    fn the_normal_quantile_is_the_known_one() {
        for (p, z) in [(0.5, 0.0), (0.975, 1.959_963_985), (0.99, 2.326_347_874), (0.001, -3.090_232_306)] {
            assert!((probit(p) - z).abs() < 1e-7, "{p}");
        }
    }

    #[test]
    fn between_nodes_lies_what_is_measured_there() {
        let numbers = Numbers::new(20_000, 3);
        let shape = (Form::Fcfs { slots: 2 }, 0.8);
        let surface = Surface::measure(&numbers, shape, &[0.1, 0.5, 0.9, 1.2, 1.5], &[1, 4], |_, _| 1_000.0);
        let between = surface.at(1.1, 4.0);
        let there = numbers.run(shape.0, shape.1, 1.1, 4, 1_000.0);
        for k in 0..4 {
            assert!((between.ln[k] - there.ln[k]).abs() < 0.02, "{between:?} {there:?}");
        }
    }
}
