//! The plainest bound: all work that is served has to be done by somebody who is paid meanwhile.
//!
//! No whole replicas, no starts, no queues. It is the best of the bounds where starts may be short: there a
//! replica could come and go within a tile, and the free ends of its runs are all that the others see.

use super::dual::Relaxed;
use super::load::Load;
use super::misses::{Piece, pieces};

/// The work of all requests together, the largest first.
#[derive(Debug)]
pub(super) struct Bare {
    pieces: Vec<Piece>,
    lost: f64,
    pace: f64,
}

impl Bare {
    pub(super) fn new(load: &Load) -> Self {
        // Requests per class may exceed what a tile can count, so tiles are taken one by one.
        let all = load.tiles.iter().flat_map(|tile| pieces(tile, &load.edges));
        Self { pieces: all.collect(), lost: load.totals().1 as f64, pace: load.ability.pace }
    }
}

impl Relaxed for Bare {
    /// Every request is served or missed, whatever costs less. Works are rounded up in `pieces`.
    fn relaxed(&self, theta: f64) -> f64 {
        let cheapest = |piece: &Piece| (theta * piece.requests).min(piece.work_s / self.pace);
        let sum: f64 = self.pieces.iter().map(cheapest).sum();
        sum * (1.0 - 1e-5) + theta * self.lost
    }
}
