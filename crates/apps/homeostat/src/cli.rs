//! The arguments.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use homeostat_core::Span;
use serde::{Deserialize, Serialize};

use crate::run::shard::Shard;

/// Keeps machine-learning services inside their objectives at the least cost, and proves every policy
/// in a digital twin before it touches a cluster.
#[derive(Debug, Parser)]
#[command(name = "homeostat", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run an embedded scenario under all built-in policies: no files, no network needed
    Demo(DemoArgs),
    /// Run a scenario under several policies and compare attainment and cost
    Compare(Box<CompareArgs>),
    /// Join the parts that --shard wrote into the result of the whole
    Merge(MergeArgs),
    /// Fit a service from recorded metrics: service time, capacity, contention, start-up
    Calibrate(CalibrateArgs),
    /// Replay recorded replica counts in the twin and report how far it is from the record
    Validate(ValidateArgs),
    /// Find replicas that leak, and say when each reaches its limit
    Aging(AgingArgs),
    /// Search the settings of a policy on the tuning part of a trace, and report on the rest
    Tune(TuneArgs),
    /// Forecast a series with its uncertainty, and test the forecast on the series' own past
    Forecast(Box<ForecastArgs>),
    /// Find the best daily schedule that knows the traffic beforehand: a reference, not a contender
    Hindsight(HindsightArgs),
    /// Look at, convert or generate traces
    Trace(TraceArgs),
    /// Say why a recorded decision was taken
    Explain(ExplainArgs),
    /// Feed a journal's observations through the loop again and check every decision
    Replay(ReplayArgs),
    /// Print an example scenario, its JSON Schema, or check a file
    Scenario(ScenarioArgs),
    /// List the built-in policies and where they come from
    Policies {
        /// List what `homeostat tune` searches instead: each family's settings and their values
        #[arg(long)]
        spaces: bool,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Options of every comparison.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Comparison")]
pub(crate) struct RunArgs {
    /// A policy: the name of a built-in one, or a file (ours, or a manifest of the Kubernetes HPA in
    /// autoscaling/v2 or of KEDA); may be repeated [default: those of the scenario, else all built in]
    #[arg(long = "policy", value_name = "NAME|FILE")]
    pub(crate) policies: Vec<String>,
    /// Seed of all random numbers
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Number of seeds, counted up from --seed; with several, figures are means, and tables and JSON
    /// (`ci`) show their 95 % intervals
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub(crate) seeds: u64,
    /// How the twin works: request by request, or by rates, a thousand times faster and nearly as exact
    /// (docs/performance.md says how nearly)
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    pub(crate) fidelity: Fidelity,
    /// Write a journal of every decision to this folder, one file per policy (first seed)
    #[arg(long, value_name = "DIR")]
    pub(crate) journal: Option<PathBuf>,
    /// Skip the clairvoyant bound: it takes as long as some more policies
    #[arg(long)]
    pub(crate) no_bound: bool,
    /// Add CPU seconds to the JSON (they differ from run to run)
    #[arg(long)]
    pub(crate) timing: bool,
    /// Threads [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Don't draw a progress bar
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Do only part I of N of the runs, and write it to --out; `homeostat merge` joins the parts
    #[arg(long, value_name = "I/N", requires = "out")]
    pub(crate) shard: Option<Shard>,
    /// The file for the part that --shard does
    #[arg(long, value_name = "FILE", requires = "shard")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) result: ResultArgs,
    #[command(flatten)]
    pub(crate) what_if: WhatIf,
}

/// How the twin works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
pub(crate) enum Fidelity {
    /// Request by request
    #[default]
    Requests,
    /// By rates and backlogs, for long scans
    Fluid,
}

impl Fidelity {
    /// Its name on the command line, where it isn't what everybody expects.
    pub(crate) fn said(self) -> Option<&'static str> {
        (self == Self::Fluid).then_some("fluid")
    }
}

/// What to do with a result.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Result")]
pub(crate) struct ResultArgs {
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub(crate) json: bool,
    /// Write report.html, result.json and marks of decisions to this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) report: Option<PathBuf>,
    /// Fail with exit code 1 unless this policy (or `any`) meets the objective's attainment
    #[arg(long, value_name = "POLICY")]
    pub(crate) require: Option<String>,
    /// Say what changed since an earlier result (what --json printed), and fail with exit code 1 where a
    /// policy got worse
    #[arg(long, value_name = "OLD.json")]
    pub(crate) against: Option<PathBuf>,
    /// With --against, the rise of cost that is no failure, as a share [default: 0.005]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, value_parser = share, requires = "against")]
    pub(crate) tolerance: Option<f64>,
    /// The policy that savings are counted from [default: the cheapest HPA or fixed count that keeps the
    /// objective]
    #[arg(long, value_name = "POLICY")]
    pub(crate) baseline: Option<String>,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a share from 0 to 1, for example 0.005".to_owned())
}

