//! The load of a scenario: where it comes from, how much there is, and streams of it.

use std::path::{Path, PathBuf};

use homeostat_core::draw::Key;
use homeostat_core::load::{BinLoad, Gaps, LoadItem, LoadStream};
use homeostat_core::{Instant, Span};
use homeostat_trace::{ReadOptions, Zone};
use homeostat_twin::scenario::{Part, Recorded, Scale, Scenario, Source, Traffic};
use homeostat_twin::workload;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::input::digest::Digest;
use crate::input::scenario::World;

/// Load at the start that decides how many replicas a run begins with.
const OPENING: Span = Span::from_secs(300);
/// Share of its capacity at which a replica is taken to be well used, for the count at the start.
const OPENING_USE: f64 = 0.7;

/// Requests per second in the busiest minute beyond which something must be wrong with the scenario.
const MOST: f64 = 1e7;

/// What one pass over the load tells.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Survey {
    /// Start of the load.
    pub(crate) start: Instant,
    /// Its length.
    pub(crate) span: Span,
    /// Requests per second of the largest minute.
    pub(crate) peak_rate: f64,
    /// Requests per second over the first minutes.
    pub(crate) opening_rate: f64,
    /// Whether times name dates.
    pub(crate) calendar: bool,
    /// What was assumed.
    pub(crate) notes: Vec<String>,
    /// Of every item of the load before scaling: equal for equal traffic.
    pub(crate) digest: Digest,
    factor: f64,
    skip: Span,
    take: Option<Span>,
}

/// Looks at the load once.
pub(crate) fn survey(world: &World, seed: u64) -> Result<Survey, Failure> {
    let traffic = &world.scenario.traffic;
    let (stream, calendar, notes) = raw(world, seed)?;
    let whole = pass(stream)?;
    let (skip, take) = window(traffic, &whole);
    let stream = shaped(raw(world, seed)?.0, traffic, skip, take);
    let seen = pass(stream)?;
    if seen.requests <= 0.0 {
        return Err(Failure::new(format!("{}: traffic: there are no requests in it", world.origin)));
    }
    let mean = seen.requests / seen.known_s.max(1e-9);
    let factor = match traffic.scale {
        None => 1.0,
        Some(Scale::Factor(factor)) => factor,
        Some(Scale::MeanReplicas(n)) => n * world.scenario.services[0].capacity_per_second() / mean,
    };
    let expected = seen.requests * factor;
    if expected < 1.0 {
        return Err(Failure::new(format!(
            "{}: traffic: no request is to be expected in it ({expected:.1e} on average); expected more load, \
             for example a larger traffic.scale or --scale-load",
            world.origin
        )));
    }
    let peak_rate = seen.peak * factor;
    if peak_rate > MOST {
        return Err(Failure::new(format!(
            "{}: traffic: the busiest minute has {peak_rate:.3e} requests per second; expected at most \
             {MOST:.0e}, for example with a smaller traffic.scale or --scale-load",
            world.origin
        )));
    }
    Ok(Survey {
        start: seen.start,
        span: seen.end.since(seen.start),
        peak_rate,
        opening_rate: seen.opening / OPENING.min(seen.end.since(seen.start)).as_secs_f64() * factor,
        calendar,
        notes,
        digest: seen.digest,
        factor,
        skip,
        take,
    })
}

/// The load as the twin gets it. Cheap to call: once per run.
pub(crate) fn stream(world: &World, survey: &Survey, seed: u64) -> Result<LoadStream, Failure> {
    let (stream, ..) = raw(world, seed)?;
    let stream = shaped(stream, &world.scenario.traffic, survey.skip, survey.take);
    Ok(workload::scaled(stream, survey.factor))
}

/// Replicas of each service that the opening load needs.
pub(crate) fn initial(scenario: &Scenario, survey: &Survey) -> Vec<u32> {
    let needed = |(service, visits): (&homeostat_twin::scenario::Service, f64)| {
        let used = survey.opening_rate * visits / (service.capacity_per_second() * OPENING_USE);
        service.initial.unwrap_or((used.ceil() as u32).max(1))
    };
    scenario.services.iter().zip(visits(scenario)).map(needed).collect()
}

