//! Detectors beside ours. Each sees the same readings, minute by minute, and says whether there is an alarm.

use homeostat_forecast::aging::synth::Minute;
use homeostat_forecast::aging::{Detector, Settings};
use homeostat_forecast::trend::{mann_kendall, theil_sen};

/// Something that watches one history.
pub(super) trait Watch {
    /// Takes a minute; whether there is an alarm now.
    fn minute(&mut self, minute: &Minute) -> bool;
    /// Hours to the limit, as it sees them.
    fn to_limit(&self) -> Option<f64>;
    /// Hours to the limit with probabilities of 5, 25 and 95 %, where it tells them.
    fn quantiles(&self) -> Option<[f64; 3]> {
        None
    }
    /// What it thinks, for a look at single runs.
    fn said(&self) -> String {
        String::new()
    }
}

/// Names in the order of the tables.
pub(super) const NAMES: [&str; 8] = [
    "ours",
    "ours without load",
    "ours without persistence",
    "Mann-Kendall + Sen, 24 h",
    "Mann-Kendall + Sen, all",
    "CUSUM",
    "threshold 80 %",
    "Theil-Sen, blocks of 1 h",
];

pub(super) fn named(name: &str, limit: f64) -> Box<dyn Watch> {
    let ours = |settings| Box::new(Ours(Detector::new(settings, Some(limit))));
    match name {
        "ours without load" => ours(Settings { load: false, ..Settings::default() }),
        "ours without persistence" => ours(Settings { persistence: 1, ..Settings::default() }),
        "Mann-Kendall + Sen, 24 h" => Box::new(Kendall::new(limit, 24 * 12)),
        "Mann-Kendall + Sen, all" => Box::new(Kendall::new(limit, usize::MAX)),
        "CUSUM" => Box::new(Cusum::default()),
        "threshold 80 %" => Box::new(Threshold { limit }),
        "Theil-Sen, blocks of 1 h" => Box::new(Sen { limit, ..Sen::default() }),
        _ => ours(Settings::default()),
    }
}

struct Ours(Detector);

impl Watch for Ours {
    fn minute(&mut self, minute: &Minute) -> bool {
        self.0.update(minute.at, Some(minute.value), Some(minute.load));
        self.0.verdict().leak
    }

    fn to_limit(&self) -> Option<f64> {
        self.0.verdict().to_limit.map(|eta| eta.hours)
    }

    fn quantiles(&self) -> Option<[f64; 3]> {
        self.0.verdict().to_limit.map(|eta| [eta.low, eta.hours, eta.high])
    }

    fn said(&self) -> String {
        let verdict = self.0.verdict();
        let trend = self.0.trend();
        let terms = trend.as_ref().map(homeostat_forecast::aging::Trend::terms).unwrap_or_default();
        let eta = verdict.to_limit.map_or([0.0; 3], |eta| [eta.low, eta.hours, eta.high]);
        format!(
            "age {:.1} slope {:.1} [{:.1}, {:.1}] eta {:.1} [{:.1}, {:.1}] {terms:.1?} {:?}",
            self.0.age_hours(),
            verdict.slope_per_hour,
            verdict.slope_low,
            verdict.slope_high,
            eta[1],
            eta[0],
            eta[2],
            verdict.why,
        )
    }
}

/// Mann-Kendall at 5 % with Sen's slope on 5-minute samples of a window, tested once an hour.
struct Kendall {
    limit: f64,
    window: usize,
    samples: Vec<f64>,
    minutes: u64,
    alarm: bool,
    eta: Option<f64>,
}

impl Kendall {
    fn new(limit: f64, window: usize) -> Self {
        Self { limit, window, samples: Vec::new(), minutes: 0, alarm: false, eta: None }
    }
}

/// Samples that the test sees at most: a longer history is thinned out.
const MOST: usize = 288;

impl Watch for Kendall {
    fn minute(&mut self, minute: &Minute) -> bool {
        if self.minutes.is_multiple_of(5) {
            self.samples.push(minute.value);
        }
        self.minutes += 1;
        if self.minutes.is_multiple_of(60) && self.samples.len() >= 48 {
            let from = self.samples.len().saturating_sub(self.window);
            let every = (self.samples.len() - from).div_ceil(MOST);
            let seen: Vec<f64> = self.samples[from..].iter().step_by(every).copied().collect();
            if let Some(found) = mann_kendall(&seen) {
                self.alarm = found.z > 1.96;
                let per_hour = found.slope * 12.0 / every as f64;
                self.eta = (per_hour > 0.0).then(|| (self.limit - minute.value).max(0.0) / per_hour);
            }
        }
        self.alarm
    }

    fn to_limit(&self) -> Option<f64> {
        self.eta
    }
}

/// Page's cumulative sum on hourly means, mean and deviation learned over the first 12 h: slack half a
/// deviation, decision at five.
#[derive(Default)]
struct Cusum {
    hour: Vec<f64>,
    learned: Vec<f64>,
    sum: f64,
}

impl Watch for Cusum {
    fn minute(&mut self, minute: &Minute) -> bool {
        self.hour.push(minute.value);
        if self.hour.len() == 60 {
            let mean = self.hour.drain(..).sum::<f64>() / 60.0;
            if self.learned.len() < 12 {
                self.learned.push(mean);
            } else {
                let n = self.learned.len() as f64;
                let middle = self.learned.iter().sum::<f64>() / n;
                let square: f64 = self.learned.iter().map(|x| (x - middle) * (x - middle)).sum();
                let deviation = (square / (n - 1.0)).sqrt().max(1e-9);
                self.sum = (self.sum + (mean - middle) / deviation - 0.5).max(0.0);
            }
        }
        self.sum > 5.0
    }

    fn to_limit(&self) -> Option<f64> {
        None
    }
}

struct Threshold {
    limit: f64,
}

impl Watch for Threshold {
    fn minute(&mut self, minute: &Minute) -> bool {
        minute.value > 0.8 * self.limit
    }

    fn to_limit(&self) -> Option<f64> {
        None
    }
}

/// Sen's slope over all hourly means, load left in; an alarm where the limit is less than 48 h off.
#[derive(Default)]
struct Sen {
    limit: f64,
    hour: Vec<f64>,
    means: Vec<f64>,
    eta: Option<f64>,
}

impl Watch for Sen {
    fn minute(&mut self, minute: &Minute) -> bool {
        self.hour.push(minute.value);
        if self.hour.len() == 60 {
            self.means.push(self.hour.drain(..).sum::<f64>() / 60.0);
            let hours: Vec<f64> = (0..self.means.len()).map(|i| i as f64).collect();
            let slope = theil_sen(&hours, &self.means, &mut Vec::new()).filter(|slope| *slope > 0.0);
            let left = (self.limit - self.means[self.means.len() - 1]).max(0.0);
            self.eta = slope.filter(|_| self.means.len() >= 4).map(|slope| left / slope);
        }
        self.eta.is_some_and(|eta| eta < 48.0)
    }

    fn to_limit(&self) -> Option<f64> {
        self.eta
    }
}
