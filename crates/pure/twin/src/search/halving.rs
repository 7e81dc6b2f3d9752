//! Successive halving: many settings over a short stretch, fewer over a longer one, the best over all.
//!
//! The first rung is a sample that fills the grid evenly. What it measures makes two surfaces, of the
//! cost and of the misses, which say what to expect of every point, measured or not; the next rung takes
//! the points that can still be on the frontier near an attainment wanted. The last rung, of full length,
//! goes in small batches: each takes the points from which most is to be expected (the chance to reach the
//! attainment times the saving over the cheapest that does; constrained expected improvement, Gardner et
//! al. 2014), so that the search climbs along the surfaces and corrects them as it goes. It ends when
//! nothing worth a run is left, or with its budget.

use std::collections::BTreeMap;

use homeostat_core::draw::Key;
use homeostat_core::num;

use super::grid::Grid;
use super::model::{Guess, Surface, Trend};
use super::{Found, Measured, Search, Trial, cheapest};

/// Shares of the budget for the stages before the last, which gets the rest.
const FIRST: f64 = 0.25;
const MIDDLE: f64 = 0.2;
/// Settings that the first stage and all before the last may use up, as shares of the settings allowed:
/// the last needs new ones to climb to.
const SAMPLED: f64 = 0.6;
const SEEN: f64 = 0.75;
/// Runs of the last rung between two looks at the surfaces.
const BATCH: usize = 4;
/// Expected saving, as a share of the cost, below which a run isn't worth it.
const WORTH: f64 = 5e-5;
/// Score below which nothing is likely to reach an attainment that nothing has reached yet.
const HOPE: f64 = 0.01;
/// Runs of the last rung after which the search for what comes nearest ends.
const TRIES: usize = 3 * BATCH;
/// Standard deviation of the attainment's surface at least, in logarithms of misses.
const DOUBT: f64 = 0.08;

/// A kind of runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rung {
    /// Its length as a share of the full length.
    pub length: f64,
    /// What a run of it costs, in runs of the last rung; 0 where it isn't counted.
    pub price: f64,
}

/// What a search is to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// How many values each setting has.
    pub dimensions: Vec<usize>,
    /// The attainments wanted.
    pub wanted: Vec<f64>,
    /// The rungs, of rising length; the last is the full length.
    pub rungs: Vec<Rung>,
    /// Different settings at most.
    pub settings: usize,
    /// Full lengths to run at most.
    pub budget: f64,
    /// Seed of the sample.
    pub seed: u64,
}

/// The search.
#[derive(Debug, Clone)]
pub struct Halving {
    plan: Plan,
    grid: Grid,
    places: Vec<Vec<f64>>,
    /// What was measured, by rung and point.
    measured: Vec<BTreeMap<usize, Measured>>,
    /// The next stage before the last rung.
    next: usize,
    done: bool,
}

/// What is expected of a point: logarithms of cost and of misses.
#[derive(Debug, Clone, Copy)]
struct Outlook {
    cost: Guess,
    misses: Guess,
}

impl Halving {
    /// A search by this plan.
    pub fn new(plan: Plan) -> Self {
        let grid = Grid::new(&plan.dimensions);
        let places = (0..grid.size()).map(|point| grid.place(point)).collect();
        let measured = vec![BTreeMap::new(); plan.rungs.len()];
        Self { grid, places, measured, next: 0, done: false, plan }
    }

    fn last(&self) -> usize {
        self.plan.rungs.len() - 1
    }

    /// Misses below this can't be told apart, nor need they be.
    fn floor(&self) -> f64 {
        let most = self.plan.wanted.iter().copied().fold(0.0, f64::max);
        ((1.0 - most) / 30.0).max(1e-7)
    }

    fn log_misses(&self, attainment: f64) -> f64 {
        num::ln((1.0 - attainment).max(0.0) + self.floor())
    }

    /// Points that were run at all.
    fn touched(&self) -> usize {
        let mut all: Vec<usize> = self.measured.iter().flat_map(BTreeMap::keys).copied().collect();
        all.sort_unstable();
        all.dedup();
        all.len()
    }

    fn is_known(&self, point: usize) -> bool {
        self.measured.iter().any(|rung| rung.contains_key(&point))
    }

    /// The rungs of the stages before the last: each rung once; a single one twice, to climb on it.
    fn stages(&self) -> Vec<usize> {
        if self.last() == 1 { vec![0, 0] } else { (0..self.last()).collect() }
    }

    /// Runs of a stage before the last that its share of the budget pays for.
    fn room(&self, stage: usize) -> usize {
        let stages = self.stages();
        let portion = if stage == 0 { FIRST } else { MIDDLE / (stages.len() - 1) as f64 };
        let price = self.plan.rungs[stages[stage]].price;
        let runs = if price > 0.0 { (portion * self.plan.budget / price) as usize } else { usize::MAX };
        let share = if stage == 0 { SAMPLED } else { SEEN };
        runs.min((share * self.plan.settings as f64) as usize).max(1).min(self.grid.size())
    }

