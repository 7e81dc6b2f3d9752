//! One signal of one replica.

use homeostat_core::{Instant, num};

use super::blocks::{Block, Blocks};
use super::trend::{Growth, Trend};
use super::{Eta, Settings, Verdict, Why};
use crate::trend::shape::{LINGER_H, LOADS, Shape};

/// Blocks that a trend needs.
const LEAST: usize = 8;
/// Time constant against which load's jitter is measured.
const CALM_S: f64 = 3_600.0;
/// Time constant over which it is.
const DAY_S: f64 = 86_400.0;
/// Without a limit, a rise by this share of the level is an alarm.
const GROWTH: f64 = 0.1;
/// With a limit, a steady trend must have gone this share of its way to the limit.
const WAY: f64 = 0.33;
/// And one that accelerates, which caches that fill and collectors never do, this share.
const WAY_ACCELERATING: f64 = 0.12;
/// Logarithm of the odds, for or against a leak, that one block can bring at most (50 to 1).
const SURE: f64 = 3.912;
/// And that a block brings which agrees: a leak with a probability of 80 %.
const AGREES: f64 = 1.386;
/// What was given back by itself once must be outgrown this many times.
const AGAIN: f64 = 2.0;
/// A signal that came this near to its limit (as a share of it) before it fell was killed there, or rescued;
/// below that it fell by itself.
const BY_ITSELF: f64 = 0.9;

/// Watches one signal of one replica.
#[derive(Debug, Clone)]
pub struct Detector {
    settings: Settings,
    limit: Option<f64>,
    blocks: Option<Blocks>,
    last: Instant,
    load: Option<[f64; LOADS]>,
    jitter: Jitter,
    fall: Fall,
    /// Most growth that it gave back by itself.
    released: f64,
    /// Logarithm of the odds of a leak, summed over blocks.
    evidence: f64,
    /// Blocks since `judged`.
    unseen: i32,
    /// As of `judged`.
    verdict: Verdict,
    judged: Instant,
}

/// How load jitters around its slow course.
#[derive(Debug, Clone, Copy, Default)]
struct Jitter {
    /// Smoothed once, and twice.
    calm: f64,
    calmer: f64,
    variance: f64,
    /// Seconds seen.
    seen: f64,
}

impl Jitter {
    fn take(&mut self, load: f64, passed: f64) {
        let share = 1.0 - num::exp(-passed / CALM_S);
        self.calm += (load - self.calm) * share;
        self.calmer += (self.calm - self.calmer) * share;
        self.seen = (self.seen + passed).min(DAY_S);
        // Brown's course: what rises steadily isn't jitter.
        let off = load - (2.0 * self.calm - self.calmer);
        self.variance += (off * off - self.variance) * (passed / self.seen.max(1.0)).min(1.0);
    }
}

/// Watches for a fall to where it started: a restart that nobody announced.
#[derive(Debug, Clone, Copy, Default)]
struct Fall {
    before: Option<f64>,
    lowest: f64,
    /// Mean size of changes between successive shortest blocks.
    change: f64,
    seen: u32,
    /// Readings were missing.
    gap: bool,
}

impl Fall {
    /// Whether the mean of the next shortest block is a fall.
    fn falls(&mut self, value: f64) -> bool {
        let Some(before) = self.before else {
            *self = Self { before: Some(value), lowest: value, gap: false, ..*self };
            return false;
        };
        let drop = before - value;
        let risen = before - self.lowest;
        let (share, noise) = if self.gap { (0.3, 4.0) } else { (0.6, 8.0) };
        let falls = self.seen >= 4 && drop > share * risen && drop > noise * self.change && risen > 0.0;
        if !falls {
            self.seen += 1;
            self.change += (drop.abs() - self.change) / f64::from(self.seen.min(50));
            self.lowest = self.lowest.min(value);
            self.before = Some(value);
            self.gap = false;
        }
        falls
    }
}

impl Detector {
    /// A detector that knows nothing yet; `limit` in the signal's unit.
    pub fn new(settings: Settings, limit: Option<f64>) -> Self {
        Self {
            settings,
            limit: limit.filter(|limit| limit.is_finite()),
            blocks: None,
            last: Instant::ZERO,
            load: None,
            jitter: Jitter::default(),
            fall: Fall::default(),
            released: 0.0,
            evidence: 0.0,
            unseen: 0,
            verdict: Verdict::nothing(Why::NoData),
            judged: Instant::ZERO,
        }
    }

