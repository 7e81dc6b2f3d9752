//! All shapes at once, each with the weight that the data give it (Bayesian model averaging, as in Hoeting
//! et al., Statistical Science 14, 1999).

use homeostat_core::num;

use super::family::{self, Member};
use super::shape::{Clock, LOADS, Moment, Points, Shape, Term, base};

/// Shapes kept at most.
const KEPT: usize = 12;
/// Shapes tried at most until that many hold.
const TRIED: usize = 60;
/// Shapes less likely than this share of the likeliest are left out.
const LEAST: f64 = 0.01;
/// Memories of noise that are supposed, each as likely as the others beforehand.
const MEMORIES: [f64; 5] = [0.05, 0.45, 0.75, 0.92, 0.985];
/// Logarithm of the odds that load must have to linger for a short time as well.
const LINGERS: f64 = 0.0;
/// Halvings when a quantile is looked for.
const HALVINGS: u32 = 24;

/// Shapes with weights that add up to one.
#[derive(Debug, Clone)]
pub(crate) struct Blend {
    pub(crate) shapes: Vec<(f64, Shape)>,
}

impl Blend {
    /// Fits all shapes; `None` where load and time can't be told apart. Lasting load never lowers the level:
    /// where every likely shape says so, load and time went the same way, and load is left out.
    pub(crate) fn fit(points: &Points<'_>) -> Option<Self> {
        if !points.load {
            return Self::with(points, 0);
        }
        let mut basis = base(points, MEMORIES[0], LOADS - 1);
        let line = Term::Line(Clock::Hours);
        let column = points.term(MEMORIES[0], line);
        let loads = basis.columns() - 1;
        if !basis.push(&column) {
            return None;
        }
        let with_load = if loads == LOADS - 1 { Self::with(points, loads) } else { None };
        let lingers =
            with_load.as_ref().is_some_and(|blend| blend.first().gain_by_lingering(points) > LINGERS);
        let with_more = if lingers { Self::with(points, LOADS) } else { None };
        with_more.or(with_load).or_else(|| Self::with(points, 0))
    }

    fn with(points: &Points<'_>, loads: usize) -> Option<Self> {
        let bases = MEMORIES.map(|rho| base(points, rho, loads));
        let mut members: Vec<(usize, Member)> = Vec::new();
        for (i, (rho, base)) in MEMORIES.iter().zip(&bases).enumerate() {
            members.extend(family::members(points, *rho, base).into_iter().map(|member| (i, member)));
        }
        let fitted = likeliest(&members).into_iter().filter_map(|(i, member)| {
            let shape = Shape::fit(points, MEMORIES[*i], &bases[*i], &member.terms)?;
            Some((member.evidence, shape))
        });
        let mut shapes: Vec<(f64, Shape)> = fitted.take(KEPT).collect();
        let most = shapes.first()?.0;
        for (weight, _) in &mut shapes {
            *weight = num::exp(*weight - most);
        }
        shapes.retain(|(weight, _)| *weight >= LEAST);
        let all: f64 = shapes.iter().map(|(weight, _)| weight).sum();
        for (weight, _) in &mut shapes {
            *weight /= all;
        }
        (!shapes.is_empty()).then_some(Self { shapes })
    }

    /// The likeliest shape.
    pub(crate) fn first(&self) -> &Shape {
        &self.shapes[0].1
    }

    /// A mean over the shapes.
    pub(crate) fn mean(&self, of: impl Fn(&Shape) -> f64) -> f64 {
        self.shapes.iter().map(|(weight, shape)| weight * of(shape)).sum()
    }

    /// The probability of shapes of a kind.
    pub(crate) fn share(&self, kind: impl Fn(&Shape) -> bool) -> f64 {
        self.mean(|shape| f64::from(u8::from(kind(shape))))
    }

