//! Families of shapes, and how likely each of their members makes the data.
//!
//! Each member is a linear model. Its evidence is the marginal likelihood under a flat prior on the logarithm
//! of the noise and on coefficients as wide as one point tells (Kass and Wasserman, JASA 90, 1995); members
//! share the prior of their family, so that a place that was searched for pays for the search.

use homeostat_core::num;

use super::basis::{Basis, COLUMNS, dot};
use super::shape::{Clock, Points, Term};

/// Places of a bend or of the start of a curve.
const PLACES: usize = 20;
/// And pieces of the way from the likeliest one to the next.
const PIECES: f64 = 4.0;
/// Logarithm of how much less likely than the best a place may be for its pieces to be looked at.
const WORTH: f64 = 5.0;
/// Steps that are taken for deploys; more of them are a way of growing.
const STEPS: usize = 3;
/// Where a step may lie, in blocks from the beginning of one.
const PARTS: [f64; 7] = [0.0, -0.75, -0.5, -0.25, 0.25, 0.5, 0.75];
/// Time constants of a plateau, from the whole span down.
const CONSTANTS: [f64; 8] = [1.0, 0.66, 0.44, 0.29, 0.19, 0.13, 0.08, 0.05];

/// A member of a family.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) terms: Vec<Term>,
    /// Squared error.
    rss: f64,
    /// Logarithm of its prior.
    prior: f64,
    /// Logarithm of its evidence with its prior.
    pub(super) evidence: f64,
}

/// A column beside the base: its direction, of length one, and its share of the data.
struct Column {
    term: Term,
    unit: Vec<f64>,
    share: f64,
}

/// Everything that is tried.
pub(super) fn members(points: &Points<'_>, rho: f64, base: &Basis) -> Vec<Member> {
    let columns = |terms: &[Term]| -> Vec<Column> {
        terms.iter().filter_map(|term| column(points, rho, base, *term)).collect()
    };
    let n = points.values.len();
    let start = points.moments[0].hours;
    let places = places(n);
    let at = |kind: Kind, places: &[f64]| -> Vec<Column> {
        columns(&places.iter().map(|place| kind.term(points, *place)).collect::<Vec<_>>())
    };
    let curved: Vec<f64> =
        std::iter::once(0.0).chain(places.iter().copied().filter(|i| *i * 4.0 < n as f64 * 3.0)).collect();
    let line = columns(&[Term::Line(Clock::Hours)]);
    let by_hours = at(Kind::Bend(Clock::Hours), &places);
    let plateaus = columns(&CONSTANTS.map(|share| Term::Plateau(start, -start * share)));
    let mut found = vec![Member { terms: Vec::new(), rss: base.rss(), prior: 0.0, evidence: 0.0 }];
    let mut placed = vec![(Kind::Bend(Clock::Hours), &places), (Kind::Curve, &curved)];
    singles(&mut found, base, &line, 1.0);
    singles(&mut found, base, &by_hours, places.len() as f64);
    singles(&mut found, base, &at(Kind::Curve, &curved), curved.len() as f64);
    singles(&mut found, base, &plateaus, plateaus.len() as f64);
    if points.requests {
        singles(&mut found, base, &columns(&[Term::Line(Clock::Requests)]), 1.0);
        singles(&mut found, base, &at(Kind::Bend(Clock::Requests), &places), places.len() as f64);
        placed.push((Kind::Bend(Clock::Requests), &places));
    }
    pairs(&mut found, base, &line, &by_hours, places.len() as f64);
    pairs(&mut found, base, &line, &plateaus, plateaus.len() as f64);
    let freedom = n - base.columns();
    weigh(&mut found, freedom);
    for (kind, places) in placed {
        let alone = |place: f64| vec![kind.term(points, place)];
        if let Some(near) = finer(&mut found, places, alone) {
            singles(&mut found, base, &at(kind, &near), PIECES * places.len() as f64);
        }
    }
    let beside_line =
        |place: f64| vec![Term::Line(Clock::Hours), Kind::Bend(Clock::Hours).term(points, place)];
    if let Some(near) = finer(&mut found, &places, beside_line) {
        let near = at(Kind::Bend(Clock::Hours), &near);
        pairs(&mut found, base, &line, &near, PIECES * places.len() as f64);
    }
    let (plateaus, by_hours) = (thinned(plateaus), thinned(by_hours));
    pairs(&mut found, base, &plateaus, &by_hours, (plateaus.len() * by_hours.len()) as f64);
    weigh(&mut found, freedom);
    let trends: Vec<Vec<Term>> = with_steps_tried(&found);
    for terms in trends {
        steps(&mut found, points, rho, base, &terms);
    }
    weigh(&mut found, freedom);
    // The density of the data before noise's memory was taken out, whatever level and effect of load.
    let density = 0.5 * num::ln(1.0 - rho * rho) - num::ln(base.volume());
    for member in &mut found {
        member.evidence += density;
    }
    found
}

