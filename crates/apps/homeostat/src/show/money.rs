//! Savings in a sentence.

use crate::run::Comparison;
use crate::run::money::Savings;
use crate::show::table::thousands;

/// An amount of money without its sign, to whole units from 100 on, with half of its interval where that
/// is not nothing.
pub(crate) fn amount(value: f64, interval: Option<[f64; 2]>) -> String {
    let whole = value.abs() >= 99.995;
    let text = |v: f64| if whole { thousands(v.round() as u64) } else { format!("{v:.2}") };
    let half = interval.map(|[low, high]| (high - low) / 2.0).filter(|half| *half >= 0.005);
    text(value.abs()) + &half.map_or(String::new(), |half| format!(" ± {}", text(half)))
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
        let cost = amount(comparison.monthly(best.mean.cost), None);
        return asked.then(|| format!("{baseline}, the baseline, costs least: {cost} {unit} a month."));
    }
    let share = saving.share.abs() * 100.0;
    let monthly = amount(saving.monthly, saving.interval);
    let but = if savings.baseline_keeps { "" } else { ", which misses the objective" };
    Some(if saving.monthly >= 0.0 {
        format!("✓ {} saves {monthly} {unit} a month against {baseline} ({share:.1} %){but}.", best.name)
    } else {
        format!("{} costs {monthly} {unit} a month more than {baseline} ({share:.1} %){but}.", best.name)
    })
}
