//! Numbers in cells: a fast path for plain digits, everything else through `f64`.

/// Largest integer that `f64` holds exactly; larger counts are refused.
pub(crate) const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads an unsigned integer of at most 18 digits.
pub(crate) fn digits(cell: &[u8]) -> Option<u64> {
    if cell.is_empty() || cell.len() > 18 {
        return None;
    }
    let mut value = 0_u64;
    for byte in cell {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    Some(value)
}

/// Reads a decimal number; accepts what `f64` accepts, infinities and NaN included.
pub(crate) fn float(cell: &[u8]) -> Option<f64> {
    if let Some(value) = digits(cell) {
        return Some(value as f64);
    }
    std::str::from_utf8(cell).ok()?.parse().ok()
}

/// Why a load value is not usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadValue {
    NotANumber,
    Negative,
    Fraction,
    TooLarge,
}

impl BadValue {
    pub(crate) const fn says(self) -> &'static str {
        match self {
            Self::NotANumber => "is not a number",
            Self::Negative => "is negative",
            Self::Fraction => "is not a whole number of requests",
            Self::TooLarge => "is too large",
        }
    }
}

/// Reads a rate: finite and not negative.
pub(crate) fn rate(cell: &[u8]) -> Result<f64, BadValue> {
    let value = float(cell).ok_or(BadValue::NotANumber)?;
    checked_rate(value)
}

/// Reads a count: whole, not negative, exact in `f64`.
pub(crate) fn count(cell: &[u8]) -> Result<f64, BadValue> {
    let value = float(cell).ok_or(BadValue::NotANumber)?;
    checked_count(value)
}

pub(crate) fn checked_rate(value: f64) -> Result<f64, BadValue> {
    if value.is_nan() {
        Err(BadValue::NotANumber)
    } else if value < 0.0 {
        Err(BadValue::Negative)
    } else if value > 1e15 {
        Err(BadValue::TooLarge)
    } else {
        Ok(value)
    }
}

pub(crate) fn checked_count(value: f64) -> Result<f64, BadValue> {
    let value = checked_rate(value)?;
    if value > MAX_EXACT {
        Err(BadValue::TooLarge)
    } else if value.fract() != 0.0 {
        Err(BadValue::Fraction)
    } else {
        Ok(value)
    }
}

/// Reads a number of tokens; a trailing `.0` is fine.
pub(crate) fn tokens(cell: &[u8]) -> Option<u32> {
    let value = float(cell)?;
    (value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value)).then_some(value as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_plain_and_scientific_numbers() {
        assert_eq!(count(b"42"), Ok(42.0));
        assert_eq!(count(b"1e3"), Ok(1_000.0));
        assert_eq!(rate(b"0.25"), Ok(0.25));
        assert_eq!(tokens(b"12.0"), Some(12));
    }

    #[test]
    fn refuses_what_is_no_load() {
        assert_eq!(count(b"1.5"), Err(BadValue::Fraction));
        assert_eq!(rate(b"-1"), Err(BadValue::Negative));
        assert_eq!(rate(b"NaN"), Err(BadValue::NotANumber));
        assert_eq!(rate(b"inf"), Err(BadValue::TooLarge));
        assert_eq!(count(b"9999999999999999"), Ok(9_999_999_999_999_999.0).and(Err(BadValue::TooLarge)));
        assert_eq!(rate(b"x"), Err(BadValue::NotANumber));
        assert_eq!(tokens(b"-1"), None);
    }
}
