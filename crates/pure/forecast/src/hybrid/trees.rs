//! Boosted regression trees (Friedman 2001): shallow, each fitted to what those before it leave, on inputs
//! cut into few bins (histogram splits, Ke et al. 2017). Errors beyond the usual count as that (Huber), so
//! that one great surprise does not make a branch of its own. No draws: the same rows give the same trees.

use crate::model::median;

/// Inputs of a tree.
pub(crate) const INPUTS: usize = 8;
/// Bins of an input.
const BINS: usize = 32;
/// Splits one below the other.
const DEPTH: usize = 3;
const LEAVES: usize = 1 << DEPTH;
/// Trees, and how much of what it finds each adds.
const TREES: usize = 20;
const RATE: f64 = 0.15;
/// Least rows of a leaf.
const LEAST_ROWS: usize = 15;
/// Weight of rows without error that a leaf is mixed with, in mean weights.
const SHRINK: f64 = 4.0;
/// Errors count as at most so many mean errors.
const CLIP: f64 = 1.5;

/// What is learned from: inputs, target, weight.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) inputs: [f32; INPUTS],
    pub(crate) target: f32,
    pub(crate) weight: f32,
}

/// Trees that were fitted.
#[derive(Debug, Clone)]
pub(crate) struct Trees {
    base: f32,
    trees: Vec<Tree>,
}

/// A whole binary tree: node `n` has children `2 n + 1` and `2 n + 2`.
#[derive(Debug, Clone, Copy)]
struct Tree {
    inputs: [u8; LEAVES - 1],
    /// Values above this go to the second child.
    edges: [f32; LEAVES - 1],
    leaves: [f32; LEAVES],
}

/// Sums of a bin: weighted error, weight, rows.
type Sums = (f64, f64, u32);

/// Rows cut into bins.
struct Binned {
    edges: [Vec<f32>; INPUTS],
    bins: Vec<[u8; INPUTS]>,
}

impl Trees {
    /// Trees for these rows, of which there is one at least.
    pub(crate) fn fit(rows: &[Row]) -> Self {
        let binned = Binned::new(rows);
        let mut targets: Vec<f64> = rows.iter().map(|row| f64::from(row.target)).collect();
        let base = median(&mut targets) as f32;
        let mut errors: Vec<f64> = rows.iter().map(|row| f64::from(row.target - base)).collect();
        let weights: Vec<f64> = rows.iter().map(|row| f64::from(row.weight)).collect();
        let shrink = SHRINK * weights.iter().sum::<f64>() / rows.len().max(1) as f64;
        let mut trees = Vec::with_capacity(TREES);
        for _ in 0..TREES {
            let (tree, leaf_of) = grow(&binned, &errors, &weights, shrink);
            for (error, leaf) in errors.iter_mut().zip(leaf_of) {
                *error -= f64::from(tree.leaves[leaf]);
            }
            trees.push(tree);
        }
        Self { base, trees }
    }

    /// The target expected with these inputs.
    pub(crate) fn predict(&self, inputs: &[f32; INPUTS]) -> f64 {
        f64::from(self.base + self.trees.iter().map(|tree| tree.leaves[tree.leaf(inputs)]).sum::<f32>())
    }

    pub(crate) fn bytes(&self) -> usize {
        self.trees.capacity() * size_of::<Tree>()
    }
}

impl Tree {
    fn leaf(&self, inputs: &[f32; INPUTS]) -> usize {
        let mut node = 0;
        for _ in 0..DEPTH {
            let above = inputs[usize::from(self.inputs[node])] > self.edges[node];
            node = 2 * node + 1 + usize::from(above);
        }
        node - (LEAVES - 1)
    }
}

impl Binned {
    fn new(rows: &[Row]) -> Self {
        let edges: [Vec<f32>; INPUTS] = std::array::from_fn(|input| {
            let mut values: Vec<f32> = rows.iter().map(|row| row.inputs[input]).collect();
            values.sort_unstable_by(f32::total_cmp);
            let mut edges: Vec<f32> = (1..BINS).map(|bin| values[bin * values.len() / BINS]).collect();
            edges.dedup();
            edges
        });
        let bin = |input: usize, value: f32| edges[input].partition_point(|edge| *edge < value) as u8;
        let bins =
            rows.iter().map(|row| std::array::from_fn(|input| bin(input, row.inputs[input]))).collect();
        Self { edges, bins }
    }
}

