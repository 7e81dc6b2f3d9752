//! What full-length runs say: the frontier, the cheapest that reaches an attainment, the nearest miss.

use super::Measured;

/// A point with what it measured over the full length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Index of the point.
    pub point: usize,
    /// What it measured.
    pub measured: Measured,
}

/// The points that no other beats in cost without losing attainment, by rising cost.
pub fn frontier(found: &[Found]) -> Vec<Found> {
    let mut sorted = found.to_vec();
    sorted.sort_by(|a, b| {
        let by_cost = a.measured.cost.total_cmp(&b.measured.cost);
        by_cost.then(b.measured.attainment.total_cmp(&a.measured.attainment)).then(a.point.cmp(&b.point))
    });
    let mut best = f64::NEG_INFINITY;
    sorted.retain(|found| {
        let beats = found.measured.attainment > best;
        best = best.max(found.measured.attainment);
        beats
    });
    sorted
}

/// The cheapest that reaches this attainment.
pub fn cheapest(found: &[Found], attainment: f64) -> Option<Found> {
    frontier(found).into_iter().find(|found| found.measured.attainment >= attainment)
}

/// The one with the largest attainment.
pub fn nearest(found: &[Found]) -> Option<Found> {
    frontier(found).pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(point: usize, attainment: f64, cost: f64) -> Found {
        Found { point, measured: Measured { attainment, cost, replica_hours: cost } }
    }

    #[test]
    fn dominated_points_are_left_out() {
        let all = [found(0, 0.99, 5.0), found(1, 0.95, 3.0), found(2, 0.94, 4.0), found(3, 0.99, 6.0)];
        let points: Vec<usize> = frontier(&all).iter().map(|f| f.point).collect();
        assert_eq!(points, [1, 0]);
        assert_eq!(cheapest(&all, 0.96).unwrap().point, 0);
        assert_eq!(cheapest(&all, 0.95).unwrap().point, 1);
        assert!(cheapest(&all, 0.999).is_none());
        assert_eq!(nearest(&all).unwrap().point, 0);
        assert!(nearest(&[]).is_none());
    }
}
