//! The last value, for ever.

use super::{Model, Place};
use crate::history::History;

/// Says that nothing changes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Last;

impl Model for Last {
    fn names(&self) -> &'static [&'static str] {
        &["last"]
    }

    fn update(&mut self, _: &History) {}

    fn predict(&self, _: usize, history: &History, _: &[Place], out: &mut [f64]) -> bool {
        let last = history.last_known();
        if let Some(value) = last {
            out.fill(value);
        }
        last.is_some()
    }
}
