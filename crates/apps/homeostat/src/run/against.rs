//! A comparison against an earlier one: what changed, pair by pair of equal seeds, and what got worse.
//!
//! With at least two seeds in common a difference has the 95 % interval of Student's t over the pairs,
//! and is significant where that leaves out 0. A single pair meets the same world, so that its
//! difference is exact for that seed, but says nothing of others.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::money::{monthly, share};
use super::stats::{Figures, N, mean_and_half};
use super::{Comparison, Plan, Row, shard};
use crate::failure::Failure;

/// What `compare --json` printed, as far as it is compared.
#[derive(Debug, Deserialize)]
struct Printed {
    scenario: String,
    seeds: Vec<u64>,
    requests: u64,
    objective: Objective,
    scored_hours: f64,
    currency: Option<String>,
    policies: Vec<PrintedPolicy>,
}

#[derive(Debug, Deserialize)]
struct Objective {
    latency_ms: f64,
    attainment: f64,
}

#[derive(Debug, Deserialize)]
struct PrintedPolicy {
    name: String,
    #[serde(flatten)]
    figures: PrintedFigures,
    #[serde(default)]
    runs: Vec<PrintedRun>,
}

#[derive(Debug, Deserialize)]
struct PrintedRun {
    seed: u64,
    #[serde(flatten)]
    figures: PrintedFigures,
}

/// Percentiles are null where they are infinite.
#[derive(Debug, Clone, Copy, Deserialize)]
struct PrintedFigures {
    attainment: f64,
    failed: f64,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    p99_ms: Option<f64>,
    replica_hours: f64,
    cost: f64,
    scale_events: f64,
    flips_per_hour: f64,
}

impl From<PrintedFigures> for Figures {
    fn from(printed: PrintedFigures) -> Self {
        let ms = |p: Option<f64>| p.unwrap_or(f64::INFINITY);
        Self {
            attainment: printed.attainment,
            failed: printed.failed,
            p50_ms: ms(printed.p50_ms),
            p95_ms: ms(printed.p95_ms),
            p99_ms: ms(printed.p99_ms),
            replica_hours: printed.replica_hours,
            cost: printed.cost,
            scale_events: printed.scale_events,
            flips_per_hour: printed.flips_per_hour,
        }
    }
}

/// An earlier result.
#[derive(Debug)]
pub(crate) struct Earlier {
    path: PathBuf,
    printed: Printed,
}

/// What changed.
#[derive(Debug)]
pub(crate) struct Against {
    pub(crate) file: String,
    /// Seeds of both results, in the order of the new one.
    pub(crate) seeds: Vec<u64>,
    /// Rise of cost that is let pass, as a share.
    pub(crate) tolerance: f64,
    pub(crate) changes: Vec<Change>,
    /// Policies of the new result only.
    pub(crate) added: Vec<String>,
    /// Policies of the earlier result only.
    pub(crate) removed: Vec<String>,
}

/// What changed for one policy.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) name: String,
    /// One entry per figure, in the order of tables.
    pub(crate) deltas: Vec<Delta>,
    /// Cost units a month that are saved, by costs per hour of scored time.
    pub(crate) monthly_saving: f64,
    /// The paired 95 % interval of `monthly_saving`, with at least two seeds in common.
    pub(crate) monthly_interval: Option<[f64; 2]>,
    /// `monthly_saving` as a share of the earlier cost.
    pub(crate) saving_share: f64,
    /// What got worse, in words; empty where nothing did.
    pub(crate) worse: Vec<String>,
}

/// One figure, before and after.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Delta {
    pub(crate) figure: &'static str,
    pub(crate) old: f64,
    pub(crate) new: f64,
    /// New less old: infinite where only one of them is.
    pub(crate) difference: f64,
    /// Its paired 95 % interval, with at least two seeds in common and all values finite.
    pub(crate) interval: Option<[f64; 2]>,
}