/// A tree for the errors, and the leaf of each row.
fn grow(binned: &Binned, errors: &[f64], weights: &[f64], shrink: f64) -> (Tree, Vec<usize>) {
    let mean = errors.iter().map(|error| error.abs()).sum::<f64>() / errors.len().max(1) as f64;
    let pulls: Vec<f64> =
        errors.iter().zip(weights).map(|(e, weight)| weight * e.clamp(-CLIP * mean, CLIP * mean)).collect();
    let mut tree =
        Tree { inputs: [0; LEAVES - 1], edges: [f32::INFINITY; LEAVES - 1], leaves: [0.0; LEAVES] };
    let mut nodes = vec![0_usize; errors.len()];
    for depth in 0..DEPTH {
        let first = (1 << depth) - 1;
        let mut sums = vec![[[(0.0, 0.0, 0); BINS]; INPUTS]; 1 << depth];
        for (((node, bins), pull), weight) in nodes.iter().zip(&binned.bins).zip(&pulls).zip(weights) {
            for (sums, bin) in sums[node - first].iter_mut().zip(bins) {
                let sum: &mut Sums = &mut sums[usize::from(*bin)];
                *sum = (sum.0 + pull, sum.1 + weight, sum.2 + 1);
            }
        }
        let splits: Vec<Option<(usize, usize)>> = sums.iter().map(|sums| split(sums, shrink)).collect();
        for (place, split) in splits.iter().enumerate() {
            if let Some((input, bin)) = split {
                tree.inputs[first + place] = *input as u8;
                tree.edges[first + place] = binned.edges[*input][*bin];
            }
        }
        for (node, bins) in nodes.iter_mut().zip(&binned.bins) {
            let above = splits[*node - first].is_some_and(|(input, bin)| usize::from(bins[input]) > bin);
            *node = 2 * *node + 1 + usize::from(above);
        }
    }
    let mut sums = [(0.0, 0.0); LEAVES];
    for ((node, pull), weight) in nodes.iter_mut().zip(&pulls).zip(weights) {
        *node -= LEAVES - 1;
        sums[*node].0 += pull;
        sums[*node].1 += weight;
    }
    tree.leaves = sums.map(|(pull, weight)| (RATE * pull / (weight + shrink).max(1e-12)) as f32);
    (tree, nodes)
}

/// The input and the last bin below the split that explains most; `None` where none leaves rows enough.
fn split(sums: &[[Sums; BINS]; INPUTS], shrink: f64) -> Option<(usize, usize)> {
    let gain = |sum: Sums| sum.0 * sum.0 / (sum.1 + shrink).max(1e-12);
    let mut best = None;
    let mut most = 0.0;
    for (input, bins) in sums.iter().enumerate() {
        let all = bins.iter().fold((0.0, 0.0, 0), |a: Sums, b| (a.0 + b.0, a.1 + b.1, a.2 + b.2));
        let mut below: Sums = (0.0, 0.0, 0);
        for (bin, sum) in bins.iter().enumerate().take(BINS - 1) {
            below = (below.0 + sum.0, below.1 + sum.1, below.2 + sum.2);
            let above = (all.0 - below.0, all.1 - below.1, all.2 - below.2);
            let enough = below.2.min(above.2) as usize >= LEAST_ROWS;
            let found = gain(below) + gain(above) - gain(all);
            if enough && found > most {
                (best, most) = (Some((input, bin)), found);
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeostat_core::draw::Key;

    #[test]
    fn trees_learn_what_no_line_can() {
        let mut draws = Key::root(2).at(0);
        let mut course = |inputs: [f32; INPUTS]| {
            let step = if inputs[0] > 0.3 && inputs[3] < 0.0 { 2.0 } else { -1.0 };
            step + 0.1 * draws.normal() as f32
        };
        let mut inputs = Key::root(3).at(0);
        let mut row = || {
            let inputs = std::array::from_fn(|_| inputs.normal() as f32);
            Row { inputs, target: course(inputs), weight: 1.0 }
        };
        let rows: Vec<Row> = (0..1_000).map(|_| row()).collect();
        let trees = Trees::fit(&rows);
        let (mut error, mut plain) = (0.0, 0.0);
        for row in (0..500).map(|_| row()) {
            error += (trees.predict(&row.inputs) - f64::from(row.target)).abs();
            plain += f64::from((-1.0 - row.target).abs());
        }
        assert!(error < 0.7 * plain, "{error} instead of {plain}");
        let again = Trees::fit(&rows);
        assert_eq!(again.predict(&rows[0].inputs).to_bits(), trees.predict(&rows[0].inputs).to_bits());
    }

    #[test]
    fn few_or_equal_rows_give_the_median() {
        let row = Row { inputs: [1.0; INPUTS], target: 3.0, weight: 1.0 };
        assert_eq!(Trees::fit(&[row; 200]).predict(&[0.0; INPUTS]), 3.0);
    }
}
