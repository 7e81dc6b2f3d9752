//! The shape of a trend: a straight line, or one with a bend, a step or a curve, whichever the data
//! bear out once load is taken into account.
//!
//! Terms are added one at a time, as in multivariate adaptive regression splines (Friedman, Annals of
//! Statistics 19, 1991), while Schwarz's criterion (BIC), with noise of first-order memory, pays for them.

use homeostat_core::num;

use super::basis::{Basis, COLUMNS, Square};
use super::noise;
use super::sen::theil_sen;

/// Terms beside a straight line.
const TERMS: usize = 3;
/// Steps that are taken for deploys; more of them are a way of growing.
const STEPS: usize = 2;
/// Blocks on each side of a bend or step.
const MARGIN: usize = 4;
/// Places tried for a bend or a step.
const PLACES: usize = 40;
/// Parameters that a bend or a step counts as: its height, and its place, which was searched.
const PLACE_COST: f64 = 5.0;
/// Parameters that a curve counts as.
const CURVE_COST: f64 = 5.0;

/// A slope of less than this share of the present one counts as flat.
const FLAT: f64 = 0.1;
/// Standard errors of its curvature from which a trend bends.
const BENDING: f64 = 2.0;
/// Share of the slope that must change for that.
const BENT: f64 = 0.3;

/// How a trend bends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Not to speak of.
    Steady,
    /// Ever steeper.
    Accelerating,
    /// Ever flatter: a plateau is neared.
    Slowing,
}

/// A term beside the straight line; places are readings of the clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Term {
    /// The slope changes here.
    Bend(f64),
    /// The level jumps here.
    Step(f64),
    /// The slope changes all the time from here on.
    Curve(f64),
}

impl Term {
    fn at(self, clock: f64) -> f64 {
        match self {
            Self::Bend(place) => (clock - place).max(0.0),
            Self::Step(place) => f64::from(u8::from(clock >= place)),
            Self::Curve(place) => (clock - place).max(0.0) * (clock - place).max(0.0),
        }
    }

    /// Its slope at `clock`.
    fn slope_at(self, clock: f64) -> f64 {
        match self {
            Self::Bend(place) => f64::from(u8::from(clock > place)),
            Self::Step(_) => 0.0,
            Self::Curve(place) => 2.0 * (clock - place).max(0.0),
        }
    }

    const fn cost(self) -> f64 {
        match self {
            Self::Bend(_) | Self::Step(_) => PLACE_COST,
            Self::Curve(_) => CURVE_COST,
        }
    }
}

/// What a trend is fitted to, in order of time. The clock reads 0 at the last value and is negative before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Points<'a> {
    pub(crate) clock: &'a [f64],
    pub(crate) value: &'a [f64],
    /// Load, and load as it lingers; empty where it isn't known or doesn't vary.
    pub(crate) load: &'a [f64],
    pub(crate) lingering: &'a [f64],
}

/// A fitted trend.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) terms: Vec<Term>,
    /// Level, [load, lingering load], clock, terms.
    coefficients: [f64; COLUMNS],
    covariance: Square,
    columns: usize,
    /// Which of the two loads have a column.
    loads: [bool; 2],
    /// Schwarz's criterion: smaller is better.
    pub(crate) criterion: f64,
    /// Half of the 90 % interval in standard errors.
    pub(crate) quantile: f64,
    /// The largest jump down, as a positive number.
    pub(crate) fallen: f64,
    /// How the present trend bends.
    pub(crate) pace: Pace,
}

/// Regressors at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moment {
    pub(crate) clock: f64,
    pub(crate) load: f64,
    pub(crate) lingering: f64,
}

