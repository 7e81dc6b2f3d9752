//! The whole of it: which samples count, which server, which parameters, and what is doubtful.

use homeostat_core::{Span, num};
use homeostat_twin::scenario::{Duration, MeanCv, Server, Sharing, Slots};
use serde::Serialize;

use crate::capacity::{self, Capacity, Law, Marks};
use crate::latency::{LatencyFit, Seen, Setup, Theta, fit, glance};
use crate::physics::{Form, Numbers};
use crate::record::{LATENCIES, Record, Sample, median, quantile};
use crate::startup::{self, StartUpFit, Starts};

/// Samples with load and latency that a fit needs.
const LEAST: usize = 30;
/// Samples that a fit uses at most, evenly spread.
const MOST: usize = 3_000;
/// Share of the fitted capacity from which a sample is left out: queues have no steady state there.
const BRINK: f64 = 0.93;
/// Standard deviations from which a slow sample is taken for the wake of something else.
const SURPRISE: f64 = 4.5;
/// Requests of a station run: while looking for slots, and for the final fit of slots and of sharing, whose
/// capacity is read off a curve far below it.
const QUICK: usize = 6_000;
const FULL: usize = 40_000;
const FULL_SHARING: usize = 120_000;
/// Misfit up to which a model agrees with its record as well as 5 % of noise allows.
const FITS: f64 = 1.4;
/// Misfit of sharing times this: up to it slots, the simpler model, are preferred.
const SIMPLER: f64 = 1.03;
/// Misfit of a fit with κ (one at least: what explains the record without needs no κ) against one without,
/// below which κ is believed: at loads that a service survives, σ and κ look alike, and a κ that is not there
/// moves the capacity a lot.
const COHERENT: f64 = 0.9;
/// Relative error of the method itself (surface, noise of the rate), which no amount of samples removes: as
/// found on the cases of docs/calibration.md.
const METHOD_ERROR: f64 = 0.008;

/// Which server forms to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ServerChoice {
    /// Slots, and sharing where slots don't fit.
    #[default]
    Auto,
    /// Slots only.
    Fcfs,
    /// Sharing only.
    Sharing,
}

/// What the caller knows.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Requests that a replica serves at a time.
    pub slots: Option<u32>,
    /// Which server forms to try.
    pub server: ServerChoice,
    /// Starts of single replicas, instead of those read off the counts.
    pub starts: Option<Starts>,
    /// Seed of the station runs and resamplings.
    pub seed: u64,
}

/// Why there is no fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; expected {expected}")]
pub struct Refusal {
    /// What is missing or contradicts itself.
    pub problem: String,
    /// What would do, with an example.
    pub expected: String,
}

/// Something that the reader of the result should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// A stable name.
    pub code: &'static str,
    /// In words.
    pub text: String,
}

/// A parameter with its 95 % interval.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// Its name with its unit.
    pub name: &'static str,
    /// The value.
    pub value: f64,
    /// Lower end; `None` where there is no interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// What it rests on.
    pub from: &'static str,
}

/// A sample against the fit, for plots.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Point {
    /// Seconds since the first sample.
    pub at_s: f64,
    /// Load over capacity.
    pub utilisation: f64,
    /// Measured p50 and p99 in milliseconds.
    pub measured_ms: [Option<f64>; 2],
    /// The fitted ones.
    pub fitted_ms: [f64; 2],
    /// `used`, `saturated`, `draining`, or `transient`.
    pub class: &'static str,
}

/// The result.
#[derive(Debug, Clone, Serialize)]
pub struct Fit {
    /// Parameters with intervals.
    pub estimates: Vec<Estimate>,
    /// Why this server form.
    pub server_reason: String,
    /// Weighted squares per residual: 1 where the model explains the record up to 5 % of noise.
    pub misfit: f64,
    /// Noise of mean, p50, p95, p99, CPU and rate beyond sampling, as found.
    pub noise: [f64; 6],
    /// Capacity that was reconciled.
    pub capacity: Capacity,
    /// Capacity by the utilisation law.
    pub by_cpu: Option<Law>,
    /// Capacity by saturation.
    pub by_saturation: Option<Capacity>,
    /// The start-up.
    pub start_up: Option<StartUpFit>,
    /// Samples by class: used, saturated, draining, transient, without load or latency.
    pub samples: [usize; 5],
    /// What is doubtful or missing.
    pub notes: Vec<Note>,
    /// Samples against the fit.
    #[serde(skip)]
    pub points: Vec<Point>,
    #[serde(skip)]
    theta: Option<Theta>,
}

