//! Made-up histories of one replica's memory, with the truth beside them: leaks of four kinds, and things
//! that look like leaks and are none. Every draw belongs to (seed, stream, minute).

use std::f64::consts::TAU;

use homeostat_core::draw::{Draws, Key};
use homeostat_core::{Instant, Span, num};

/// How memory leaks. Each reaches the limit, but for load, after the hours given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Leak {
    /// Not at all.
    None,
    /// The same every hour.
    Linear,
    /// The rate grows in proportion to time.
    Accelerating,
    /// In jumps, so many until the limit and on at the same rate, at even times give or take a third.
    Stepped(u32),
    /// The same with every request.
    PerRequest,
}

/// What looks like a leak and is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Lookalike {
    /// Nothing of the kind.
    None,
    /// Caches fill to a plateau of so many MiB with this time constant in hours.
    WarmUp(f64, f64),
    /// A collector's saw-teeth: so many MiB high, one in so many hours.
    SawTeeth(f64, f64),
    /// Load grows by this share over the run.
    Ramp(f64),
    /// Deploys that nobody announces: each hour of the list the level changes by so many MiB.
    Deploys([(f64, f64); 3]),
}

/// How to make a history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recipe {
    /// Seed of all draws.
    pub seed: u64,
    /// Length in hours.
    pub hours: f64,
    /// Level without load and leak, MiB.
    pub base_mib: f64,
    /// Limit, MiB.
    pub limit_mib: f64,
    /// Standard deviation of the noise, MiB.
    pub noise_mib: f64,
    /// Correlation of the noise from one minute to the next.
    pub memory: f64,
    /// Mean load, requests/s.
    pub load: f64,
    /// Share by which load swings over a day.
    pub swing: f64,
    /// MiB for each request/s, of which half comes at once and half with a lag of half an hour.
    pub mib_per_load: f64,
    /// How it leaks.
    pub leak: Leak,
    /// Hour at which the leak begins.
    pub onset_hours: f64,
    /// Hours from the onset to the limit, load at its mean.
    pub life_hours: f64,
    /// What looks like a leak.
    pub lookalike: Lookalike,
    /// Draws of load and steps that are made anew: other histories with the same past.
    pub redraw: Option<Redraw>,
}

/// From when on draws come from another seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Redraw {
    /// From this hour on.
    pub from_hours: f64,
    /// Seed of the draws from then on.
    pub seed: u64,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            seed: 1,
            hours: 72.0,
            base_mib: 700.0,
            limit_mib: 2_048.0,
            noise_mib: 20.0,
            memory: 0.5,
            load: 20.0,
            swing: 0.5,
            mib_per_load: 8.0,
            leak: Leak::None,
            onset_hours: 0.0,
            life_hours: 48.0,
            lookalike: Lookalike::None,
            redraw: None,
        }
    }
}

/// One minute of a history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Minute {
    /// When.
    pub at: Instant,
    /// Memory as measured, MiB.
    pub value: f64,
    /// Memory without noise, MiB.
    pub level: f64,
    /// Load, requests/s.
    pub load: f64,
}

/// A history and when it fails.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// One entry per minute; ends where it fails.
    pub minutes: Vec<Minute>,
    /// Hours until the level, without noise, first reached the limit.
    pub fails_at_hours: Option<f64>,
}

/// Mean of load and lagged load in MiB, deviation of load's own noise and its memory.
const LOAD_NOISE: f64 = 0.08;
const LOAD_MEMORY: f64 = 0.9;
const LAG_MINUTES: f64 = 30.0;