impl Shape {
    /// The shape that the points bear out; `None` where load and clock can't be told apart.
    pub(crate) fn fit(points: &Points<'_>) -> Option<Self> {
        let (basis, loads) = straight(points)?;
        let (mut terms, mut grown) = grow(points, &basis, &[Search::Bend, Search::Step, Search::Curve]);
        let mut fallen = 0.0;
        if terms.iter().filter(|term| matches!(term, Term::Step(_))).count() > STEPS {
            fallen = Self::of(&grown, terms, loads).deepest_fall();
            (terms, grown) = grow(points, &basis, &[Search::Bend, Search::Curve]);
        }
        let mut shape = Self::of(&grown, terms, loads);
        shape.fallen = shape.deepest_fall().max(fallen);
        let (pace, curved) = shape.pace(points, grown);
        shape.pace = pace;
        if let Some(curved) = curved.filter(|_| pace == Pace::Accelerating) {
            return Some(Self { pace, fallen: shape.fallen, ..curved });
        }
        shape.settle(points);
        Some(shape)
    }

    fn of(basis: &Basis, terms: Vec<Term>, loads: [bool; 2]) -> Self {
        let n = basis.residual.len() as f64;
        let columns = basis.columns();
        let rho = noise::memory(&basis.residual, columns);
        let (mut covariance, left) = basis.covariance(rho);
        let variance = basis.rss() / left.max(0.1 * n);
        covariance.iter_mut().flatten().for_each(|value| *value *= variance);
        let freedom = (n - columns as f64) * (1.0 - rho) / (1.0 + rho);
        Self {
            criterion: criterion(basis, terms.iter().map(|term| term.cost()).sum()),
            terms,
            coefficients: basis.coefficients(),
            covariance,
            columns,
            loads,
            quantile: noise::t95(freedom),
            pace: Pace::Steady,
            fallen: 0.0,
        }
    }

    /// How a curve laid over the present trend bends: by more than [`BENDING`] standard errors, and so much
    /// that the slope changes by [`BENT`] of its mean to either side. With the shape that has this curve,
    /// where it has none yet.
    fn pace(&self, points: &Points<'_>, mut basis: Basis) -> (Pace, Option<Self>) {
        let since = self.since(points.clock[0]);
        let column: Vec<f64> = points.clock.iter().map(|clock| Term::Curve(since).at(*clock)).collect();
        let slope = self.slope(0.0).0;
        let has = self.terms.iter().position(|term| matches!(term, Term::Curve(_)));
        let (curved, at) = match has {
            Some(at) => (None, at),
            None if basis.push(&column) => {
                let terms = self.terms.iter().copied().chain([Term::Curve(since)]).collect();
                (Some(Self::of(&basis, terms, self.loads)), self.terms.len())
            }
            None => return (Pace::Steady, None),
        };
        let shape = curved.as_ref().unwrap_or(self);
        let at = shape.clock_column() + 1 + at;
        let (curvature, error) = (shape.coefficients[at], shape.covariance[at][at].sqrt());
        let pace = match () {
            () if curvature.abs() < BENDING * error || curvature.abs() * -since < BENT * slope => {
                Pace::Steady
            }
            () if curvature > 0.0 => Pace::Accelerating,
            () => Pace::Slowing,
        };
        (pace, curved)
    }

    /// A straight line gets Sen's slope, which single wild values don't move.
    fn settle(&mut self, points: &Points<'_>) {
        if self.terms.iter().any(|term| !matches!(term, Term::Step(_))) {
            return;
        }
        let at = self.clock_column();
        let mut rest: Vec<f64> = (0..points.clock.len())
            .map(|i| {
                points.value[i] - self.level(&points.moment(i)) + self.coefficients[at] * points.clock[i]
            })
            .collect();
        let mut room = Vec::new();
        if let Some(slope) = theil_sen(points.clock, &rest, &mut room) {
            self.coefficients[at] = slope;
            rest.iter_mut().zip(points.clock).for_each(|(rest, clock)| *rest -= slope * clock);
            self.coefficients[0] += super::sen::median(&mut rest).unwrap_or(0.0);
        }
    }

