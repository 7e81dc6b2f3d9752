//! A bounded list of the longest stretches.

use homeostat_core::Span;

/// Keeps the longest `most` entries, in order of time.
#[derive(Debug)]
pub(crate) struct Longest<T> {
    most: usize,
    kept: Vec<(Span, T)>,
    /// Entries that were offered.
    pub(crate) count: u64,
    /// Their length together.
    pub(crate) total: Span,
}

impl<T: Copy> Longest<T> {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, kept: Vec::new(), count: 0, total: Span::ZERO }
    }

    pub(crate) fn offer(&mut self, span: Span, entry: T) {
        self.count += 1;
        self.total += span;
        if self.kept.len() >= self.most {
            let shortest = (0..self.kept.len()).min_by_key(|i| self.kept[*i].0);
            match shortest {
                Some(index) if self.kept[index].0 < span => {
                    self.kept.remove(index);
                }
                _ => return,
            }
        }
        self.kept.push((span, entry));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = T> + '_ {
        self.kept.iter().map(|(_, entry)| *entry)
    }
}
