//! Offered load: generators of rate series, the six shapes of Gandhi et al., and the step from bins to
//! single requests.

mod arrivals;
mod generate;
mod scale;
mod shape;

pub use arrivals::{Arrival, Arrivals};
pub use generate::generate;
pub use scale::{resampled, scaled, windowed};
pub use shape::Shape;

use homeostat_core::load::{BinLoad, Gaps, LoadItem, LoadStream};
use homeostat_core::{Instant, Span};

use crate::scenario::Constant;

/// A series of rates as a stream of bins that starts at the origin.
pub fn series(step: Span, rates: Vec<f64>) -> LoadStream {
    Box::new(rates.into_iter().enumerate().map(move |(i, per_second)| {
        let load = BinLoad::Rate { per_second, gaps: Gaps::Poisson };
        Ok(LoadItem::Bin { start: Instant::ZERO + step * i as u64, span: step, load })
    }))
}

/// A constant rate, in bins of a minute.
pub fn constant(constant: Constant) -> LoadStream {
    let step = Span::MINUTE.min(constant.length);
    let bins = constant.length.0.div_ceil(step.0);
    let length = constant.length;
    Box::new((0..bins).map(move |i| {
        let start = step * i;
        let load = BinLoad::Rate { per_second: constant.rps, gaps: Gaps::Poisson };
        Ok(LoadItem::Bin { start: Instant::ZERO + start, span: step.min(length - start), load })
    }))
}
