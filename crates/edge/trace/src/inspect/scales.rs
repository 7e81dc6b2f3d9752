//! Counts in windows of a second to an hour: how bursty the load is, and its peak.

use homeostat_core::{Instant, Span};

use super::pieces::Piece;
use super::report::{Dispersion, Peak};

const WINDOWS_S: [u64; 5] = [1, 10, 60, 600, 3_600];

/// One window length.
#[derive(Debug)]
struct Scale {
    window: Span,
    origin: Option<Instant>,
    index: u64,
    requests: f64,
    known: u64,
    /// Bins are longer than the window, so nothing is known at this scale.
    off: bool,
    windows: u64,
    /// Sums of the differences to the first window: less cancellation.
    shift: f64,
    sum: f64,
    squares: f64,
    peak: Option<(f64, u64)>,
}

impl Scale {
    fn new(window: Span) -> Self {
        Self {
            window,
            origin: None,
            index: 0,
            requests: 0.0,
            known: 0,
            off: false,
            windows: 0,
            shift: 0.0,
            sum: 0.0,
            squares: 0.0,
            peak: None,
        }
    }

    fn add(&mut self, piece: Piece, silence: bool) {
        let origin = *self.origin.get_or_insert(piece.start);
        if self.off {
            return;
        }
        if piece.requests.is_some() && piece.span > self.window && !silence {
            self.off = true;
            return;
        }
        let mut from = piece.start.since(origin).0;
        let end = piece.end().since(origin).0;
        self.advance(from / self.window.0);
        let Some(requests) = piece.requests else { return };
        if piece.is_event() {
            self.requests += requests;
            return;
        }
        while from < end {
            let border = (self.index + 1) * self.window.0;
            let to = end.min(border);
            self.requests += requests * (to - from) as f64 / piece.span.0 as f64;
            self.known += to - from;
            from = to;
            if to == border {
                self.advance(self.index + 1);
                // Whole windows of silence are counted at once.
                let whole = if silence { (end - from) / self.window.0 } else { 0 };
                if whole > 0 {
                    self.record(0.0, whole);
                    self.index += whole;
                    from += whole * self.window.0;
                }
            }
        }
    }

    /// Closes the current window when time has moved on.
    fn advance(&mut self, index: u64) {
        if index <= self.index {
            return;
        }
        if self.known == self.window.0 {
            self.record(self.requests, 1);
        }
        (self.index, self.requests, self.known) = (index, 0.0, 0);
    }

    fn record(&mut self, requests: f64, times: u64) {
        if self.windows == 0 {
            self.shift = requests;
        }
        self.windows += times;
        let difference = requests - self.shift;
        self.sum += difference * times as f64;
        self.squares += difference * difference * times as f64;
        if self.peak.is_none_or(|(most, _)| requests > most) {
            self.peak = Some((requests, self.index));
        }
    }

    fn dispersion(&self) -> Option<Dispersion> {
        let windows = self.windows as f64;
        let mean = self.shift + self.sum / windows;
        if self.off || self.windows < 10 || mean <= 0.0 {
            return None;
        }
        let variance = (self.squares - self.sum * self.sum / windows) / (windows - 1.0);
        Some(Dispersion { window: self.window, windows: self.windows, index: variance.max(0.0) / mean })
    }
}

/// All window lengths.
#[derive(Debug)]
pub(crate) struct Scales {
    scales: [Scale; WINDOWS_S.len()],
    /// Fastest bin, for traces with bins longer than a minute.
    fastest: Option<Peak>,
}

impl Default for Scales {
    fn default() -> Self {
        Self { scales: WINDOWS_S.map(|seconds| Scale::new(Span::from_secs(seconds))), fastest: None }
    }
}

impl Scales {
    pub(crate) fn add(&mut self, piece: Piece) {
        let silence = piece.requests == Some(0.0) && !piece.is_event();
        for scale in &mut self.scales {
            scale.add(piece, silence);
        }
        if let Some(rate) = piece.rate()
            && !piece.is_event()
            && self.fastest.as_ref().is_none_or(|peak| rate > peak.per_second)
        {
            self.fastest = Some(Peak { per_second: rate, at: piece.start, window: piece.span });
        }
    }

    /// Index of dispersion of counts, where the bins allow.
    pub(crate) fn dispersion(&self) -> Vec<Dispersion> {
        self.scales.iter().filter_map(Scale::dispersion).collect()
    }

    /// The busiest minute, or the busiest bin where bins are longer.
    pub(crate) fn peak(&self) -> Option<Peak> {
        let minute = self.scales.iter().find(|scale| scale.window == Span::MINUTE)?;
        match (minute.off, minute.peak) {
            (false, Some((requests, index))) => Some(Peak {
                per_second: requests / 60.0,
                at: minute.origin? + minute.window * index,
                window: minute.window,
            }),
            _ => self.fastest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_load_has_no_dispersion() {
        let mut scales = Scales::default();
        for second in 0..1_000 {
            let start = Instant(second * Span::SECOND.0);
            let requests = Some(if second == 90 { 5.0 } else { 2.0 });
            scales.add(Piece { start, span: Span::SECOND, requests });
        }
        let first = scales.dispersion()[0];
        assert_eq!(first.window, Span::SECOND);
        assert!(first.index < 0.01, "{first:?}");
        let peak = scales.peak().unwrap();
        assert_eq!((peak.at, peak.per_second), (Instant(60_000_000_000), 123.0 / 60.0));
    }

    #[test]
    fn silence_is_counted_at_once() {
        let mut scale = Scale::new(Span::SECOND);
        for k in 0..3_u64 {
            let start = Instant(k * Span::HOUR.0);
            scale.add(Piece { start, span: Span::HOUR, requests: Some(0.0) }, true);
            scale.add(Piece { start: start + Span::HOUR, span: Span::ZERO, requests: Some(1.0) }, false);
        }
        assert!((3 * 3_600 - 3..=3 * 3_600).contains(&scale.windows), "{}", scale.windows);
    }
}