fn factor(text: &str) -> Result<f64, String> {
    let factor = text.parse::<f64>().ok().filter(|f| f.is_finite() && *f > 0.0);
    factor.ok_or_else(|| "expected a positive number, for example 1.5".to_owned())
}

fn positive(text: &str) -> Result<Span, String> {
    let span = text.parse::<Span>().map_err(|error| error.to_string())?;
    if span.is_zero() { Err("expected more than nothing, for example 500ms".to_owned()) } else { Ok(span) }
}

/// Changes to a scenario.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "What if")]
pub(crate) struct WhatIf {
    /// Multiply the load by this factor
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true, value_parser = factor)]
    pub(crate) scale_load: Option<f64>,
    /// Mean time from order to readiness of a replica, for example 120s
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(crate) start_up: Option<Span>,
    /// Latency of the objective, for example 500ms
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = positive)]
    pub(crate) slo: Option<Span>,
    /// Largest number of replicas
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_replicas: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Which scenario
    #[arg(default_value = "daily")]
    pub(crate) name: String,
    /// List the embedded scenarios
    #[arg(long)]
    pub(crate) list: bool,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The scenario file; `homeostat scenario init` prints an example
    pub(crate) scenario: PathBuf,
    /// Use this trace instead of the scenario's traffic
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// All parts of one run, in any order
    #[arg(required = true, value_name = "PART")]
    pub(crate) parts: Vec<PathBuf>,
    /// Of parts of tune: write the manifest to this file; several to this folder
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Of parts of tune: draw cost against attainment to this file (SVG)
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) result: ResultArgs,
}

/// How a space is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SearchKind {
    /// Many settings over a short stretch, fewer over a longer one, the best over the whole part
    Halving,
    /// Every setting over the whole part
    Exhaustive,
}

/// What makes the runs of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scan {
    /// The fluid twin for the scan where it can, the finalists request by request
    Auto,
    /// Request by request
    Requests,
    /// The fluid twin; only the test part is run request by request
    Fluid,
}

#[derive(Debug, Args)]
pub(crate) struct TuneArgs {
    /// The scenario file; `homeostat scenario init` prints an example
    pub(crate) scenario: PathBuf,
    /// Use this trace instead of the scenario's traffic
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) search: SearchArgs,
    #[command(flatten)]
    pub(crate) what_if: WhatIf,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

#[derive(Debug, Args)]
pub(crate) struct HindsightArgs {
    /// The scenario file
    pub(crate) scenario: PathBuf,
    /// Length of a slot of the day, whole minutes that divide the day; several with commas, of which the
    /// cheapest counts
    #[arg(long, value_name = "TIME", value_delimiter = ',', default_value = "1m,2m,5m,10m,30m,1h")]
    pub(crate) slot: Vec<Span>,
    /// Attainment to reach, in per cent [default: the scenario's objective]
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub(crate) attainment: Option<f64>,
    /// How the twin works
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    pub(crate) fidelity: Fidelity,
    /// Seed of all random numbers
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Write the schedule to this file, a policy for `compare`
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub(crate) json: bool,
    /// Threads [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Don't draw a progress bar
    #[arg(long)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) what_if: WhatIf,
}