    /// What is to be expected of every point at the rung of the most shares, by all rungs so far.
    fn outlook(&self) -> Vec<Outlook> {
        let cost = self.stack(|m, share| num::ln(m.cost.max(1e-9) / share), None);
        let misses = self.stack(|m, _| self.log_misses(m.attainment), Some(()));
        cost.into_iter().zip(misses).map(|(cost, misses)| Outlook { cost, misses }).collect()
    }

    /// One surface over all rungs: that of each rung is the one before plus a surface of differences.
    fn stack(&self, value: impl Fn(&Measured, f64) -> f64, misses: Option<()>) -> Vec<Guess> {
        let mut guesses = vec![Guess { mean: 0.0, variance: 0.0 }; self.places.len()];
        let mut first = true;
        for (rung, measured) in self.measured.iter().enumerate() {
            let share = self.plan.rungs[rung].length;
            if measured.is_empty() {
                // A short stretch is a hard one: as many misses, or as few as if there were no others.
                let before = self.plan.rungs[rung.saturating_sub(1)].length;
                if let (Some(()), false) = (misses, first) {
                    let gap = num::ln(share / before);
                    for guess in &mut guesses {
                        guess.mean -= gap / 2.0;
                        guess.variance += (0.3 + gap / 2.0) * (0.3 + gap / 2.0);
                    }
                }
                continue;
            }
            let places: Vec<Vec<f64>> = measured.keys().map(|point| self.places[*point].clone()).collect();
            let rests: Vec<f64> =
                measured.iter().map(|(point, m)| value(m, share) - guesses[*point].mean).collect();
            let surface = Surface::fit(&places, &rests, if first { Trend::Curved } else { Trend::Level });
            for (guess, place) in guesses.iter_mut().zip(&self.places) {
                let rest = surface.guess(place);
                // The differences' own doubt replaces most of the doubt below them.
                let kept = if first { 0.0 } else { 0.25 };
                *guess =
                    Guess { mean: guess.mean + rest.mean, variance: kept * guess.variance + rest.variance };
            }
            for (point, m) in measured {
                guesses[*point] = Guess { mean: value(m, share), variance: 0.0 };
            }
            first = false;
        }
        guesses
    }

    /// The points of a middle stage: those that can still be on the frontier near an attainment wanted.
    ///
    /// The stretch of a rung is a hard one, so that the misses of the full length lie between those of the
    /// stretch and the part of them that its share is.
    fn survivors(&self, stage: usize, rung: usize) -> Vec<usize> {
        let outlook = self.outlook();
        let share = self.plan.rungs[rung.saturating_sub(1)].length;
        let most = self.plan.wanted.iter().copied().fold(0.0, f64::max);
        let least = self.plan.wanted.iter().copied().fold(1.0, f64::min);
        let (low, high) = (self.log_misses(most) - 0.7, num::ln(2.0 * (1.0 - least) / share));
        let mut ranked: Vec<(f64, f64, usize)> = Vec::with_capacity(outlook.len());
        for (point, own) in outlook.iter().enumerate() {
            let (cost, misses) = (own.cost.mean, own.misses.mean);
            let outside = (low - misses).max(misses - high).max(0.0);
            let rivals = outlook.iter().filter(|other| other.misses.mean <= misses + 1e-9);
            let cheapest = rivals.map(|other| other.cost.mean).fold(f64::INFINITY, f64::min);
            ranked.push((outside, cost - cheapest, point));
        }
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        let allowed = ((SEEN * self.plan.settings as f64) as usize).saturating_sub(self.touched());
        let mut new = 0;
        let fits = |point: &usize| {
            if self.measured[rung].contains_key(point) {
                return false;
            }
            let known = self.is_known(*point);
            new += usize::from(!known);
            known || new <= allowed
        };
        ranked.into_iter().map(|(_, _, point)| point).filter(fits).take(self.room(stage)).collect()
    }

    /// The next points of the last rung.
    fn finalists(&self) -> Vec<usize> {
        let room = (self.plan.budget - self.spent() + 1e-9).max(0.0) as usize;
        let found = self.found();
        let outlook = self.outlook();
        let fresh = self.plan.settings.saturating_sub(self.touched());
        let known = |point: &usize| self.is_known(*point);
        let mut chosen: Vec<usize> = Vec::new();
        let mut new = 0;
        let scores: Vec<Vec<(f64, usize)>> =
            self.plan.wanted.iter().map(|wanted| self.scores(*wanted, &found, &outlook)).collect();
        if found.is_empty() && room > 0 {
            // The most generous point: the end of the frontier, and the word on whether anything reaches it.
            let misses = |point: &usize| outlook[*point].misses.mean;
            let points = (0..outlook.len()).filter(|point| known(point) || fresh > 0);
            let least = points.min_by(|a, b| misses(a).total_cmp(&misses(b)).then(a.cmp(b)));
            new += usize::from(least.is_some_and(|point| !known(&point)));
            chosen.extend(least);
        }
        for turn in chosen.len()..BATCH.min(room) {
            let open = |scores: &Vec<(f64, usize)>| {
                let free =
                    |(_, point): &&(f64, usize)| !chosen.contains(point) && (known(point) || new < fresh);
                scores.iter().find(free).copied()
            };
            // The attainments in turn; those for which nothing is left pass.
            let n = scores.len();
            let next = (0..n).find_map(|i| open(&scores[(turn + found.len() + i) % n]));
            let Some((_, point)) = next else { break };
            new += usize::from(!known(&point));
            chosen.push(point);
        }
        chosen
    }

