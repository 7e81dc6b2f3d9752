//! The load over time, drawn with braille dots in a terminal.
//!
//! A character holds two columns of four dots. The mean is filled from the ground up; the highest part
//! of each column is a single dot above it; a column without data stays empty and is marked below.

use std::fmt::Write as _;

use homeostat_core::Instant;

use crate::inspect::RatePoint;

/// Bits of the dots of a braille character, by column and by height from the bottom.
const DOTS: [[u8; 4]; 2] = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]];
/// Columns for the labels of the rate.
const LABEL: usize = 9;

/// Draws the series in `width` by `height` characters, labels included. Small sizes are widened to what
/// can be drawn.
pub fn plot(series: &[RatePoint], width: usize, height: usize) -> String {
    let columns = width.max(LABEL + 12) - LABEL - 1;
    let rows = height.clamp(4, 200) - 2;
    let cells = columns_of(series, columns * 2);
    let top = cells.iter().flatten().map(|(_, peak)| *peak).fold(0.0, f64::max);
    let scale = nice(top);
    let mut out = String::new();
    for row in (0..rows).rev() {
        let value = scale * (row + 1) as f64 / rows as f64;
        let label =
            if row + 1 == rows || row == 0 || row == rows / 2 { number(value) } else { String::new() };
        out.extend([format!("{label:>LABEL$}│")]);
        for column in 0..columns {
            let pair = &cells[column * 2..column * 2 + 2];
            out.push(braille(pair, row * 4, rows * 4, scale));
        }
        trim_end(&mut out);
        out.push('\n');
    }
    axis(&mut out, series, &cells, columns);
    out
}

/// Mean and peak of every dot column.
fn columns_of(series: &[RatePoint], columns: usize) -> Vec<Option<(f64, f64)>> {
    (0..columns)
        .map(|column| {
            let from = column * series.len() / columns;
            let to = ((column + 1) * series.len() / columns).max(from + 1);
            let group = series.get(from..to.min(series.len())).unwrap_or_default();
            let means = group.iter().filter_map(|point| point.mean);
            let (count, sum) = means.clone().fold((0_u32, 0.0), |(count, sum), mean| (count + 1, sum + mean));
            let peaks = group.iter().filter_map(|point| point.peak.or(point.mean));
            let mean = sum / f64::from(count.max(1));
            (count > 0).then(|| (mean, peaks.fold(mean, f64::max)))
        })
        .collect()
}

/// The character for two dot columns in the row that starts `from` dots above the ground.
fn braille(pair: &[Option<(f64, f64)>], from: usize, dots: usize, scale: f64) -> char {
    let mut bits = 0_u8;
    for (column, cell) in pair.iter().enumerate() {
        let Some((mean, peak)) = cell else { continue };
        let height = |value: f64| (value / scale * dots as f64).round() as usize;
        let (filled, dot) = (height(*mean).max(usize::from(*mean > 0.0)), height(*peak));
        for (level, bit) in DOTS[column].iter().enumerate() {
            let at = from + level + 1;
            if at <= filled || at == dot {
                bits |= bit;
            }
        }
    }
    char::from_u32(0x2800 + u32::from(bits)).filter(|_| bits != 0).unwrap_or(' ')
}

/// The line under the drawing and the labels of the time.
fn axis(out: &mut String, series: &[RatePoint], cells: &[Option<(f64, f64)>], columns: usize) {
    out.extend([format!("{:>LABEL$}└", "0")]);
    for pair in cells.chunks(2).take(columns) {
        out.push(if series.is_empty() || pair.iter().any(Option::is_some) { '─' } else { '×' });
    }
    out.push('\n');
    let time = |point: Option<&RatePoint>| point.map_or_else(String::new, |point| label(point.at));
    let (first, last) = (time(series.first()), time(series.last()));
    let unit = "req/s";
    let room = columns.saturating_sub(first.chars().count());
    // Writing to a string cannot fail.
    writeln!(out, "{unit:>LABEL$} {first}{last:>room$}").ok();
}

/// A time as short as the axis needs it.
fn label(at: Instant) -> String {
    let text = at.to_utc_string();
    text.strip_suffix(":00 UTC").or_else(|| text.strip_suffix(" UTC")).unwrap_or(&text).to_owned()
}

fn trim_end(out: &mut String) {
    let length = out.trim_end_matches(' ').len();
    out.truncate(length);
}

/// The least of 1, 2, 2.5, 5 times a power of ten that is not below `value`.
fn nice(value: f64) -> f64 {
    if !(value.is_finite() && value > 0.0) {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|step| step * power >= value * 0.999_999);
    step.unwrap_or(10.0) * power
}

/// A number in at most eight characters.
fn number(value: f64) -> String {
    let (scaled, unit) = match value {
        v if v >= 1e9 => (v / 1e9, "G"),
        v if v >= 1e6 => (v / 1e6, "M"),
        v if v >= 1e4 => (v / 1e3, "k"),
        v => (v, ""),
    };
    let digits = if scaled >= 100.0 { 0 } else { 2 };
    let text = format!("{scaled:.digits$}");
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{short}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeostat_core::Span;

    fn series(values: &[Option<f64>]) -> Vec<RatePoint> {
        let point = |(i, value): (usize, &Option<f64>)| RatePoint {
            at: Instant(1_000_000_000_000_000_000) + Span::HOUR * i as u64,
            mean: *value,
            peak: value.map(|value| value * 1.5),
        };
        values.iter().enumerate().map(point).collect()
    }

    #[test]
    fn draws_within_its_size() {
        let values: Vec<Option<f64>> =
            (0..500).map(|i| (!(100..=200).contains(&i)).then(|| 50.0 + f64::from(i % 100))).collect();
        let drawn = plot(&series(&values), 80, 12);
        assert_eq!(drawn.lines().count(), 12, "{drawn}");
        assert!(drawn.lines().all(|line| line.chars().count() <= 80), "{drawn}");
        assert!(drawn.contains('×') && drawn.contains("250") && drawn.contains("2001-09-09"), "{drawn}");
    }

    #[test]
    fn draws_nothing_without_panic() {
        for values in [&[][..], &[None], &[Some(0.0)], &[Some(f64::MAX)]] {
            assert!(plot(&series(values), 0, 0).contains("req/s"));
        }
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(number(0.25), "0.25");
        assert_eq!(number(1_250.0), "1250");
        assert_eq!(number(25_000.0), "25k");
        assert_eq!(nice(180.0), 200.0);
        assert_eq!(nice(0.3), 0.5);
    }
}
