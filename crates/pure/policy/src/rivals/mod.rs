//! Predictive peers, rebuilt from what is published of them: each owns its forecaster.
//!
//! - [`phpa`]: the predictive horizontal pod autoscaler, forecasts of replica counts;
//! - [`mark`]: `MArk`'s proactive provisioning;
//! - [`mu`]: Mu's queueing formula with its bank of linear predictors;
//! - [`aws`]: predictive scaling as EC2 Auto Scaling does it, by the hour.
//!
//! Each module says what was read, what is from memory and what differs.

pub mod aws;
pub mod mark;
pub mod mu;
pub mod phpa;

/// Thousandths, for reasons.
fn milli(value: f64) -> i64 {
    (value * 1_000.0).round() as i64
}

/// Whole replicas for a load at so much load per replica. What rounding adds to a whole number doesn't
/// count: forecasts are sums.
fn enough(load: f64, per_replica: f64) -> u32 {
    (load.max(0.0) / per_replica - 1e-9).ceil() as u32
}
