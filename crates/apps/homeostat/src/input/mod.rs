//! What comes in: scenarios, policies, traffic.

pub(crate) mod calendar;
pub(crate) mod digest;
pub(crate) mod embedded;
pub(crate) mod metrics;
pub(crate) mod past;
pub(crate) mod policies;
pub(crate) mod scenario;
pub(crate) mod series;
pub(crate) mod signals;
pub(crate) mod traffic;
pub(crate) mod yaml;
