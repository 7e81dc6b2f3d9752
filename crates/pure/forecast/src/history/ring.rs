//! Means per bucket of local time: a ring over the recent past, and a profile over a period.

/// Means of the last buckets of local time; what is not known is NaN.
#[derive(Debug, Clone)]
pub(crate) struct Ring {
    /// Length of a bucket in seconds.
    bucket_s: i64,
    values: Vec<f32>,
    newest: Option<i64>,
    /// Where the newest one stands.
    slot: usize,
}

impl Ring {
    /// Room for `span_s` seconds in buckets of `bucket_s`.
    pub(crate) fn new(bucket_s: i64, span_s: i64) -> Self {
        let buckets = (span_s / bucket_s).max(1) + 2;
        Self { bucket_s, values: vec![f32::NAN; buckets as usize], newest: None, slot: 0 }
    }

    /// Length of a bucket in seconds.
    pub(crate) const fn bucket_s(&self) -> i64 {
        self.bucket_s
    }

    fn slot(&self, bucket: i64) -> usize {
        bucket.rem_euclid(self.values.len() as i64) as usize
    }

    /// Sets the mean of bucket number `bucket`. An hour that local time repeats is overwritten.
    pub(crate) fn set(&mut self, bucket: i64, value: f32) {
        let newest = self.newest.unwrap_or(bucket - 1);
        let room = self.values.len() as i64;
        if bucket <= newest - room {
            return;
        }
        for skipped in (newest + 1).max(bucket - room)..bucket {
            let slot = self.slot(skipped);
            self.values[slot] = f32::NAN;
        }
        let slot = self.slot(bucket);
        self.values[slot] = value;
        self.newest = Some(newest.max(bucket));
        self.slot = self.slot(newest.max(bucket));
    }

    /// The mean of bucket number `bucket`.
    pub(crate) fn get(&self, bucket: i64) -> f32 {
        let Some(newest) = self.newest.filter(|newest| bucket <= *newest) else { return f32::NAN };
        let (back, room) = ((newest - bucket) as usize, self.values.len());
        if back >= room {
            return f32::NAN;
        }
        // reads are many, and counting back from the newest is cheaper than a division
        self.values[if back <= self.slot { self.slot - back } else { self.slot + room - back }]
    }

    /// The number of the bucket with the local second `local_s`.
    pub(crate) const fn bucket(&self, local_s: i64) -> i64 {
        local_s.div_euclid(self.bucket_s)
    }

    /// The value at the middle of the step of `step_s` seconds that begins at `local_s`, linear between
    /// the middles of buckets.
    pub(crate) fn between(&self, local_s: i64, step_s: i64) -> f64 {
        let (bucket, share) = place(local_s, step_s, self.bucket_s);
        blend(self.get(bucket), self.get(bucket + 1), share)
    }

    pub(crate) fn map(&mut self, map: impl Fn(f64) -> f64) {
        self.values.iter_mut().for_each(|value| *value = map(f64::from(*value)) as f32);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.values.capacity() * 4
    }
}

/// A mean per bucket of a period of local time, old occurrences forgotten exponentially.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    bucket_s: i64,
    values: Vec<f32>,
    counts: Vec<u8>,
    /// Least weight of a new occurrence.
    weight: f64,
}

impl Profile {
    /// A profile over `period_s` seconds in buckets of `bucket_s`; `weight` is that of a new occurrence.
    pub(crate) fn new(bucket_s: i64, period_s: i64, weight: f64) -> Self {
        let slots = (period_s as u64).div_ceil(bucket_s as u64) as usize;
        Self { bucket_s, values: vec![0.0; slots], counts: vec![0; slots], weight }
    }

    fn slot(&self, bucket: i64) -> usize {
        bucket.rem_euclid(self.values.len() as i64) as usize
    }

    /// Learns the mean of the bucket with this number.
    pub(crate) fn learn(&mut self, bucket: i64, value: f64) {
        let slot = self.slot(bucket);
        let count = self.counts[slot].saturating_add(1);
        let weight = self.weight.max(1.0 / f64::from(count));
        self.counts[slot] = count;
        self.values[slot] += (weight * (value - f64::from(self.values[slot]))) as f32;
    }

    /// What the bucket with this number was on average; NaN where it never was known.
    pub(crate) fn get(&self, bucket: i64) -> f32 {
        self.at(self.slot(bucket))
    }

    fn at(&self, slot: usize) -> f32 {
        if self.counts[slot] == 0 { f32::NAN } else { self.values[slot] }
    }

    /// As [`Ring::between`], but NaN where one of the two is unknown: the one before may be of today.
    pub(crate) fn between(&self, local_s: i64, step_s: i64) -> f64 {
        let (bucket, share) = place(local_s, step_s, self.bucket_s);
        let slot = self.slot(bucket);
        let before = f64::from(self.at(slot));
        if share == 0.0 {
            return before;
        }
        let next = if slot + 1 == self.values.len() { 0 } else { slot + 1 };
        before + (f64::from(self.at(next)) - before) * share
    }

    pub(crate) fn map(&mut self, map: impl Fn(f64) -> f64) {
        self.values.iter_mut().for_each(|value| *value = map(f64::from(*value)) as f32);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.values.capacity() * 4 + self.counts.capacity()
    }
}

/// The bucket whose middle lies at or before the middle of a step, and how far on to the next it is.
fn place(local_s: i64, step_s: i64, bucket_s: i64) -> (i64, f64) {
    let doubled = 2 * local_s + step_s - bucket_s;
    let bucket = doubled.div_euclid(2 * bucket_s);
    (bucket, doubled.rem_euclid(2 * bucket_s) as f64 / (2 * bucket_s) as f64)
}

fn blend(a: f32, b: f32, share: f64) -> f64 {
    match (a.is_nan(), b.is_nan()) {
        (false, false) => f64::from(a) + f64::from(b - a) * share,
        (false, true) => f64::from(a),
        _ => f64::from(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_forgets_what_is_too_old_and_leaves_holes() {
        let mut ring = Ring::new(60, 180);
        for bucket in [0, 1, 4] {
            ring.set(bucket, bucket as f32);
        }
        assert_eq!(ring.get(4), 4.0);
        assert!(ring.get(3).is_nan() && ring.get(5).is_nan() && ring.get(-1).is_nan());
        ring.set(400, 1.0);
        assert!(ring.get(4).is_nan() && ring.get(399).is_nan());
    }

    #[test]
    fn between_the_middles_of_buckets_values_are_linear() {
        let mut ring = Ring::new(600, 6_000);
        ring.set(0, 1.0);
        ring.set(1, 3.0);
        assert_eq!(ring.between(600, 0), 2.0);
        assert_eq!(ring.between(300, 0), 1.0);
        let mut hourly = Ring::new(3_600, 36_000);
        hourly.set(5, 7.0);
        assert_eq!(hourly.between(5 * 3_600, 3_600), 7.0);
    }
}
