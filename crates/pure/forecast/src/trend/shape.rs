//! Shapes of a trend: what a level may be made of beside load, and a fit of one such shape.

use homeostat_core::num;

use super::basis::{Basis, COLUMNS, Square};
use super::noise;

/// Load as it is, as it lingers for long, and as it lingers for a short time.
pub(crate) const LOADS: usize = 3;
/// Time constants of that, hours.
pub(crate) const LINGER_H: [f64; LOADS] = [0.0, 1.0, 0.25];
/// How far apart load's jitters are as good as independent, hours.
pub(crate) const JITTER_H: f64 = 0.25;

/// Noise that remembers for longer than this is of the level itself: readings err for less.
const SLOW_H: f64 = 1.0;

/// What a term is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    Hours,
    /// Requests, in hours of the mean load.
    Requests,
}

/// A part of a trend; places are readings of its clock, 0 now and negative before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Term {
    /// The level grows.
    Line(Clock),
    /// It grows from here on.
    Bend(Clock, f64),
    /// It grows ever faster from here on: with the square of time.
    Curve(f64),
    /// It nears a plateau: since when, and the time constant.
    Plateau(f64, f64),
    /// The level jumps here, and blocks are so many hours long: one that straddles the jump has a part of it.
    Step(f64, f64),
}

impl Term {
    /// Its value at a moment, for a height of one.
    #[inline]
    pub(crate) fn at(self, moment: &Moment) -> f64 {
        let past = |place: f64| (moment.hours - place).max(0.0);
        match self {
            Self::Line(clock) => moment.clock(clock),
            Self::Bend(clock, place) => (moment.clock(clock) - place).max(0.0),
            Self::Curve(place) => past(place) * past(place),
            Self::Plateau(from, constant) => 1.0 - num::exp_fast(-past(from) / constant),
            Self::Step(place, block) => ((moment.hours - place) / block + 0.5).clamp(0.0, 1.0),
        }
    }

    /// Its slope at the clock's zero.
    fn slope(self) -> f64 {
        match self {
            Self::Line(_) | Self::Bend(..) => 1.0,
            Self::Curve(place) => -2.0 * place,
            Self::Plateau(from, constant) => num::exp(from / constant) / constant,
            Self::Step(..) => 0.0,
        }
    }

    /// Growth that only ever goes up.
    pub(crate) const fn must_rise(self) -> bool {
        matches!(self, Self::Curve(_) | Self::Plateau(..))
    }

    pub(crate) const fn is_step(self) -> bool {
        matches!(self, Self::Step(..))
    }
}

/// Regressors at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moment {
    pub(crate) hours: f64,
    /// Requests by then, in hours of the mean load.
    pub(crate) requests: f64,
    /// As it is, and as it lingers.
    pub(crate) load: [f64; LOADS],
}

impl Moment {
    pub(super) const fn clock(&self, clock: Clock) -> f64 {
        match clock {
            Clock::Hours => self.hours,
            Clock::Requests => self.requests,
        }
    }
}

/// What a trend is fitted to, in order of time, the last at 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Points<'a> {
    pub(crate) moments: &'a [Moment],
    pub(crate) values: &'a [f64],
    /// Load varies, so that it may say something.
    pub(crate) load: bool,
    /// Enough for the clock of requests to differ from that of hours.
    pub(crate) requests: bool,
}

impl Points<'_> {
    pub(crate) fn column(&self, rho: f64, regressor: impl Fn(&Moment) -> f64) -> Vec<f64> {
        let mut column: Vec<f64> = self.moments.iter().map(regressor).collect();
        whiten(&mut column, rho);
        column
    }

    /// The column of a term: a loop of its own for each kind, since these are most of a look's cost.
    pub(crate) fn term(&self, rho: f64, term: Term) -> Vec<f64> {
        match term {
            Term::Line(clock) => self.column(rho, |moment| Term::Line(clock).at(moment)),
            Term::Bend(clock, at) => self.column(rho, |moment| Term::Bend(clock, at).at(moment)),
            Term::Curve(at) => self.column(rho, |moment| Term::Curve(at).at(moment)),
            Term::Plateau(at, hours) => self.column(rho, |moment| Term::Plateau(at, hours).at(moment)),
            Term::Step(at, block) => self.column(rho, |moment| Term::Step(at, block).at(moment)),
        }
    }
}

/// Takes noise's memory out (Prais and Winsten, Cowles Foundation 1954): what is left is white where
/// correlation falls by `rho` a step.
pub(crate) fn whiten(values: &mut [f64], rho: f64) {
    for i in (1..values.len()).rev() {
        values[i] -= rho * values[i - 1];
    }
    if let Some(first) = values.first_mut() {
        *first *= (1.0 - rho * rho).sqrt();
    }
}

