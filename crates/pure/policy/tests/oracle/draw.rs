//! The random stream and the digest, twins of `draw.go`.

/// A splitmix64 stream.
pub(crate) struct Draws(pub u64);

impl Draws {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Draws from 0..n.
    pub(crate) fn below(&mut self, n: i64) -> i64 {
        (self.next() % n as u64) as i64
    }

    /// True in so many of 100 cases.
    pub(crate) fn chance(&mut self, percent: i64) -> bool {
        self.below(100) < percent
    }

    /// Draws one of the values.
    pub(crate) fn pick(&mut self, values: &[i64]) -> i64 {
        values[self.below(values.len() as i64) as usize]
    }
}

/// FNV-1a with 64 bits over words of eight bytes, the lowest byte first.
pub(crate) struct Digest(pub u64);

impl Digest {
    pub(crate) fn new() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }

    pub(crate) fn put(&mut self, words: &[i64]) {
        for word in words {
            for byte in word.to_le_bytes() {
                self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
            }
        }
    }
}