    /// The 5 %, 50 % and 95 % quantiles of what each shape gives as a middle and a standard error.
    pub(crate) fn quantiles(&self, of: impl Fn(&Shape) -> (f64, f64)) -> [f64; 3] {
        let parts: Vec<(f64, f64, f64)> =
            self.shapes.iter().map(|(weight, shape)| (*weight, of(shape).0, of(shape).1)).collect();
        let ends = |side: f64| parts.iter().map(move |(_, middle, error)| middle + side * 4.0 * error);
        let low = ends(-1.0).fold(f64::INFINITY, f64::min);
        let high = ends(1.0).fold(f64::NEG_INFINITY, f64::max);
        [0.05, 0.5, 0.95].map(|share| {
            let below = |x: f64| {
                parts.iter().map(|(weight, middle, error)| weight * normal(x - middle, *error)).sum::<f64>()
            };
            let (mut low, mut high) = (low, high);
            for _ in 0..HALVINGS {
                let middle = f64::midpoint(low, high);
                if below(middle) < share { low = middle } else { high = middle }
            }
            f64::midpoint(low, high)
        })
    }

    /// The level expected at a moment to come with the ends of its 90 % interval.
    pub(crate) fn level(&self, moment: &Moment) -> [f64; 3] {
        self.quantiles(|shape| shape.level_ahead(moment))
    }
}

/// The [`TRIED`] likeliest members, the likeliest first; of equals the earlier.
fn likeliest(members: &[(usize, Member)]) -> Vec<&(usize, Member)> {
    let evidence = |place: &usize| members[*place].1.evidence;
    let order = |a: &usize, b: &usize| evidence(b).total_cmp(&evidence(a)).then(a.cmp(b));
    let mut places: Vec<usize> = (0..members.len()).collect();
    if places.len() > TRIED {
        places.select_nth_unstable_by(TRIED, order);
        places.truncate(TRIED);
    }
    places.sort_unstable_by(order);
    places.into_iter().map(|place| &members[place]).collect()
}

/// Probability that normal noise with this deviation is at most `x`.
pub(crate) fn normal(x: f64, deviation: f64) -> f64 {
    if deviation > 0.0 {
        return match x / deviation {
            z if z < -6.0 => 0.0,
            z if z > 6.0 => 1.0,
            z => 0.5 * num::erfc(-z * std::f64::consts::FRAC_1_SQRT_2),
        };
    }
    f64::from(u8::from(x >= 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shapes of 96 values, a quarter of an hour apart, with a little noise.
    fn blend(of: impl Fn(f64) -> f64) -> Blend {
        let hours = |i: i32| f64::from(i - 95) / 4.0;
        let moments: Vec<Moment> =
            (0..96).map(|i| Moment { hours: hours(i), requests: hours(i), ..Moment::default() }).collect();
        let noise = |i: i32| f64::from(i * 7 % 11 + i * 5 % 7) - 8.0;
        let values: Vec<f64> = (0..96).map(|i| of(hours(i)) + 0.3 * noise(i)).collect();
        let points = Points { moments: &moments, values: &values, load: false, requests: false };
        Blend::fit(&points).expect("a series")
    }

    #[test]
    fn a_line_and_a_curve_are_known_for_what_they_are() {
        let only = |blend: &Blend, kind: fn(&Term) -> bool| {
            blend.share(|shape| shape.terms.iter().all(kind) && !shape.terms.is_empty())
        };
        assert!(only(&blend(|h| 5.0 * h), |term| matches!(term, Term::Line(_))) > 0.5);
        assert!(only(&blend(|h| 0.3 * (h + 24.0) * (h + 24.0)), |term| matches!(term, Term::Curve(_))) > 0.9);
    }

    #[test]
    fn a_slope_is_told_with_an_interval_around_it() {
        let [low, middle, high] = blend(|h| 5.0 * h).quantiles(Shape::slope);
        assert!(low < 5.0 && 5.0 < high && (middle - 5.0).abs() < 0.1, "{low} {middle} {high}");
        let [low, middle, high] = blend(|_| 0.0).quantiles(Shape::slope);
        assert!(low <= 0.0 && middle.abs() < 0.1 && 0.0 <= high, "{low} {middle} {high}");
    }
}
