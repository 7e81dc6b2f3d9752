//! Numbers in little room: two bytes per value, base64.

use serde_json::{Value, json};

/// Greatest code of an ordinary value.
const TOP: u16 = 65_000;
/// Code of an infinite value.
const INFINITE: u16 = 65_534;
/// Code of a missing value.
const MISSING: u16 = 65_535;

/// Encodes values on a linear scale; whole numbers up to 65 000 stay exact.
pub(crate) fn linear(values: &[f32]) -> Value {
    let usable = || values.iter().copied().filter(|v| v.is_finite() && *v >= 0.0);
    let most = usable().fold(0.0_f32, f32::max);
    let whole = most <= f32::from(TOP) && usable().all(|v| v.fract() == 0.0);
    let scale = if whole || most == 0.0 { 1.0 } else { f64::from(most) / f64::from(TOP) };
    let codes = values.iter().map(|&v| {
        if v.is_nan() {
            MISSING
        } else if v.is_infinite() {
            INFINITE
        } else {
            (f64::from(v.max(0.0)) / scale).round() as u16
        }
    });
    json!({ "k": "lin", "s": scale, "d": base64(codes) })
}

/// Encodes values on a logarithmic scale (relative error below 0.05 %); `None` is infinite.
pub(crate) fn logarithmic(values: impl Iterator<Item = Option<f64>> + Clone) -> Value {
    let positive = values.clone().flatten().filter(|v| v.is_finite() && *v > 0.0);
    let (low, high) =
        positive.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), v| (low.min(v), high.max(v)));
    let low = low.min(high).ln();
    let width = (high.ln() - low).max(1e-9);
    let codes = values.map(|value| match value {
        None => INFINITE,
        Some(v) if v.is_nan() => MISSING,
        Some(v) if v.is_infinite() => INFINITE,
        Some(v) if v <= 0.0 => 0,
        Some(v) => 1 + ((v.ln() - low) / width * f64::from(TOP - 1)).round() as u16,
    });
    json!({ "k": "log", "a": low, "w": width, "d": base64(codes) })
}

/// Encodes counts: exact up to 65 000, on a logarithmic scale above.
pub(crate) fn counts(values: &[u64]) -> Value {
    if values.iter().all(|&v| v <= u64::from(TOP)) {
        json!({ "k": "lin", "s": 1.0, "d": base64(values.iter().map(|&v| v as u16)) })
    } else {
        logarithmic(values.iter().map(|&v| Some(v as f64)))
    }
}

/// Base64 of 16-bit codes, low byte first.
fn base64(codes: impl Iterator<Item = u16>) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u8> = codes.flat_map(u16::to_le_bytes).collect();
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let part = |i: usize| chunk.get(i).map_or(0, |&b| u32::from(b));
        let group = (part(0) << 16) | (part(1) << 8) | part(2);
        for position in 0..4 {
            if position <= chunk.len() {
                let index = (group >> (18 - 6 * position)) & 63;
                out.push(char::from(ALPHABET[index as usize]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_matches_known_text() {
        let pairs = |text: &str| -> Vec<u16> {
            let bytes = text.as_bytes();
            bytes.chunks(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect()
        };
        assert_eq!(base64(pairs("foob").into_iter()), "Zm9vYg==");
        assert_eq!(base64(pairs("foobar").into_iter()), "Zm9vYmFy");
        assert_eq!(base64(std::iter::empty()), "");
    }

    #[test]
    fn whole_numbers_keep_scale_one() {
        assert_eq!(linear(&[0.0, 3.0, f32::NAN])["s"], 1.0);
        assert_eq!(linear(&[0.0, 3.0])["d"], "AAADAA==");
    }

    #[test]
    fn big_counts_become_logarithmic() {
        assert_eq!(counts(&[1, 65_000])["k"], "lin");
        assert_eq!(counts(&[1, 65_001])["k"], "log");
    }

    #[test]
    fn empty_and_infinite_values_do_not_break_the_scale() {
        assert_eq!(logarithmic([None, Some(0.0)].into_iter())["d"], "/v8AAA==");
        assert_eq!(linear(&[])["d"], "");
    }
}