/// Reads an earlier result.
pub(crate) fn read(path: &Path) -> Result<Earlier, Failure> {
    let name = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::new(format!("--against: cannot read {name}: {error}")))?;
    let foreign = |problem: &dyn std::fmt::Display| {
        Failure::new(format!(
            "--against {name}: not a result of `homeostat compare --json` ({problem}); make one, for example \
             homeostat compare my.yaml --seeds 5 --json > old.json"
        ))
    };
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| foreign(&error))?;
    if value["head"]["format"] == shard::FORMAT {
        return Err(Failure::new(format!(
            "--against {name}: this is a part of a run; join all parts first: homeostat merge part*.json --json"
        )));
    }
    let printed: Printed = serde_json::from_value(value).map_err(|error| foreign(&error))?;
    let figures = |p: &PrintedPolicy| {
        let sound = |f: &PrintedFigures| (0.0..=1.0).contains(&f.attainment) && f.cost >= 0.0;
        sound(&p.figures) && p.runs.iter().all(|run| sound(&run.figures))
    };
    if let Some(policy) = printed.policies.iter().find(|p| !figures(p)) {
        return Err(foreign(&format!("figures of {} can't be", policy.name)));
    }
    let runs = |p: &&PrintedPolicy| p.runs.iter().map(|run| run.seed).eq(printed.seeds.iter().copied());
    if let Some(policy) = printed.policies.iter().find(|p| printed.seeds.len() != 1 && !runs(p)) {
        return Err(foreign(&format!("{} lacks its `runs` by seed", policy.name)));
    }
    if printed.scored_hours <= 0.0 {
        return Err(foreign(&"`scored_hours` must be positive"));
    }
    Ok(Earlier { path: path.to_owned(), printed })
}

impl Earlier {
    /// Refuses, before the first run, what can't be compared; returns notes on what limits the meaning.
    pub(crate) fn fits(&self, plan: &Plan) -> Result<Vec<String>, Failure> {
        let (file, old) = (self.path.display(), &self.printed);
        let refused = |text: String| Err(Failure::new(format!("--against {file}: {text}")));
        if old.scenario != plan.scenario {
            return refused(format!(
                "it is of scenario `{}`, this one is `{}`; name a result of the same scenario",
                old.scenario, plan.scenario
            ));
        }
        if old.objective.latency_ms != plan.latency_ms {
            return refused(format!(
                "its objective is {} ms, this one {} ms: attainments can't be compared; run with --slo {}ms, \
                 or make the file again",
                old.objective.latency_ms, plan.latency_ms, old.objective.latency_ms
            ));
        }
        if old.currency != plan.currency {
            let name = |currency: &Option<String>| currency.clone().unwrap_or_else(|| "no currency".into());
            return refused(format!(
                "its costs are in {}, these in {}; make the file again with the same `currency`",
                name(&old.currency),
                name(&plan.currency)
            ));
        }
        let mut notes = Vec::new();
        if old.objective.attainment != plan.attainment_wanted {
            notes.push(format!(
                "{file}: it wanted an attainment of {}, this run {}: both are measured by the latter",
                old.objective.attainment, plan.attainment_wanted
            ));
        }
        if !plan.seeds.iter().any(|seed| old.seeds.contains(seed)) {
            notes.push(format!(
                "{file}: no seed is in both results: differences of means, without intervals; use --seed {}",
                old.seeds.first().copied().unwrap_or(1)
            ));
        }
        Ok(notes)
    }

    /// Notes on what the runs themselves showed to be different.
    pub(crate) fn same_traffic(&self, new: &Comparison) -> Vec<String> {
        let (file, old) = (self.path.display(), &self.printed);
        let mut notes = Vec::new();
        let counted = old.seeds.first() == new.seeds.first() && !new.rows.is_empty();
        if counted && old.requests != new.requests {
            notes.push(format!(
                "{file}: the traffic differs ({} requests, now {}): differences are not the policies' alone",
                old.requests, new.requests
            ));
        }
        if old.scored_hours != new.scored_hours {
            notes.push(format!(
                "{file}: {:.2} h were scored, now {:.2} h: costs are judged by the hour",
                old.scored_hours, new.scored_hours
            ));
        }
        notes
    }

