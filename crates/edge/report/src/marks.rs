//! Which decisions a page of limited size shows.

use serde_json::{Value, json};

use crate::data::DecisionMark;
use crate::reasons::Reasons;

/// Most decisions shown per policy, whatever room there is.
const MOST: usize = 4000;
/// Longest reason shown, in characters.
const LONGEST_TEXT: usize = 600;
/// Most bytes of one mark with a new sentence of escaped characters.
const LONGEST_MARK: usize = LONGEST_TEXT * 7 + 100;

/// The largest changes that fit into `room_bytes`, in order of time.
///
/// Among changes of one size, those kept are spread evenly over the run.
pub(crate) fn select(decisions: &[DecisionMark], room_bytes: usize, reasons: &mut Reasons) -> Vec<Value> {
    let mut order: Vec<usize> = (0..decisions.len()).collect();
    let size = |i: usize| decisions[i].from.abs_diff(decisions[i].to);
    order.sort_by_key(|&i| (std::cmp::Reverse(size(i)), (i as u64).reverse_bits()));
    let mut used = 0;
    let mut kept: Vec<(usize, Value)> = Vec::new();
    for index in order.into_iter().take(MOST) {
        let (mark, bytes) = encoded(&decisions[index], reasons);
        used += bytes;
        kept.push((index, mark));
        if used + LONGEST_MARK > room_bytes {
            break;
        }
    }
    kept.sort_by(|(a, _), (b, _)| decisions[*a].at_s.total_cmp(&decisions[*b].at_s).then(a.cmp(b)));
    kept.into_iter().map(|(_, mark)| mark).collect()
}

/// A mark and the bytes that it takes in the page.
fn encoded(mark: &DecisionMark, reasons: &mut Reasons) -> (Value, usize) {
    let mut text: String = mark.text.chars().take(LONGEST_TEXT).collect();
    if text.len() < mark.text.len() {
        text.push('…');
    }
    let (sentence, numbers, new_bytes) = reasons.put(&text);
    let at_s = (mark.at_s * 10.0).round() / 10.0;
    let mark = json!([at_s, mark.from, mark.to, sentence, numbers]);
    let bytes = mark.to_string().len() + 1 + new_bytes;
    (mark, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(at_s: f64, to: u32) -> DecisionMark {
        DecisionMark { at_s, from: 10, to, text: "because".into() }
    }

    #[test]
    fn the_largest_changes_stay_in_order_of_time() {
        let to = |i: u32| if i % 10 == 3 { 20 } else { 11 };
        let all: Vec<_> = (0..10_000).map(|i| mark(f64::from(i), to(i))).collect();
        let kept = select(&all, LONGEST_MARK + 10_000, &mut Reasons::default());
        assert!((200..1000).contains(&kept.len()), "{}", kept.len());
        assert!(kept.iter().all(|m| m[2] == 20));
        assert!(kept.windows(2).all(|w| w[0][0].as_f64() < w[1][0].as_f64()));
    }

    #[test]
    fn equal_changes_are_spread_over_the_run() {
        let all: Vec<_> = (0..10_000).map(|i| mark(f64::from(i), 11)).collect();
        let kept = select(&all, LONGEST_MARK + 10_000, &mut Reasons::default());
        let late = kept.iter().filter(|m| m[0].as_f64() >= Some(5_000.0)).count();
        assert!(kept.len() > 10 && late * 3 > kept.len());
    }
}
