//! How many requests a tile must miss with so many replicas, and what each further replica saves.
//!
//! Replicas that run in a tile or in the time of the objective behind it can do a known amount of work
//! for its requests. What exceeds it has to be left undone. Leaving the largest undone first loses the
//! fewest: the work left undone is a concave function of their number, so that the misses are a convex
//! function of the replicas and each further replica saves less than the one before.

use super::load::{CLASSES, Load, Tile};

/// What a replica saves in a tile: misses avoided, rounded down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Gain {
    /// Which tile.
    pub(super) tile: u32,
    /// Misses.
    pub(super) misses: f32,
}

/// Work left undone against requests left undone: straight pieces of falling steepness.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) requests: f64,
    pub(super) work_s: f64,
}

/// The pieces of a tile. Between two classes the true curve lies below both its tangents: the largest
/// work of the class from the left, the smallest from the right.
pub(super) fn pieces(tile: &Tile, edges: &[f64; CLASSES]) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(2 * CLASSES);
    for i in 0..CLASSES {
        let (n, work) = (f64::from(tile.counts[i]), f64::from(tile.works[i]));
        if n == 0.0 {
            continue;
        }
        let most = edges[i].max(work / n);
        let least = edges.get(i + 1).copied().unwrap_or(0.0).min(work / n);
        let steep = if most > least { ((work - least * n) / (most - least)).clamp(0.0, n) } else { n };
        pieces.push(Piece { requests: steep, work_s: steep * most });
        pieces.push(Piece { requests: n - steep, work_s: work - steep * most });
    }
    pieces
}

/// Requests that have to be left undone so that `work_s` of work is.
fn undone(pieces: &[Piece], mut work_s: f64) -> f64 {
    let mut requests = 0.0;
    for piece in pieces {
        if work_s <= 0.0 {
            break;
        }
        if piece.work_s > work_s {
            return requests + piece.requests * work_s / piece.work_s;
        }
        work_s -= piece.work_s;
        requests += piece.requests;
    }
    requests
}

/// What each replica saves in each tile: one list per level, level 1 first, tiles in order.
pub(super) fn gains(load: &Load, window_s: f64) -> Vec<Vec<Gain>> {
    let per_replica = load.ability.pace * window_s;
    let mut levels: Vec<Vec<Gain>> = Vec::new();
    for (index, tile) in load.tiles.iter().enumerate() {
        let pieces = pieces(tile, &load.edges);
        let mut before = undone(&pieces, tile.work);
        let mut level = 0;
        while before > 0.0 {
            level += 1;
            let after = undone(&pieces, tile.work - per_replica * level as f64);
            if levels.len() < level {
                levels.push(Vec::new());
            }
            let misses = ((before - after) * (1.0 - 1e-6)) as f32;
            levels[level - 1].push(Gain { tile: index as u32, misses });
            before = after;
        }
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tile(works: &[f64], edges: &[f64; CLASSES]) -> Tile {
        let mut tile = Tile::default();
        for work in works {
            let class = edges.iter().rposition(|edge| work <= edge).unwrap_or(0);
            tile.requests += 1;
            tile.work += work;
            tile.counts[class] += 1;
            tile.works[class] += *work as f32;
        }
        tile
    }

    #[test]
    fn never_more_than_leaving_the_largest_undone() {
        let edges: [f64; CLASSES] = std::array::from_fn(|i| 1.0 / f64::from(1 << i));
        let works = [0.9, 0.8, 0.51, 0.5, 0.3, 0.26, 0.2, 0.01, 0.001, 0.0001];
        let tile = tile(&works, &edges);
        let pieces = pieces(&tile, &edges);
        let mut sum = 0.0;
        for (n, work) in works.iter().enumerate() {
            // Half of the next one on top of the first n: at least n and a bit must go.
            let count = undone(&pieces, sum + work / 2.0);
            assert!(count <= n as f64 + 1.0 && count >= n as f64 - 1.0, "{n}: {count}");
            sum += work;
        }
        assert!((undone(&pieces, sum) - works.len() as f64).abs() < 0.01);
        assert_eq!(undone(&pieces, -1.0), 0.0);
    }

    #[test]
    fn each_replica_saves_less_than_the_one_before() {
        let edges: [f64; CLASSES] = std::array::from_fn(|i| 1.0 / f64::from(1 << i));
        let works: Vec<f64> = (1..200).map(|i| 1.0 / f64::from(i)).collect();
        let tile = tile(&works, &edges);
        let pieces = pieces(&tile, &edges);
        let misses: Vec<f64> = (0..20).map(|x| undone(&pieces, tile.work - f64::from(x) * 0.4)).collect();
        let saved: Vec<f64> = misses.windows(2).map(|w| w[0] - w[1]).collect();
        assert!(saved.windows(2).all(|w| w[1] <= w[0] + 1e-9), "{saved:?}");
    }
}