/// What has a place.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Bend(Clock),
    Curve,
}

impl Kind {
    /// The term at a place that is counted in blocks.
    fn term(self, points: &Points<'_>, place: f64) -> Term {
        let clock = if let Self::Bend(clock) = self { clock } else { Clock::Hours };
        let at = |block: usize| points.moments[block.min(points.moments.len() - 1)].clock(clock);
        let (before, after) = (at(place as usize), at(place as usize + 1));
        let at = before + place.fract() * (after - before);
        match self {
            Self::Bend(clock) => Term::Bend(clock, at),
            Self::Curve => Term::Curve(at),
        }
    }
}

/// The places between the likeliest one and those beside it, where that may matter: the likeliest then has
/// the prior of one of its [`PIECES`].
fn finer(found: &mut [Member], places: &[f64], terms: impl Fn(f64) -> Vec<Term>) -> Option<Vec<f64>> {
    let best = found.iter().map(|member| member.evidence).fold(f64::NEG_INFINITY, f64::max);
    let member = |place: &f64| {
        let terms = terms(*place);
        found.iter().position(|member| member.terms == terms).map(|i| (i, *place))
    };
    let likeliest = places.iter().filter_map(member);
    let (i, place) = likeliest.max_by(|(a, _), (b, _)| found[*a].evidence.total_cmp(&found[*b].evidence))?;
    if found[i].evidence < best - WORTH {
        return None;
    }
    found[i].prior -= num::ln(PIECES);
    let piece = places.windows(2).last().map_or(1.0, |pair| pair[1] - pair[0]) / PIECES;
    let near = [-3.0, -2.0, -1.0, 1.0, 2.0, 3.0].map(|k| place + k * piece);
    Some(near.into_iter().filter(|place| *place > 0.0).collect())
}

/// Every other one.
fn thinned(columns: Vec<Column>) -> Vec<Column> {
    columns.into_iter().step_by(2).collect()
}

/// Steps are tried on the flat shape, on the straight line and on the best of all.
fn with_steps_tried(found: &[Member]) -> Vec<Vec<Term>> {
    let best = found.iter().max_by(|a, b| a.evidence.total_cmp(&b.evidence));
    let mut trends = vec![Vec::new(), vec![Term::Line(Clock::Hours)]];
    trends.extend(best.map(|best| best.terms.clone()).filter(|terms| !trends.contains(terms)));
    trends
}

/// Indices of places: behind a bend there must be blocks enough to tell.
fn places(n: usize) -> Vec<f64> {
    let margin = (n / 12).max(3);
    let last = n.saturating_sub(margin);
    let stride = last.div_ceil(PLACES).max(1);
    (1..last).step_by(stride).map(|place| place as f64).collect()
}

fn column(points: &Points<'_>, rho: f64, base: &Basis, term: Term) -> Option<Column> {
    let mut unit = points.term(rho, term);
    let norm = base.rest(&mut unit)?;
    for value in &mut unit {
        *value /= norm;
    }
    let share = dot(&unit, &base.residual);
    Some(Column { term, unit, share })
}

/// Each column alone; `among` how many its family has.
fn singles(found: &mut Vec<Member>, base: &Basis, columns: &[Column], among: f64) {
    let prior = -num::ln(among.max(1.0));
    let rising = columns.iter().filter(|column| column.share > 0.0 || !column.term.must_rise());
    found.extend(rising.map(|column| Member {
        terms: vec![column.term],
        rss: base.rss() - column.share * column.share,
        prior,
        evidence: 0.0,
    }));
}

/// What two columns explain together; `among` how many pairs their family has.
fn pairs(found: &mut Vec<Member>, base: &Basis, ones: &[Column], others: &[Column], among: f64) {
    let prior = -num::ln(among.max(1.0));
    for one in ones {
        for other in others {
            let along = dot(&one.unit, &other.unit);
            let apart = 1.0 - along * along;
            let heights = [one.share - along * other.share, other.share - along * one.share];
            let falls =
                one.term.must_rise() && heights[0] < 0.0 || other.term.must_rise() && heights[1] < 0.0;
            if apart < 1e-6 || falls {
                continue;
            }
            let gain = (one.share * heights[0] + other.share * heights[1]) / apart;
            let terms = vec![one.term, other.term];
            found.push(Member { terms, rss: base.rss() - gain, prior, evidence: 0.0 });
        }
    }
}

