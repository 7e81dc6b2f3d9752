//! Costs by the month, and what the best policy saves against a baseline of the same comparison.

use super::stats::mean_and_half;
use super::{Comparison, Row};
use crate::failure::Failure;

/// Hours of a month: 365 days × 24 h / 12.
const MONTH_HOURS: f64 = 730.0;

/// The savings of all policies against one of them.
#[derive(Debug)]
pub(crate) struct Savings {
    pub(crate) baseline: String,
    /// Whether the baseline keeps the objective: otherwise there is little to be saved against.
    pub(crate) baseline_keeps: bool,
    pub(crate) policies: Vec<Saving>,
}

/// What a policy saves.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Saving {
    pub(crate) name: String,
    /// Cost units a month; negative where it costs more.
    pub(crate) monthly: f64,
    /// Of the baseline's cost.
    pub(crate) share: f64,
    /// The paired 95 % interval of `monthly`, with several seeds.
    pub(crate) interval: Option<[f64; 2]>,
}

impl Comparison {
    /// A cost of the scored window as a cost of a month.
    pub(crate) fn monthly(&self, cost: f64) -> f64 {
        monthly(cost, self.scored_hours)
    }

    /// What costs are counted in.
    pub(crate) fn unit(&self) -> &str {
        self.currency.as_deref().unwrap_or("cost units")
    }

    /// The cheapest policy that keeps the objective.
    pub(crate) fn best(&self) -> Option<&Row> {
        self.cheapest(|_| true)
    }

    fn cheapest(&self, takes_part: impl Fn(&Row) -> bool) -> Option<&Row> {
        let keeps = |row: &&Row| row.mean.attainment >= self.attainment_wanted && takes_part(row);
        self.rows.iter().filter(keeps).min_by(|a, b| a.mean.cost.total_cmp(&b.mean.cost))
    }

    /// Savings against the policy asked for, or else the cheapest HPA or fixed count that keeps the
    /// objective; `None` where there is none.
    pub(crate) fn savings(&self, asked: Option<&str>) -> Option<Savings> {
        let usual = || self.cheapest(|row| ["hpa", "static"].contains(&row.kind.as_str()));
        let baseline = match asked {
            Some(name) => self.rows.iter().find(|row| row.name == name),
            None => usual(),
        }?;
        Some(Savings {
            baseline: baseline.name.clone(),
            baseline_keeps: baseline.mean.attainment >= self.attainment_wanted,
            policies: self.rows.iter().map(|row| self.saving(row, baseline)).collect(),
        })
    }

    fn saving(&self, row: &Row, baseline: &Row) -> Saving {
        let pairs = baseline.runs.iter().zip(&row.runs);
        let less: Vec<f64> = pairs.map(|(old, new)| self.monthly(old.cost - new.cost)).collect();
        let (monthly, half) = mean_and_half(&less);
        let interval = (less.len() > 1).then_some([monthly - half, monthly + half]);
        let share = share(monthly, self.monthly(baseline.mean.cost));
        Saving { name: row.name.clone(), monthly, share, interval }
    }
}

/// A cost over so many hours as a cost of a month.
pub(crate) fn monthly(cost: f64, hours: f64) -> f64 {
    cost / hours * MONTH_HOURS
}

/// `part` of `whole`; 0 of nothing.
pub(crate) fn share(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

/// Refuses a baseline that does not take part.
pub(crate) fn known<'a>(baseline: &str, mut policies: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
    if policies.any(|name| name == baseline) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "--baseline {baseline}: no such policy takes part; add --policy {baseline}, or name one of the table"
    )))
}
