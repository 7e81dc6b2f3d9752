//! A forecast of one series, and its back-test on as many threads as there are forecasters.

use homeostat_core::{Instant, Span};
use homeostat_forecast::backtest::{self, Forecasts, Plan, Row};
use homeostat_forecast::{Chosen, Forecaster, Paths, Series, Settings};

use super::job::cpu_seconds;
use super::progress::Progress;
use super::{in_parallel, threads};
use crate::failure::Failure;

/// Origins of a back-test, where the series is long enough.
const ORIGINS: usize = 2_000;
/// Share of the series before the first origin.
const TUNING: f64 = 0.4;

/// The forecast from the end of the series.
pub(crate) struct Forecast {
    pub(crate) chosen: Chosen,
    pub(crate) paths: Paths,
}

/// A back-test.
pub(crate) struct Backtest {
    pub(crate) plan: Plan,
    pub(crate) rows: Vec<Row>,
    /// What each forecaster said.
    pub(crate) forecasts: Vec<Forecasts>,
    /// CPU seconds of each forecaster.
    pub(crate) cpu_seconds: Vec<f64>,
    /// When the first origin is.
    pub(crate) first: Instant,
    pub(crate) origins: usize,
}

/// Learns the whole series and looks ahead.
pub(crate) fn forecast(series: &Series, settings: &Settings) -> Forecast {
    let mut forecaster = Forecaster::new(settings.clone());
    for (index, value) in series.values.iter().enumerate() {
        forecaster.update(series.at(index), *value);
    }
    Forecast { chosen: forecaster.chosen(), paths: forecaster.paths(settings.horizon) }
}

/// Tests all models and the automatic choice on the last 60 % of the series.
pub(crate) fn backtest(
    series: &Series,
    settings: &Settings,
    horizons: &[Span],
    count: Option<f64>,
    (wanted, quiet): (Option<u16>, bool),
) -> Result<Backtest, Failure> {
    let first = first_origin(series);
    let plan = Plan { count, ..Plan::spread(series, horizons.to_vec(), first, ORIGINS) };
    let origins = plan.origins(series).count();
    if origins == 0 {
        let problem = format!(
            "--backtest: the series has {} steps of {}, too few for one forecast of {} after its first 40 %; \
             expected a longer series or a shorter --horizon",
            series.values.len(),
            series.step,
            settings.horizon
        );
        return Err(Failure::new(problem));
    }
    let names: Vec<&'static str> = backtest::names().collect();
    let span = series.at(series.values.len()).since(series.at(first));
    let progress = Progress::over(names.len(), series.at(first), span, quiet);
    let results = in_parallel(&names, threads(wanted), |index, name| {
        let meter = progress.of(index);
        let before = cpu_seconds();
        let said = backtest::forecast(series, settings, &plan, name, &|origin| meter.at(series.at(origin)));
        meter.done();
        (said, cpu_seconds() - before)
    });
    progress.finish();
    let (forecasts, cpu_seconds): (Vec<Forecasts>, Vec<f64>) = results.into_iter().unzip();
    let rows = backtest::scores(series, &plan, &forecasts);
    Ok(Backtest { rows, forecasts, cpu_seconds, first: series.at(first), origins, plan })
}

/// Where the first 40 % end, at the midnight UTC before; in short series, where that would leave less than
/// half of them, at 40 %.
fn first_origin(series: &Series) -> usize {
    let exact = (series.values.len() as f64 * TUNING) as usize;
    let at = series.at(exact);
    let midnight = Instant(at.0 - at.0 % Span::DAY.0).since(series.start).0.div_ceil(series.step.0) as usize;
    if midnight * 2 >= exact { midnight.max(1) } else { exact.max(1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeostat_forecast::Value;

    #[test]
    fn the_test_part_begins_at_midnight() {
        let series = |start: Span, steps| Series {
            start: Instant::ZERO + start,
            step: Span::MINUTE,
            values: vec![Value::Known(1.0); steps],
        };
        assert_eq!(first_origin(&series(Span::ZERO, 10 * 1_440)), 4 * 1_440);
        assert_eq!(first_origin(&series(Span::HOUR * 18, 10 * 1_440)), 360 + 3 * 1_440);
        assert_eq!(first_origin(&series(Span::HOUR, 1_000)), 400);
    }
}