/// Makes a history.
pub fn history(recipe: &Recipe) -> History {
    let key = Key::root(recipe.seed);
    let (noise, jitter) = (key.child("noise"), key.child("load"));
    let from = recipe.redraw.map_or(u64::MAX, |redraw| (redraw.from_hours * 60.0) as u64);
    let again = Key::root(recipe.redraw.map_or(0, |redraw| redraw.seed)).child("load");
    let steps = steps(recipe, key.child("steps"));
    let phase = key.child("phase").at(0).uniform();
    let mut minutes = Vec::new();
    let (mut off, mut wave) = (noise.at(u64::MAX).normal(), 0.0);
    let mut lagged = None;
    let mut leaked = 0.0;
    let room = recipe.limit_mib - recipe.base_mib - recipe.load * recipe.mib_per_load;
    for minute in 0..(recipe.hours * 60.0) as u64 {
        let hours = minute as f64 / 60.0;
        off = recipe.memory * off + (1.0 - recipe.memory * recipe.memory).sqrt() * noise.at(minute).normal();
        let jitter = if minute < from { jitter } else { again };
        wave = LOAD_MEMORY * wave + (1.0 - LOAD_MEMORY * LOAD_MEMORY).sqrt() * jitter.at(minute).normal();
        let load = load(recipe, hours, phase, wave);
        let slow = lagged.get_or_insert(load);
        *slow += (load - *slow) / LAG_MINUTES;
        let by_load = recipe.mib_per_load * f64::midpoint(load, *slow);
        let age = (hours - recipe.onset_hours).max(0.0) / recipe.life_hours;
        if recipe.leak == Leak::PerRequest && hours >= recipe.onset_hours {
            leaked += load / recipe.load / 60.0 / recipe.life_hours;
        }
        let share = match recipe.leak {
            Leak::None => 0.0,
            Leak::Linear => age,
            Leak::Accelerating => age * age,
            Leak::Stepped(count) => steps.partition_point(|step| *step <= age) as f64 / f64::from(count),
            Leak::PerRequest => leaked,
        };
        let level = recipe.base_mib + by_load + share * room + lookalike(recipe, hours);
        let at = Instant::ZERO + Span::MINUTE * minute;
        if level >= recipe.limit_mib {
            return History { minutes, fails_at_hours: Some(hours) };
        }
        minutes.push(Minute { at, value: level + recipe.noise_mib * off, level, load });
    }
    History { minutes, fails_at_hours: None }
}

fn load(recipe: &Recipe, hours: f64, phase: f64, wave: f64) -> f64 {
    let growth = match recipe.lookalike {
        Lookalike::Ramp(share) => share * (hours / recipe.hours - 0.5),
        _ => 0.0,
    };
    let day = recipe.swing * num::sin(TAU * (hours / 24.0 + phase));
    (recipe.load * (1.0 + day + growth + LOAD_NOISE * wave)).max(0.0)
}

fn lookalike(recipe: &Recipe, hours: f64) -> f64 {
    match recipe.lookalike {
        Lookalike::None | Lookalike::Ramp(_) => 0.0,
        Lookalike::WarmUp(mib, constant) => mib * (1.0 - num::exp(-hours / constant)),
        Lookalike::SawTeeth(mib, period) => mib * ((hours / period).fract() - 0.5),
        Lookalike::Deploys(steps) => steps.iter().filter(|(at, _)| hours >= *at).map(|(_, mib)| mib).sum(),
    }
}

/// Draws at most until a step lies ahead.
const TRIES: u32 = 64;
/// Lives for which a leak in steps goes on.
const LIVES: u32 = 8;

/// Shares of the life at which the level jumps, in order.
fn steps(recipe: &Recipe, key: Key) -> Vec<f64> {
    let Leak::Stepped(count) = recipe.leak else { return Vec::new() };
    let place = |step: u32, draws: &mut Draws| {
        (f64::from(step) + (draws.uniform() - 0.5) * 2.0 / 3.0) / f64::from(count)
    };
    let drawn = |step: u32| {
        let first = place(step, &mut key.at(u64::from(step)));
        let Some(redraw) = recipe.redraw else { return first };
        let now = (redraw.from_hours - recipe.onset_hours) / recipe.life_hours;
        let mut draws = Key::root(redraw.seed).child("steps").at(u64::from(step));
        // What has happened stays; what is to come is drawn anew, and lies ahead.
        for _ in 0..TRIES {
            if first <= now {
                break;
            }
            let again = place(step, &mut draws);
            if again > now {
                return again;
            }
        }
        first
    };
    (1..=count * LIVES).map(drawn).collect()
}

