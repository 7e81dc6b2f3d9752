//! The bound against exact enumeration on tiny instances.

use homeostat_core::draw::{Draws, Key};
use homeostat_core::num;

use super::bare::Bare;
use super::carry::Carried;
use super::dual::{Dual, Relaxed, Terms};
use super::load::{Ability, CLASSES, Load, Tile};
use super::misses::Gain;
use super::*;

/// The least cost of a level over all ways to be on or off on a grid finer than tiles, where each run is
/// paid from its order on; the misses of a tile count unless the run touches the tile or its slack.
fn enumerate(gains: &[f64], terms: &Terms, theta: f64, fine: usize) -> f64 {
    let steps = gains.len() * fine;
    let step_s = terms.tile_s / fine as f64;
    let mut best = f64::INFINITY;
    for pattern in 0_u32..1 << steps {
        let on = |i: usize| pattern >> i & 1 == 1;
        let mut cost = 0.0;
        for i in 0..steps {
            if on(i) {
                cost += step_s;
                if i > 0 && !on(i - 1) {
                    cost += terms.start_s.min(i as f64 * step_s);
                }
            }
        }
        let slack = (terms.slack_s / step_s).round() as usize;
        for (tile, gain) in gains.iter().enumerate() {
            let reach = tile * fine..((tile + 1) * fine + slack).min(steps);
            if !reach.into_iter().any(on) {
                cost += theta * gain;
            }
        }
        best = best.min(cost);
    }
    best
}

fn terms(draws: &mut Draws, fine: usize, tiles: usize) -> Terms {
    let step = 5.0;
    let tile_s = step * fine as f64;
    Terms {
        tile_s,
        start_s: step * draws.below(8) as f64,
        slack_s: step * draws.below(2) as f64,
        span_s: tile_s * tiles as f64,
        min: 0,
        max: 10,
    }
}

#[test]
fn no_level_is_cheaper_than_its_programme_says() {
    let mut below = 0;
    for case in 0..500 {
        let mut draws = Key::root(4).child("levels").at(case);
        let (fine, tiles) = if case % 2 == 0 { (1, 12) } else { (2, 6) };
        let terms = terms(&mut draws, fine, tiles);
        let gains: Vec<f64> = (0..tiles).map(|_| draws.below(4) as f64).collect();
        let theta = 20.0 * draws.uniform();
        let list: Vec<Gain> = gains
            .iter()
            .enumerate()
            .filter(|(_, g)| **g > 0.0)
            .map(|(tile, g)| Gain { tile: tile as u32, misses: *g as f32 })
            .collect();
        let programme = terms.level(&list, theta);
        let exact = enumerate(&gains, &terms, theta, fine);
        assert!(programme <= exact + 1e-9, "case {case}: {programme} > {exact} {terms:?} {gains:?} {theta}");
        below += u32::from(programme < exact - 1e-9);
        let relaxed = relaxed_runs(&gains, &terms, theta, 0, 0, false);
        assert!((programme - relaxed).abs() < 1e-9, "case {case}: {programme} and {relaxed} by enumeration");
    }
    assert!(below > 0, "the relaxation was never at work");
}

fn bound_of(dual: &dyn Relaxed, curve: &[(f64, f64)], missed: f64) -> f64 {
    let (relaxed, theta) = dual.best(curve, missed, 12);
    relaxed - theta * missed
}

/// The programme's own problem by enumeration of runs: a run pays its start and its first two tiles are
/// free, or it is on from the beginning and the first tile is; the next one may begin in the tile in which
/// it ends. `covered`: a run has touched tile `from`.
fn relaxed_runs(
    gains: &[f64],
    terms: &Terms,
    theta: f64,
    from: usize,
    least_end: usize,
    covered: bool,
) -> f64 {
    let skip = usize::from(covered);
    let missed = |to: usize| theta * gains[(from + skip).min(to)..to].iter().sum::<f64>();
    let mut best = missed(gains.len());
    if from == 0 && !covered {
        // On since before the window.
        for last in 0..gains.len() {
            let rest = relaxed_runs(gains, terms, theta, last, last + 1, true);
            best = best.min(last as f64 * terms.tile_s + rest);
        }
    }
    for first in from..gains.len() {
        let start = (terms.start_s - terms.slack_s).max(0.0);
        for last in first.max(least_end)..gains.len() {
            let run = start + (last - first).saturating_sub(1) as f64 * terms.tile_s;
            let rest = relaxed_runs(gains, terms, theta, last, last + 1, true);
            best = best.min(missed(first) + run + rest);
        }
    }
    best
}