/// Visits to each service per request. Calls only go to services listed later.
pub(crate) fn visits(scenario: &Scenario) -> Vec<f64> {
    let mut visits = vec![0.0; scenario.services.len()];
    visits[0] = 1.0;
    for i in 0..scenario.services.len() {
        for name in scenario.services[i].then.iter().flatten() {
            if let Some(to) = scenario.services.iter().position(|s| s.name == *name) {
                visits[to] += visits[i];
            }
        }
    }
    visits
}

fn shaped(stream: LoadStream, traffic: &Traffic, skip: Span, take: Option<Span>) -> LoadStream {
    let stream = workload::windowed(stream, skip, take);
    match traffic.resample {
        Some(step) => workload::resampled(stream, step),
        None => stream,
    }
}

/// Which stretch of the whole trace is used.
fn window(traffic: &Traffic, whole: &Pass) -> (Span, Option<Span>) {
    let Some(part) = traffic.part else { return (traffic.skip, traffic.take) };
    let cut = whole.start + Span((whole.end.since(whole.start).0 as f64 * 0.4) as u64);
    let midnight = Instant(cut.0 - cut.0 % Span::DAY.0).max(whole.start);
    let head = midnight.since(whole.start);
    match part {
        Part::Tune => (traffic.skip, Some(traffic.take.unwrap_or(head).min(head))),
        Part::Test => (head + traffic.skip, traffic.take),
    }
}

type Raw = (LoadStream, bool, Vec<String>);

/// The load as it was recorded or is generated.
fn raw(world: &World, seed: u64) -> Result<Raw, Failure> {
    let made = |stream| Ok((stream, false, Vec::new()));
    match &world.scenario.traffic.source {
        Source::Generate(spec) => {
            made(workload::series(spec.step, workload::generate(spec, Key::root(seed))))
        }
        Source::Shape(shape) => made(workload::series(Span::from_secs(10), shape.rates())),
        Source::Constant(constant) => made(workload::constant(*constant)),
        Source::Trace(recorded) => {
            let path = locate(&recorded.file, &world.folder)?;
            let trace = homeostat_trace::open(&path, &options(recorded)?)?;
            let notes = trace.notes.iter().map(ToString::to_string).collect();
            Ok((trace.stream, trace.calendar, notes))
        }
    }
}

