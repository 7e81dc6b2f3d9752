//! What will happen.
//!
//! A [`Forecaster`] takes one value per step of time and answers with [`Paths`]: sample paths of the next
//! steps, from which every quantile derives. It knows missing values and lower bounds ([`Value`]) from
//! zeros, and local time and known events from a [`Calendar`]. Everything is incremental and seeded: the
//! same values give the same paths to the byte.
//!
//! ```text
//! values ─► clean ─► models ─► choice ─► residuals on line ─► sample paths ─► quantiles
//! ```

pub mod aging;
mod analogs;
pub mod backtest;
mod calendar;
mod choice;
pub mod clean;
mod forecaster;
mod history;
mod hybrid;
pub mod model;
mod paths;
pub mod score;
mod series;
mod spread;
pub mod trend;

pub use calendar::{Calendar, Event};
pub use choice::{Score, Why};
pub use forecaster::{Chosen, Forecaster, Settings};
pub use history::History;
pub use paths::{Paths, quantile};
pub use series::{Series, Value};
