//! Searches against the whole of made-up spaces: found what there is, within the budget, the same again.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

use homeostat_core::draw::Key;
use homeostat_core::num;
use homeostat_twin::search::{
    Exhaustive, Found, Halving, Measured, Plan, Rung, Search, Trial, cheapest, frontier, nearest,
};

const DIMENSIONS: [usize; 4] = [14, 5, 3, 2];
const SHARES: [f64; 3] = [0.125, 1.0 / 3.0, 1.0];
const WANTED: [f64; 3] = [0.99, 0.995, 0.999];

/// A service whose cost falls with the first setting and whose misses rise with it; the others trade a
/// little of one for the other. Short stretches are harder than the whole and noisy.
struct World {
    key: Key,
    hopeless: f64,
}

impl World {
    fn new(seed: u64) -> Self {
        Self { key: Key::root(seed), hopeless: 0.0 }
    }

    fn run(&self, trial: Trial, share: f64) -> Measured {
        let mut rest = trial.point;
        let mut at = [0.0; 4];
        for (value, n) in at.iter_mut().zip(DIMENSIONS).rev() {
            *value = (rest % n) as f64 / (n - 1) as f64;
            rest /= n;
        }
        let mut draws = self.key.child("shape").at(0);
        let mut share_of = |low: f64, high: f64| low + (high - low) * draws.uniform();
        let (window, band, kind) = (share_of(0.1, 0.3), share_of(-0.1, 0.1), share_of(-0.1, 0.1));
        let (held, loose, other) = (share_of(0.5, 2.5), share_of(0.2, 1.0), share_of(-0.8, 0.8));
        let log_cost = 5.0 - 1.1 * at[0] + window * at[1] * at[1] + band * at[2] + kind * at[3] * at[0];
        let log_miss = -9.0 + 6.5 * at[0] - held * at[1] + loose * at[2] + other * at[3];
        let mut noise = self.key.child("noise").at((trial.point * 8 + trial.rung) as u64);
        let rough = 0.15 * (1.0 - share) * noise.normal();
        let hard = -0.4 * num::ln(share);
        let miss = 2e-4 + self.hopeless + num::exp(log_miss + hard + rough);
        let cost = num::exp(log_cost) * share * (1.0 + 0.004 * (1.0 - share) * noise.normal());
        Measured { attainment: (1.0 - miss).max(0.0), cost, replica_hours: cost }
    }
}

fn rungs(shares: &[f64]) -> Vec<Rung> {
    shares.iter().map(|share| Rung { length: *share, price: *share }).collect()
}

fn plan(seed: u64) -> Plan {
    Plan {
        dimensions: DIMENSIONS.to_vec(),
        wanted: WANTED.to_vec(),
        rungs: rungs(&SHARES),
        settings: 100,
        budget: 40.0,
        seed,
    }
}

/// Runs a search to its end; returns its trials.
fn drive(search: &mut dyn Search, world: &World, shares: &[f64]) -> Vec<Trial> {
    let mut made = Vec::new();
    loop {
        let trials = search.ask();
        if trials.is_empty() {
            return made;
        }
        for trial in trials {
            assert!(!made.contains(&trial), "{trial:?} was asked for twice");
            search.tell(trial, world.run(trial, shares[trial.rung]));
            made.push(trial);
        }
    }
}

fn everything(world: &World) -> Vec<Found> {
    let mut search = Exhaustive::new(DIMENSIONS.iter().product());
    drive(&mut search, world, &[1.0]);
    search.found()
}

#[test]
fn comes_within_one_per_cent_of_everything_at_a_tenth_of_the_runs() {
    let mut losses = Vec::new();
    for seed in 0..20 {
        let world = World::new(seed);
        let all = everything(&world);
        let mut search = Halving::new(plan(seed));
        drive(&mut search, &world, &SHARES);
        assert!(search.spent() <= 40.0 + 1e-9, "{} runs", search.spent());
        for wanted in WANTED {
            let best = cheapest(&all, wanted).unwrap().measured.cost;
            let own = cheapest(&search.found(), wanted).unwrap().measured.cost;
            losses.push(own / best - 1.0);
        }
    }
    let late = losses.iter().filter(|loss| **loss > 0.01).count();
    let mean = losses.iter().sum::<f64>() / losses.len() as f64;
    eprintln!("{late} of {} above 1 %, mean loss {:.3} %", losses.len(), mean * 100.0);
    assert!(late * 10 <= losses.len() && mean < 0.004, "{losses:?}");
}

#[test]
fn is_the_same_again_and_has_few_settings() {
    let world = World::new(3);
    let once = drive(&mut Halving::new(plan(5)), &world, &SHARES);
    assert_eq!(once, drive(&mut Halving::new(plan(5)), &world, &SHARES));
    assert_ne!(once, drive(&mut Halving::new(plan(6)), &world, &SHARES));
    let mut points: Vec<usize> = once.iter().map(|trial| trial.point).collect();
    points.sort_unstable();
    points.dedup();
    assert!(points.len() <= 100, "{} settings", points.len());
}

#[test]
fn small_budgets_and_single_rungs_work() {
    let world = World::new(4);
    for (settings, budget, shares) in [(1, 1.0, vec![1.0]), (6, 2.4, SHARES.to_vec()), (30, 12.0, vec![1.0])]
    {
        let own = Plan { settings, budget, rungs: rungs(&shares), ..plan(1) };
        let mut search = Halving::new(own);
        drive(&mut search, &world, &shares);
        assert!(
            !search.found().is_empty() && search.spent() <= budget + 1e-9,
            "{settings}: {}",
            search.spent()
        );
    }
}

#[test]
fn a_space_within_the_budget_is_searched_whole() {
    let world = World::new(4);
    let mut search = Halving::new(Plan { settings: 500, budget: 500.0, ..plan(1) });
    drive(&mut search, &world, &SHARES);
    assert_eq!(search.found(), everything(&world));
}

#[test]
fn where_nothing_reaches_it_finds_what_comes_nearest_and_ends() {
    let world = World { hopeless: 0.02, ..World::new(2) };
    let mut search = Halving::new(plan(1));
    drive(&mut search, &world, &SHARES);
    assert!(cheapest(&search.found(), 0.99).is_none());
    let best = nearest(&everything(&world)).unwrap().measured.attainment;
    let own = nearest(&search.found()).unwrap().measured.attainment;
    assert!(best - own < 1e-4, "{own} where {best} is possible");
    assert!(search.spent() < 36.0, "{}", search.spent());
    assert!(frontier(&search.found()).len() <= search.found().len());
}