/// The file of a trace.
fn locate(file: &str, folder: &Path) -> Result<PathBuf, Failure> {
    let Some(data) = file.strip_prefix("data:") else { return Ok(folder.join(file)) };
    let root =
        std::env::var_os("HOMEOSTAT_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let path = root.join(data);
    if path.exists() {
        return Ok(path);
    }
    let set = if std::env::var_os("HOMEOSTAT_DATA").is_some() { "point" } else { "set" };
    Err(Failure::new(format!(
        "cannot find the recorded trace {data} under {}; {set} the environment variable HOMEOSTAT_DATA to the \
         folder that holds the data sets, or name a trace of your own with --trace FILE",
        root.display()
    )))
}

/// Reading options in the form of the trace reader.
pub(crate) fn options(recorded: &Recorded) -> Result<ReadOptions, Failure> {
    let mut options =
        ReadOptions { step: recorded.step, missing_zeros: recorded.missing_zeros, ..ReadOptions::default() };
    options.map = recorded.map.as_deref().map(str::parse).transpose()?;
    options.time_zone = recorded.time_zone.as_deref().map(str::parse::<Zone>).transpose()?;
    options.format = recorded.format.as_deref().map(str::parse).transpose()?;
    options.key.clone_from(&recorded.key);
    options.sort = recorded.sort;
    if let Some(text) = &recorded.start {
        options.start = Some(date(text).ok_or_else(|| {
            Failure::new(format!("--start {text}: expected a time in UTC such as 2026-03-01T00:00"))
        })?);
    }
    if let Some(text) = &recorded.on_duplicate {
        options.on_duplicate = text.parse()?;
    }
    for window in &recorded.artefacts {
        options.artefacts.push(window.parse()?);
    }
    Ok(options)
}

/// A time in UTC.
pub(crate) fn date(text: &str) -> Option<Instant> {
    let stamp = text.trim().trim_end_matches('Z').trim_end_matches(" UTC");
    let civil = stamp.parse::<jiff::civil::DateTime>().ok()?;
    let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    u64::try_from(zoned.timestamp().as_nanosecond()).ok().map(Instant)
}

/// Sums of one pass.
struct Pass {
    start: Instant,
    end: Instant,
    requests: f64,
    known_s: f64,
    peak: f64,
    opening: f64,
    digest: Digest,
}

fn pass(stream: LoadStream) -> Result<Pass, Failure> {
    let mut seen = Pass {
        start: Instant::MAX,
        end: Instant::ZERO,
        requests: 0.0,
        known_s: 0.0,
        peak: 0.0,
        opening: 0.0,
        digest: Digest::default(),
    };
    let mut minute = (0_u64, 0.0_f64, 0.0_f64);
    let mut events = false;
    for item in stream {
        let item = item.map_err(Failure::new)?;
        note(&mut seen.digest, &item);
        let at = item.start();
        seen.start = seen.start.min(at);
        let (requests, span) = match item {
            LoadItem::Request { .. } => {
                events = true;
                (1.0, Span::ZERO)
            }
            LoadItem::Bin { span, load, .. } => {
                let requests = match load {
                    BinLoad::Count(count) => count as f64,
                    BinLoad::Rate { per_second, .. } => per_second * span.as_secs_f64(),
                    BinLoad::Missing => {
                        seen.end = seen.end.max(at + span);
                        continue;
                    }
                };
                (requests, span)
            }
        };
        if at.0 / Span::MINUTE.0 != minute.0 {
            minute = (at.0 / Span::MINUTE.0, 0.0, 0.0);
        }
        // Bins with the same start overlap: their time counts once.
        if at + span > seen.end {
            let fresh = (at + span).since(seen.end.max(at)).as_secs_f64();
            seen.known_s += fresh;
            minute.2 += fresh;
        }
        minute.1 += requests;
        seen.peak = seen.peak.max(minute.1 / if events { 60.0 } else { minute.2.max(1.0) });
        seen.end = seen.end.max(at + span);
        seen.requests += requests;
        if at < seen.start + OPENING {
            let share = OPENING.as_secs_f64() / span.as_secs_f64().max(OPENING.as_secs_f64());
            seen.opening += requests * share;
        }
    }
    if events {
        seen.known_s = seen.end.since(seen.start).as_secs_f64();
    }
    Ok(seen)
}

/// Adds all that an item says to a digest.
fn note(digest: &mut Digest, item: &LoadItem) {
    digest.number(item.start().0);
    match item {
        LoadItem::Request { size, .. } => {
            digest.number(size.service.map_or(u64::MAX, |span| span.0));
            let tokens = |n: Option<u32>| n.map_or(u64::MAX, u64::from);
            digest.number(tokens(size.input_tokens));
            digest.number(tokens(size.output_tokens));
        }
        LoadItem::Bin { span, load, .. } => {
            digest.number(span.0);
            match load {
                BinLoad::Count(count) => digest.number(*count),
                BinLoad::Rate { per_second, gaps } => {
                    digest.number(per_second.to_bits());
                    digest.number(match gaps {
                        Gaps::Poisson => 1,
                        Gaps::Gamma { cv } => cv.to_bits(),
                        Gaps::Weibull { shape } => !shape.to_bits(),
                    });
                }
                BinLoad::Missing => digest.number(u64::MAX),
            }
        }
    }
}
