//! One bar for all runs.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};

use homeostat_core::{Instant, Span};
use indicatif::{ProgressBar, ProgressStyle};

use crate::input::traffic::Survey;

/// Steps of the bar per run.
const STEPS: u64 = 1_000;

/// The bar.
pub(crate) struct Progress {
    bar: ProgressBar,
    reached: Vec<AtomicU64>,
    start: Instant,
    span_ns: f64,
    title: String,
}

/// The part of the bar that belongs to one run.
pub(crate) struct Meter<'a> {
    progress: &'a Progress,
    index: usize,
}

/// A sign of life with the time gone by, for work whose end is not known beforehand.
pub(crate) fn waiting(what: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_message(what);
    let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(std::time::Duration::from_millis(120));
    bar
}

impl Progress {
    pub(crate) fn new(runs: usize, load: &Survey, quiet: bool) -> Self {
        Self::over(runs, load.start, load.span, quiet)
    }

    /// A bar for runs over this stretch of time.
    pub(crate) fn over(runs: usize, start: Instant, span: Span, quiet: bool) -> Self {
        let hidden = quiet || !std::io::stderr().is_terminal();
        let bar = if hidden { ProgressBar::hidden() } else { ProgressBar::new(runs as u64 * STEPS) };
        let style = ProgressStyle::with_template("{msg} {wide_bar} {percent} % {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(format!("0 of {runs} runs"));
        let reached = (0..runs).map(|_| AtomicU64::new(0)).collect();
        Self { bar, reached, start, span_ns: span.0 as f64, title: String::new() }
    }

    /// With these words before the count of runs.
    #[must_use]
    pub(crate) fn titled(self, title: &str) -> Self {
        self.bar.set_message(format!("{title}: 0 of {} runs", self.reached.len()));
        Self { title: format!("{title}: "), ..self }
    }

    pub(crate) const fn of(&self, index: usize) -> Meter<'_> {
        Meter { progress: self, index }
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn set(&self, index: usize, steps: u64) {
        let before = self.reached[index].swap(steps, Ordering::Relaxed);
        if steps > before {
            self.bar.inc(steps - before);
        }
        if steps == STEPS {
            let done = self.reached.iter().filter(|r| r.load(Ordering::Relaxed) == STEPS).count();
            self.bar.set_message(format!("{}{done} of {} runs", self.title, self.reached.len()));
        }
    }
}

impl Meter<'_> {
    /// The run has come to `now`.
    pub(crate) fn at(&self, now: Instant) {
        let share = now.since(self.progress.start).0 as f64 / self.progress.span_ns;
        self.progress.set(self.index, ((share * STEPS as f64) as u64).min(STEPS - 1));
    }

    /// The run is done.
    pub(crate) fn done(&self) {
        self.progress.set(self.index, STEPS);
    }
}
