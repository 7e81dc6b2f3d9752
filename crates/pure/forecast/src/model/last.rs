//! The last value, for ever.

use super::{Model, Place};
use crate::series::Value;

/// Says that nothing changes.
#[derive(Debug, Clone, Default)]
pub struct Last {
    value: Option<f64>,
}

impl Model for Last {
    fn name(&self) -> &'static str {
        "last"
    }

    fn update(&mut self, value: Value, _: Place) {
        match value {
            Value::Known(value) => self.value = Some(value),
            Value::AtLeast(least) => self.value = Some(self.value.map_or(least, |value| value.max(least))),
            Value::Missing => {}
        }
    }

    fn predict(&self, _: &[Place], out: &mut [f64]) -> bool {
        if let Some(value) = self.value {
            out.fill(value);
        }
        self.value.is_some()
    }
}
