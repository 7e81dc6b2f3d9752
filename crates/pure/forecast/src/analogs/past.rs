//! Single steps of the last few hundred periods, and what a moment looks like.

/// Periods kept.
const KEPT: usize = 240;
/// Periods for which another one has to be found before it is believed.
const PATIENCE: usize = 48;
/// Values are kept in thousandths; this one is missing.
const MISSING: i16 = i16::MIN;
const PART: f64 = 1_000.0;
/// Means over these steps back describe a moment.
const LAGS: [(usize, usize); 5] = [(0, 1), (1, 2), (2, 4), (4, 8), (8, LOOK)];
const LOOK: usize = 16;

/// Values and their bases of the last periods.
#[derive(Debug, Clone)]
pub(super) struct Past {
    period: usize,
    /// Rings: values on the logarithmic scale, and their median over a period up to there.
    values: Vec<i16>,
    bases: Vec<i16>,
    /// Steps so far since the period was found, and where the newest stands in the rings.
    steps: usize,
    slot: usize,
    /// Steps since when another period is found.
    other: usize,
}

/// What a moment looks like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// The usual level then.
    pub(super) base: f32,
    /// The latest means above it.
    lags: [f32; LAGS.len()],
}

impl Look {
    /// The mean of the last two steps above the base.
    pub(super) fn short(&self) -> f32 {
        f32::midpoint(self.lags[0], self.lags[1])
    }

    /// Mean absolute distance of two moments; NaN where something is missing.
    pub(super) fn distance(&self, other: &Self) -> f32 {
        self.lags.iter().zip(&other.lags).map(|(a, b)| (a - b).abs()).sum::<f32>() / LAGS.len() as f32
    }
}

impl Past {
    pub(super) const fn new() -> Self {
        Self { period: 0, values: Vec::new(), bases: Vec::new(), steps: 0, slot: 0, other: 0 }
    }

    pub(super) const fn period(&self) -> usize {
        self.period
    }

    /// Whole periods known.
    pub(super) fn periods(&self) -> usize {
        self.steps.min(self.values.len()).checked_div(self.period).unwrap_or(0)
    }

    pub(super) fn push(&mut self, z: Option<f64>, period: usize) {
        // A quiet day hides a period: it is given up for another only.
        self.other = if period == 0 || period == self.period { 0 } else { self.other + 1 };
        if self.other > if self.period == 0 { 0 } else { PATIENCE * self.period } {
            let room = period * KEPT;
            let empty = vec![MISSING; room];
            *self = Self { period, values: empty.clone(), bases: empty, steps: 0, slot: 0, other: 0 };
        }
        if self.period == 0 {
            return;
        }
        self.slot = self.steps % self.values.len();
        self.values[self.slot] = coded(z.unwrap_or(f64::NAN));
        self.steps += 1;
        self.bases[self.slot] = self.median();
    }

    /// Median of the values of the last period.
    fn median(&self) -> i16 {
        let have = self.period.min(self.steps);
        let mut last: Vec<i16> = (0..have).map(|back| self.code(&self.values, back)).collect();
        last.retain(|code| *code != MISSING);
        if last.is_empty() {
            return MISSING;
        }
        let middle = last.len() / 2;
        *last.select_nth_unstable(middle).1
    }

    fn code(&self, ring: &[i16], back: usize) -> i16 {
        if back >= ring.len() {
            return MISSING;
        }
        ring[self.place(back)]
    }

    /// Where the step `back` before the newest stands in the rings.
    const fn place(&self, back: usize) -> usize {
        if back <= self.slot { self.slot - back } else { self.slot + self.values.len() - back }
    }

    /// The value `back` steps before the newest; NaN where missing.
    pub(super) fn at(&self, back: usize) -> f32 {
        decoded(self.code(&self.values, back))
    }

    /// What the moment `back` steps before the newest value looked like.
    pub(super) fn look(&self, back: usize) -> Look {
        let base = decoded(self.code(&self.bases, back));
        let mut codes = [MISSING; LOOK];
        if back + LOOK <= self.values.len() {
            let (sooner, later) = self.stretch(back, LOOK);
            codes[..sooner.len()].copy_from_slice(sooner);
            codes[sooner.len()..].copy_from_slice(later);
        }
        let values = codes.map(decoded);
        let mean = |(from, until): (usize, usize)| {
            let newest_first = values[LOOK - until..LOOK - from].iter().rev();
            newest_first.sum::<f32>() / (until - from) as f32 - base
        };
        Look { base, lags: LAGS.map(mean) }
    }

    /// The `count` values up to `back` steps before the newest in the order of time, in two parts.
    fn stretch(&self, back: usize, count: usize) -> (&[i16], &[i16]) {
        let end = self.place(back) + 1;
        match end.checked_sub(count) {
            Some(begin) => (&[], &self.values[begin..end]),
            None => (&self.values[self.values.len() + end - count..], &self.values[..end]),
        }
    }

    /// The `steps` values after the moment `back` steps ago, in two parts.
    pub(super) fn after(&self, back: usize, steps: usize) -> (&[i16], &[i16]) {
        self.stretch(back - steps, steps)
    }

    /// Whether the `steps` values after the moment `back` steps ago are all known.
    pub(super) fn known(&self, back: usize, steps: usize) -> bool {
        let (sooner, later) = self.after(back, steps);
        !sooner.contains(&MISSING) && !later.contains(&MISSING)
    }

    pub(super) fn rescale(&mut self, map: &dyn Fn(f64) -> f64) {
        for code in self.values.iter_mut().chain(&mut self.bases).filter(|code| **code != MISSING) {
            *code = coded(map(f64::from(*code) / PART));
        }
    }

    pub(super) fn bytes(&self) -> usize {
        2 * (self.values.capacity() + self.bases.capacity())
    }
}

fn coded(z: f64) -> i16 {
    if z.is_nan() { MISSING } else { (z * PART).round().clamp(-32_000.0, 32_000.0) as i16 }
}

/// The value on the logarithmic scale that is kept as `code`; NaN where missing.
pub(super) fn decoded(code: i16) -> f32 {
    if code == MISSING { f32::NAN } else { f32::from(code) / PART as f32 }
}
