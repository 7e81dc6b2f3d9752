//! The load over time at a resolution that adapts: at most [`MAX_CELLS`] cells, however long the trace.

use homeostat_core::{Instant, Span};

use super::pieces::Piece;

/// Most cells that are kept.
pub(crate) const MAX_CELLS: usize = 20_480;

/// Cell widths in seconds; each divides the next, and all up to an hour divide the hour.
const WIDTHS: [u64; 16] =
    [1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400, 604_800, 6_048_000, 60_480_000];

#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    requests: f64,
    known_s: f64,
}

/// Adds up the load of cells of equal width.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    origin: Option<Instant>,
    width: usize,
    cells: Vec<Cell>,
}

impl Meter {
    /// Width of a cell.
    pub(crate) fn width(&self) -> Span {
        Span::from_secs(WIDTHS[self.width])
    }

    pub(crate) fn origin(&self) -> Instant {
        self.origin.unwrap_or_default()
    }

    pub(crate) fn add(&mut self, piece: Piece) {
        if self.origin.is_none() {
            self.origin = Some(piece.start);
            while self.width + 1 < WIDTHS.len() && Span::from_secs(WIDTHS[self.width + 1]) <= piece.span {
                self.width += 1;
            }
        }
        let Some(requests) = piece.requests else { return };
        let last = self.make_room(piece.end());
        let width = self.width();
        let first = self.index(piece.start);
        if first == last || piece.is_event() {
            let cell = &mut self.cells[first];
            cell.requests += requests;
            cell.known_s += piece.span.as_secs_f64();
            return;
        }
        for index in first..=last {
            let from = self.origin() + width * index as u64;
            let part = piece.end().min(from + width).since(piece.start.max(from)).as_secs_f64();
            let cell = &mut self.cells[index];
            cell.requests += requests * part / piece.span.as_secs_f64();
            cell.known_s += part;
        }
    }

    fn index(&self, at: Instant) -> usize {
        (at.since(self.origin()).0 / self.width().0) as usize
    }

    /// Makes cells up to `end`, coarser ones where there would be too many; the index of the last.
    fn make_room(&mut self, end: Instant) -> usize {
        while self.index(end) >= MAX_CELLS && self.width + 1 < WIDTHS.len() {
            let factor = (WIDTHS[self.width + 1] / WIDTHS[self.width]) as usize;
            self.cells = merge(&self.cells, factor);
            self.width += 1;
        }
        let last = self.index(end);
        if self.cells.len() <= last {
            self.cells.resize(last + 1, Cell::default());
        }
        // A piece that ends on a border does not reach into the next cell.
        if end.since(self.origin()).0.is_multiple_of(self.width().0) { last.saturating_sub(1) } else { last }
    }

    /// Requests per second of cells `factor` times as wide; `None` where less than half is known.
    pub(crate) fn rates(&self, factor: usize) -> Vec<Option<f64>> {
        let width = WIDTHS[self.width] as f64;
        let known = |cells: &[Cell]| cells.iter().map(|cell| cell.known_s).sum::<f64>();
        let mut rates: Vec<Option<f64>> = self
            .cells
            .chunks(factor.max(1))
            .map(|cells| {
                let seconds = known(cells);
                let enough = seconds * 2.0 >= width * cells.len() as f64;
                enough.then(|| cells.iter().map(|cell| cell.requests).sum::<f64>() / seconds)
            })
            .collect();
        while rates.last() == Some(&None) {
            rates.pop();
        }
        rates
    }

    /// The highest cell of every group of `factor` cells.
    pub(crate) fn peaks(&self, factor: usize) -> Vec<Option<f64>> {
        let single = self.rates(1);
        single.chunks(factor.max(1)).map(|group| group.iter().flatten().copied().reduce(f64::max)).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }
}

fn merge(cells: &[Cell], factor: usize) -> Vec<Cell> {
    let join = |group: &[Cell]| {
        group.iter().fold(Cell::default(), |a, b| Cell {
            requests: a.requests + b.requests,
            known_s: a.known_s + b.known_s,
        })
    };
    cells.chunks(factor).map(join).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_small_and_keeps_the_total() {
        let mut meter = Meter::default();
        for minute in 0..300_000 {
            let start = Instant(minute * Span::MINUTE.0);
            meter.add(Piece { start, span: Span::MINUTE, requests: Some(60.0) });
        }
        assert!(meter.len() <= MAX_CELLS);
        let rates = meter.rates(1);
        assert!(rates.iter().all(|rate| (rate.unwrap() - 1.0).abs() < 1e-9), "{:?}", &rates[..3]);
        assert_eq!(meter.width(), Span::from_secs(1_800));
    }
}