    /// What changed since, and what got worse.
    pub(crate) fn judge(&self, new: &Comparison, tolerance: f64) -> Against {
        let old = &self.printed;
        let seeds: Vec<u64> = new.seeds.iter().copied().filter(|seed| old.seeds.contains(seed)).collect();
        let found = |name: &str| old.policies.iter().find(|p| p.name == name);
        let is_new =
            |name: &str| new.rows.iter().all(|r| r.name != name) && !new.unfinished.iter().any(|u| u == name);
        let matched = new.rows.iter().filter_map(|row| Some((row, found(&row.name)?)));
        let hours = [old.scored_hours, new.scored_hours];
        let changes = matched.map(|(row, before)| {
            let pairs = paired(&seeds, row, &new.seeds, before, &old.seeds);
            change(&row.name, &pairs, hours, new.attainment_wanted, tolerance)
        });
        Against {
            file: self.path.display().to_string(),
            tolerance,
            changes: changes.collect(),
            added: new.rows.iter().map(|r| &r.name).filter(|name| found(name).is_none()).cloned().collect(),
            removed: old.policies.iter().map(|p| &p.name).filter(|name| is_new(name)).cloned().collect(),
            seeds,
        }
    }
}

impl Against {
    /// Whether any policy got worse.
    pub(crate) fn worse(&self) -> bool {
        self.changes.iter().any(|change| !change.worse.is_empty())
    }
}

/// Figures before and after, seed by seed; of the means only, where no seed is in both.
enum Pairs {
    BySeed(Vec<[Figures; 2]>),
    Means([Figures; 2]),
}

fn paired(seeds: &[u64], row: &Row, own: &[u64], before: &PrintedPolicy, theirs: &[u64]) -> Pairs {
    if seeds.is_empty() {
        return Pairs::Means([before.figures.into(), row.mean]);
    }
    let run_of = |seed: u64| match before.runs.iter().find(|run| run.seed == seed) {
        Some(run) => Some(run.figures),
        None => (theirs == [seed]).then_some(before.figures),
    };
    let pair = |seed: &u64| {
        let new = own.iter().position(|s| s == seed).and_then(|i| row.runs.get(i))?;
        Some([run_of(*seed)?.into(), *new])
    };
    Pairs::BySeed(seeds.iter().filter_map(pair).collect())
}

fn change(name: &str, pairs: &Pairs, hours: [f64; 2], wanted: f64, tolerance: f64) -> Change {
    let by_seed = match pairs {
        Pairs::BySeed(pairs) => pairs.as_slice(),
        Pairs::Means(pair) => std::slice::from_ref(pair),
    };
    let deltas: Vec<Delta> = (0..N).map(|i| delta(by_seed, |figures| figures.named()[i])).collect();
    // Costs by the month, so that windows of different length can be compared.
    let [before, after] = hours;
    let by_month: Vec<[f64; 2]> =
        by_seed.iter().map(|[old, new]| [monthly(old.cost, before), monthly(new.cost, after)]).collect();
    let (old_month, _) = mean_and_half(&by_month.iter().map(|pair| pair[0]).collect::<Vec<_>>());
    let rises: Vec<f64> = by_month.iter().map(|[old, new]| new - old).collect();
    let (rise, half) = mean_and_half(&rises);
    let mut worse = Vec::new();
    worse.extend(attainment_fell(&deltas[0], wanted));
    if rise > tolerance * old_month && rise - half > 0.0 {
        let interval = if rises.len() > 1 { " (significant)" } else { "" };
        worse.push(format!(
            "cost by the hour rose by {:.2} %{interval}, more than the tolerance of {:.2} %",
            share(rise, old_month) * 100.0,
            tolerance * 100.0
        ));
    }
    Change {
        name: name.to_owned(),
        deltas,
        monthly_saving: if rise == 0.0 { 0.0 } else { -rise },
        monthly_interval: (rises.len() > 1).then_some([-rise - half, -rise + half]),
        saving_share: if rise == 0.0 { 0.0 } else { share(-rise, old_month) },
        worse,
    }
}

fn attainment_fell(attainment: &Delta, wanted: f64) -> Option<String> {
    let Delta { old, new, interval, .. } = *attainment;
    let percent = |share: f64| format!("{:.4} %", share * 100.0);
    if old >= wanted && new < wanted {
        return Some(format!(
            "attainment fell from {} to {}, below the objective of {}",
            percent(old),
            percent(new),
            percent(wanted)
        ));
    }
    interval.filter(|[_, high]| *high < 0.0).map(|[low, high]| {
        format!(
            "attainment fell from {} to {} (difference {:.4} to {:.4} points)",
            percent(old),
            percent(new),
            low * 100.0,
            high * 100.0
        )
    })
}