    const fn clock_column(&self) -> usize {
        1 + self.loads[0] as usize + self.loads[1] as usize
    }

    /// Regressors of the level at a moment.
    fn level_row(&self, moment: &Moment) -> [f64; COLUMNS] {
        let mut row = [0.0; COLUMNS];
        row[0] = 1.0;
        let mut next = 1;
        for (has, load) in self.loads.into_iter().zip([moment.load, moment.lingering]) {
            if has {
                row[next] = load;
                next += 1;
            }
        }
        row[next] = moment.clock;
        for (place, term) in row[next + 1..].iter_mut().zip(&self.terms) {
            *place = term.at(moment.clock);
        }
        row
    }

    /// Regressors of the slope at a reading of the clock.
    fn slope_row(&self, clock: f64) -> [f64; COLUMNS] {
        let mut row = [0.0; COLUMNS];
        let at = self.clock_column();
        row[at] = 1.0;
        for (place, term) in row[at + 1..].iter_mut().zip(&self.terms) {
            *place = term.slope_at(clock);
        }
        row
    }

    fn value(&self, row: &[f64; COLUMNS]) -> f64 {
        row.iter().zip(&self.coefficients).map(|(x, b)| x * b).sum()
    }

    fn error(&self, row: &[f64; COLUMNS]) -> f64 {
        let mut sum = 0.0;
        for (i, x) in row.iter().enumerate().take(self.columns) {
            sum += x * row.iter().zip(&self.covariance[i]).map(|(x, c)| x * c).sum::<f64>();
        }
        sum.max(0.0).sqrt()
    }

    /// The level at a moment.
    pub(crate) fn level(&self, moment: &Moment) -> f64 {
        self.value(&self.level_row(moment))
    }

    /// The level at a moment and its standard error.
    pub(crate) fn level_with_error(&self, moment: &Moment) -> (f64, f64) {
        let row = self.level_row(moment);
        (self.value(&row), self.error(&row))
    }

    /// The slope per unit of the clock at a reading of it, and its standard error.
    pub(crate) fn slope(&self, clock: f64) -> (f64, f64) {
        let row = self.slope_row(clock);
        (self.value(&row), self.error(&row))
    }

    /// Since when, by the clock, the present trend has lasted: the last bend up, or `start`.
    pub(crate) fn since(&self, start: f64) -> f64 {
        let bends = self.terms.iter().filter_map(|term| match term {
            Term::Bend(place) => Some(*place),
            Term::Step(_) | Term::Curve(_) => None,
        });
        let now = self.slope(0.0).0;
        let up = bends.filter(|place| self.slope(*place).0 < FLAT * now);
        up.fold(start, f64::max)
    }

    /// By how much the level has grown since then, apart from load and from jumps up.
    pub(crate) fn grown_since(&self, clock: f64) -> f64 {
        let at = self.clock_column();
        let mut grown = -self.coefficients[at] * clock;
        for (term, height) in self.terms.iter().zip(&self.coefficients[at + 1..]) {
            let part = height * (term.at(0.0) - term.at(clock));
            grown += if matches!(term, Term::Step(_)) { part.min(0.0) } else { part };
        }
        grown
    }

    fn deepest_fall(&self) -> f64 {
        let heights = self.terms.iter().zip(&self.coefficients[self.clock_column() + 1..]);
        let falls = heights.filter(|(term, _)| matches!(term, Term::Step(_))).map(|(_, height)| -height);
        falls.fold(0.0, f64::max)
    }
}

impl Points<'_> {
    pub(crate) fn moment(&self, index: usize) -> Moment {
        let at = |values: &[f64]| values.get(index).copied().unwrap_or(0.0);
        Moment { clock: self.clock[index], load: at(self.load), lingering: at(self.lingering) }
    }
}