#[test]
fn a_constant_load_needs_its_replicas_all_the_time() {
    // 2.6 replicas' worth in each of 960 tiles of 15 s, so that three are needed; objective 1 s.
    let limit = Span::SECOND;
    let edges: [f64; CLASSES] = std::array::from_fn(|i| 1.0 / f64::from(1 << i));
    let mut tile = Tile { requests: 780, work: 156.0, ..Tile::default() };
    (tile.counts[2], tile.works[2]) = (780, 156.001);
    let tiles = vec![tile; 960];
    let ability = Ability { pace: 4.0, limit };
    let span = Span::from_secs(15 * 960);
    let (tile, warm_up) = (Span::from_secs(15), Span::ZERO);
    let load = Load { tile, tiles, slack: limit, span, warm_up, opening: 0.0, edges, ability };
    let terms = Terms { tile_s: 15.0, start_s: 120.0, slack_s: 1.0, span_s: 14_400.0, min: 1, max: 10 };
    let dual = Dual::new(&load, terms);
    let curve = dual.curve(0.05, 0.0);
    let needed = 3.0 * 14_400.0;
    let lower = bound_of(&dual, &curve, 0.0);
    assert!(lower <= needed && lower > 0.997 * needed, "{lower} of {needed}");
    // With a price on carried work nothing is gained here, and nothing is lost either.
    let carried = Carried::new(&load, terms, 0.0);
    let lower = bound_of(&carried, &carried.curve(0.05, 0.0), 0.0);
    assert!(lower <= needed && lower > 0.997 * needed, "{lower} of {needed}");
    // A thousandth of the requests is no replica: hardly anything can be saved.
    let lower = bound_of(&dual, &curve, 748.0);
    assert!(lower <= needed && lower > 0.98 * needed, "{lower} of {needed}");
    // With half of the requests missed, two replicas less have to run most of the time.
    assert!(bound_of(&dual, &curve, 374_400.0) < 0.6 * needed);
}

/// A tiny instance: requests with times and works, and replicas that come and go at whole steps.
struct Tiny {
    step_s: f64,
    steps: usize,
    slots: f64,
    start: usize,
    slack: usize,
    most: u32,
    /// Step of arrival and work in seconds.
    requests: Vec<(usize, f64)>,
}

impl Tiny {
    fn draw(draws: &mut Draws) -> Self {
        let steps = 5 + draws.below(3) as usize;
        let n = 2 + draws.below(5);
        let slack = draws.below(2) as usize;
        let limit = (slack as f64 + 1.0) * 5.0;
        let request = |_| (draws.below(steps as u64) as usize, limit * 1.1 * draws.uniform());
        let requests = (0..n).map(request).collect();
        Self {
            step_s: 5.0,
            steps,
            slots: 1.0 + draws.below(2) as f64,
            start: draws.below(3) as usize,
            slack,
            most: 2,
            requests,
        }
    }

    /// The objective: what arrives in a step may be worked on until the end of the slack behind it.
    fn latency_s(&self) -> f64 {
        self.step_s * (self.slack as f64 + 1.0)
    }

    /// Replica-seconds of a path of running replicas, start-ups within the window included.
    fn cost(&self, path: &[u32]) -> f64 {
        let mut cost = 0.0;
        for i in 0..self.steps {
            cost += f64::from(path[i]) * self.step_s;
            let rise = if i == 0 { 0 } else { path[i].saturating_sub(path[i - 1]) };
            cost += f64::from(rise) * self.step_s * self.start.min(i) as f64;
        }
        cost
    }

    /// Whether a set of requests can be served: for every stretch, the work that has to be done within
    /// it fits (preemptive, divisible work: Hall's condition over intervals).
    fn fits(&self, path: &[u32], chosen: u32) -> bool {
        let capacity = |from: usize, to: usize| {
            path[from..to.min(self.steps)].iter().map(|x| f64::from(*x)).sum::<f64>()
                * self.step_s
                * self.slots
        };
        (0..self.steps).all(|from| {
            (from + 1..=self.steps + self.slack + 1).all(|to| {
                let inside = |(i, (at, _)): &(usize, &(usize, f64))| {
                    chosen >> i & 1 == 1 && *at >= from && at + self.slack < to
                };
                let work: f64 = self.requests.iter().enumerate().filter(inside).map(|(_, r)| r.1).sum();
                work <= capacity(from, to) + 1e-9
            })
        })
    }

    /// The least misses of a path: the largest set of requests that fits.
    fn misses(&self, path: &[u32]) -> u32 {
        let n = self.requests.len() as u32;
        let possible = |chosen: &u32| {
            self.requests.iter().enumerate().all(|(i, r)| chosen >> i & 1 == 0 || r.1 <= self.latency_s())
        };
        let served =
            (0_u32..1 << n).filter(possible).filter(|c| self.fits(path, *c)).map(u32::count_ones).max();
        n - served.unwrap_or(0)
    }

    /// The least cost for each number of misses, over all paths.
    fn optimum(&self) -> Vec<f64> {
        let n = self.requests.len();
        let mut best = vec![f64::INFINITY; n + 1];
        let radix = self.most + 1;
        for code in 0..radix.pow(self.steps as u32) {
            let path: Vec<u32> = (0..self.steps as u32).map(|i| code / radix.pow(i) % radix).collect();
            let (misses, cost) = (self.misses(&path) as usize, self.cost(&path));
            for slot in &mut best[misses..] {
                *slot = slot.min(cost);
            }
        }
        best
    }

