//! Points of a grid as places in the unit cube, and seeded samples that fill it evenly.

use std::collections::BTreeSet;

use homeostat_core::draw::Key;

/// A grid: the first setting varies slowest.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    dimensions: Vec<usize>,
}

impl Grid {
    pub(super) fn new(dimensions: &[usize]) -> Self {
        Self { dimensions: dimensions.to_vec() }
    }

    pub(super) fn size(&self) -> usize {
        self.dimensions.iter().product()
    }

    /// Each setting's rank among its values, from 0 to 1.
    pub(super) fn place(&self, point: usize) -> Vec<f64> {
        let mut rest = point;
        let mut place = Vec::with_capacity(self.dimensions.len());
        for n in self.dimensions.iter().rev() {
            place.push((rest % n) as f64 / (n.saturating_sub(1)).max(1) as f64);
            rest /= n;
        }
        place.reverse();
        place
    }

    /// `n` different points that fill the grid evenly: an additive recurrence (Roberts' generalised golden
    /// ratio) from a start that the key gives. All points where there are no more.
    pub(super) fn sample(&self, n: usize, key: Key) -> Vec<usize> {
        let size = self.size();
        if n >= size {
            return (0..size).collect();
        }
        let root = golden(self.dimensions.len());
        let mut draws = key.at(0);
        let mut at: Vec<f64> = self.dimensions.iter().map(|_| draws.uniform()).collect();
        let mut chosen = BTreeSet::new();
        let mut list = Vec::with_capacity(n);
        for _ in 0..50 * size {
            if list.len() == n {
                break;
            }
            let mut step = 1.0;
            let mut point = 0;
            for (value, dimension) in at.iter_mut().zip(&self.dimensions) {
                step /= root;
                *value = (*value + step).fract();
                point = point * dimension + ((*value * *dimension as f64) as usize).min(dimension - 1);
            }
            if chosen.insert(point) {
                list.push(point);
            }
        }
        // Cells that the recurrence is slow to reach, where nearly all are wanted.
        list.extend((0..size).filter(|point| !chosen.contains(point)).take(n - list.len()));
        list
    }
}

/// The root above 1 of x^(d+1) = x + 1, by Newton's steps.
fn golden(d: usize) -> f64 {
    let mut x = 1.5_f64;
    for _ in 0..40 {
        let mut power = 1.0;
        for _ in 0..d {
            power *= x;
        }
        let (value, slope) = (power * x - x - 1.0, (d as f64 + 1.0) * power - 1.0);
        x -= value / slope;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_run_from_0_to_1() {
        let grid = Grid::new(&[3, 2, 1]);
        assert_eq!(grid.place(0), [0.0, 0.0, 0.0]);
        assert_eq!(grid.place(3), [0.5, 1.0, 0.0]);
        assert_eq!(grid.place(5), [1.0, 1.0, 0.0]);
    }

    #[test]
    fn the_golden_ratio_is_the_first_of_its_kind() {
        assert!((golden(1) - 1.618_033_988_749_895).abs() < 1e-12);
        assert!((golden(2) - 1.324_717_957_244_746).abs() < 1e-12);
    }

    #[test]
    fn samples_are_different_points_spread_evenly() {
        let grid = Grid::new(&[14, 5, 3, 2]);
        let sample = grid.sample(100, Key::root(7));
        let unique: BTreeSet<_> = sample.iter().collect();
        assert_eq!((sample.len(), unique.len()), (100, 100));
        for value in 0..14 {
            let hits = sample.iter().filter(|point| **point / 30 == value).count();
            assert!((3..=12).contains(&hits), "value {value} of the first setting: {hits}");
        }
        assert_eq!(sample, grid.sample(100, Key::root(7)));
        assert_ne!(sample, grid.sample(100, Key::root(8)));
        assert_eq!(grid.sample(1_000, Key::root(7)).len(), 420);
    }
}