impl Fit {
    /// The server of a scenario.
    pub fn server(&self) -> Option<Server> {
        Some(match self.theta?.form {
            Form::Fcfs { slots } => Server::Fcfs(Slots { slots, queue: u32::MAX }),
            Form::Sharing { contention, coherency, cores } => {
                Server::Sharing(Sharing { contention, coherency, cores, limit: u32::MAX })
            }
        })
    }

    /// The service time of a scenario.
    pub fn service_time(&self) -> Option<Duration> {
        let theta = self.theta?;
        let mean = Span::from_secs_f64((theta.mean_s * 1e6).round() / 1e6);
        Some(Duration::LogNormal(MeanCv { mean, cv: (theta.cv * 1e4).round() / 1e4 }))
    }

    /// An estimate by its name.
    pub fn estimate(&self, name: &str) -> Option<&Estimate> {
        self.estimates.iter().find(|estimate| estimate.name == name)
    }
}

struct Work<'a> {
    record: &'a Record,
    options: &'a Options,
    marks: Marks,
    law: Option<Law>,
    notes: Vec<Note>,
    quick: Numbers,
    step_s: f64,
    /// Whether the CPU is taken as the busy share of the server.
    cpu: bool,
}

/// Fits a record.
pub fn calibrate(record: &Record, options: &Options) -> Result<Fit, Refusal> {
    let marks = capacity::mark(record);
    let law = capacity::law(record, &marks);
    let mut work = Work {
        record,
        options,
        marks,
        law,
        notes: Vec::new(),
        quick: Numbers::new(QUICK, options.seed),
        step_s: record.step().as_secs_f64().max(1.0),
        cpu: law.is_some(),
    };
    let raw = work.seen(false);
    work.check(&raw)?;
    let start = first_guess(&raw);
    let (mut best, mut reason) = work.form(start, &raw)?;
    work.beyond(best.theta.form.most_work() / best.theta.mean_s)?;
    let mut seen = work.seen(work.calms(best.theta));
    let mut transient = vec![false; record.samples.len()];
    let shares = matches!(best.theta.form, Form::Sharing { .. });
    let (rounds, full) = if shares { (4, FULL_SHARING) } else { (2, FULL) };
    for round in 0..rounds {
        let most = best.theta.form.most_work() / best.theta.mean_s;
        let too_full = |s: &Seen| best.likely_load(s) > BRINK * most;
        for sample in &seen {
            if too_full(sample) {
                work.marks.saturated[sample.index] = true;
            } else if best.surprise(sample) > SURPRISE {
                transient[sample.index] = true;
            }
        }
        seen = work.seen(work.calms(best.theta));
        seen.retain(|s| !transient[s.index]);
        work.enough(seen.len())?;
        let numbers = Numbers::new(if round + 1 < rounds { QUICK } else { full }, options.seed);
        let setup = work.setup(&numbers, best.cv_free, 2);
        best = fit(&setup, best.theta, &seen).ok_or_else(not_told_apart)?;
    }
    work.compare_with_cpu(&mut best, &seen, &mut reason)?;
    Ok(work.finish(&best, reason, &transient))
}

fn not_told_apart() -> Refusal {
    Refusal {
        problem: "service time and its spread can't be told apart in these samples".to_owned(),
        expected: "samples at different loads with p50 and p99, for example a whole day".to_owned(),
    }
}