fn delta(pairs: &[[Figures; 2]], pick: impl Fn(&Figures) -> (&'static str, f64)) -> Delta {
    let side = |i: usize| pairs.iter().map(|pair| pick(&pair[i]).1).collect::<Vec<f64>>();
    let [old, new] = [0, 1].map(side);
    // Two infinite percentiles are no difference.
    let differences: Vec<f64> =
        old.iter().zip(&new).map(|(old, new)| if old == new { 0.0 } else { new - old }).collect();
    let (difference, half) = mean_and_half(&differences);
    let interval = (pairs.len() > 1 && half.is_finite()).then_some([difference - half, difference + half]);
    let figure = pairs.first().map_or("", |pair| pick(&pair[0]).0);
    Delta { figure, old: mean_and_half(&old).0, new: mean_and_half(&new).0, difference, interval }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(costs: &[[f64; 2]], attained: &[[f64; 2]]) -> Pairs {
        let run = |cost, attainment| Figures { attainment, cost, ..Figures::from_values([1.0; N]) };
        let both = costs.iter().zip(attained);
        Pairs::BySeed(both.map(|(c, a)| [run(c[0], a[0]), run(c[1], a[1])]).collect())
    }

    fn worse(costs: &[[f64; 2]], attained: &[[f64; 2]]) -> Vec<String> {
        change("x", &pairs(costs, attained), [10.0, 10.0], 0.99, 0.005).worse
    }

    #[test]
    fn intervals_are_students_of_the_pairs() {
        let costs = [[10.0, 11.0], [20.0, 22.0], [30.0, 33.0]];
        let made = change("x", &pairs(&costs, &[[1.0; 2]; 3]), [73.0, 73.0], 0.99, 0.005);
        let cost = made.deltas[6];
        let half = 4.303 / 3_f64.sqrt();
        assert_eq!((cost.figure, cost.old, cost.new, cost.difference), ("cost", 20.0, 22.0, 2.0));
        let [low, high] = cost.interval.unwrap();
        assert!((low - 2.0 + half).abs() < 1e-12 && (high - 2.0 - half).abs() < 1e-12);
        assert!((made.monthly_saving + 20.0).abs() < 1e-12 && (made.saving_share + 0.1).abs() < 1e-12);
    }

    #[test]
    fn cost_is_worse_where_it_rose_significantly_and_by_more_than_the_tolerance() {
        let same = [[1.0; 2]; 3];
        assert!(worse(&[[10.0, 10.5], [10.0, 10.6], [10.0, 10.4]], &same)[0].contains("cost"));
        assert!(worse(&[[10.0, 10.01], [10.0, 10.01], [10.0, 10.01]], &same).is_empty(), "tolerated");
        assert!(worse(&[[10.0, 12.0], [10.0, 9.0], [10.0, 11.0]], &same).is_empty(), "not significant");
        assert!(worse(&[[10.0, 9.0]; 3], &same).is_empty(), "cheaper");
        assert_eq!(worse(&[[10.0, 11.0]], &same[..1]).len(), 1, "one seed");
    }

    #[test]
    fn attainment_is_worse_where_it_fell_significantly_or_below_the_objective() {
        let same = [[10.0; 2]; 3];
        assert!(worse(&same, &[[0.999, 0.998], [0.999, 0.9979], [0.999, 0.9981]])[0].contains("points"));
        assert!(worse(&same, &[[0.999, 0.998], [0.998, 0.999], [0.999, 0.999]]).is_empty());
        assert!(worse(&same[..1], &[[0.991, 0.989]])[0].contains("below the objective"));
        assert!(worse(&same[..1], &[[0.999, 0.998]]).is_empty());
    }

    #[test]
    fn infinite_percentiles_differ_only_from_finite_ones() {
        let run = |p99_ms| Figures { p99_ms, ..Figures::from_values([1.0; N]) };
        let inf = f64::INFINITY;
        let of = |pairs: &[[f64; 2]]| {
            let pairs: Vec<[Figures; 2]> = pairs.iter().map(|[a, b]| [run(*a), run(*b)]).collect();
            delta(&pairs, |figures| figures.named()[4])
        };
        assert_eq!(of(&[[inf, inf], [inf, inf]]).interval, Some([0.0, 0.0]));
        let lost = of(&[[5.0, inf], [5.0, 6.0]]);
        assert_eq!((lost.difference, lost.interval), (inf, None));
    }
}