    /// Takes one reading: the value in the signal's unit and the load of the replica (requests/s or in
    /// flight), each `None` (or not finite) where it is missing. A load that is missing stays as it was.
    /// Readings come in order of time; one that is older than the last is ignored.
    pub fn update(&mut self, at: Instant, value: Option<f64>, load: Option<f64>) {
        if at < self.last {
            return;
        }
        self.take_load(at, load.filter(|load| load.is_finite()));
        let Some(value) = value.filter(|value| value.is_finite()) else { return };
        self.fall.gap |= self.blocks.is_some() && at.since(self.last) > self.settings.block * 3;
        self.last = at;
        let settings = self.settings;
        let blocks = self.blocks.get_or_insert_with(|| Blocks::new(at, value));
        if let Some(closed) = blocks.turn(at, settings.block) {
            let mean = blocks.origin + f64::from(closed.value);
            if self.fall.falls(mean) {
                self.fell(at, mean);
            } else if blocks.push(closed) {
                self.unseen += 1;
                if self.unseen >= blocks.worth_a_look() {
                    self.judge();
                    self.unseen = 0;
                }
            }
        }
        let blocks = self.blocks.get_or_insert_with(|| Blocks::new(at, value));
        let hours = at.since(blocks.since).as_hours_f64();
        blocks.open.add([hours, value - blocks.origin], self.load.unwrap_or_default());
    }

    fn take_load(&mut self, at: Instant, load: Option<f64>) {
        let Some(load) = load else { return };
        let passed = at.since(self.last).as_secs_f64();
        if let Some(lingering) = &mut self.load {
            for (lingering, hours) in lingering.iter_mut().zip(LINGER_H) {
                let share = if hours > 0.0 { 1.0 - num::exp(-passed / (3_600.0 * hours)) } else { 1.0 };
                *lingering += (load - *lingering) * share;
            }
            self.jitter.take(load, passed);
        } else {
            self.load = Some([load; LOADS]);
            self.jitter = Jitter { calm: load, calmer: load, ..self.jitter };
        }
    }

    /// It fell: the clock starts again, and the level is remembered if no limit forced it down.
    fn fell(&mut self, at: Instant, level: f64) {
        let top = self.fall.before.unwrap_or(level);
        if self.limit.is_none_or(|limit| top < BY_ITSELF * limit) && !self.fall.gap {
            self.released = self.released.max(top - level);
        }
        let change = self.fall.change;
        self.reset(Some(Blocks::new(at, level)), Why::TooFew);
        self.fall = Fall { before: Some(level), lowest: level, change, seen: 4, gap: false };
    }

    fn reset(&mut self, blocks: Option<Blocks>, why: Why) {
        self.blocks = blocks;
        self.fall = Fall::default();
        self.evidence = 0.0;
        self.unseen = 0;
        self.verdict = Verdict::nothing(why);
    }

    /// The replica was restarted or got a new version: the clock starts again.
    pub fn restarted(&mut self, at: Instant) {
        self.reset(None, Why::NoData);
        self.released = 0.0;
        self.last = self.last.max(at);
    }

    /// What is thought of it as of the last reading.
    pub fn verdict(&self) -> Verdict {
        let passed = self.last.since(self.judged).as_hours_f64();
        let less = |hours: f64| (hours - passed).max(0.0);
        let to_limit = self.verdict.to_limit.map(|eta| Eta {
            hours: less(eta.hours),
            low: less(eta.low),
            high: less(eta.high),
        });
        Verdict { to_limit, ..self.verdict }
    }

    /// Hours since the clock was last reset, as of the last reading.
    pub fn age_hours(&self) -> f64 {
        self.blocks.as_ref().map_or(0.0, |blocks| self.last.since(blocks.since).as_hours_f64())
    }

    /// The trend behind the verdict, for plots.
    pub fn trend(&self) -> Option<Trend> {
        let blocks = self.blocks.as_ref()?;
        Trend::fit(blocks, self.settings.load && self.load.is_some())
    }

