//! How errors go together from step to step: the ranks of whole past error trajectories.
//!
//! A path takes at each step the quantile whose rank a past trajectory had there (Schaake shuffle, Clark
//! et al. 2004): the distribution of each step is the calibrated one, and a path goes up and down as
//! errors did. Until enough trajectories ended, errors are taken to last.

use std::ops::Range;

use homeostat_core::draw::Key;

use super::quantiles::TRACKED;

/// Trajectories kept.
pub(crate) const TRAJECTORIES: usize = 100;
/// New trajectories begin so many times per horizon.
const OVERLAP: usize = 3;

#[derive(Debug, Clone)]
pub(crate) struct Trajectories {
    steps: usize,
    /// Errors in thousandths of their scale: step by step, one per trajectory.
    errors: Vec<i16>,
    /// Ranks of the errors among those of the same step.
    ranks: Vec<u8>,
    oldest: usize,
    since: usize,
    open: Vec<Open>,
}

/// A trajectory that has not ended.
#[derive(Debug, Clone)]
struct Open {
    middles: Vec<f32>,
    scales: Vec<f32>,
    errors: Vec<i16>,
    known: usize,
}

impl Trajectories {
    pub(crate) fn new(steps: usize) -> Self {
        let all = TRAJECTORIES as f64;
        let error = |rank: usize| {
            let level = (rank as f64 + 0.5) / all;
            let place = TRACKED.partition_point(|tracked| *tracked < level);
            (place as f64 * 500.0) as i16 - 3_250
        };
        let errors = (0..steps * TRAJECTORIES).map(|index| error(index % TRAJECTORIES)).collect();
        let ranks = (0..steps * TRAJECTORIES).map(|index| (index % TRAJECTORIES) as u8).collect();
        Self { steps, errors, ranks, oldest: 0, since: usize::MAX, open: Vec::new() }
    }

    /// Whether a new trajectory should begin now.
    pub(crate) fn due(&mut self) -> bool {
        let due = self.since >= (self.steps / OVERLAP).max(1);
        self.since = if due { 1 } else { self.since + 1 };
        due
    }

    /// Begins a trajectory with the forecasts made now.
    pub(crate) fn begin(&mut self, middles: Vec<f32>, scales: Vec<f32>) {
        self.open.push(Open { middles, scales, errors: Vec::with_capacity(self.steps), known: 0 });
    }

    /// Takes the newest value on the logarithmic scale.
    pub(crate) fn update(&mut self, z: Option<f64>) {
        for open in &mut self.open {
            open.add(z);
        }
        if self.open.first().is_some_and(|open| open.errors.len() >= self.steps) {
            let ended = self.open.remove(0);
            if 2 * ended.known > self.steps {
                self.keep(&ended.errors);
            }
        }
    }

    /// The scale of the history moved.
    pub(crate) fn rescale(&mut self, map: &dyn Fn(f64) -> f64) {
        for middle in self.open.iter_mut().flat_map(|open| &mut open.middles) {
            *middle = map(f64::from(*middle)) as f32;
        }
    }

    /// Ranks step by step, one per trajectory.
    pub(crate) fn ranks(&self) -> &[[u8; TRAJECTORIES]] {
        self.ranks.as_chunks().0
    }

    /// The order in which paths take trajectories.
    pub(crate) fn order(key: Key) -> [u8; TRAJECTORIES] {
        let mut order: [u8; TRAJECTORIES] = std::array::from_fn(|index| index as u8);
        let mut draws = key.at(0);
        for index in (1..TRAJECTORIES).rev() {
            order.swap(index, draws.below(index as u64 + 1) as usize);
        }
        order
    }

    /// Replaces the oldest trajectory (errors below `i16::MAX`).
    fn keep(&mut self, errors: &[i16]) {
        let place = self.oldest;
        self.oldest = (self.oldest + 1) % TRAJECTORIES;
        for (step, new) in errors.iter().enumerate() {
            let row = step * TRAJECTORIES..(step + 1) * TRAJECTORIES;
            let (values, ranks) = (&mut self.errors[row.clone()], &mut self.ranks[row]);
            let (old, mut below) = (ranks[place], 0);
            let mut pass = |others: Range<usize>, least: i16| {
                for (value, rank) in values[others.clone()].iter().zip(&mut ranks[others]) {
                    let above = u8::from(*value >= least);
                    *rank = *rank - u8::from(*rank > old) + above;
                    below += 1 - above;
                }
            };
            // of equal errors the one further on has the higher rank
            pass(0..place, *new + 1);
            pass(place + 1..TRAJECTORIES, *new);
            (values[place], ranks[place]) = (*new, below);
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.steps * (TRAJECTORIES * 3 + OVERLAP * 10)
    }
}

impl Open {
    fn add(&mut self, z: Option<f64>) {
        let step = self.errors.len();
        let before = self.errors.last().copied().unwrap_or(0);
        let error = z.map(|z| (z - f64::from(self.middles[step])) / f64::from(self.scales[step]) * 1_000.0);
        self.known += usize::from(error.is_some());
        self.errors.push(error.map_or(before, |error| error.clamp(-32_000.0, 32_000.0) as i16));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_sorting() {
        let mut draws = Key::root(9).at(0);
        let mut kept = Trajectories::new(4);
        for _ in 0..250 {
            let errors: Vec<i16> = (0..4).map(|_| draws.below(60) as i16 - 30).collect();
            kept.keep(&errors);
        }
        for step in 0..4 {
            let values = &kept.errors[step * TRAJECTORIES..(step + 1) * TRAJECTORIES];
            let mut order: Vec<usize> = (0..TRAJECTORIES).collect();
            order.sort_by_key(|index| (values[*index], *index));
            for (rank, index) in order.iter().enumerate() {
                assert_eq!(usize::from(kept.ranks()[step][*index]), rank);
            }
        }
    }
}