/// A straight line with the loads that say something. Lasting load never lowers the level: an effect that
/// would comes from load and time going the same way, and the loads are left out.
fn straight(points: &Points<'_>) -> Option<(Basis, [bool; 2])> {
    let n = points.value.len();
    let with = |use_load: bool| {
        let mut basis = Basis::new(points.value);
        basis.push(&vec![1.0; n]);
        let loads =
            [points.load, points.lingering].map(|load| use_load && load.len() == n && basis.push(load));
        let told_apart = basis.push(points.clock);
        (basis, loads, told_apart)
    };
    let (basis, loads, told_apart) = with(true);
    let last = basis.columns().saturating_sub(1);
    let lasting: f64 = basis.coefficients()[1..last.max(1)].iter().sum();
    if told_apart && lasting < 0.0 {
        let (basis, loads, told_apart) = with(false);
        return told_apart.then_some((basis, loads));
    }
    told_apart.then_some((basis, loads))
}

#[derive(Debug, Clone, Copy)]
enum Search {
    Bend,
    Step,
    Curve,
}

/// Adds terms while they pay.
fn grow(points: &Points<'_>, straight: &Basis, kinds: &[Search]) -> (Vec<Term>, Basis) {
    let mut basis = straight.clone();
    let mut terms = Vec::new();
    let mut cost = 0.0;
    let mut best = criterion(&basis, cost);
    while terms.len() < TERMS && basis.columns() < COLUMNS {
        let tries = kinds.iter().filter_map(|kind| best_of(*kind, points, &basis, &terms));
        let mut found = None;
        for term in tries {
            let mut with = basis.clone();
            let column: Vec<f64> = points.clock.iter().map(|clock| term.at(*clock)).collect();
            if !with.push(&column) {
                continue;
            }
            let now = criterion(&with, cost + term.cost());
            if now < best {
                best = now;
                found = Some((term, with));
            }
        }
        let Some((term, with)) = found else { break };
        terms.push(term);
        cost += term.cost();
        basis = with;
    }
    (terms, basis)
}

/// The term of a kind that lowers the squared error most.
fn best_of(kind: Search, points: &Points<'_>, basis: &Basis, terms: &[Term]) -> Option<Term> {
    let n = points.clock.len();
    if matches!(kind, Search::Curve) {
        let has = terms.iter().any(|term| matches!(term, Term::Curve(_)));
        return (!has).then_some(Term::Curve(points.clock[0]));
    }
    let places = MARGIN..n.saturating_sub(MARGIN);
    let mut column = vec![0.0; n];
    let mut try_at = |i: usize| {
        let place = points.clock[i];
        let term = if matches!(kind, Search::Bend) { Term::Bend(place) } else { Term::Step(place) };
        column.iter_mut().zip(points.clock).for_each(|(value, clock)| *value = term.at(*clock));
        (basis.gain(&mut column), i, term)
    };
    let better = |a: &(f64, usize, Term), b: &(f64, usize, Term)| a.0.total_cmp(&b.0);
    let stride = n.div_ceil(PLACES).max(1);
    let rough = places.clone().step_by(stride).map(&mut try_at).max_by(better)?;
    let near = (rough.1.saturating_sub(stride - 1)..rough.1 + stride).filter(|i| places.contains(i));
    near.map(&mut try_at).max_by(better).map(|(_, _, term)| term)
}

/// Schwarz's criterion with noise of first-order memory, terms at this cost in parameters.
fn criterion(basis: &Basis, cost: f64) -> f64 {
    let e = &basis.residual;
    let n = e.len() as f64;
    let rho = noise::raw_memory(e).clamp(0.0, 0.98);
    let first = e.first().map_or(0.0, |e| (1.0 - rho * rho) * e * e);
    let rest: f64 = e.windows(2).map(|pair| (pair[1] - rho * pair[0]) * (pair[1] - rho * pair[0])).sum();
    let least = f64::MIN_POSITIVE;
    n * num::ln(((first + rest) / n).max(least)) - num::ln(1.0 - rho * rho) + cost * num::ln(n)
}
