//! The load of a scenario: where it comes from, how much there is, and streams of it.

use std::path::{Path, PathBuf};

use homeostat_core::draw::Key;
use homeostat_core::load::{BinLoad, Gaps, LoadItem, LoadStream};
use homeostat_core::{Instant, Span};
use homeostat_policy::spec::PolicySpec;
use homeostat_trace::{ReadOptions, Zone};
use homeostat_twin::scenario::{Outlook, Part, Recorded, Scale, Scenario, Source, Traffic};
use homeostat_twin::workload;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::input::digest::Digest;
use crate::input::past::{self, Pasts};
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
    #[serde(skip)]
    pasts: Pasts,
}

/// Looks at the load of the scenario as it is written.
pub(crate) fn survey(world: &World, seed: u64) -> Result<Survey, Failure> {
    let (stream, ..) = raw(world, seed)?;
    let whole = pass(stream)?;
    let traffic = &world.scenario.traffic;
    let (skip, take) = window(traffic, traffic.part, &whole);
    let mut survey = surveyed(world, seed, (skip, take), None)?;
    survey.notes.extend(traffic.part.and_then(|_| cut_note(&whole)));
    Ok(survey)
}

/// Both parts of the load, whichever the scenario names, scaled as the scenario as it is written: the
/// part that it names is the same load that [`survey`] describes.
pub(crate) struct Parts {
    /// Before the cut: for tuning.
    pub(crate) tune: Survey,
    /// After it: for reporting.
    pub(crate) test: Survey,
}

/// Looks at both parts of the load.
pub(crate) fn parts(world: &World, seed: u64) -> Result<Parts, Failure> {
    let written = survey(world, seed)?;
    let whole = pass(raw(world, seed)?.0)?;
    let part = |part| {
        let stretch = window(&world.scenario.traffic, Some(part), &whole);
        surveyed(world, seed, stretch, Some(written.factor))
    };
    let mut tune = part(Part::Tune)?;
    tune.notes.extend(cut_note(&whole));
    Ok(Parts { tune, test: part(Part::Test)? })
}

/// A stretch of a load that was looked at: from `skip` after its start, at most `take` long, with the
/// same scale.
pub(crate) fn stretch(
    world: &World,
    load: &Survey,
    seed: u64,
    skip: Span,
    take: Span,
) -> Result<Survey, Failure> {
    let rest = load.take.map_or(take, |own| take.min(own - skip));
    surveyed(world, seed, (load.skip + skip, Some(rest)), Some(load.factor))
}

/// Requests of each bin of this length from the start of a load, in the scenario's own scale.
pub(crate) fn profile(world: &World, load: &Survey, seed: u64, bin: Span) -> Result<Vec<f64>, Failure> {
    let mut bins = vec![0.0; (load.span.0 / bin.0.max(1)) as usize + 1];
    for item in shaped(raw(world, seed)?.0, &world.scenario.traffic, load.skip, load.take) {
        let item = item.map_err(Failure::new)?;
        let requests = match item {
            LoadItem::Request { .. } => 1.0,
            LoadItem::Bin { load: BinLoad::Count(count), .. } => count as f64,
            LoadItem::Bin { span, load: BinLoad::Rate { per_second, .. }, .. } => {
                per_second * span.as_secs_f64()
            }
            LoadItem::Bin { load: BinLoad::Missing, .. } => 0.0,
        };
        if let Some(sum) = bins.get_mut((item.start().since(load.start).0 / bin.0.max(1)) as usize) {
            *sum += requests;
        }
    }
    Ok(bins)
}