/// Adds steps to a trend one at a time, each where it explains most, as long as that pays; where more than
/// [`STEPS`] would, none is added.
fn steps(found: &mut Vec<Member>, points: &Points<'_>, rho: f64, base: &Basis, trend: &[Term]) {
    let mut basis = base.clone();
    if !trend.iter().all(|term| basis.push(&points.term(rho, *term))) {
        return;
    }
    let n = points.values.len();
    let mut terms = trend.to_vec();
    let mut prior = found.iter().find(|member| member.terms == trend).map_or(0.0, |member| member.prior);
    let mut added = Vec::new();
    for _ in 0..=STEPS {
        let before = basis.rss();
        let Some(index) = best_step(&basis, rho) else { break };
        let term = straddling(points, rho, &basis, index);
        if !basis.push(&points.term(rho, term)) {
            break;
        }
        // A place among n, and half as likely as one step less.
        prior -= num::ln(2.0 * n as f64);
        let gain = 0.5 * n as f64 * num::ln(before / basis.rss().max(f64::MIN_POSITIVE));
        if gain < num::ln(2.0 * n as f64) + 0.5 * num::ln(n as f64) {
            break;
        }
        terms.push(term);
        added.push(Member { terms: terms.clone(), rss: basis.rss(), prior, evidence: 0.0 });
    }
    if added.len() <= STEPS {
        found.extend(added);
    }
}

/// Where a step explains most. A step with noise's memory taken out is one, then the same little value to
/// the end, so that sums from the end give its product with any column.
fn best_step(basis: &Basis, rho: f64) -> Option<usize> {
    let n = basis.residual.len();
    let little = 1.0 - rho;
    let behind = |values: &[f64]| -> Vec<f64> {
        let mut sum = 0.0;
        let mut out = vec![0.0; n];
        for (out, value) in out.iter_mut().zip(values).rev() {
            *out = value + little * sum;
            sum += value;
        }
        out
    };
    let shares = behind(&basis.residual);
    let columns: Vec<Vec<f64>> = basis.units().map(behind).collect();
    let gain = |i: usize| {
        let whole = 1.0 + little * little * (n - 1 - i) as f64;
        let known: f64 = columns.iter().map(|column| column[i] * column[i]).sum();
        let rest = whole - known;
        if rest > 1e-6 * whole { shares[i] * shares[i] / rest } else { 0.0 }
    };
    let tried = (1..n).map(|i| (gain(i), i));
    tried.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, i)| i)
}

/// The step between blocks `index` − 1 and `index`, or within one of them, whichever explains most.
fn straddling(points: &Points<'_>, rho: f64, basis: &Basis, index: usize) -> Term {
    let block = -points.moments[0].hours / (points.values.len() - 1) as f64;
    let tries = PARTS.map(|part| Term::Step(points.moments[index].hours + (part - 0.5) * block, block));
    let gain = |term: &Term| {
        let mut column = points.term(rho, *term);
        let norm = basis.rest(&mut column).unwrap_or(f64::INFINITY);
        (dot(&column, &basis.residual) / norm).abs()
    };
    tries
        .map(|term| (gain(&term), term))
        .into_iter()
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or(tries[0], |x| x.1)
}

/// Turns squared errors and priors into evidence. `freedom` is that which the base leaves.
fn weigh(found: &mut [Member], freedom: usize) {
    let left = |terms: usize| (freedom as f64 - terms as f64).max(1.0);
    // Noise, as the best member sees it, is the unit of the coefficients' prior.
    let least =
        found.iter().map(|member| member.rss / left(member.terms.len())).fold(f64::INFINITY, f64::min);
    let unit = (freedom as f64 * least).max(f64::MIN_POSITIVE);
    let log_unit = num::ln(unit);
    let gammas: [f64; COLUMNS] = std::array::from_fn(|terms| ln_gamma(left(terms) / 2.0));
    for member in found {
        let terms = member.terms.len();
        let rss = member.rss.max(1e-9 * unit).max(f64::MIN_POSITIVE);
        member.evidence = member.prior + gammas[terms]
            - left(terms) / 2.0 * num::ln(rss / 2.0)
            - 0.5 * terms as f64 * log_unit;
    }
}

/// Stirling's series of the logarithm of the gamma function, off by less than 0.01 from 0.5 on.
fn ln_gamma(x: f64) -> f64 {
    const HALF_LN_TAU: f64 = 0.918_938_533_204_672_7;
    (x - 0.5) * num::ln(x) - x + HALF_LN_TAU + 1.0 / (12.0 * x)
}
