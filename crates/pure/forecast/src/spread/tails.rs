//! How large rare errors are: the ends of the spread where bursts come from nowhere.
//!
//! A level that follows the errors in units of what is expected takes weeks to find rare and large ones (each
//! moves it by a thirtieth of the expected error), and then holds them for as many times larger in a loud
//! hour as in a quiet one, where bursts have one height. The errors themselves, counted by size, tell that
//! height once a few have been seen. Where that record loses less (the quantile loss, of late) than the
//! levels do, the ends are read off it.

use homeostat_core::num;

/// Probabilities beyond the levels, the nearest to the middle first.
const BEYOND: [f64; ENDS] = [0.025, 0.01, 0.005];
/// Levels on one side.
pub(crate) const ENDS: usize = 3;
/// Classes of sizes on the logarithmic scale of the series: the logarithm of the lower end of the first, and
/// their width.
const CLASSES: usize = 40;
const FIRST: f64 = -5.3;
const WIDTH: f64 = 0.2;
/// The record is used where what it loses is below this share of what the levels lose.
const BETTER: f64 = 0.9;

/// The errors on one side of the middle.
#[derive(Debug, Clone)]
pub(crate) struct Tail {
    /// Weight of the errors of each class, larger ones in the last.
    counts: [f32; CLASSES],
    /// Weight of all errors, small ones and those of the other side included.
    all: f32,
    /// The sizes beyond which errors come with the probabilities.
    at: [f64; ENDS],
    /// Pinball losses of late, of the record and of what was said instead.
    lost: [[f64; 2]; ENDS],
}

impl Tail {
    pub(crate) const fn new() -> Self {
        Self { counts: [0.0; CLASSES], all: 0.0, at: [0.0; ENDS], lost: [[0.0; 2]; ENDS] }
    }

    /// The size at end `place`, where the record knows better than the levels.
    pub(crate) fn at(&self, place: usize) -> Option<f64> {
        let [own, others] = self.lost[place];
        (own < BETTER * others).then_some(self.at[place])
    }

    /// Takes an error of `size`, below zero on the other side, where the levels were at `levels`; `keep` is
    /// what those before it still count.
    pub(crate) fn learn(&mut self, size: f64, levels: [f64; ENDS], keep: f64) {
        for place in 0..ENDS {
            let loss = |at: f64| (size - at).max(0.0) + BEYOND[place] * (at - size);
            for (lost, at) in self.lost[place].iter_mut().zip([self.at[place], levels[place]]) {
                *lost += (1.0 - keep) * (loss(at) - *lost);
            }
        }
        self.counts.iter_mut().for_each(|count| *count *= keep as f32);
        self.all = self.all * keep as f32 + 1.0;
        let class = (num::ln(size.max(1e-9)) - FIRST) / WIDTH;
        if class >= 0.0 {
            self.counts[(class as usize).min(CLASSES - 1)] += 1.0;
        }
        self.read();
    }

    /// Reads the sizes off the record.
    fn read(&mut self) {
        let (mut beyond, mut class) = (0.0, CLASSES);
        for place in (0..ENDS).rev() {
            let wanted = f64::from(self.all) * BEYOND[place];
            while class > 0 && beyond + f64::from(self.counts[class - 1]) < wanted {
                class -= 1;
                beyond += f64::from(self.counts[class]);
            }
            let count = if class > 0 { f64::from(self.counts[class - 1]) } else { 0.0 };
            let share = if count > 0.0 { 1.0 - ((wanted - beyond) / count).clamp(0.0, 1.0) } else { 0.0 };
            self.at[place] = num::exp_fast(FIRST + WIDTH * (class as f64 - 1.0 + share));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeostat_core::draw::Key;

    #[test]
    fn the_right_share_comes_beyond_whatever_the_distribution_is() {
        let mut draws = Key::root(8).at(0);
        let mut tail = Tail::new();
        let (mut beyond, mut all) = ([0.0; ENDS], 0.0);
        for step in 0..60_000 {
            // one in fifty is of another kind, and twice as large in the second half
            let rare = draws.uniform() < 0.02;
            let grown = if step < 30_000 { 1.0 } else { 2.0 };
            let error = if rare { grown * (0.8 + 0.1 * draws.uniform()) } else { 0.1 * draws.normal() };
            if step > 5_000 {
                all += 1.0;
                (0..ENDS).for_each(|k| beyond[k] += f64::from(u8::from(error > tail.at[k])));
            }
            tail.learn(error, [0.2; ENDS], 1.0 - 1.0 / 5_000.0);
        }
        for (beyond, wanted) in beyond.iter().zip(BEYOND) {
            let share = beyond / all;
            assert!((share / wanted - 1.0).abs() < 0.25, "{share} instead of {wanted}");
        }
    }

    #[test]
    fn a_burst_is_known_after_a_few() {
        let mut tail = Tail::new();
        for step in 0..1_000 {
            tail.learn(if step % 50 == 49 { 0.7 } else { 0.05 }, [0.15; ENDS], 0.9999);
        }
        let at = tail.at(1).expect("it knows better than the levels");
        assert!((0.6..0.8).contains(&at), "{at}");
    }
}