/// Looks at a stretch of the load: from `skip`, at most `take` long. Without a factor the scale is
/// what the scenario says of this stretch.
fn surveyed(
    world: &World,
    seed: u64,
    (skip, take): (Span, Option<Span>),
    factor: Option<f64>,
) -> Result<Survey, Failure> {
    let traffic = &world.scenario.traffic;
    let (stream, calendar, notes) = raw(world, seed)?;
    let seen = pass(shaped(stream, traffic, skip, take))?;
    if seen.requests <= 0.0 {
        return Err(Failure::new(format!("{}: traffic: there are no requests in it", world.origin)));
    }
    let mean = seen.requests / seen.known_s.max(1e-9);
    let factor = factor.unwrap_or(match traffic.scale {
        None => 1.0,
        Some(Scale::Factor(factor)) => factor,
        Some(Scale::MeanReplicas(n)) => n * world.scenario.services[0].capacity_per_second() / mean,
    });
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
        pasts: Pasts::default(),
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

/// What a policy of each service is told of the world.
pub(crate) fn outlooks(
    world: &World,
    load: &Survey,
    policy: &PolicySpec,
    seed: u64,
) -> Result<Vec<Outlook>, Failure> {
    let step = policy.history_step().filter(|_| !load.skip.is_zero());
    let history = match step {
        Some(step) => load.pasts.get(step, seed, || {
            let traffic = &world.scenario.traffic;
            let stream = shaped(raw(world, seed)?.0, traffic, Span::ZERO, Some(load.skip));
            past::series(stream, load.start, step, load.factor)
        })?,
        None => None,
    };
    let outlook = |visits: f64| Outlook {
        history: history.as_ref().map(|series| past::scaled(series, visits)),
        ..world.scenario.outlook(load.start, load.peak_rate * visits)
    };
    Ok(visits(&world.scenario).into_iter().map(outlook).collect())
}

fn shaped(stream: LoadStream, traffic: &Traffic, skip: Span, take: Option<Span>) -> LoadStream {
    let stream = workload::windowed(stream, skip, take);
    match traffic.resample {
        Some(step) => workload::resampled(stream, step),
        None => stream,
    }
}

/// Where the tuning part ends: at 40 % of the trace, at the midnight UTC before it. Where that would
/// leave less than half of the 40 % (traces of less than about 2.5 days), at 40 % in whole minutes.
fn cut(whole: &Pass) -> (Span, bool) {
    let exact = Span((whole.end.since(whole.start).0 as f64 * 0.4) as u64);
    let at = whole.start + exact;
    let midnight = Instant(at.0 - at.0 % Span::DAY.0).max(whole.start).since(whole.start);
    if midnight * 2 >= exact {
        return (midnight, true);
    }
    let whole_minutes = Span(exact.0 - exact.0 % Span::MINUTE.0);
    (if whole_minutes.is_zero() { exact } else { whole_minutes }, false)
}

fn cut_note(whole: &Pass) -> Option<String> {
    let (head, midnight) = cut(whole);
    (!midnight).then(|| {
        format!("too short to be cut at midnight: the tuning part is the first {head} (40 %) of the trace")
    })
}

/// Which stretch of the whole trace is used.
fn window(traffic: &Traffic, part: Option<Part>, whole: &Pass) -> (Span, Option<Span>) {
    let Some(part) = part else { return (traffic.skip, traffic.take) };
    let (head, _) = cut(whole);
    match part {
        // What is skipped at the start is missing at the end: nothing after the cut is ever part of it.
        Part::Tune => {
            let rest = head - traffic.skip;
            (traffic.skip, Some(traffic.take.unwrap_or(rest).min(rest)))
        }
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
pub(crate) fn locate(file: &str, folder: &Path) -> Result<PathBuf, Failure> {
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
         folder that holds the data sets, or name a file of your own",
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

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(start: Span, length: Span) -> Pass {
        let start = Instant::ZERO + start;
        let end = start + length;
        Pass { start, end, requests: 1.0, known_s: 1.0, peak: 1.0, opening: 1.0, digest: Digest::default() }
    }

    #[test]
    fn long_traces_are_cut_at_midnight_short_ones_at_40_per_cent() {
        let hours = |n| Span::HOUR * n;
        assert_eq!(cut(&whole(Span::ZERO, Span::DAY * 10)), (Span::DAY * 4, true));
        assert_eq!(cut(&whole(hours(18), Span::DAY * 10)), (hours(6) + Span::DAY * 3, true));
        assert_eq!(cut(&whole(Span::ZERO, hours(60))), (Span::DAY, true));
        assert_eq!(cut(&whole(Span::ZERO, Span::DAY * 2)), (Span::MINUTE * (48 * 24), false));
        assert_eq!(cut(&whole(Span::ZERO, hours(3))), (Span::MINUTE * 72, false));
    }

    #[test]
    fn the_parts_meet_and_do_not_overlap() {
        let text = "source: { constant: { rps: 1, length: 10d } }\nskip: 6h\n";
        let traffic: Traffic = crate::input::yaml::read(text, "here").unwrap();
        let whole = whole(Span::ZERO, Span::DAY * 10);
        let (skip, take) = window(&traffic, Some(Part::Tune), &whole);
        assert_eq!(skip + take.unwrap(), Span::DAY * 4);
        assert_eq!(window(&traffic, None, &whole), (Span::HOUR * 6, None));
        assert!(window(&traffic, Some(Part::Test), &whole).0 >= Span::DAY * 4);
    }
    #[test]
    fn what_is_tuned_on_ends_at_the_cut_and_has_the_scale_of_the_whole() {
        let text = "version: 1
name: x
traffic:
  source: { generate: { length: 5h } }
  scale: { mean_replicas: 3 }
  part: test
objective: { latency: 1s }
services:
  - name: m
    server: { fcfs: { slots: 4 } }
    service_time: { fixed: 200ms }
    replicas: { min: 1, max: 9 }
";
        let world = crate::input::scenario::parse(text, "here", PathBuf::new()).unwrap();
        let parts = parts(&world, 1).unwrap();
        let times = |survey: &Survey| {
            let items = stream(&world, survey, 1).unwrap().map(|item| item.unwrap().start());
            let times: Vec<Instant> = items.collect();
            (times[0], times[times.len() - 1])
        };
        let (tuned, tested) = (times(&parts.tune), times(&parts.test));
        let cut = tuned.0 + Span::HOUR * 2;
        assert!(tuned.1 < cut && tested.0 == cut, "{tuned:?} {tested:?}");
        let written = survey(&world, 1).unwrap();
        assert_eq!((written.factor, written.start), (parts.test.factor, parts.test.start));
        assert_eq!(parts.tune.factor, parts.test.factor);
        let short = stretch(&world, &parts.tune, 1, Span::HOUR, Span::HOUR * 3).unwrap();
        assert!(times(&short).1 < cut, "a stretch stays within its part");
    }
}