    fn judge(&mut self) {
        let Some(blocks) = &self.blocks else { return };
        let whole: &[Block] = blocks.whole();
        let Some(newest) = whole.last() else { return };
        self.judged = blocks.middle(newest);
        let level = blocks.origin + f64::from(newest.value);
        let (mut verdict, odds) = if whole.len() < LEAST {
            (Verdict::nothing(Why::TooFew), 0.0)
        } else if whole.iter().all(|block| block.value == newest.value) {
            (Verdict::nothing(Why::Constant), 0.0)
        } else {
            match Trend::fit(blocks, self.settings.load && self.load.is_some()) {
                Some(trend) => self.read(&trend, level),
                None => (Verdict::nothing(Why::ByLoad), 0.0),
            }
        };
        let enough = AGREES * f64::from(self.settings.persistence.max(1));
        self.evidence = (self.evidence + odds * f64::from(self.unseen)).clamp(0.0, enough);
        verdict.leak = self.evidence >= enough || (self.verdict.leak && self.evidence > 0.0);
        if verdict.leak {
            verdict.why = Why::Leak;
        } else if verdict.why == Why::Leak {
            verdict.why = Why::NotYet;
        }
        if self.limit.is_some_and(|limit| level >= limit) {
            verdict.why = Why::OverLimit;
            verdict.to_limit = Some(Eta { hours: 0.0, low: 0.0, high: 0.0 });
        }
        self.verdict = verdict;
    }

    /// Slope, interval and time to the limit, and the logarithm of the odds that it leaks.
    fn read(&self, trend: &Trend, level: f64) -> (Verdict, f64) {
        let [slope_low, slope, slope_high] = trend.blend.quantiles(Shape::slope);
        let slows = || trend.blend.share(Shape::slows) > 0.5;
        let why = match () {
            () if slope_low > 0.0 => Why::Leak,
            () if slope_high < 0.0 => Why::Falling,
            () if slows() => Why::Slowing,
            () => Why::NoTrend,
        };
        let mut verdict =
            Verdict { leak: false, slope_per_hour: slope, slope_low, slope_high, to_limit: None, why };
        if why != Why::Leak {
            return (verdict, -AGREES);
        }
        let growths = trend.growths();
        let weights = || trend.blend.shapes.iter().map(|(weight, _)| weight).zip(&growths);
        let share = |of: &dyn Fn(&Growth) -> bool| -> f64 {
            weights().filter(|(_, growth)| of(growth)).map(|(weight, _)| weight).sum()
        };
        let far = self.settings.horizon.as_hours_f64();
        let leaks = if let Some(limit) = self.limit {
            let near: Vec<f64> =
                growths.iter().map(|growth| far.min(self.settings.reach * growth.hours)).collect();
            let found = trend.reaches(limit, self.jitter.variance.sqrt(), &near);
            let [low, hours, high] = found.times;
            verdict.to_limit = Some(Eta { hours, low, high });
            let soon = weights().zip(&found.soon);
            soon.filter(|((_, growth), _)| self.matters(growth, level)).map(|((w, _), soon)| w * soon).sum()
        } else {
            share(&|growth| self.matters(growth, level))
        };
        if leaks < 0.5 {
            verdict.why = match self.limit {
                _ if share(&|growth| self.released(growth)) > 0.5 => Why::Released,
                Some(_) => Why::Far,
                None => Why::Small,
            };
        }
        let odds = num::ln(leaks.max(f64::MIN_POSITIVE) / (1.0 - leaks).max(f64::MIN_POSITIVE));
        (verdict, odds.clamp(-SURE, SURE))
    }

    /// Whether it gave back as much before.
    fn released(&self, growth: &Growth) -> bool {
        let released = self.released.max(growth.fell);
        released > 0.0 && growth.by <= AGAIN * released
    }

    /// Whether a growth that is certain matters.
    fn matters(&self, growth: &Growth, level: f64) -> bool {
        let way = if growth.convex { WAY_ACCELERATING } else { WAY };
        let moved = match self.limit {
            Some(limit) => growth.by >= way * (limit - level + growth.by),
            None => growth.by >= GROWTH * (level - growth.by).abs(),
        };
        moved && !self.released(growth)
    }
}

#[cfg(test)]
mod tests {
    use homeostat_core::Span;

    use super::*;

    #[test]
    fn a_plain_leak_is_found_with_its_slope_and_a_restart_forgets_it() {
        let mut detector = Detector::new(Settings::default(), Some(1_000.0));
        let at = |minute: u64| Instant::ZERO + Span::MINUTE * minute;
        for minute in 0..600 {
            detector.update(at(minute), Some(500.0 + minute as f64 / 2.0), None);
        }
        let verdict = detector.verdict();
        assert!(verdict.leak, "{verdict:?}");
        assert!((verdict.slope_per_hour - 30.0).abs() < 0.5, "{verdict:?}");
        let eta = verdict.to_limit.expect("a limit and a rise");
        assert!((eta.hours - (500.0 - 299.5) / 30.0).abs() < 0.1, "{eta:?}");
        detector.restarted(at(600));
        assert_eq!(detector.verdict(), Verdict::nothing(Why::NoData));
    }
}
