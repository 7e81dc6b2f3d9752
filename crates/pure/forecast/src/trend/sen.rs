//! The slope of Theil (1950) and Sen (JASA 63, 1968): the median of the slopes of all pairs.

/// Median of all pairwise slopes of `y` over `x`, in units of `y` per unit of `x`; pairs at the same `x` are
/// left out. `None` where no pair is left. `room` is working memory that can be used again.
pub fn theil_sen(x: &[f64], y: &[f64], room: &mut Vec<f64>) -> Option<f64> {
    room.clear();
    for (i, (xi, yi)) in x.iter().zip(y).enumerate() {
        let pairs = x.iter().zip(y).skip(i + 1).filter(|(xj, _)| *xj != xi);
        room.extend(pairs.map(|(xj, yj)| (yj - yi) / (xj - xi)));
    }
    median(room)
}

/// The median, by partial sorting.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    let n = values.len();
    if n == 0 {
        return None;
    }
    let (below, middle, _) = values.select_nth_unstable_by(n / 2, f64::total_cmp);
    let middle = *middle;
    if n % 2 == 1 {
        return Some(middle);
    }
    below.iter().copied().max_by(f64::total_cmp).map(|under| f64::midpoint(under, middle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_one_outlier_keeps_its_slope() {
        let x: Vec<f64> = (0..9).map(f64::from).collect();
        let mut y: Vec<f64> = x.iter().map(|x| 3.0 + 2.0 * x).collect();
        y[4] = 1e6;
        assert_eq!(theil_sen(&x, &y, &mut Vec::new()), Some(2.0));
    }

    #[test]
    fn without_a_pair_there_is_no_slope() {
        assert_eq!(theil_sen(&[], &[], &mut Vec::new()), None);
        assert_eq!(theil_sen(&[1.0, 1.0], &[2.0, 3.0], &mut Vec::new()), None);
    }
}
