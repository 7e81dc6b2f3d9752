//! The bank: linear predictors of the next rate that learn on line by least mean squares (LMS).

/// Lengths of the windows that the members look at, in decisions.
const WINDOWS: [usize; 5] = [10, 50, 100, 500, 1_000];
/// The largest window.
const LONGEST: usize = 1_000;
/// The first learning rate; each further one is a tenth, down to [`LEAST_RATE`].
const FIRST_RATE: f64 = 0.1;
const LEAST_RATE: f64 = 1e-10;
/// Weight of the past in the running error.
const MEMORY: f64 = 0.99;

/// One predictor: a weight for each of the last values, and a bias.
#[derive(Debug, Clone)]
struct Member {
    weights: Vec<f64>,
    bias: f64,
    rate: f64,
    /// Exponentially weighted mean of the absolute error; infinite once the member has diverged.
    error: f64,
}

impl Member {
    fn predict(&self, recent: &[f64]) -> f64 {
        self.weights.iter().zip(recent).map(|(weight, value)| weight * value).sum::<f64>() + self.bias
    }

    /// One step down the gradient of the squared error.
    fn learn(&mut self, recent: &[f64], value: f64) {
        let error = value - self.predict(recent);
        self.error = MEMORY * self.error + (1.0 - MEMORY) * error.abs();
        if !self.error.is_finite() {
            self.error = f64::INFINITY;
            return;
        }
        self.bias += self.rate * error;
        for (weight, value) in self.weights.iter_mut().zip(recent) {
            *weight += self.rate * error * value;
        }
    }
}

/// All members and the last values, the newest first.
#[derive(Debug, Clone)]
pub struct Bank {
    members: Vec<Member>,
    recent: Vec<f64>,
    most: f64,
}

impl Default for Bank {
    fn default() -> Self {
        let mut members = Vec::new();
        let mut rate = FIRST_RATE;
        while rate > LEAST_RATE {
            members.extend(WINDOWS.map(|window| Member {
                weights: vec![0.0; window],
                bias: 0.0,
                rate,
                error: 0.0,
            }));
            rate *= 0.1;
        }
        Self { members, recent: vec![0.0; LONGEST], most: 0.0 }
    }
}

impl Bank {
    /// Takes the newest rate and predicts the next one: that of the member with the least running error,
    /// between zero and the largest rate seen. A diverged member is out for good.
    pub fn next(&mut self, value: f64) -> f64 {
        self.most = self.most.max(value);
        for member in self.members.iter_mut().filter(|member| member.error.is_finite()) {
            member.learn(&self.recent, value);
        }
        self.recent.copy_within(..LONGEST - 1, 1);
        self.recent[0] = value;
        let alive = self.members.iter().filter(|member| member.error.is_finite());
        let best = alive.min_by(|a, b| a.error.total_cmp(&b.error));
        let predicted = best.map_or(value, |member| member.predict(&self.recent));
        if predicted.is_finite() { predicted.clamp(0.0, self.most) } else { value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same formulas in another form: every member written out, with the whole past at hand.
    fn oracle(values: &[f64]) -> f64 {
        let past = |end: usize, lag: usize| if lag < end { values[end - 1 - lag] } else { 0.0 };
        let (mut best, mut least) = (f64::NAN, f64::INFINITY);
        for power in 1..=10 {
            for window in WINDOWS {
                let rate = (1..power).fold(0.1, |rate: f64, _| rate * 0.1);
                let (mut w, mut b, mut e) = (vec![0.0; window], 0.0, 0.0);
                for (t, y) in values.iter().enumerate() {
                    let guess = (0..window).map(|lag| w[lag] * past(t, lag)).sum::<f64>() + b;
                    let miss = y - guess;
                    e += 0.01 * (miss.abs() - e);
                    b += rate * miss;
                    for (lag, weight) in w.iter_mut().enumerate() {
                        *weight += rate * miss * past(t, lag);
                    }
                }
                if e.is_finite() && e < least - 1e-9 {
                    least = e;
                    best = (0..window).map(|lag| w[lag] * past(values.len(), lag)).sum::<f64>() + b;
                }
            }
        }
        best.clamp(0.0, values.iter().copied().fold(0.0, f64::max))
    }

    #[test]
    fn follows_the_formulas() {
        let values: Vec<f64> = (0..60).map(|t| 5.0 + f64::from(t % 7) * 0.4).collect();
        let mut bank = Bank::default();
        for end in 1..=values.len() {
            let (found, expected) = (bank.next(values[end - 1]), oracle(&values[..end]));
            assert!((found - expected).abs() < 1e-6, "{end}: {found} instead of {expected}");
        }
    }

    #[test]
    fn has_fifty_members_and_survives_their_divergence() {
        let mut bank = Bank::default();
        assert_eq!(bank.members.len(), 50);
        for _ in 0..2_000 {
            let next = bank.next(150.0);
            assert!((0.0..=150.0).contains(&next));
        }
        assert!(bank.members.iter().any(|member| member.error.is_infinite()));
        assert!((bank.next(150.0) - 150.0).abs() < 5.0);
    }
}