/// Options of a search.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Search")]
pub(crate) struct SearchArgs {
    /// A family of policies: hpa, kpa, keda, watermark, predictive, phpa, mark, mu, `aws_predictive`,
    /// rejuvenate, restart or static; may be repeated. `homeostat policies --spaces` lists their settings
    /// [default: hpa]
    #[arg(long = "policy", value_name = "FAMILY")]
    pub(crate) policies: Vec<String>,
    /// Attainment to reach, in per cent; several with commas are served by one search [default: the
    /// scenario's objective]
    #[arg(long, value_name = "PERCENT", value_delimiter = ',', value_parser = percent)]
    pub(crate) attainment: Vec<f64>,
    /// Different settings to try at most; the runs cost at most 0.4 times as many full lengths [default:
    /// a quarter of the space, at most 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) budget: Option<u32>,
    /// How to search
    #[arg(long = "search", value_name = "HOW", value_enum, default_value_t = SearchKind::Halving)]
    pub(crate) kind: SearchKind,
    /// What makes the runs of the search; the chosen setting is tested request by request in any case
    #[arg(long, value_enum, default_value_t = Scan::Auto, value_name = "KIND")]
    pub(crate) fidelity: Scan,
    /// Seed of all random numbers
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print one JSON object instead of tables
    #[arg(long)]
    pub(crate) json: bool,
    /// With --search exhaustive, do only part I of N of the runs, and write it to --out; `homeostat
    /// merge` joins the parts
    #[arg(long, value_name = "I/N", requires = "out")]
    pub(crate) shard: Option<Shard>,
    /// Write the manifest to this file; with several policies or attainments, one for each to this
    /// folder; with --shard, the part
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Draw cost against attainment to this file (SVG)
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Threads [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Don't draw a progress bar
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// An attainment in per cent, as a share.
fn percent(text: &str) -> Result<f64, String> {
    let percent = text.trim().trim_end_matches('%').parse::<f64>().ok();
    let within = percent.filter(|p| *p > 0.0 && *p < 100.0);
    // The share that is nearest to the decimal that was written.
    within.and_then(|p| format!("{:.9}", p / 100.0).parse().ok()).ok_or_else(|| {
        "expected an attainment in per cent, above 0 and below 100, for example 99.9".to_owned()
    })
}

/// How to read a trace file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Reading the trace")]
pub(crate) struct ReadArgs {
    /// Which columns mean what: time=…,count=…|rate=…,key=…,input=…,output=…,service=…
    #[arg(long, value_name = "ROLE=COLUMN,…")]
    pub(crate) map: Option<String>,
    /// Length of a bin, where the file has no times
    #[arg(long, value_name = "TIME")]
    pub(crate) step: Option<Span>,
    /// Zone of times without an offset: an IANA name or an offset [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
    /// What to do with a time that occurs twice: refuse, first, sum or mean
    #[arg(long, value_name = "WHAT")]
    pub(crate) on_duplicate: Option<String>,
    /// Runs of zeros at least this long are missing data
    #[arg(long, value_name = "TIME")]
    pub(crate) missing_zeros: Option<Span>,
    /// A daily window in which the record is wrong, for example 23:31:01-24:00; may be repeated
    #[arg(long, value_name = "WINDOW")]
    pub(crate) artefact: Vec<String>,
    /// Keep only rows with this key
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Rows may come in any order: sort them first
    #[arg(long)]
    pub(crate) sort: bool,
    /// Time of the first row, where the file has no dates, for example 2026-03-01T00:00
    #[arg(long, value_name = "TIME")]
    pub(crate) start: Option<String>,
    /// Format, where the guess is wrong: values, series, events, azure-llm, mooncake, servegen, prometheus
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<String>,
}

/// Recorded metrics and how to read them.
#[derive(Debug, Clone, Args)]
pub(crate) struct MetricArgs {
    /// CSV files with a time and any of `rate` (requests/s), `requests`, `ready`, `desired`, `mean_ms`,
    /// `p50_ms`, `p95_ms`, `p99_ms`, `cpu_percent`, `cpu_cores`, `attained`, `saturated`; or Prometheus
    /// ranges, one figure each, as FIGURE=FILE. Several are joined by time
    #[arg(required = true, value_name = "METRICS")]
    pub(crate) metrics: Vec<String>,
    /// Which columns mean what, for example `time=ts,rate=rps,p99_ms=latency`
    #[arg(long, value_name = "ROLE=COLUMN,…")]
    pub(crate) map: Option<String>,
    /// Zone of times without an offset: an IANA name or an offset [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
    /// Whether the time of a row is the start or the end of its stretch [default: end for Prometheus,
    /// else start]
    #[arg(long, value_name = "start|end")]
    pub(crate) stamps: Option<String>,
    /// CPU request of a replica in millicores, for `cpu_cores` and the scenario
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) cpu_milli: u32,
}

#[derive(Debug, Args)]
pub(crate) struct CalibrateArgs {
    #[command(flatten)]
    pub(crate) read: MetricArgs,
    /// Requests that a replica serves at a time [default: fitted]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4_096))]
    pub(crate) slots: Option<u32>,
    /// Server form: auto, fcfs (slots and a queue) or sharing (all at once) [default: auto]
    #[arg(long, value_name = "FORM")]
    pub(crate) server: Option<String>,
    /// Latency of the objective in the scenario that is written [default: 5 mean service times]
    #[arg(long, value_name = "TIME", value_parser = positive)]
    pub(crate) objective: Option<Span>,
    /// Starts of single replicas: CSV with `ordered` and `ready` times, or `duration_s`
    #[arg(long, value_name = "FILE")]
    pub(crate) starts: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Write a plot of measured and fitted latency (SVG)
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Write a scenario for `compare` instead of printing it
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Seed of the station runs
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// The scenario whose first service is held against the record
    pub(crate) scenario: PathBuf,
    #[command(flatten)]
    pub(crate) read: MetricArgs,
    /// Part of the record to replay, in percent of its time [default: 60:100]
    #[arg(long, value_name = "FROM:TO")]
    pub(crate) part: Option<String>,
    /// Error of the 99th percentile that is tolerated, as a share
    #[arg(long, default_value_t = 0.1, value_parser = factor)]
    pub(crate) limit: f64,
    /// Error of the attainment that is tolerated, as a share (0.005 is half a point)
    #[arg(long, default_value_t = 0.005, value_parser = factor)]
    pub(crate) attainment_limit: f64,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Write a plot of latency in the record and in the twin (SVG)
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Write the stamp for the scenario to this file instead of printing it
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Seed
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// How a forecast is shown.
#[derive(Debug, Args)]
pub(crate) struct ForecastShow {
    /// Print one JSON object instead of tables
    #[arg(long)]
    pub(crate) json: bool,
    /// Draw history and forecast to this file (SVG); with --backtest also past forecasts beside what came
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Add CPU seconds to the back-test (they differ from run to run)
    #[arg(long, requires = "backtest")]
    pub(crate) timing: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ForecastArgs {
    /// The series: any trace that is read elsewhere, or CSV with a time and a value; `data:NAME` is looked
    /// for in the folder of recorded data
    pub(crate) file: String,
    /// How far ahead; several with commas are all tested
    #[arg(long, value_name = "TIME", value_delimiter = ',', value_parser = positive, default_value = "15m")]
    pub(crate) horizon: Vec<Span>,
    /// Forecast from many moments of the last 60 % of the series too, and compare all models with what came
    #[arg(long)]
    pub(crate) backtest: bool,
    /// Length of the steps that are forecast; a series with longer bins keeps its own
    #[arg(long, value_name = "TIME", value_parser = positive, default_value = "60s")]
    pub(crate) resample: Span,
    /// Known events: CSV or YAML with from, until and kind
    #[arg(long, value_name = "FILE")]
    pub(crate) calendar: Option<PathBuf>,
    /// Days and weeks follow the local time of this zone, for example Europe/Madrid [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<String>,
    /// The column to forecast, read as a rate or level; `--map count=NAME` for counts
    #[arg(long, value_name = "NAME", conflicts_with = "map")]
    pub(crate) column: Option<String>,
    /// A column that says when the service was saturated: its throughput was then less than the demand
    #[arg(long, value_name = "NAME")]
    pub(crate) saturated: Option<String>,
    #[command(flatten)]
    pub(crate) show: ForecastShow,
    /// Seed of the sample paths
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Threads [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Don't draw a progress bar
    #[arg(long)]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AgingArgs {
    /// CSV with `time`, `replica`, signals with their unit in the name (`memory_mib`, `fds`, `latency_ms`)
    /// and `requests`; or a journal of a policy that reads memory per replica
    pub(crate) file: PathBuf,
    /// Limit of a signal, in its unit or in percent of the column `memory_limit_mib`; may be repeated
    #[arg(long, value_name = "SIGNAL=LIMIT")]
    pub(crate) limit: Vec<String>,
    /// Which columns mean what: `time`, `replica`, `requests` (a rate) or `requests_total` (a counter), and
    /// signals by their names, for example `time=ts,memory_bytes=used`
    #[arg(long, value_name = "ROLE=COLUMN,…")]
    pub(crate) map: Option<String>,
    /// Zone of times without an offset: an IANA name or an offset [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Draw values, trends and the fans to the limits to this file (SVG)
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    #[command(subcommand)]
    pub(crate) command: TraceCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TraceCommand {
    /// Span, rate, burstiness, periods, gaps and suspicious stretches, with a plot
    Inspect {
        /// The trace
        file: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        read: ReadArgs,
    },
    /// Write a trace in another form; `.gz` at the end of OUT compresses
    Convert {
        /// The trace
        file: PathBuf,
        /// The file to write
        out: PathBuf,
        /// What to write: count, rate, values or events
        #[arg(long, default_value = "count")]
        to: String,
        /// Length of a bin of the result, for example 5m
        #[arg(long, value_name = "TIME")]
        bin: Option<Span>,
        #[command(flatten)]
        read: ReadArgs,
    },
    /// Make a trace from the generator of a scenario
    Generate {
        /// The file to write (CSV with time and rate)
        out: PathBuf,
        /// An embedded scenario, or a scenario file whose traffic is generated
        #[arg(long, default_value = "daily")]
        scenario: String,
        /// Seed
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The journal
    pub(crate) journal: PathBuf,
    /// When: a time (2026-03-01T14:03), or a length of time since the start (3h2m)
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// Only decisions that changed the count; without --at, list them all
    #[arg(long)]
    pub(crate) changes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The journal
    pub(crate) journal: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ScenarioArgs {
    #[command(subcommand)]
    pub(crate) command: ScenarioCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ScenarioCommand {
    /// Print a commented example
    Init,
    /// Print the JSON Schema of scenario files
    Schema,
    /// Check a file without running it
    Check {
        /// The scenario file
        file: PathBuf,
    },
}
