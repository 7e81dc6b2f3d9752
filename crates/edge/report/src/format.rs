//! Numbers as people read them.

/// A share as a percentage, rounded down, with enough digits to tell 99.9 % from 99.99 %.
pub(crate) fn percent(share: f64) -> String {
    if !share.is_finite() {
        return "–".to_owned();
    }
    if share >= 1.0 {
        return "100 %".to_owned();
    }
    let missing = (1.0 - share) * 100.0;
    let digits = (1.0 - missing.log10()).ceil().clamp(1.0, 4.0) as usize;
    let unit = 10_f64.powi(digits as i32);
    let floor = (share * 100.0 * unit + 1e-6).floor() / unit;
    format!("{} %", trimmed(floor, digits))
}

/// A small share as a percentage with two significant digits; 0 stays a plain 0.
pub(crate) fn small_percent(share: f64) -> String {
    if !share.is_finite() {
        return "–".to_owned();
    }
    if share <= 0.0 {
        return "0 %".to_owned();
    }
    let value = share * 100.0;
    if value < 0.0001 {
        return "< 0.0001 %".to_owned();
    }
    let digits = (1.0 - value.log10().floor()).clamp(0.0, 4.0) as usize;
    format!("{} %", trimmed(value, digits))
}

/// A latency with its unit; `None` is infinite.
pub(crate) fn latency(ms: Option<f64>) -> String {
    match ms {
        None => "∞".to_owned(),
        Some(v) if v.is_nan() => "–".to_owned(),
        Some(v) if v.is_infinite() => "∞".to_owned(),
        Some(v) if v < 1000.0 => format!("{} ms", significant(v, 3)),
        Some(v) if v % 1000.0 == 0.0 => format!("{} s", v / 1000.0),
        Some(v) => format!("{} s", significant(v / 1000.0, 3)),
    }
}

/// A quantity with four significant digits and thin spaces between thousands.
pub(crate) fn quantity(value: f64) -> String {
    if value.is_finite() { significant(value, 4) } else { "–".to_owned() }
}

/// A value of an axis, without zeros at its end.
pub(crate) fn short(value: f64) -> String {
    if value >= 1e4 { grouped(&format!("{value:.0}")) } else { trimmed(value, 3) }
}

/// A count with thin spaces between thousands.
pub(crate) fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// A ratio as its distance from 1: "+12 %".
pub(crate) fn excess(ratio: f64) -> String {
    let percent = (ratio - 1.0) * 100.0;
    let digits = usize::from(percent.abs() < 10.0);
    format!("{percent:+.digits$} %").replace('-', "−")
}

/// A length of time in the largest fitting unit.
pub(crate) fn span(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s >= 2.0 * 86_400.0 => (s / 86_400.0, "days"),
        s if s >= 7_200.0 => (s / 3_600.0, "hours"),
        s if s >= 120.0 => (s / 60.0, "minutes"),
        s => (s, "seconds"),
    };
    format!("{} {unit}", trimmed(value, 1))
}

fn significant(value: f64, figures: i32) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = (f64::from(figures - 1) - value.abs().log10().floor()).clamp(0.0, 6.0) as usize;
    let text = format!("{value:.digits$}");
    match text.split_once('.') {
        Some((whole, rest)) => format!("{}.{rest}", grouped(whole)),
        None => grouped(&text),
    }
}

fn trimmed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn grouped(whole: &str) -> String {
    let (sign, figures) = whole.strip_prefix('-').map_or(("", whole), |rest| ("−", rest));
    if figures.len() < 5 {
        return format!("{sign}{figures}");
    }
    let mut out = sign.to_owned();
    for (i, c) in figures.chars().enumerate() {
        if i > 0 && (figures.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_never_rounds_up_to_the_objective() {
        assert_eq!(percent(0.998_999), "99.89 %");
        assert_eq!(percent(0.999_276), "99.927 %");
        assert_eq!(percent(0.999), "99.9 %");
        assert_eq!(percent(0.999_999_6), "99.9999 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.5), "50 %");
    }

    #[test]
    fn figures_read_well() {
        assert_eq!(quantity(1_234_567.0), "1\u{202f}234\u{202f}567");
        assert_eq!(quantity(512.34), "512.3");
        assert_eq!(quantity(-3.0), "−3.000");
        assert_eq!(latency(Some(1234.0)), "1.23 s");
        assert_eq!(latency(Some(85.04)), "85.0 ms");
        assert_eq!(latency(None), "∞");
        assert_eq!(small_percent(0.000_123), "0.012 %");
        assert_eq!(excess(1.123), "+12 %");
        assert_eq!(span(66.0 * 86_400.0), "66 days");
    }
}
