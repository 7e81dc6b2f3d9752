//! Counts over times on a logarithmic scale with linear steps inside each octave.
//!
//! A histogram of `2^BITS` steps per octave finds a quantile to within half a step: with seven bits
//! 0.39 %. Counts are integers, so that merging and taking back are exact and order does not matter.

use homeostat_core::Span;

/// Counts of times in nanoseconds with `2^BITS` steps per octave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram<const BITS: u32> {
    counts: Vec<u32>,
}

impl<const BITS: u32> Default for Histogram<BITS> {
    fn default() -> Self {
        Self { counts: Vec::new() }
    }
}

impl<const BITS: u32> Histogram<BITS> {
    /// The bucket of `ns`: exact below `2^BITS`, then the octave and the leading bits within it.
    #[inline]
    pub(crate) const fn bucket(ns: u64) -> usize {
        let shift = (ns | 1).ilog2().saturating_sub(BITS);
        (((shift as u64) << BITS) + (ns >> shift)) as usize
    }

    /// The middle of a bucket, in nanoseconds.
    pub(crate) const fn middle(bucket: usize) -> u64 {
        let shift = ((bucket >> BITS) as u64).saturating_sub(1);
        let lead = bucket as u64 - (shift << BITS);
        (lead << shift) + ((1 << shift) >> 1)
    }

    /// The least time of a bucket, in nanoseconds.
    pub(crate) const fn least(bucket: usize) -> u64 {
        let shift = ((bucket >> BITS) as u64).saturating_sub(1);
        (bucket as u64 - (shift << BITS)) << shift
    }

    /// Counts by bucket.
    pub(crate) fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// Counts one time.
    #[inline]
    pub fn add(&mut self, time: Span) {
        let bucket = Self::bucket(time.0);
        if let Some(count) = self.counts.get_mut(bucket) {
            *count += 1;
        } else {
            self.grow(bucket);
        }
    }

    #[cold]
    fn grow(&mut self, bucket: usize) {
        self.counts.resize(bucket + 1, 0);
        self.counts[bucket] += 1;
    }

    /// Takes one time back that was counted before.
    pub fn take_back(&mut self, time: Span) {
        self.counts[Self::bucket(time.0)] -= 1;
    }

    /// Adds all counts of `other`.
    pub fn merge(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
    }

    /// Number of times counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(*count)).sum()
    }

    /// The time below which a share `q` of all lies, where `infinite` further times are longer than any
    /// other. `None` when the quantile falls among those, or when nothing was counted.
    pub fn quantile(&self, q: f64, infinite: u64) -> Option<Span> {
        let finite = self.total();
        let rank = ((q * (finite + infinite) as f64).ceil() as u64).max(1);
        if rank > finite {
            return None;
        }
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= rank {
                return Some(Span(Self::middle(bucket)));
            }
        }
        None
    }

    /// The quantile with the place within its step found by rank, in seconds: closer than
    /// [`Self::quantile`] where the steps are coarse. `None` when nothing was counted.
    pub fn quantile_within_s(&self, q: f64) -> Option<f64> {
        let rank = q * self.total() as f64;
        let mut seen = 0.0;
        for (bucket, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let count = f64::from(*count);
            if seen + count >= rank {
                let (from, to) = (Self::from(bucket) as f64, Self::from(bucket + 1) as f64);
                return Some((from + (to - from) * ((rank - seen) / count).max(0.0)) / 1e9);
            }
            seen += count;
        }
        None
    }

    /// The least value of a bucket, in nanoseconds.
    const fn from(bucket: usize) -> u64 {
        let shift = ((bucket >> BITS) as u64).saturating_sub(1);
        (bucket as u64 - (shift << BITS)) << shift
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn quantiles_are_within_half_a_percent(
            mut times in prop::collection::vec(1_u64..1 << 50, 1..200),
            q in 0.0..1.0_f64,
        ) {
            let mut histogram = Histogram::<7>::default();
            for time in &times {
                histogram.add(Span(*time));
            }
            times.sort_unstable();
            let rank = ((q * times.len() as f64).ceil() as usize).max(1);
            let exact = times[rank - 1] as f64;
            let found = histogram.quantile(q, 0).unwrap().0 as f64;
            prop_assert!((found - exact).abs() <= 0.005 * exact + 1.0, "{} instead of {}", found, exact);
        }

        #[test]
        fn what_is_taken_back_was_never_there(
            times in prop::collection::vec(1_u64..1 << 40, 1..50),
            extra in 1_u64..1 << 40,
        ) {
            let mut plain = Histogram::<7>::default();
            for time in &times {
                plain.add(Span(*time));
            }
            let mut other = plain.clone();
            other.add(Span(extra));
            other.take_back(Span(extra));
            prop_assert_eq!(plain.quantile(0.9, 3), other.quantile(0.9, 3));
            prop_assert_eq!(plain.total(), other.total());
        }
    }

    #[test]
    fn ranks_within_a_step_are_told_apart() {
        let mut histogram = Histogram::<4>::default();
        let times = || (1..=100_000_u64).map(|i| i * 10_000);
        times().for_each(|ns| histogram.add(Span(ns)));
        for q in [0.1, 0.5, 0.9] {
            let (found, exact) = (histogram.quantile_within_s(q).unwrap(), q);
            assert!((found / exact - 1.0).abs() < 1e-3, "{q}: {found}");
        }
        assert_eq!(Histogram::<4>::default().quantile_within_s(0.5), None);
    }

    #[test]
    fn failures_count_as_infinite() {
        let mut histogram = Histogram::<7>::default();
        histogram.add(Span::SECOND);
        assert!(histogram.quantile(0.5, 1).is_some());
        assert_eq!(histogram.quantile(0.51, 1), None);
    }
}
