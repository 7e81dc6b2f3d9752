//! The service curve: what share of requests misses the objective in a steady state, by replicas and load.
//!
//! Measured once per scenario with the twin's own stations and balancer, so that it *is* the twin's
//! behaviour. A request whose work alone is longer than the objective misses whatever is done: that share
//! is known in closed form, and only the rest is counted. Its logarithm is interpolated in utilisation and
//! in the logarithm of the count, after the grid has been made monotone: what is left of sampling noise
//! can't make more replicas look worse.
//!
//! Beyond saturation there is no steady state: callers model the backlog, and the curve only rises on to
//! one, so that it can be searched and differentiated.

mod probe;

use homeostat_core::draw::Key;
use homeostat_core::num;

use crate::scenario::{Balancer, Scenario};
use probe::Sample;

pub use probe::Measured;

/// Utilisations of the grid.
pub(crate) const USES: [f64; 16] =
    [0.3, 0.5, 0.65, 0.75, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995];
/// Replica counts of the grid.
const COUNTS: [u32; 13] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128];
/// Where every request misses: what lies between the grid and this is filled by a straight line.
const HOPELESS: f64 = 1.05;
/// Replica counts that get a line of their own; beyond it lines hardly differ.
const LINES: u32 = 512;
/// Smallest share that the logarithm sees.
const TINY: f64 = 1e-9;

/// Values over utilisation for one count: at zero load, at [`USES`], and at [`HOPELESS`].
type Line = [f64; USES.len() + 2];

/// What is known of a steady state at one count and utilisation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Steady {
    /// Share late or failed.
    pub(crate) late: f64,
    /// Mean time inside a replica, failed requests included, as a multiple of the mean work.
    pub(crate) stay: f64,
    /// Point of the grid whose times stand for these.
    pub(crate) point: usize,
}

/// Shares of requests that miss the objective in a steady state.
#[derive(Debug, Clone)]
pub struct ServiceCurve {
    inevitable: f64,
    counts: Vec<u32>,
    /// ln of the evitable share by whole count.
    late: Vec<Line>,
    /// Mean time inside over mean work.
    stay: Vec<Line>,
    /// The grid, counts outside and utilisations inside.
    grid: Vec<Measured>,
    failed: Vec<f64>,
}

/// The points of a curve, each of which can be measured by itself.
#[derive(Debug, Clone)]
pub struct Survey {
    sample: Sample,
    counts: Vec<u32>,
}

impl Survey {
    /// The points for the first service of `scenario` with up to `most` replicas.
    pub fn new(scenario: &Scenario, most: u32, seed: u64) -> Self {
        let service = &scenario.services[0];
        // The emptiest of all costs a look at all, and hardly changes beyond this.
        let top = if service.balancer == Balancer::PowerOfTwo { 128 } else { 32 };
        let most = most.clamp(1, top);
        let last = COUNTS.iter().position(|n| *n >= most).unwrap_or(COUNTS.len() - 1);
        let sample = Sample::new(scenario, Key::root(seed).child("curve"));
        Self { sample, counts: COUNTS[..=last].to_vec() }
    }

    /// Number of points.
    #[allow(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.counts.len() * USES.len()
    }

    /// Measures one point.
    pub fn measure(&self, point: usize) -> Measured {
        self.sample.measure(self.counts[point / USES.len()], USES[point % USES.len()])
    }
}

impl ServiceCurve {
    /// Measures the first service of `scenario` with up to `most` replicas, in two or three seconds. It is
    /// meant for first-come-first-served slots; other servers are taken for slots.
    pub fn measure(scenario: &Scenario, most: u32, seed: u64) -> Self {
        let survey = Survey::new(scenario, most, seed);
        let grid = (0..survey.len()).map(|point| survey.measure(point)).collect();
        Self::of(&survey, grid)
    }

    /// The curve through the points of a survey, in their order.
    pub fn of(survey: &Survey, grid: Vec<Measured>) -> Self {
        let mut new = Self {
            inevitable: survey.sample.inevitable,
            counts: survey.counts.clone(),
            late: Vec::new(),
            stay: Vec::new(),
            failed: grid.iter().map(|m| m.failed as f64 / m.requests.max(1) as f64).collect(),
            grid,
        };
        let late = new.lines(|m| m.evitable as f64 / m.requests.max(1) as f64, f64::min);
        let late: Vec<Line> = late.iter().map(|line| new.logarithms(line)).collect();
        let stay = new.lines(|m| m.stay, f64::min);
        new.late = new.between(&late);
        new.stay = new.between(&stay);
        new
    }

