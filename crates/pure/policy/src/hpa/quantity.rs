//! Kubernetes quantities: `500m`, `100Mi`, `1k`, `2e3`.
//!
//! Source: `apimachinery/pkg/api/resource/quantity.go`. Values are kept in whole billionths (upstream's
//! finest unit; what is finer is rounded away from zero), so nothing is lost on the way to thousandths.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const NANO: i128 = 1_000_000_000;
const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// An exact amount, in the notation of Kubernetes manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Quantity {
    nano: i128,
}

/// A text that is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a quantity; write a number with an optional unit, for example 500m, 1k or 100Mi")]
pub struct BadQuantity(String);

impl Quantity {
    /// So many thousandths.
    pub const fn from_milli(milli: i64) -> Self {
        Self { nano: milli as i128 * 1_000_000 }
    }

    /// The amount in thousandths, rounded away from zero; `None` beyond 64 bits.
    pub fn milli(self) -> Option<i64> {
        i64::try_from(divide_away(self.nano, 1_000_000)?).ok()
    }

    /// The amount as upstream's approximation: canonical mantissa times a power of a thousand.
    pub fn approximate(self) -> f64 {
        let (mut mantissa, mut step) = (self.nano, 0_usize);
        while step < 3 && mantissa % 1000 == 0 {
            mantissa /= 1000;
            step += 1;
        }
        mantissa as f64 * [1e-9, 1e-6, 1e-3, 1.0][step]
    }
}

/// `value / by`, rounded away from zero.
fn divide_away(value: i128, by: i128) -> Option<i128> {
    let quotient = value / by;
    if value % by == 0 { Some(quotient) } else { quotient.checked_add(value.signum()) }
}

/// Multiplier of a suffix, as a decimal exponent and a binary shift.
fn suffix(text: &str) -> Option<(i32, u32)> {
    if let Some((_, exponent)) = DECIMAL.iter().find(|(name, _)| *name == text) {
        return Some((*exponent, 0));
    }
    if let Some(step) = BINARY.iter().position(|name| *name == text) {
        return Some((0, 10 * (step as u32 + 1)));
    }
    let exponent = text.strip_prefix(['e', 'E'])?.parse().ok()?;
    (-18..=18).contains(&exponent).then_some((exponent, 0))
}

fn parse(text: &str) -> Option<Quantity> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
    let (number, unit) = unsigned.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if fraction.contains('.') || whole.len() + fraction.len() == 0 {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let (exponent, shift) = suffix(unit)?;
    let scale = exponent - i32::try_from(fraction.len()).ok()? + 9;
    let shifted = digits.checked_mul(1_i128 << shift)?;
    let power = 10_i128.checked_pow(scale.unsigned_abs())?;
    let nano = if scale >= 0 { shifted.checked_mul(power)? } else { divide_away(shifted, power)? };
    let nano = if shift > 0 { nano.min(i128::from(i64::MAX) * NANO) } else { nano };
    Some(Quantity { nano: if text.starts_with('-') { -nano } else { nano } })
}

impl FromStr for Quantity {
    type Err = BadQuantity;

    fn from_str(text: &str) -> Result<Self, BadQuantity> {
        parse(text).ok_or_else(|| BadQuantity(text.to_owned()))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut mantissa, mut step) = (self.nano, 0_usize);
        while step < 3 && mantissa % 1000 == 0 {
            mantissa /= 1000;
            step += 1;
        }
        write!(f, "{mantissa}{}", ["n", "u", "m", ""][step])
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

struct Reader;

impl de::Visitor<'_> for Reader {
    type Value = Quantity;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quantity such as 500m, 1k or 100Mi")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Quantity, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Quantity, E> {
        number.to_string().parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Quantity, E> {
        number.to_string().parse().map_err(E::custom)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Quantity, E> {
        number.to_string().parse().map_err(E::custom)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

impl schemars::JsonSchema for Quantity {
    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["string", "number"],
            "description": "An amount in Kubernetes notation, for example 500m, 1k, 100Mi or 2.",
            "pattern": "^[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milli_values() {
        for (text, milli) in [
            ("500m", 500_i128),
            ("1", 1000),
            ("1k", 1_000_000),
            ("0.5", 500),
            (".5", 500),
            ("2e3", 2_000_000),
            ("2E", 2_000_000_000_000_000_000_000),
            ("100Mi", 104_857_600_000),
            ("1.5Ki", 1_536_000),
            ("1n", 1),
            ("1001u", 2),
            ("-1001u", -2),
            ("12e-3", 12),
        ] {
            let quantity: Quantity = text.parse().unwrap();
            assert_eq!(quantity.milli(), i64::try_from(milli).ok(), "{text}");
        }
    }

    #[test]
    fn approximations_follow_the_canonical_form() {
        for (text, value) in [("100m", 0.1), ("0.05", 50.0 * 1e-3), ("0.0005", 500.0 * 1e-6), ("1", 1.0)] {
            assert_eq!(text.parse::<Quantity>().unwrap().approximate(), value, "{text}");
        }
    }

    #[test]
    fn prints_the_canonical_form() {
        for (text, canonical) in [("0.5", "500m"), ("1000m", "1"), ("1500u", "1500u"), ("2k", "2000")] {
            assert_eq!(text.parse::<Quantity>().unwrap().to_string(), canonical);
        }
    }

    #[test]
    fn refuses_what_is_no_quantity() {
        for text in ["", "x", "1 m", "1mm", "1.2.3", "--1", "1e", "m", "0x10", "1e99"] {
            assert!(text.parse::<Quantity>().is_err(), "{text}");
        }
    }
}
