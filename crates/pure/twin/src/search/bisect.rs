//! Bisection, for a single setting of which more never attains less: fixed counts.

use std::collections::BTreeMap;

use super::{Found, Measured, Search, Trial};

/// Halves the range for every attainment wanted, all in the same runs.
#[derive(Debug, Clone)]
pub struct Bisection {
    size: usize,
    wanted: Vec<f64>,
    measured: BTreeMap<usize, Measured>,
}

impl Bisection {
    /// A search among `size` points, of which the last attains most, for each of these attainments.
    pub const fn new(size: usize, wanted: Vec<f64>) -> Self {
        Self { size, wanted, measured: BTreeMap::new() }
    }

    /// The next point for one attainment: between the largest that misses and the least that reaches.
    fn next(&self, wanted: f64) -> Option<usize> {
        let last = self.size.checked_sub(1)?;
        if !self.measured.contains_key(&last) {
            return Some(last);
        }
        let reaches = |m: &Measured| m.attainment >= wanted;
        let high = self.measured.iter().find(|(_, m)| reaches(m)).map(|(point, _)| *point)?;
        let below = self.measured.range(..high).next_back().map(|(point, _)| *point);
        let low = below.map_or(0, |point| point + 1);
        (low < high).then_some(low + (high - low) / 2)
    }
}

impl Search for Bisection {
    fn ask(&mut self) -> Vec<Trial> {
        let mut points: Vec<usize> = self.wanted.iter().filter_map(|wanted| self.next(*wanted)).collect();
        points.sort_unstable();
        points.dedup();
        points.into_iter().map(|point| Trial { point, rung: 0 }).collect()
    }

    fn tell(&mut self, trial: Trial, measured: Measured) {
        self.measured.insert(trial.point, measured);
    }

    fn found(&self) -> Vec<Found> {
        self.measured.iter().map(|(point, measured)| Found { point: *point, measured: *measured }).collect()
    }

    fn spent(&self) -> f64 {
        self.measured.len() as f64
    }

    fn most(&self) -> f64 {
        let halvings = f64::from(self.size.max(1).ilog2()) + 1.0;
        1.0 + halvings * self.wanted.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::cheapest;

    #[test]
    fn finds_the_least_count_in_logarithmic_time() {
        for size in [1, 2, 7, 100, 1_000] {
            for threshold in [0, 1, size / 3, size - 1].map(|t: usize| t.min(size - 1)) {
                let mut search = Bisection::new(size, vec![0.9, 0.999]);
                loop {
                    let trials = search.ask();
                    if trials.is_empty() {
                        break;
                    }
                    for trial in trials {
                        let miss = if trial.point >= threshold { 1e-4 } else { 0.05 };
                        let cost = (trial.point + 1) as f64;
                        search.tell(trial, Measured { attainment: 1.0 - miss, cost, replica_hours: cost });
                    }
                }
                assert_eq!(cheapest(&search.found(), 0.999).unwrap().point, threshold);
                assert_eq!(cheapest(&search.found(), 0.9).unwrap().point, 0);
                assert!(search.spent() <= search.most(), "{size}: {} runs", search.spent());
            }
        }
    }

    #[test]
    fn stops_where_nothing_reaches() {
        let mut search = Bisection::new(50, vec![0.999]);
        for trial in search.ask() {
            search.tell(trial, Measured { attainment: 0.5, cost: 1.0, replica_hours: 1.0 });
        }
        assert!(search.ask().is_empty());
        assert_eq!(search.found()[0].point, 49);
    }
}
