//! Savings in a sentence.

use crate::run::Comparison;
use crate::run::money::Savings;
use crate::show::table::thousands;

/// An amount of money, to whole units from 100 on.
pub(crate) fn amount(value: f64) -> String {
    if value.abs() < 99.995 { format!("{value:.2}") } else { grouped(value) }
}

fn grouped(value: f64) -> String {
    let sign = if value < 0.0 { "−" } else { "" };
    format!("{sign}{}", thousands(value.abs().round() as u64))
}

/// What the best policy saves against the baseline. `None` where there is nothing to say: no policy
/// keeps the objective, or the best is the baseline itself and nobody `asked`.
pub(crate) fn line(comparison: &Comparison, savings: &Savings, asked: bool) -> Option<String> {
    let Some(best) = comparison.best() else {
        return asked.then(|| "✗ no policy keeps the objective, so that nothing is saved.".to_owned());
    };
    let saving = savings.policies.iter().find(|saving| saving.name == best.name)?;
    let (unit, baseline) = (comparison.unit(), &savings.baseline);
    if best.name == *baseline {
        let cost = amount(comparison.monthly(best.mean.cost));
        return asked.then(|| format!("{baseline}, the baseline, costs least: {cost} {unit} a month."));
    }
    let half = saving.interval.map(|[low, high]| format!(" ± {}", amount((high - low) / 2.0)));
    let half = half.unwrap_or_default();
    let share = saving.share.abs() * 100.0;
    let monthly = amount(saving.monthly.abs());
    let but = if savings.baseline_keeps { "" } else { ", which misses the objective" };
    Some(if saving.monthly >= 0.0 {
        format!(
            "✓ {} saves {monthly}{half} {unit} a month against {baseline} ({share:.1} %){but}.",
            best.name
        )
    } else {
        format!(
            "{} costs {monthly}{half} {unit} a month more than {baseline} ({share:.1} %){but}.",
            best.name
        )
    })
}