    fn load(&self) -> Load {
        let limit = Span::from_secs_f64(self.latency_s());
        let edges: [f64; CLASSES] = std::array::from_fn(|i| self.latency_s() / f64::from(1 << i));
        let mut tiles = vec![Tile::default(); self.steps];
        for (at, work) in &self.requests {
            let tile = &mut tiles[*at];
            tile.requests += 1;
            if *work > self.latency_s() {
                tile.lost += 1;
                continue;
            }
            let class = edges.iter().rposition(|edge| work <= edge).unwrap_or(0);
            tile.work += work * (1.0 - 1e-6);
            if self.slack > 0 {
                tile.tail += work * (1.0 + 1e-6);
            }
            tile.counts[class] += 1;
            tile.works[class] += (*work * (1.0 + 1e-6)) as f32;
        }
        let ability = Ability { pace: self.slots, limit };
        let span = Span::from_secs_f64(self.step_s * self.steps as f64);
        let tile = Span::from_secs_f64(self.step_s);
        let slack = Span::from_secs_f64(self.step_s * self.slack as f64);
        Load { tile, tiles, slack, span, warm_up: Span::ZERO, opening: 0.0, edges, ability }
    }

    fn terms(&self, times: usize) -> Terms {
        Terms {
            tile_s: self.step_s * times as f64,
            start_s: self.step_s * self.start as f64,
            slack_s: self.step_s * self.slack as f64,
            span_s: self.step_s * self.steps as f64,
            min: 0,
            max: self.most,
        }
    }
}

#[test]
fn the_bound_holds_on_500_tiny_instances_solved_by_enumeration() {
    let (mut ratios, mut points) = ([0.0; 2], [0.0; 2]);
    for case in 0..500 {
        let tiny = Tiny::draw(&mut Key::root(4).child("tiny").at(case));
        let optimum = tiny.optimum();
        for times in [1, 2] {
            let (load, terms) = (tiny.load().coarser(times), tiny.terms(times));
            let mut problems: Vec<Box<dyn Relaxed>> =
                vec![Box::new(Dual::new(&load, terms)), Box::new(Bare::new(&load))];
            for share in [0.0, 0.5, 1.0, 2.0] {
                problems.push(Box::new(Carried::new(&load, terms, share / tiny.slots)));
            }
            for (which, problem) in problems.iter().enumerate() {
                let curve = problem.curve(1.0, 0.0);
                for (misses, best) in optimum.iter().enumerate().filter(|(_, best)| best.is_finite()) {
                    let lower = bound_of(problem.as_ref(), &curve, misses as f64);
                    let told = format!("case {case}, problem {which}, tiles of {times}, {misses} misses");
                    assert!(lower <= best + 1e-6, "{told}: {lower} > {best}");
                    if times == 1 && *best > 0.0 {
                        ratios[usize::from(which > 0)] += lower.max(0.0) / best;
                        points[usize::from(which > 0)] += 1.0;
                    }
                }
            }
        }
    }
    // Windows of a few tiles: most of a run is its two free ends, so that the bound is weak here.
    assert!(points[0] > 500.0 && points[1] > 500.0 && ratios[0] > 0.0 && ratios[1] > 0.0);
    eprintln!("bound over optimum: {:.3} and {:.3}", ratios[0] / points[0], ratios[1] / points[1]);
}

/// A week under a service of 120 s start-up, in which bursts and a daily shape ask for more or fewer levels.
#[test]
fn a_long_load_loses_little_by_the_choice_of_forms() {
    let scenario: Scenario = serde_json::from_value(serde_json::json!({
        "version": 1, "name": "week", "warm_up": "1m",
        "traffic": { "source": { "constant": { "rps": 1.0, "length": "1h" } } },
        "objective": { "latency": "1s" },
        "services": [{
            "name": "model", "server": { "fcfs": { "slots": 4 } },
            "service_time": { "log_normal": { "mean": "200ms", "cv": 1.0 } },
            "replicas": { "min": 1, "max": 50 }, "start_up": { "model_load": { "fixed": "120s" } },
        }],
    }))
    .unwrap();
    let rates = (0..7 * 1_440).map(|minute| {
        let day = 1.0 - num::cos(std::f64::consts::TAU * f64::from(minute) / 1_440.0);
        10.0 + 20.0 * day + if minute % 97 < 4 { 30.0 } else { 0.0 }
    });
    let stream = crate::workload::series(Span::MINUTE, rates.collect());
    let demand = Demand::read(&scenario, 1, Span::DAY * 7, stream, &mut || false).unwrap();
    let missed = [0.90, 0.99, 0.999, 1.0].map(|attainment| allowed(demand.requests(), attainment));
    let [all, some] = [false, true].map(|long| LowerBound::of(&scenario, &demand.load, &missed, long));
    for missed in missed {
        let (all, some) = (all.cost(missed).unwrap_or(0.0), some.cost(missed).unwrap_or(0.0));
        assert!(some <= all * (1.0 + 1e-9) && some >= 0.999 * all, "{missed} missed: {some} of {all}");
    }
}
