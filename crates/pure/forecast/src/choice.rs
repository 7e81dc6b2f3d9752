//! Which model to believe: the simplest whose error of late, over all distances ahead, is as good as the
//! least. One model serves them all: compared at single distances another may win at one of them by a little
//! and be mixed in before and after it, where it is worse.

use crate::history::History;
use crate::model::{self, Model, NAMES, Place};

/// Seconds after which an error counts 1/e, and the least number of steps.
const MEMORY: (f64, f64) = (3.0 * 86_400.0, 168.0);
/// The mean error is one over the last such share of a model's life, until that is the memory.
const YOUTH: f64 = 4.0;
/// Step of the factor that takes away a constant bias.
const BIAS_STEP: f64 = 0.002;
/// How much better a model has to be than the linear regression, which contains the simple ones as special
/// cases: a change of model costs accuracy until the spread has learned it.
const BETTER: f64 = 1.15;
/// As [`BETTER`], for trees alone; the hybrid, which contains the regression, needs no margin.
const BETTER_LEARNED: f64 = 1.03;
/// A model is a candidate after targets of this many seconds, and at least this many; the linear regression
/// at once.
const TRIED: (f64, f64) = (172_800.0, 48.0);
/// The present choice stays while its error is at most this times that of the other.
const STAY: f64 = 1.02;

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
    /// Each answer's name, model and number there.
    answers: Vec<(&'static str, usize, usize)>,
    /// What each answer's error is multiplied by where they are compared.
    handicaps: Vec<f64>,
    boards: Vec<Board>,
    knots: Vec<usize>,
    weight: f64,
    steps: u64,
    told: bool,
}

/// The rolling error of a model.
#[derive(Debug, Clone, Copy)]
struct Errors {
    mean: f64,
    count: u32,
    /// Factor that brings the model's forecasts to the median: the spread corrects a constant bias of the
    /// model in use, so none is held against the others.
    bias: f64,
}

impl Default for Errors {
    fn default() -> Self {
        Self { mean: 0.0, count: 0, bias: 1.0 }
    }
}

impl Errors {
    fn add(&mut self, actual: f64, forecast: f64, weight: f64) {
        let error = actual - forecast * self.bias;
        let step = BIAS_STEP.max(0.2 / f64::from(self.count + 10));
        self.bias = (self.bias * if error > 0.0 { 1.0 + step } else { 1.0 - step }).clamp(0.2, 5.0);
        self.count = self.count.saturating_add(1);
        let weight = weight.max(YOUTH / (YOUTH - 1.0 + f64::from(self.count)));
        self.mean += weight * (error.abs() - self.mean);
    }
}

/// The models' errors at one distance.
struct Board {
    ahead: usize,
    tried: u32,
    /// Forecasts of the last `ahead` origins, model by model.
    pending: Vec<f32>,
    errors: Vec<Errors>,
    chosen: usize,
    why: Why,
}

impl Choice {
    /// All models, or the named one alone.
    pub(crate) fn new(knots: &[usize], step_s: f64, only: Option<&str>) -> Self {
        let told = only.is_some_and(|name| NAMES.contains(&name));
        let mut models = model::all(knots);
        if told {
            models.retain(|model| model.names().iter().any(|name| only == Some(*name)));
        }
        let mut answers = Vec::new();
        for (index, model) in models.iter().enumerate() {
            answers.extend(model.names().iter().enumerate().map(|(answer, name)| (*name, index, answer)));
        }
        if told {
            answers.retain(|(name, ..)| only == Some(*name));
        }
        let tried = (TRIED.0 / step_s).max(TRIED.1) as u32;
        let board = |ahead: &usize| Board {
            ahead: *ahead,
            tried,
            pending: vec![f32::NAN; ahead * answers.len()],
            errors: vec![Errors::default(); answers.len()],
            chosen: 0,
            why: Why::OnlyOne,
        };
        let boards = knots.iter().map(board).collect();
        let handicaps = answers.iter().map(|(name, ..)| handicap(name)).collect();
        let weight = 1.0 / (MEMORY.0 / step_s).max(MEMORY.1);
        Self { models, answers, handicaps, boards, knots: knots.to_vec(), weight, steps: 0, told }
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
        let count = self.answers.len();
        let slots: Vec<usize> =
            self.boards.iter().map(|board| (self.steps % board.ahead as u64) as usize * count).collect();
        self.models.iter_mut().for_each(|model| model.update(history));
        for (index, (_, model, answer)) in self.answers.iter().enumerate() {
            if !self.models[*model].predict(*answer, history, &places, &mut out) {
                out.fill(f64::NAN);
            }
            for ((board, slot), forecast) in self.boards.iter_mut().zip(&slots).zip(&out) {
                let kept = &mut board.pending[slot + index];
                let before = f64::from(std::mem::replace(kept, *forecast as f32));
                if let Some(actual) = actual.filter(|_| !before.is_nan()) {
                    board.errors[index].add(actual, before, self.weight);
                }
            }
        }
        let default = self.answers.iter().position(|(name, ..)| *name == "direct").unwrap_or(0);
        let errors = self.common();
        for board in &mut self.boards {
            if self.told {
                board.why = Why::Told;
            } else {
                board.choose(history, default, &errors, &self.handicaps);
            }
        }
    }

    /// The models' errors over all distances, each counting for the distances since the one before.
    fn common(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.answers.len()];
        let mut before = 0;
        for board in &self.boards {
            let share = (board.ahead - before) as f64;
            sums.iter_mut().zip(&board.errors).for_each(|(sum, errors)| *sum += share * errors.mean);
            before = board.ahead;
        }
        sums
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
            let (_, model, answer) = self.answers[index];
            if !self.models[model].predict(answer, history, places, &mut one) {
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
        (self.answers[board.chosen].0, board.why)
    }

    /// All rolling errors.
    pub(crate) fn scores(&self) -> Vec<Score> {
        let of = |board: &Board| -> Vec<Score> {
            let score = |(index, errors): (usize, &Errors)| Score {
                model: self.answers[index].0,
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

fn handicap(name: &str) -> f64 {
    match name {
        "direct" | "hybrid" => 1.0,
        "learned" => BETTER_LEARNED,
        // what to provide for, not what to expect
        "moving_quantile" => f64::INFINITY,
        _ => BETTER,
    }
}

impl Board {
    /// Chooses by the models' mean errors.
    fn choose(&mut self, history: &History, default: usize, means: &[f64], handicaps: &[f64]) {
        if history.constant().is_some() {
            (self.chosen, self.why) = (0, Why::Constant);
            return;
        }
        let tried = |(index, errors): &(usize, &Errors)| errors.count >= self.tried || *index == default;
        let fair = |(index, _): (usize, &Errors)| (index, means[index] * handicaps[index]);
        let candidates = || self.errors.iter().enumerate().filter(tried).map(fair);
        let Some((best, least)) = candidates().min_by(|a, b| a.1.total_cmp(&b.1)) else {
            (self.chosen, self.why) = (default, Why::OnlyOne);
            return;
        };
        let present = fair((self.chosen, &self.errors[self.chosen]));
        if !tried(&(self.chosen, &self.errors[self.chosen])) || present.1 > STAY * least {
            self.chosen = best;
        }
        self.why = match candidates().count() {
            1 => Why::OnlyOne,
            _ if means.iter().all(|other| means[self.chosen] <= *other) => Why::LeastError,
            _ => Why::SimplestAsGood,
        };
    }
}