/// One shape fitted by generalised least squares.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) terms: Vec<Term>,
    /// Level, loads where they are known, terms.
    coefficients: [f64; COLUMNS],
    covariance: Square,
    columns: usize,
    loads: usize,
    /// Half of a 90 % interval, in standard errors of the normal distribution.
    inflation: f64,
    /// By how much the last value lies above the trend, and the logarithm of what is left of that an hour on.
    above: f64,
    fading: f64,
    rho: f64,
    /// Variance of the noise, as far as it is of the level itself.
    own: f64,
}

/// The part of a level that is the same for all shapes: its height and load. What is given to `push` next
/// are terms.
pub(crate) fn base(points: &Points<'_>, rho: f64, loads: usize) -> Basis {
    let mut values = points.values.to_vec();
    whiten(&mut values, rho);
    let mut basis = Basis::new(&values);
    basis.push(&points.column(rho, |_| 1.0));
    for i in 0..loads {
        basis.push(&points.column(rho, |moment| moment.load[i]));
    }
    basis
}

/// A base with terms; `None` where they can't be told apart.
fn with_terms(points: &Points<'_>, rho: f64, mut basis: Basis, terms: &[Term]) -> Option<Basis> {
    let told = |term: &Term| basis.push(&points.term(rho, *term));
    terms.iter().all(told).then_some(basis)
}

impl Shape {
    /// Fits the terms; `None` where they can't be told apart, what must rise would fall, or load would lower
    /// the level: surely by itself, or after all when it lasts.
    pub(crate) fn fit(points: &Points<'_>, rho: f64, base: &Basis, terms: &[Term]) -> Option<Self> {
        let basis = with_terms(points, rho, base.clone(), terms)?;
        let n = points.values.len() as f64;
        let columns = basis.columns();
        let left = n - columns as f64;
        let mut covariance = basis.covariance();
        let variance = basis.rss() / left.max(1.0);
        covariance.iter_mut().flatten().for_each(|value| *value *= variance);
        let coefficients = basis.coefficients();
        let heights = &coefficients[columns - terms.len()..];
        let falls = terms.iter().zip(heights).any(|(term, height)| term.must_rise() && *height < 0.0);
        let inflation = noise::t95(left) / noise::Z95;
        let loads = base.columns() - 1;
        let lasting: f64 = coefficients[1..=loads].iter().sum();
        let lowers = |from: usize, to: usize| {
            let variance: f64 = covariance[from..=to].iter().flat_map(|row| &row[from..=to]).sum();
            coefficients[from..=to].iter().sum::<f64>() < -noise::Z95 * variance.max(0.0).sqrt()
        };
        let falls = falls || (loads > 0 && (lowers(1, 1) || lowers(2, loads) || lasting < 0.0));
        let hours_each = -points.moments[0].hours / (n - 1.0);
        let fading = num::ln(rho) / hours_each.max(f64::MIN_POSITIVE);
        let terms = terms.to_vec();
        let slow = -fading * SLOW_H <= 1.0;
        let own = if slow { variance / (1.0 - rho * rho) } else { 0.0 };
        let mut shape =
            Self { terms, coefficients, covariance, columns, loads, inflation, above: 0.0, fading, rho, own };
        shape.above = match (points.moments.last(), points.values.last()) {
            (Some(moment), Some(value)) => value - shape.value(&shape.row(moment)),
            _ => 0.0,
        };
        (!falls).then_some(shape)
    }

    const fn first_term(&self) -> usize {
        self.columns - self.terms.len()
    }

    fn row(&self, moment: &Moment) -> [f64; COLUMNS] {
        let mut row = [0.0; COLUMNS];
        row[0] = 1.0;
        row[1..=self.loads].copy_from_slice(&moment.load[..self.loads]);
        for (place, term) in row[self.first_term()..].iter_mut().zip(&self.terms) {
            *place = term.at(moment);
        }
        row
    }

    fn value(&self, row: &[f64; COLUMNS]) -> f64 {
        row.iter().zip(&self.coefficients).map(|(x, b)| x * b).sum()
    }

    fn error(&self, row: &[f64; COLUMNS]) -> f64 {
        let mut sum = 0.0;
        for (x, covariance) in row.iter().zip(&self.covariance).take(self.columns) {
            sum += x * row.iter().zip(covariance).map(|(x, c)| x * c).sum::<f64>();
        }
        self.inflation * sum.max(0.0).sqrt()
    }

