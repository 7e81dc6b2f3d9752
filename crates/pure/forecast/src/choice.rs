//! Which model to believe, per distance ahead: the simplest whose error of late is as good as the least.

use crate::history::History;
use crate::model::{self, Model, NAMES, Place};

/// Seconds after which an error counts 1/e, and the least number of steps.
const MEMORY: (f64, f64) = (2.0 * 86_400.0, 168.0);
/// A simpler model is as good when its error is at most this times the least.
const AS_GOOD: f64 = 1.01;
/// A model is a candidate after this many targets.
const TRIED: u32 = 12;
/// The present choice stays while its error is at most this times that of the other.
const STAY: f64 = 1.01;

/// Why a model is the one in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nothing else has learned enough yet.
    OnlyOne,
    /// Its error of late is the least.
    LeastError,
    /// A simpler model is as good as the one with the least error.
    SimplestAsGood,
    /// All known values were the same: that value goes on, without spread.
    Constant,
    /// The settings name it.
    Told,
    /// No value was ever known: there is no forecast.
    NoData,
}

/// The rolling error of a model at one distance ahead.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The model.
    pub model: &'static str,
    /// Steps ahead.
    pub ahead: usize,
    /// Mean absolute error of late, in the unit of the series; NaN before the first target.
    pub error: f64,
    /// Targets so far.
    pub targets: u32,
    /// Whether it is the one in use at this distance.
    pub chosen: bool,
}

pub(crate) struct Choice {
    models: Vec<Box<dyn Model>>,
    boards: Vec<Board>,
    knots: Vec<usize>,
    weight: f64,
    steps: u64,
    told: bool,
}

/// The rolling errors of a model.
#[derive(Debug, Clone, Copy, Default)]
struct Errors {
    mean: f64,
    /// The same mean of the simplest model over the same targets, so that a model that began late is not
    /// compared on other targets.
    simplest: f64,
    count: u32,
}

impl Errors {
    fn add(&mut self, error: f64, simplest: f64, weight: f64) {
        self.count = self.count.saturating_add(1);
        let weight = weight.max(1.0 / f64::from(self.count));
        self.mean += weight * (error - self.mean);
        self.simplest += weight * (simplest - self.simplest);
    }

    /// Error over the simplest model's.
    fn ratio(self) -> f64 {
        if self.simplest > 0.0 { self.mean / self.simplest } else { self.mean }
    }
}

/// The models' errors at one distance.
struct Board {
    ahead: usize,
    /// Forecasts of the last `ahead` origins, model by model.
    pending: Vec<f32>,
    errors: Vec<Errors>,
    /// The simplest model's error at the newest target.
    simplest: f64,
    chosen: usize,
    why: Why,
}

impl Choice {
    /// All models, or the named one alone.
    pub(crate) fn new(knots: &[usize], step_s: f64, only: Option<&str>) -> Self {
        let told = only.is_some_and(|name| NAMES.contains(&name));
        let wanted = |name: &&&str| !told || only == Some(**name);
        let models: Vec<_> =
            NAMES.iter().filter(wanted).filter_map(|name| model::build(name, knots)).collect();
        let board = |ahead: &usize| Board {
            ahead: *ahead,
            pending: vec![f32::NAN; ahead * models.len()],
            errors: vec![Errors::default(); models.len()],
            simplest: f64::NAN,
            chosen: 0,
            why: Why::OnlyOne,
        };
        let boards = knots.iter().map(board).collect();
        let weight = 1.0 / (MEMORY.0 / step_s).max(MEMORY.1);
        Self { models, boards, knots: knots.to_vec(), weight, steps: 0, told }
    }

    /// The scale of the history moved.
    pub(crate) fn rescale(&mut self, map: &dyn Fn(f64) -> f64) {
        self.models.iter_mut().for_each(|model| model.rescale(map));
    }