    /// Points worth a run for one attainment, the best first.
    fn scores(&self, wanted: f64, found: &[Found], outlook: &[Outlook]) -> Vec<(f64, usize)> {
        let limit = self.log_misses(wanted);
        let best = cheapest(found, wanted).map(|found| num::ln(found.measured.cost.max(1e-9)));
        let dearest = outlook.iter().map(|o| o.cost.mean).fold(f64::NEG_INFINITY, f64::max);
        let done = &self.measured[self.last()];
        let mut scores: Vec<(f64, usize)> = Vec::new();
        for (point, own) in outlook.iter().enumerate() {
            if done.contains_key(&point) {
                continue;
            }
            let doubt = own.misses.variance.sqrt().max(DOUBT);
            let chance = logistic((limit - own.misses.mean) / doubt);
            let saving = match best {
                Some(best) => softplus(best - own.cost.mean, own.cost.variance.sqrt().max(1e-3)),
                None => 0.1 + dearest - own.cost.mean,
            };
            let score = chance * saving;
            if score > WORTH || best.is_none() {
                scores.push((score, point));
            }
        }
        scores.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        if best.is_none() && scores.first().is_none_or(|(score, _)| *score < HOPE) {
            // Nothing is likely to reach it: look for what comes nearest, and leave it at a few tries.
            let misses = |(_, point): &(f64, usize)| outlook[*point].misses.mean;
            scores.sort_by(|a, b| misses(a).total_cmp(&misses(b)).then(a.1.cmp(&b.1)));
            scores.truncate(if found.len() < TRIES { BATCH } else { 0 });
        }
        scores
    }
}

/// The normal distribution function, to 0.02.
fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + num::exp((-1.702 * z).clamp(-500.0, 500.0)))
}

/// The mean of what is positive of a difference known to this standard deviation.
fn softplus(difference: f64, doubt: f64) -> f64 {
    let x = 1.702 * difference / doubt;
    if x > 30.0 { difference } else { doubt / 1.702 * num::ln(1.0 + num::exp(x)) }
}

impl Search for Halving {
    fn ask(&mut self) -> Vec<Trial> {
        if self.done || self.grid.size() == 0 {
            return Vec::new();
        }
        let last = self.last();
        let trials = |points: Vec<usize>, rung| {
            points.into_iter().map(|point| Trial { point, rung }).collect::<Vec<_>>()
        };
        if self.grid.size() as f64 <= self.plan.budget && self.grid.size() <= self.plan.settings {
            self.done = true;
            return trials((0..self.grid.size()).collect(), last);
        }
        let stage = self.next;
        if let Some(rung) = self.stages().get(stage).copied() {
            self.next += 1;
            let points = match stage {
                0 => self.grid.sample(self.room(0), Key::root(self.plan.seed).child("search")),
                _ => self.survivors(stage, rung),
            };
            if !points.is_empty() {
                return trials(points, rung);
            }
        }
        if last == 0 && self.measured[0].is_empty() {
            let runs = (FIRST * self.plan.budget).max(1.0) as usize;
            let key = Key::root(self.plan.seed).child("search");
            return trials(self.grid.sample(runs.min(self.plan.settings), key), 0);
        }
        let points = self.finalists();
        self.done = points.is_empty();
        trials(points, last)
    }

    fn tell(&mut self, trial: Trial, measured: Measured) {
        if let Some(rung) = self.measured.get_mut(trial.rung) {
            rung.insert(trial.point, measured);
        }
    }

    fn found(&self) -> Vec<Found> {
        let last = &self.measured[self.last()];
        last.iter().map(|(point, measured)| Found { point: *point, measured: *measured }).collect()
    }

    fn rungs(&self) -> usize {
        self.plan.rungs.len()
    }

    fn spent(&self) -> f64 {
        let spent = self.measured.iter().zip(&self.plan.rungs);
        spent.map(|(measured, rung)| measured.len() as f64 * rung.price).sum()
    }

    fn most(&self) -> f64 {
        (self.grid.size() as f64).min(self.plan.budget)
    }
}
