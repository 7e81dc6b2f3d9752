//! Numbers as bytes.

use super::error::JournalError;

type Result<T> = std::result::Result<T, JournalError>;

/// Units of a difference of time, in nanoseconds; their index is written with the difference.
const UNITS: [i64; 4] = [1, 1_000, 1_000_000, 1_000_000_000];

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

const fn unzigzag(bits: u64) -> i64 {
    (bits >> 1) as i64 ^ -((bits & 1) as i64)
}

/// Appends numbers.
pub(super) struct Writer<'a>(pub(super) &'a mut Vec<u8>);

impl Writer<'_> {
    pub(super) fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    fn leb(&mut self, mut value: u128) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// A whole number.
    pub(super) fn uint(&mut self, value: u64) {
        self.leb(value.into());
    }

    /// A number of things.
    pub(super) fn count(&mut self, value: usize) {
        self.uint(value as u64);
    }

    /// A signed value as its difference from `expected`.
    pub(super) fn signed(&mut self, value: i64, expected: i64) {
        self.uint(zigzag(value.wrapping_sub(expected)));
    }

    /// A whole number as its difference from `expected`.
    pub(super) fn diff(&mut self, value: u64, expected: u64) {
        self.signed(value as i64, expected as i64);
    }

    /// A time in nanoseconds as its difference from `expected`, in the largest unit that divides it.
    pub(super) fn time(&mut self, value: u64, expected: u64) {
        let difference = value.wrapping_sub(expected) as i64;
        let mut unit = if difference == 0 { 0 } else { UNITS.len() - 1 };
        while difference % UNITS[unit] != 0 {
            unit -= 1;
        }
        self.leb(u128::from(zigzag(difference / UNITS[unit])) << 2 | unit as u128);
    }
}

/// Takes numbers off the front of a record.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) const fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The complaint that the value read last is not what was expected.
    pub(super) const fn invalid(&self, expected: &'static str, found: u64) -> JournalError {
        JournalError::Invalid { offset: self.at.saturating_sub(1), expected, found }
    }

    pub(super) const fn truncated(&self, expected: &'static str) -> JournalError {
        JournalError::Truncated { offset: self.bytes.len(), expected }
    }

    pub(super) fn byte(&mut self, expected: &'static str) -> Result<u8> {
        let byte = *self.bytes.get(self.at).ok_or_else(|| self.truncated(expected))?;
        self.at += 1;
        Ok(byte)
    }

    /// At most ten bytes, so at most 70 bits.
    fn leb(&mut self, expected: &'static str) -> Result<u128> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let byte = self.byte(expected)?;
            value |= u128::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(self.invalid(expected, value as u64))
    }

    pub(super) fn uint(&mut self, expected: &'static str) -> Result<u64> {
        let value = self.leb(expected)?;
        u64::try_from(value).map_err(|_| self.invalid(expected, value as u64))
    }

    /// A number of things that take a byte or more each, so no more than there are bytes left.
    pub(super) fn count(&mut self, expected: &'static str) -> Result<usize> {
        let count = self.uint(expected)?;
        if count > self.remaining() as u64 {
            return Err(self.truncated(expected));
        }
        Ok(count as usize)
    }

    pub(super) fn signed(&mut self, base: i64, expected: &'static str) -> Result<i64> {
        Ok(base.wrapping_add(unzigzag(self.uint(expected)?)))
    }

    pub(super) fn diff(&mut self, base: u64, expected: &'static str) -> Result<u64> {
        Ok(self.signed(base as i64, expected)? as u64)
    }

    /// Like [`Self::diff`] for a value that must fit into 32 bits.
    pub(super) fn small(&mut self, base: u32, expected: &'static str) -> Result<u32> {
        let value = self.diff(base.into(), expected)?;
        u32::try_from(value).map_err(|_| self.invalid(expected, value))
    }

    pub(super) fn time(&mut self, base: u64, expected: &'static str) -> Result<u64> {
        let value = self.leb(expected)?;
        let bits = u64::try_from(value >> 2).map_err(|_| self.invalid(expected, value as u64))?;
        let difference = unzigzag(bits).checked_mul(UNITS[(value & 3) as usize]);
        let difference = difference.ok_or_else(|| self.invalid(expected, bits))?;
        Ok(base.wrapping_add(difference as u64))
    }

    /// That nothing follows.
    pub(super) const fn end(&self) -> Result<()> {
        match self.remaining() {
            0 => Ok(()),
            extra => Err(JournalError::Trailing { offset: self.at, extra }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_read_back(a: u64, b: u64, c: i64, d: i64) {
            let mut bytes = Vec::new();
            let mut writer = Writer(&mut bytes);
            writer.uint(a);
            writer.diff(a, b);
            writer.signed(c, d);
            writer.time(a, b);
            writer.time(a % 1_000_000_000_000, 0);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.uint("a"), Ok(a));
            prop_assert_eq!(reader.diff(b, "a"), Ok(a));
            prop_assert_eq!(reader.signed(d, "c"), Ok(c));
            prop_assert_eq!(reader.time(b, "a"), Ok(a));
            prop_assert_eq!(reader.time(0, "a"), Ok(a % 1_000_000_000_000));
            prop_assert_eq!(reader.end(), Ok(()));
        }
    }

    #[test]
    fn round_times_are_short() {
        let mut bytes = Vec::new();
        Writer(&mut bytes).time(15_000_000_000, 0);
        assert_eq!(bytes.len(), 1);
    }

    #[test]
    fn numbers_that_are_too_long_are_refused() {
        let long = [0xFF; 11];
        assert!(matches!(Reader::new(&long).uint("n"), Err(JournalError::Invalid { .. })));
        assert!(matches!(Reader::new(&long).time(0, "t"), Err(JournalError::Invalid { .. })));
        assert!(matches!(Reader::new(&[0x80]).uint("n"), Err(JournalError::Truncated { offset: 1, .. })));
    }
}
