//! Every point over the full length: what other searches are measured against, and what is spread
//! over many machines.

use std::collections::BTreeMap;

use super::{Found, Measured, Search, Trial};

/// Runs every point once.
#[derive(Debug, Clone)]
pub struct Exhaustive {
    size: usize,
    asked: bool,
    measured: BTreeMap<usize, Measured>,
}

impl Exhaustive {
    /// A search that is over: what all points measured elsewhere.
    pub fn done(measured: impl IntoIterator<Item = Measured>) -> Self {
        let measured: BTreeMap<usize, Measured> = measured.into_iter().enumerate().collect();
        Self { size: measured.len(), asked: true, measured }
    }

    /// A search of all points of a space of this size.
    pub const fn new(size: usize) -> Self {
        Self { size, asked: false, measured: BTreeMap::new() }
    }
}

impl Search for Exhaustive {
    fn ask(&mut self) -> Vec<Trial> {
        if std::mem::replace(&mut self.asked, true) {
            return Vec::new();
        }
        (0..self.size).map(|point| Trial { point, rung: 0 }).collect()
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
        self.size as f64
    }
}
