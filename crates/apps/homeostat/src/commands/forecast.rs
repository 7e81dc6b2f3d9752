//! `homeostat forecast`.

use homeostat_core::{Instant, Span};
use homeostat_forecast::{Settings, Value};

use crate::cli::ForecastArgs;
use crate::failure::{Code, Failure, Outcome};
use crate::input::calendar;
use crate::input::series::{self, Recorded};
use crate::run::forecast::{self, Backtest, Forecast};
use crate::show::{fan_plot, forecast as show, say, write_whole};

/// Furthest future, in steps: a day of minutes, two months of hours.
const MOST_STEPS: u64 = 1_440;

/// Everything that is shown.
pub(crate) struct Result {
    pub(crate) recorded: Recorded,
    pub(crate) forecast: Forecast,
    pub(crate) backtest: Option<Backtest>,
    /// Whether CPU times are wanted.
    pub(crate) timing: bool,
}

pub(crate) fn run(args: &ForecastArgs) -> Outcome {
    let recorded = series::read(args)?;
    let series = &recorded.cleaned.series;
    let settings = settings(args, &recorded)?;
    let known = |value: &Value| !matches!(value, Value::Missing);
    if !series.values.iter().any(known) {
        let codes = show::reasons(&recorded.cleaned.notes).join("; ");
        let problem = format!(
            "{}: no value is known, so there is no forecast ({codes}); expected at least one number of 0 or more",
            recorded.file
        );
        return Err(Failure::new(problem));
    }
    let horizons = horizons(args, series.step);
    let backtest = args
        .backtest
        .then(|| {
            let how = (args.threads, args.quiet);
            forecast::backtest(series, &settings, &horizons, recorded.cleaned.count, how)
        })
        .transpose()?;
    let forecast = forecast::forecast(series, &settings);
    let result = Result { recorded, forecast, backtest, timing: args.show.timing };
    if let Some(path) = &args.show.plot {
        write_whole(path, &fan_plot::render(&result))?;
    }
    if args.show.json {
        for note in &result.recorded.notes {
            eprintln!("note: {note}");
        }
        say(serde_json::to_string_pretty(&show::json(&result))?)?;
    } else {
        say(show::text(&result))?;
    }
    Ok(Code::Done)
}

/// The horizons in order, each once; at least a step.
fn horizons(args: &ForecastArgs, step: Span) -> Vec<Span> {
    let mut horizons: Vec<Span> =
        args.horizon.iter().map(|h| Span(h.0.div_ceil(step.0).max(1) * step.0)).collect();
    horizons.sort_unstable();
    horizons.dedup();
    horizons
}

fn settings(args: &ForecastArgs, recorded: &Recorded) -> std::result::Result<Settings, Failure> {
    let series = &recorded.cleaned.series;
    let horizon = horizons(args, series.step).last().copied().unwrap_or(series.step);
    if horizon.0 / series.step.0 > MOST_STEPS {
        let problem = format!(
            "--horizon {horizon}: is more than {MOST_STEPS} steps of {}; expected a shorter one, or longer steps, \
             for example --resample 1h",
            series.step
        );
        return Err(Failure::new(problem));
    }
    if (args.calendar.is_some() || args.zone.is_some()) && !recorded.calendar {
        let problem = format!(
            "{}: its times name no dates, so --calendar and --zone mean nothing; expected the time of the first \
             row, for example --start 2026-03-01T00:00",
            recorded.file
        );
        return Err(Failure::new(problem));
    }
    let end: Instant = series.at(series.values.len()) + horizon;
    let calendar = calendar::read(args.calendar.as_deref(), args.zone.as_deref(), series.start, end)?;
    Ok(Settings { step: series.step, horizon, seed: args.seed, calendar, ..Settings::default() })
}