/// A first guess from the third of the samples with the least load.
fn first_guess(seen: &[Seen]) -> (Theta, bool) {
    let mut low: Vec<&Seen> = seen.iter().collect();
    low.sort_by(|a, b| a.load.total_cmp(&b.load));
    low.truncate((low.len() / 3).max(10));
    let of = |k: usize| {
        let known: Vec<f64> = low.iter().filter_map(|s| s.ln[k]).collect();
        (known.len() * 2 > low.len()).then(|| median(known))
    };
    let logs = [of(0), of(1), of(2), of(3)];
    let scores = [0.0, 0.0, 1.644_853_6, 2.326_347_9];
    let known: Vec<usize> = (1..4).filter(|k| logs[*k].is_some()).collect();
    let (first, last) = (known.first().copied(), known.last().copied());
    let sigma = match (first, last) {
        (Some(a), Some(b)) if a < b => {
            ((logs[b].unwrap_or(0.0) - logs[a].unwrap_or(0.0)) / (scores[b] - scores[a])).clamp(0.02, 1.7)
        }
        _ => num::ln(2.0_f64).sqrt(),
    };
    let center = match (first, logs[0]) {
        (Some(a), _) => logs[a].unwrap_or(0.0) - scores[a] * sigma + 0.5 * sigma * sigma,
        (None, Some(mean)) => mean,
        (None, None) => low.iter().find_map(|s| s.ln.iter().flatten().next().copied()).unwrap_or(0.0),
    };
    let cv = (num::exp(sigma * sigma) - 1.0).sqrt();
    let theta = Theta { mean_s: num::exp(center), cv, form: Form::Fcfs { slots: 1 } };
    (theta, known.len() >= 2)
}