    /// Logarithm of the odds that load lingers for a short time as well.
    pub(crate) fn gain_by_lingering(&self, points: &Points<'_>) -> f64 {
        let fitted = with_terms(points, self.rho, base(points, self.rho, self.loads), &self.terms);
        let Some(mut basis) = fitted else { return f64::NEG_INFINITY };
        let before = basis.rss();
        basis.push(&points.column(self.rho, |moment| moment.load[LOADS - 1]));
        let n = points.values.len() as f64;
        0.5 * n * num::ln(before / basis.rss().max(f64::MIN_POSITIVE)) - 0.5 * num::ln(n)
    }

    /// The level at a moment and its standard error, widened so that a normal 90 % interval is Student's.
    pub(crate) fn level(&self, moment: &Moment) -> (f64, f64) {
        let row = self.row(moment);
        (self.value(&row), self.error(&row))
    }

    /// The same for a moment to come: what the last value has above the trend fades as noise's memory does
    /// (best linear prediction, Goldberger, JASA 57, 1962).
    pub(crate) fn level_ahead(&self, moment: &Moment) -> (f64, f64) {
        let (level, error) = self.level(moment);
        let left = num::exp_fast(self.fading * moment.hours);
        let own = self.own * (1.0 - left * left);
        (level + self.above * left, (error * error + own).sqrt())
    }

    /// The slope per hour now, and its standard error, widened likewise.
    pub(crate) fn slope(&self) -> (f64, f64) {
        let mut row = [0.0; COLUMNS];
        for (place, term) in row[self.first_term()..].iter_mut().zip(&self.terms) {
            *place = term.slope();
        }
        (self.value(&row), self.error(&row))
    }

    /// By how much load raises the level when it jitters and when it lasts, for each unit of it: an
    /// exponential mean lets that share of a jitter through which the jitter's time constant has of both.
    pub(crate) fn by_load(&self) -> [f64; 2] {
        let each = &self.coefficients[1..=self.loads];
        let through = each.iter().zip(LINGER_H).map(|(each, hours)| each * JITTER_H / (JITTER_H + hours));
        [through.sum::<f64>().max(0.0), each.iter().sum()]
    }

    pub(crate) fn heights(&self) -> impl Iterator<Item = (Term, f64)> + '_ {
        self.terms.iter().copied().zip(self.coefficients[self.first_term()..].iter().copied())
    }

    /// By how much the level has grown between two moments, apart from load and from jumps up.
    pub(crate) fn grown(&self, from: &Moment, to: &Moment) -> f64 {
        let terms = self.heights().filter(|(term, height)| !term.is_step() || *height < 0.0);
        terms.map(|(term, height)| height * (term.at(to) - term.at(from))).sum()
    }

    /// Since when, in hours before now, the present trend has lasted, where that isn't the whole time.
    pub(crate) fn since(&self) -> Option<f64> {
        let lines = self.terms.iter().any(|term| matches!(term, Term::Line(_)));
        let starts = self.terms.iter().filter_map(|term| match *term {
            Term::Bend(Clock::Hours, place) | Term::Curve(place) if !lines => Some(place),
            _ => None,
        });
        starts.reduce(f64::max)
    }

    /// Whether it nears a plateau and does nothing else.
    pub(crate) fn slows(&self) -> bool {
        let mut trends = self.terms.iter().filter(|term| !term.is_step()).peekable();
        trends.peek().is_some() && trends.all(|term| matches!(term, Term::Plateau(..)))
    }

    /// The largest jump down, as a positive number: by how much at least it fell, with a probability of 95 %.
    pub(crate) fn deepest_fall(&self) -> f64 {
        let first = self.first_term();
        let steps = (first..self.columns).filter(|i| self.terms[i - first].is_step());
        let error = |i: usize| self.inflation * noise::Z95 * self.covariance[i][i].sqrt();
        steps.fold(0.0, |most, i| most.max(-self.coefficients[i] - error(i)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The information of the mean of noise with a memory has a closed form: (1 − ρ) (n (1 − ρ) + 2 ρ).
    #[test]
    fn a_mean_knows_as_much_as_in_the_closed_form() {
        for rho in [0.0, 0.5, 0.985] {
            let mut column = vec![1.0; 30];
            whiten(&mut column, rho);
            let known: f64 = column.iter().map(|x| x * x).sum();
            assert!((known - (1.0 - rho) * (30.0 * (1.0 - rho) + 2.0 * rho)).abs() < 1e-12);
        }
    }

    #[test]
    fn a_step_within_a_block_gives_the_block_its_part() {
        let step = Term::Step(0.25, 1.0);
        let at = |hours: f64| step.at(&Moment { hours, ..Moment::default() });
        assert_eq!([at(-1.0), at(0.0), at(1.0)], [0.0, 0.25, 1.0]);
    }
}