/// A leak-free history that looks like a leak, its kind and sizes drawn from the seed: plain, warm-up,
/// saw-teeth, ramp and deploys in turn.
pub fn innocent(seed: u64) -> Recipe {
    let mut draws = Key::root(seed).child("innocent").at(0);
    let mut between = |low: f64, high: f64| low + (high - low) * draws.uniform();
    let noise_mib = [5.0, 20.0, 60.0][(seed / 5 % 3) as usize];
    let memory = [0.0, 0.5, 0.95][(seed / 15 % 3) as usize];
    let lookalike = match seed % 5 {
        0 => Lookalike::None,
        1 => Lookalike::WarmUp(between(100.0, 500.0), between(0.5, 6.0)),
        2 => Lookalike::SawTeeth(between(50.0, 300.0), between(0.3, 6.0)),
        3 => Lookalike::Ramp(between(0.3, 1.0)),
        _ => Lookalike::Deploys([
            (between(4.0, 24.0), between(-100.0, 200.0)),
            (between(24.0, 48.0), between(-100.0, 200.0)),
            (between(48.0, 70.0), between(-100.0, 200.0)),
        ]),
    };
    let swing = between(0.2, 0.6);
    let mib_per_load = between(4.0, 14.0);
    Recipe { seed, noise_mib, memory, swing, mib_per_load, lookalike, ..Recipe::default() }
}

/// A history that runs to failure, its kind and sizes drawn from the seed: linear, accelerating, stepped
/// and per request in turn.
pub fn leaking(seed: u64) -> Recipe {
    let mut draws = Key::root(seed).child("leaking").at(0);
    let mut between = |low: f64, high: f64| low + (high - low) * draws.uniform();
    let noise_mib = [5.0, 20.0, 60.0][(seed / 4 % 3) as usize];
    let memory = [0.0, 0.5, 0.95][(seed / 12 % 3) as usize];
    let leak = match seed % 4 {
        0 => Leak::Linear,
        1 => Leak::Accelerating,
        2 => Leak::Stepped(between(12.0, 40.0) as u32),
        _ => Leak::PerRequest,
    };
    let (onset_hours, life_hours) = (between(0.0, 12.0), between(12.0, 48.0));
    let swing = between(0.2, 0.6);
    let mib_per_load = between(4.0, 14.0);
    Recipe {
        seed,
        noise_mib,
        memory,
        swing,
        mib_per_load,
        leak,
        onset_hours,
        life_hours,
        ..Recipe::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_leak_reaches_its_limit_when_it_should() {
        let recipe =
            Recipe { leak: Leak::Linear, life_hours: 40.0, swing: 0.0, noise_mib: 0.0, ..Recipe::default() };
        let fails = history(&recipe).fails_at_hours.expect("it leaks");
        assert!((fails - 40.0).abs() < 2.0, "{fails}");
        assert_eq!(history(&recipe), history(&recipe));
    }

    #[test]
    fn noise_has_the_deviation_and_the_memory_asked_for() {
        let recipe = Recipe { memory: 0.95, noise_mib: 60.0, hours: 2_000.0, ..Recipe::default() };
        let off: Vec<f64> = history(&recipe).minutes.iter().map(|m| m.value - m.level).collect();
        let variance = off.iter().map(|e| e * e).sum::<f64>() / off.len() as f64;
        let next = off.windows(2).map(|p| p[0] * p[1]).sum::<f64>() / off.len() as f64;
        assert!((variance.sqrt() / 60.0 - 1.0).abs() < 0.05, "{variance}");
        assert!((next / variance - 0.95).abs() < 0.01, "{}", next / variance);
    }
}