    /// The grid's values, never falling with use and never rising with the count.
    fn lines(&self, value: impl Fn(&Measured) -> f64, least: fn(f64, f64) -> f64) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for row in self.grid.chunks(USES.len()) {
            let mut line = [0.0; USES.len() + 2];
            let mut top = 0.0_f64;
            for (i, measured) in row.iter().enumerate() {
                top = top.max(value(measured));
                line[i + 1] = top;
            }
            line[0] = value(&Measured::idle());
            line[USES.len() + 1] = top;
            if let Some(above) = lines.last() {
                for (mine, theirs) in line.iter_mut().zip(above) {
                    *mine = least(*mine, *theirs);
                }
            }
            lines.push(line);
        }
        lines
    }

    fn logarithms(&self, line: &Line) -> Line {
        let mut line =
            line.map(|share| num::ln((share / (1.0 - self.inevitable).max(TINY)).clamp(TINY, 1.0)));
        line[USES.len() + 1] = 0.0;
        line
    }

    /// A line for every whole count, between those of the grid.
    fn between(&self, lines: &[Line]) -> Vec<Line> {
        let most = *self.counts.last().unwrap_or(&1);
        let line = |n: u32| {
            let above = self.counts.partition_point(|count| *count < n).min(self.counts.len() - 1);
            let below = if self.counts[above] == n { above } else { above.saturating_sub(1) };
            let (low, high) = (f64::from(self.counts[below]), f64::from(self.counts[above]));
            let share = if below == above { 0.0 } else { num::ln(f64::from(n) / low) / num::ln(high / low) };
            std::array::from_fn(|i| lines[below][i] + (lines[above][i] - lines[below][i]) * share)
        };
        (1..=most.min(LINES)).map(line).collect()
    }

    /// Share of requests later than the objective, or failed, when `replicas` ready ones are offered
    /// `load` replicas' worth of work: arrival rate × mean work / slots. Never rises with `replicas`,
    /// never falls with `load`.
    pub fn late_share(&self, replicas: f64, load: f64) -> f64 {
        if load <= 0.0 {
            return self.inevitable;
        }
        if replicas <= 0.0 {
            return 1.0;
        }
        let used = load / replicas;
        let (low, high) = (replicas.max(1.0).floor(), replicas.max(1.0).ceil());
        let at = |n: f64| interpolate(line_of(&self.late, n as u32), used);
        let (a, b) = (at(low), at(high));
        let ln = a + (b - a) * (replicas.max(1.0) - low);
        self.inevitable + (1.0 - self.inevitable) * floored(ln)
    }

    /// Share of requests whose work alone is longer than the objective.
    pub const fn inevitable(&self) -> f64 {
        self.inevitable
    }

    /// What is known of `replicas` used at `used` of their capacity.
    pub(crate) fn steady(&self, replicas: u32, used: f64) -> Steady {
        let late = floored(interpolate(line_of(&self.late, replicas), used));
        Steady {
            late: self.inevitable + (1.0 - self.inevitable) * late,
            stay: interpolate(line_of(&self.stay, replicas), used),
            point: self.point(replicas, used),
        }
    }

    /// The share that fails at a point of the grid.
    pub(crate) fn failed(&self, point: usize) -> f64 {
        self.failed[point]
    }

    /// The points of the grid with their times.
    pub(crate) fn grid(&self) -> &[Measured] {
        &self.grid
    }

    /// The nearest point of the grid, of the next count in it.
    fn point(&self, replicas: u32, used: f64) -> usize {
        let count = self.counts.partition_point(|count| *count < replicas).min(self.counts.len() - 1);
        let above = USES.partition_point(|u| *u < used).min(USES.len() - 1);
        let nearer_below = above > 0 && used - USES[above - 1] < USES[above] - used;
        count * USES.len() + above - usize::from(nearer_below)
    }
}

/// The line of this count, or of the largest one.
fn line_of(lines: &[Line], replicas: u32) -> &Line {
    &lines[(replicas.max(1) as usize).min(lines.len()) - 1]
}

/// Below the resolution of the grid there is nothing.
fn floored(ln: f64) -> f64 {
    (num::exp_fast(ln) - TINY).max(0.0)
}

/// Between the points of a line.
fn interpolate(line: &Line, used: f64) -> f64 {
    let next = USES.partition_point(|u| *u < used);
    let low = if next == 0 { 0.0 } else { USES[next - 1] };
    let high = if next == USES.len() { HOPELESS } else { USES[next] };
    let share = ((used - low) / (high - low)).min(1.0);
    line[next] + (line[next + 1] - line[next]) * share
}
