//! Forecasts of augurs' MSTL with AutoETS on one prepared series: `augurs-peer FOLDER`. Reads and writes what
//! `../forecast/forecast.py` does, under the name `augurs-mstl-ets`.
//!
//! augurs has no state update: the seasons stay those of the daily refit, and AutoETS is fitted anew at every
//! forecast on the last 4 hours of what is left.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;

use augurs::ets::AutoETS;
use augurs::mstl::stlrs::MstlParams;
use augurs::prelude::*;

const DAY: usize = 1_440;
const WINDOW: usize = 14 * DAY;
const RECENT: usize = 240;
const HORIZONS: [usize; 3] = [5, 15, 60];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: augurs-peer FOLDER")?;
    let folder = Path::new(&folder);
    let column = |name: &str| -> Result<Vec<f64>, Box<dyn Error>> {
        let text = std::fs::read_to_string(folder.join(name))?;
        Ok(text.lines().skip(1).map(str::parse).collect::<Result<_, _>>()?)
    };
    let about = std::fs::read_to_string(folder.join("about.csv"))?;
    let about = |key: &str| -> Result<Vec<usize>, std::num::ParseIntError> {
        about.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix(',')).map(str::parse).collect()
    };
    let (start, periods) = (about("start_min")?, about("period_min")?);
    let first_midnight = (DAY - start[0] % DAY) % DAY;
    let (values, origins) = (column("series.csv")?, column("origins.csv")?);
    let mut said = String::from("origin,horizon_min,q05,q50,q90,q95,q99\n");
    let mut times = String::from("day,origins,fit_cpu_s,forecast_cpu_s\n");
    let mut rest = origins.as_slice();
    while let Some(first) = rest.first() {
        let day = first_midnight + (*first as usize - first_midnight) / DAY * DAY;
        let n = rest.partition_point(|origin| (*origin as usize) < day + DAY);
        let before = cpu_seconds();
        let seasons = Seasons::fit(&values[day.saturating_sub(WINDOW)..day], &periods, day)?;
        let fitted = cpu_seconds();
        for origin in &rest[..n] {
            seasons.forecast(&values, *origin as usize, &mut said)?;
        }
        writeln!(times, "{day},{n},{:.6},{:.6}", fitted - before, cpu_seconds() - fitted)?;
        rest = &rest[n..];
    }
    std::fs::write(folder.join("augurs-mstl-ets.csv"), said)?;
    std::fs::write(folder.join("augurs-mstl-ets.cpu.csv"), times)?;
    Ok(())
}

/// The last whole period of every season, up to `end`.
struct Seasons {
    parts: Vec<Vec<f64>>,
    end: usize,
}

impl Seasons {
    fn fit(values: &[f64], periods: &[usize], end: usize) -> Result<Self, Box<dyn Error>> {
        let values: Vec<f32> = values.iter().map(|v| *v as f32).collect();
        let periods: Vec<usize> = periods.iter().copied().filter(|p| values.len() >= 2 * p).collect();
        let found = MstlParams::new().fit(&values, &periods)?;
        let last = |(part, period): (&Vec<f32>, &usize)| {
            part[part.len() - period..].iter().map(|v| f64::from(*v)).collect()
        };
        Ok(Self { parts: found.seasonal().iter().zip(&periods).map(last).collect(), end })
    }

    fn at(&self, minute: usize) -> f64 {
        let place = |n: usize| (minute + n - self.end % n) % n;
        self.parts.iter().map(|part| part[place(part.len())]).sum()
    }

    fn forecast(&self, values: &[f64], origin: usize, said: &mut String) -> Result<(), Box<dyn Error>> {
        let recent: Vec<f64> = (origin - RECENT..origin).map(|i| values[i] - self.at(i)).collect();
        let model = AutoETS::non_seasonal().fit(&recent)?;
        let ends = [0.8, 0.9, 0.98].map(|level| model.predict(HORIZONS[2], level));
        let [q90, q95, q99] = ends;
        let (q90, q95, q99) = (q90?, q95?, q99?);
        let ends = |f: &Forecast| f.intervals.as_ref().map(|i| (i.lower.clone(), i.upper.clone()));
        let none = "no intervals";
        let ((_, h90), (l95, h95), (_, h99)) =
            (ends(&q90).ok_or(none)?, ends(&q95).ok_or(none)?, ends(&q99).ok_or(none)?);
        for h in HORIZONS {
            let season = self.at(origin + h - 1);
            let q = [l95[h - 1], q90.point[h - 1], h90[h - 1], h95[h - 1], h99[h - 1]];
            let q = q.map(|v| (v + season).max(0.0));
            writeln!(said, "{origin},{h},{:.6},{:.6},{:.6},{:.6},{:.6}", q[0], q[1], q[2], q[3], q[4])?;
        }
        Ok(())
    }
}

fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}