    /// Learns from the newest step, whose value is `actual` where known.
    pub(crate) fn update(&mut self, history: &History, actual: Option<f64>) {
        self.steps += 1;
        let places: Vec<Place> = self.knots.iter().filter_map(|ahead| history.place_ahead(*ahead)).collect();
        let mut out = vec![0.0; places.len()];
        let count = self.models.len();
        for (index, model) in self.models.iter_mut().enumerate() {
            model.update(history);
            if !model.predict(history, &places, &mut out) {
                out.fill(f64::NAN);
            }
            for (board, forecast) in self.boards.iter_mut().zip(&out) {
                let slot = (self.steps % board.ahead as u64) as usize * count + index;
                let before = f64::from(std::mem::replace(&mut board.pending[slot], *forecast as f32));
                if index == 0 {
                    board.simplest = actual.map_or(f64::NAN, |actual| (actual - before).abs());
                }
                let error = actual.map_or(f64::NAN, |actual| (actual - before).abs());
                if !error.is_nan() && !board.simplest.is_nan() {
                    board.errors[index].add(error, board.simplest, self.weight);
                }
            }
        }
        self.boards.iter_mut().for_each(|board| board.choose(history, self.told));
    }

    /// The middle of the next steps, which stand at `places`, in the unit of the series; the models of
    /// two neighbouring knots are mixed by the distance to them. Gives false where no model knows any.
    pub(crate) fn middle(&self, history: &History, places: &[Place], out: &mut [f64]) -> bool {
        let mut used: Vec<usize> = self.boards.iter().map(|board| board.chosen).collect();
        used.sort_unstable();
        used.dedup();
        let mut one = vec![0.0; places.len()];
        out.fill(0.0);
        let mut any = false;
        for index in used {
            if !self.models[index].predict(history, places, &mut one) {
                continue;
            }
            any = true;
            let chosen = |knot: usize| f64::from(u8::from(self.boards[knot].chosen == index));
            for ((sum, place), value) in out.iter_mut().zip(places).zip(&one) {
                *sum += value * model::between(&self.knots, chosen, history.ahead(*place));
            }
        }
        any
    }

    /// The model in use `ahead` steps from now, and why.
    pub(crate) fn chosen(&self, ahead: usize) -> (&'static str, Why) {
        let knot = self.knots.partition_point(|knot| *knot < ahead).min(self.boards.len() - 1);
        let board = &self.boards[knot];
        (self.models[board.chosen].name(), board.why)
    }

    /// All rolling errors.
    pub(crate) fn scores(&self) -> Vec<Score> {
        let of = |board: &Board| -> Vec<Score> {
            let score = |(index, errors): (usize, &Errors)| Score {
                model: self.models[index].name(),
                ahead: board.ahead,
                error: if errors.count > 0 { errors.mean } else { f64::NAN },
                targets: errors.count,
                chosen: index == board.chosen,
            };
            board.errors.iter().enumerate().map(score).collect()
        };
        self.boards.iter().flat_map(of).collect()
    }

    pub(crate) fn bytes(&self) -> usize {
        let boards: usize =
            self.boards.iter().map(|b| b.pending.len() * 4 + b.errors.len() * size_of::<Errors>()).sum();
        boards + self.models.iter().map(|model| model.bytes() + size_of_val(&**model)).sum::<usize>()
    }
}

impl Board {
    fn choose(&mut self, history: &History, told: bool) {
        if told {
            self.why = Why::Told;
            return;
        }
        if history.constant().is_some() {
            (self.chosen, self.why) = (0, Why::Constant);
            return;
        }
        let tried = |(_, errors): &(usize, &Errors)| errors.count >= TRIED;
        let candidates =
            || self.errors.iter().enumerate().filter(tried).map(|(i, errors)| (i, errors.ratio()));
        let Some((best, least)) = candidates().min_by(|a, b| a.1.total_cmp(&b.1)) else {
            self.why = Why::OnlyOne;
            return;
        };
        let (simplest, ratio) =
            candidates().find(|(_, ratio)| *ratio <= AS_GOOD * least).unwrap_or((best, least));
        let present = self.errors[self.chosen];
        if present.count < TRIED || present.ratio() > STAY * ratio {
            self.chosen = simplest;
        }
        self.why = match candidates().count() {
            1 => Why::OnlyOne,
            _ if self.chosen == best => Why::LeastError,
            _ => Why::SimplestAsGood,
        };
    }
}
