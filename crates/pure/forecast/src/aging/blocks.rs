//! Readings averaged over blocks that grow with the history.

use homeostat_core::{Instant, Span};

use crate::trend::shape::LOADS;

/// Blocks kept. When they are full, pairs become one, up to [`LONGEST`] shortest blocks each; after that the
/// oldest are forgotten. With blocks of 5 min from the start that is 72 h at 40 min and 8 days at most.
const MOST: usize = 144;
const LONGEST: u32 = 16;

/// Means over a stretch of time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Block {
    /// Number of the shortest block in which it begins.
    slot: u32,
    /// Readings in it.
    count: u32,
    /// Hours since the start, mean.
    pub(crate) hours: f32,
    /// Value less the origin, mean.
    pub(crate) value: f32,
    /// Load as it is and as it lingers, mean.
    pub(crate) load: [f32; LOADS],
}

impl Block {
    fn with(self, other: Self) -> Self {
        let (a, b) = (self.count as f32, other.count as f32);
        let mean = |x: f32, y: f32| (x * a + y * b) / (a + b);
        Self {
            slot: self.slot,
            count: self.count + other.count,
            hours: mean(self.hours, other.hours),
            value: mean(self.value, other.value),
            load: std::array::from_fn(|i| mean(self.load[i], other.load[i])),
        }
    }
}

/// Sums over the shortest block that is being filled.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Slot {
    index: u32,
    count: u32,
    sums: [f64; 2],
    load: [f64; LOADS],
}

impl Slot {
    /// Takes a reading in.
    pub(crate) fn add(&mut self, reading: [f64; 2], load: [f64; LOADS]) {
        self.count += 1;
        self.sums.iter_mut().zip(reading).for_each(|(sum, value)| *sum += value);
        self.load.iter_mut().zip(load).for_each(|(sum, value)| *sum += value);
    }

    /// The means, `None` where it is empty.
    pub(crate) fn close(&self) -> Option<Block> {
        let n = f64::from(self.count);
        let [hours, value] = self.sums.map(|sum| (sum / n) as f32);
        let load = self.load.map(|sum| (sum / n) as f32);
        let block = Block { slot: self.index, count: self.count, hours, value, load };
        (self.count > 0).then_some(block)
    }
}

/// The history since the clock was last reset.
#[derive(Debug, Clone)]
pub(crate) struct Blocks {
    pub(crate) since: Instant,
    /// What values are counted from.
    pub(crate) origin: f64,
    pub(crate) open: Slot,
    /// Shortest blocks per block.
    per: u32,
    blocks: Vec<Block>,
    /// The last block may still grow.
    growing: bool,
}

impl Blocks {
    pub(crate) fn new(since: Instant, origin: f64) -> Self {
        Self { since, origin, open: Slot::default(), per: 1, blocks: Vec::new(), growing: false }
    }

    /// The means of the shortest block that was being filled, where `at` lies beyond it.
    pub(crate) fn turn(&mut self, at: Instant, shortest: Span) -> Option<Block> {
        let index = (at.since(self.since).0 / shortest.0.max(1)).min(u64::from(u32::MAX)) as u32;
        if index == self.open.index {
            return None;
        }
        let closed = self.open.close();
        self.open = Slot { index, ..Slot::default() };
        closed
    }

    /// Takes a shortest block in; whether a block became whole.
    pub(crate) fn push(&mut self, block: Block) -> bool {
        let number = block.slot / self.per;
        let joins = self.growing && self.blocks.last().is_some_and(|last| last.slot / self.per == number);
        match self.blocks.last_mut().filter(|_| joins) {
            Some(last) => *last = last.with(block),
            None => {
                self.make_room();
                self.blocks.push(block);
            }
        }
        self.growing = !(block.slot + 1).is_multiple_of(self.per);
        !self.growing
    }

    fn make_room(&mut self) {
        if self.blocks.len() < MOST {
            return;
        }
        if self.per == LONGEST {
            self.blocks.remove(0);
            return;
        }
        self.per *= 2;
        let mut joined: Vec<Block> = Vec::with_capacity(MOST);
        for block in &self.blocks {
            match joined.last_mut().filter(|last| last.slot / self.per == block.slot / self.per) {
                Some(last) => *last = last.with(*block),
                None => joined.push(*block),
            }
        }
        self.blocks = joined;
    }

    /// How many blocks make the history grow by about a fiftieth.
    pub(crate) const fn worth_a_look(&self) -> i32 {
        self.blocks.len().div_ceil(MOST / 3) as i32
    }

    /// The blocks that are whole.
    pub(crate) fn whole(&self) -> &[Block] {
        &self.blocks[..self.blocks.len() - usize::from(self.growing)]
    }

    /// When a block's middle was.
    pub(crate) fn middle(&self, block: &Block) -> Instant {
        self.since + Span::from_secs_f64(f64::from(block.hours) * 3_600.0)
    }
}