impl Work<'_> {
    fn note(&mut self, code: &'static str, text: impl Into<String>) {
        self.notes.push(Note { code, text: text.into() });
    }

    const fn setup<'n>(&self, numbers: &'n Numbers, cv_free: bool, rounds: usize) -> Setup<'n> {
        Setup { numbers, step_s: self.step_s, cv_free, rounds }
    }

    /// The samples that a fit may use, thinned evenly where there are very many.
    fn seen(&self, calmed: bool) -> Vec<Seen> {
        let origin = self.record.samples.first().map_or(0, |s| s.at.0);
        // Shared cores fill up in a curve, which a line takes for idle use: it is taken off for slots only.
        let idle = self.law.filter(|_| calmed).map_or(0.0, |law| law.idle_share);
        let one = |(index, s): (usize, &Sample)| {
            let load = s.per_replica()?;
            let clear = !self.marks.saturated[index] && !self.marks.draining[index];
            let known = s.latency_s.iter().any(Option::is_some);
            let before = index.checked_sub(1).map(|i| &self.record.samples[i]);
            // A count that jumps within a sample says little about the load of a replica.
            let steady = before.and_then(|b| b.ready).is_none_or(|b| {
                let now = s.ready.unwrap_or(b);
                (now - b).abs() <= 0.25 * now.min(b)
            });
            (clear && known && steady).then(|| Seen {
                index,
                load,
                replicas: s.ready.unwrap_or(1.0),
                ln: s.latency_s.map(|t| t.filter(|t| *t > 0.0).map(num::ln)),
                busy: s
                    .cpu_share
                    .filter(|cpu| self.cpu && *cpu > 2.0 * idle && *cpu > 0.005)
                    .map(|cpu| (cpu - idle) / (1.0 - idle)),
                requests: load * s.ready.unwrap_or(1.0) * s.span.as_secs_f64(),
                block: (s.at.0 - origin) / (Span::MINUTE * 30).0,
            })
        };
        let all: Vec<Seen> = self.record.samples.iter().enumerate().filter_map(one).collect();
        let stride = all.len().div_ceil(MOST).max(1);
        all.into_iter().step_by(stride).collect()
    }

    /// Whether the load is calmed: CPU follows the load in proportion where slots are busy, not in sharing.
    fn calms(&self, theta: Theta) -> bool {
        self.cpu && matches!(theta.form, Form::Fcfs { .. })
    }

    fn enough(&self, count: usize) -> Result<(), Refusal> {
        if count >= LEAST {
            return Ok(());
        }
        let full = self.marks.saturated.iter().filter(|s| **s).count();
        let why = if full > 0 { format!(" ({full} more are saturated)") } else { String::new() };
        Err(Refusal {
            problem: format!("only {count} samples show load, ready replicas and latency together{why}"),
            expected: format!("at least {LEAST}, for example two hours of samples a minute"),
        })
    }

    /// Refuses what can't be fitted, and notes what can be fitted in part only.
    fn check(&mut self, seen: &[Seen]) -> Result<(), Refusal> {
        let missing = |problem: &str, example: &str| {
            Err(Refusal { problem: problem.to_owned(), expected: example.to_owned() })
        };
        if !self.record.has(|s| s.rate) {
            return missing("no sample has a rate", "a column of requests, for example rate (requests/s)");
        }
        if !self.record.has(|s| s.ready) {
            return missing("no sample has a count of ready replicas", "a column ready, for example 3");
        }
        if !self.record.has(Sample::usual_s) {
            return missing("no sample has a latency", "columns such as p50_ms, p95_ms, p99_ms");
        }
        self.enough(seen.len())?;
        let mut loads: Vec<f64> = seen.iter().map(|s| s.load).collect();
        loads.sort_by(f64::total_cmp);
        let range = quantile(&loads, 0.95) / quantile(&loads, 0.05);
        if range < 1.3 {
            let text = format!(
                "the load of a replica hardly changes ({:.3} to {:.3} requests/s): how latency grows with load \
                 is not in this record",
                quantile(&loads, 0.05),
                quantile(&loads, 0.95)
            );
            if self.options.slots.is_none() && self.law.is_none() {
                return missing(
                    &text,
                    "samples at different loads, or the number of slots (--slots 4), or CPU use (cpu_percent)",
                );
            }
            self.note("constant-load", text);
        }
        if self.law.is_none() {
            self.note(
                "no-cpu",
                "CPU use is missing or too scarce: capacity rests on latency and saturation only",
            );
        }
        let quantiles = (1..4).filter(|k| seen.iter().any(|s| s.ln[*k].is_some())).count();
        if quantiles < 2 {
            self.note(
                "spread-unknown",
                "fewer than two percentiles: the spread of the service time is not identifiable and taken as cv \
                 = 1; record p50 and p99",
            );
        }
        let gaps = self.record.gaps();
        if gaps > 0 {
            self.note(
                "gaps",
                format!("{gaps} gaps in the times of the samples; nothing is assumed about them"),
            );
        }
        Ok(())
    }

    /// Chooses the form of the server by a quick fit of each.
    fn form(
        &mut self,
        (start, cv_free): (Theta, bool),
        seen: &[Seen],
    ) -> Result<(LatencyFit, String), Refusal> {
        let asked = self.options.server;
        let calm = self.seen(self.cpu);
        let slots = if asked == ServerChoice::Sharing { None } else { self.by_slots(start, cv_free, &calm) };
        let alone =
            asked == ServerChoice::Fcfs || (asked == ServerChoice::Auto && self.options.slots.is_some());
        if let Some((fit, said)) = slots.clone().filter(|_| alone) {
            return Ok((fit, format!("slots, as asked; {said}")));
        }
        let sharing = self.by_sharing(start, cv_free, seen);
        // Both against the same samples.
        let setup = self.setup(&self.quick, cv_free, 1);
        let judged = |mut fit: LatencyFit| {
            fit.misfit = glance(&setup, fit.theta, seen);
            fit
        };
        let (slots, sharing) = (slots.map(|(fit, said)| (judged(fit), said)), sharing.map(judged));
        if let (Some((a, _)), Some(b)) = (&slots, &sharing)
            && (a.misfit / b.misfit - 1.0).abs() < SIMPLER - 1.0
        {
            self.note(
                "either-form",
                "slots and sharing explain this record alike: loads nearer to the capacity would tell them apart; \
                 --slots or --server says which it is",
            );
        }
        match (slots, sharing) {
            (Some((a, said)), Some(b)) if a.misfit <= SIMPLER * b.misfit => {
                let why =
                    format!("slots: misfit {:.2} against {:.2} with sharing; {said}", a.misfit, b.misfit);
                Ok((a, why))
            }
            (a, Some(b)) => {
                let other = a.map_or("as asked".to_owned(), |(a, _)| {
                    format!("misfit {:.2} against {:.2} with the best number of slots", b.misfit, a.misfit)
                });
                Ok((b, format!("sharing: {other}")))
            }
            (Some((a, said)), None) => Ok((a, format!("slots: sharing could not be fitted; {said}"))),
            (None, None) => Err(not_told_apart()),
        }
    }

    /// The best number of slots, and what the next best would be.
    fn by_slots(&self, start: Theta, cv_free: bool, seen: &[Seen]) -> Option<(LatencyFit, String)> {
        let setup = self.setup(&self.quick, cv_free, 1);
        let try_one = |slots: u32| fit(&setup, Theta { form: Form::Fcfs { slots }, ..start }, seen);
        if let Some(slots) = self.options.slots {
            return try_one(slots).map(|fit| (fit, format!("{slots} slots given")));
        }
        let mut loads: Vec<f64> = seen.iter().map(|s| s.load).collect();
        loads.sort_by(f64::total_cmp);
        let least = quantile(&loads, 0.98) * start.mean_s;
        let by_cpu = self.law.map(|law| law.capacity.per_second * start.mean_s);
        let ladder = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64];
        let candidates: Vec<u32> = match by_cpu {
            Some(c) => {
                let c = c.round().clamp(1.0, 512.0) as u32;
                [c.saturating_sub(1), c, c + 1].into_iter().filter(|c| *c > 0).collect()
            }
            None => ladder.into_iter().filter(|c| f64::from(*c) > 0.95 * least).take(7).collect(),
        };
        let mut fits: Vec<(u32, LatencyFit)> =
            candidates.iter().filter_map(|c| Some((*c, try_one(*c)?))).collect();
        fits.sort_by(|a, b| a.1.misfit.total_cmp(&b.1.misfit));
        let mut fits = fits.into_iter();
        let (slots, best) = fits.next()?;
        let said = match fits.next() {
            Some((next, other)) => {
                format!("{slots} slots (misfit {:.2}; {:.2} with {next})", best.misfit, other.misfit)
            }
            None => format!("{slots} slots"),
        };
        Some((best, said))
    }

    fn by_sharing(&self, start: Theta, cv_free: bool, seen: &[Seen]) -> Option<LatencyFit> {
        let setup = self.setup(&self.quick, cv_free, 1);
        let cores: &[u32] = if self.cpu { &[1, 2, 4] } else { &[1] };
        let try_one = |cores: u32, coherency: f64, contention: f64| {
            let form = Form::Sharing { contention, coherency, cores };
            fit(&setup, Theta { form, ..start }, seen)
        };
        let guesses = cores.iter().flat_map(|cores| [0.02, 0.1, 0.25, 0.5, 1.0].map(|sigma| (*cores, sigma)));
        let rate = |(cores, contention): &(u32, f64)| {
            let form = Form::Sharing { contention: *contention, coherency: 0.0, cores: *cores };
            glance(&setup, Theta { form, ..start }, seen)
        };
        let rated: Vec<(f64, (u32, f64))> = guesses.map(|guess| (rate(&guess), guess)).collect();
        let (_, (cores, sigma)) = rated.into_iter().min_by(|a, b| a.0.total_cmp(&b.0))?;
        let plain = try_one(cores, 0.0, sigma)?;
        let Form::Sharing { contention, cores, .. } = plain.theta.form else { return Some(plain) };
        let with = try_one(cores, 0.002, contention);
        Some(with.filter(|with| with.misfit.max(1.0) < COHERENT * plain.misfit).unwrap_or(plain))
    }

    /// Fits once more without the CPU where it contradicts the latency.
    fn compare_with_cpu(
        &mut self,
        best: &mut LatencyFit,
        seen: &[Seen],
        reason: &mut String,
    ) -> Result<(), Refusal> {
        let Some(law) = self.law.filter(|_| matches!(best.theta.form, Form::Fcfs { .. })) else {
            return Ok(());
        };
        let numbers = Numbers::new(QUICK, self.options.seed);
        let blind: Vec<Seen> = seen.iter().map(|s| Seen { busy: None, ..*s }).collect();
        let setup = self.setup(&numbers, best.cv_free, 1);
        let Some(alone) = fit(&setup, best.theta, &blind) else { return Ok(()) };
        let capacity = alone.theta.form.most_work() / alone.theta.mean_s;
        let off = law.capacity.per_second / capacity;
        if (off - 1.0).abs() <= 0.1 {
            return Ok(());
        }
        self.note(
            "cpu-disagrees",
            format!(
                "capacity by CPU is {:.2} requests/s, by latency {capacity:.2}: CPU is not what fills this \
                 service, or a replica's CPU request is not what cpu_percent or --cpu-milli says; the \
                 latency is followed",
                law.capacity.per_second
            ),
        );
        self.cpu = false;
        let full = Numbers::new(FULL, self.options.seed);
        let mut start = alone.theta;
        if self.options.slots.is_none() && alone.misfit > FITS {
            let law = self.law.take();
            if let Some((other, said)) = self.by_slots(start, best.cv_free, &blind) {
                start = other.theta;
                *reason = format!("slots: by latency alone; {said}");
            }
            self.law = law;
        }
        let setup = self.setup(&full, best.cv_free, 2);
        *best = fit(&setup, start, &blind).ok_or_else(not_told_apart)?;
        Ok(())
    }

    fn finish(mut self, best: &LatencyFit, reason: String, transient: &[bool]) -> Fit {
        let most = best.theta.form.most_work() / best.theta.mean_s;
        let by_saturation = capacity::plateau(self.record, &self.marks);
        let error = (best.errors[0] * best.errors[0] + METHOD_ERROR * METHOD_ERROR).sqrt();
        let at = |shift: f64| most * num::exp(shift);
        let samples = self.seen(false).len();
        let reconciled =
            Capacity { per_second: most, low: at(-1.96 * error), high: at(1.96 * error), samples };
        self.contradictions(most, by_saturation);
        let start_up = self.start_up();
        let points = self.points(best, most, transient);
        let count = |class: &str| points.iter().filter(|p| p.class == class).count();
        let counted = ["used", "saturated", "draining", "transient"].map(count);
        if best.misfit > FITS {
            self.note(
                "poor-fit",
                format!(
                    "the model does not explain the latency up to its noise (misfit {:.2}, 1 is expected): look \
                     at the plot before you believe the parameters",
                    best.misfit
                ),
            );
        }
        let unused = self.record.samples.len() - counted.iter().sum::<usize>();
        let mut fit = Fit {
            estimates: estimates(best, &reconciled, self.law, by_saturation),
            server_reason: reason,
            misfit: best.misfit,
            noise: best.noise,
            capacity: reconciled,
            by_cpu: self.law,
            by_saturation,
            start_up,
            samples: [counted[0], counted[1], counted[2], counted[3], unused],
            notes: self.notes,
            points,
            theta: Some(best.theta),
        };
        if let Some(start) = &fit.start_up {
            let [low, high] = start.mean_interval_s.map(Some);
            let (value, from) = (start.mean_s, "orders against readiness");
            fit.estimates.push(Estimate { name: "start_up_mean_s", value, low, high, from });
            fit.estimates.push(Estimate {
                name: "start_up_cv",
                value: start.cv,
                low: None,
                high: None,
                from,
            });
        }
        fit
    }

    /// More throughput than the ready replicas can give.
    fn beyond(&mut self, most: f64) -> Result<(), Refusal> {
        let loads: Vec<f64> = self.record.samples.iter().filter_map(Sample::per_replica).collect();
        let beyond = loads.iter().filter(|x| **x > 1.2 * most).count();
        if beyond * 10 > loads.len() {
            return Err(Refusal {
                problem: format!(
                    "{beyond} of {} samples answer more than the ready replicas can ({most:.2} requests/s each)",
                    loads.len()
                ),
                expected: "a count of all replicas that take traffic; or more slots, for example --slots 8"
                    .to_owned(),
            });
        }
        if beyond > 0 {
            let text =
                format!("{beyond} samples answer more than the ready replicas can; is `ready` complete?");
            self.note("beyond-capacity", text);
        }
        Ok(())
    }

    /// Capacities that contradict each other.
    fn contradictions(&mut self, most: f64, saturation: Option<Capacity>) {
        if let Some(plateau) = saturation.filter(|p| (p.per_second / most - 1.0).abs() > 0.1) {
            self.note(
                "saturation-disagrees",
                format!(
                    "capacity by saturation is {:.2} requests/s, by latency and CPU {most:.2}: answers lost to \
                     time-outs make the first too small, a wrong number of slots the second",
                    plateau.per_second
                ),
            );
        }
        let full = self.marks.saturated.iter().filter(|s| **s).count();
        if full > 0 {
            let text = format!(
                "{full} samples are saturated: their rate is what was answered, not what was asked for. They \
                 are lower bounds of the demand and left out of the fit"
            );
            self.note("saturated", text);
        }
    }

    fn start_up(&mut self) -> Option<StartUpFit> {
        if let Some(starts) = &self.options.starts {
            return startup::from_events(starts, self.options.seed);
        }
        if !self.record.has(|s| s.desired) {
            self.note(
                "no-desired",
                "start-up is not fitted: record the count asked for (a column `desired`), or give --starts",
            );
            return None;
        }
        let fit = startup::from_counts(self.record, self.options.seed);
        match &fit {
            None => self.note("no-starts", "start-up is not fitted: no replica started in the record"),
            Some(fit) if fit.cv == 0.0 => {
                let text = format!(
                    "the spread of start-up is hidden by the steps of {:.0} s and taken as none; --starts shows it",
                    self.step_s
                );
                self.note("spread-of-starts", text);
            }
            Some(fit) if fit.starts < 20.0 => {
                let text = format!("start-up rests on {:.0} starts only", fit.starts);
                self.note("few-starts", text);
            }
            Some(fit) if fit.mean_s < self.step_s => {
                let text = format!(
                    "start-up is shorter than a sample ({:.0} s): its spread is a guess",
                    self.step_s
                );
                self.note("coarse-starts", text);
            }
            Some(_) => {}
        }
        fit
    }

    fn points(&self, best: &LatencyFit, most: f64, transient: &[bool]) -> Vec<Point> {
        let origin = self.record.samples.first().map_or(0.0, |s| s.at.as_secs_f64());
        let one = |(i, s): (usize, &Sample)| {
            let load = s.per_replica()?;
            s.latency_s.iter().any(Option::is_some).then(|| {
                let class = if self.marks.saturated[i] {
                    "saturated"
                } else if self.marks.draining[i] {
                    "draining"
                } else if transient[i] {
                    "transient"
                } else {
                    "used"
                };
                let ready = s.ready.unwrap_or(1.0);
                let (fitted, _) = best.predict(load.min(most * 0.96), ready);
                Point {
                    at_s: s.at.as_secs_f64() - origin,
                    utilisation: load / most,
                    measured_ms: [1, 3].map(|k| s.latency_s[k].map(|t| t * 1_000.0)),
                    fitted_ms: [1, 3].map(|k| fitted[k] * 1_000.0),
                    class,
                }
            })
        };
        self.record.samples.iter().enumerate().filter_map(one).collect()
    }
}

