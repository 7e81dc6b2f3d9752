//! Replays the histories that the upstream controllers were run on, and compares every decision.
//!
//! The generator is specified in `testing/oracles/README.md`; its twin in Go fed upstream. The digest of
//! the inputs proves that both sides fed the same.

#![allow(clippy::unwrap_used)] // clippy takes only functions marked as tests for tests

mod draw;
mod golden;
mod hpa_replay;
mod hpa_setup;
mod hpa_world;
mod kpa_replay;
mod kpa_world;