fn estimates(
    best: &LatencyFit,
    capacity: &Capacity,
    law: Option<Law>,
    saturation: Option<Capacity>,
) -> Vec<Estimate> {
    let mut errors = best.errors.iter().map(|e| (e * e + METHOD_ERROR * METHOD_ERROR).sqrt());
    let mut with = |name, value: f64, factor: f64, from| {
        let half = errors.next().map(|e| num::exp(1.96 * e));
        let (low, high) = (half.map(|h| value * factor / h), half.map(|h| value * factor * h));
        Estimate { name, value: value * factor, low, high, from }
    };
    let plain = |name, value, from| Estimate { name, value, low: None, high: None, from };
    let by = |name, c: &Capacity, from| Estimate {
        name,
        value: c.per_second,
        low: Some(c.low),
        high: Some(c.high),
        from,
    };
    let theta = best.theta;
    let mut list = vec![with("service_time_mean_ms", theta.mean_s, 1_000.0, "latency, CPU")];
    if best.cv_free {
        list.push(with("service_time_cv", theta.cv, 1.0, "spread of latency"));
    } else {
        list.push(plain("service_time_cv", theta.cv, "assumed"));
    }
    match theta.form {
        Form::Fcfs { slots } => list.push(plain("slots", f64::from(slots), "growth of latency, CPU")),
        Form::Sharing { contention, coherency, .. } => {
            list.push(with("contention", contention, 1.0, "growth of latency"));
            if coherency > 0.0 {
                list.push(with("coherency", coherency, 1.0, "growth of latency"));
            }
        }
    }
    list.push(by("capacity_per_s", capacity, "all of these"));
    if let Some(law) = law {
        list.push(by("capacity_by_cpu_per_s", &law.capacity, "utilisation law"));
    }
    if let Some(plateau) = saturation {
        list.push(by("capacity_by_saturation_per_s", &plateau, "plateau of the throughput"));
    }
    list
}

/// The names of the latency figures that a record has.
impl Record {
    /// Latency figures that some sample has.
    pub fn figures(&self) -> Vec<&'static str> {
        (0..4).filter(|k| self.has(|s| s.latency_s[*k])).map(|k| LATENCIES[k]).collect()
    }
}
