//! A plain radix-2 transform, only to get autocorrelations of twenty thousand cells quickly.

use std::f64::consts::TAU;

/// Transforms in place; the length is a power of two.
fn transform(re: &mut [f64], im: &mut [f64]) {
    let n = re.len();
    let mut j = 0;
    for i in 1..n {
        let mut bit = n >> 1;
        while j & bit != 0 {
            j ^= bit;
            bit >>= 1;
        }
        j |= bit;
        if i < j {
            re.swap(i, j);
            im.swap(i, j);
        }
    }
    let mut length = 2;
    while length <= n {
        let half = length / 2;
        for k in 0..half {
            let (sin, cos) = (-TAU * k as f64 / length as f64).sin_cos();
            for start in (k..n).step_by(length) {
                let (a, b) = (start, start + half);
                let (x, y) = (re[b] * cos - im[b] * sin, re[b] * sin + im[b] * cos);
                (re[b], im[b]) = (re[a] - x, im[a] - y);
                (re[a], im[a]) = (re[a] + x, im[a] + y);
            }
        }
        length *= 2;
    }
}

/// Sums of products of the series with itself, shifted by 0, 1, 2, … cells.
pub(crate) fn products(series: &[f64]) -> Vec<f64> {
    let n = (series.len() * 2).next_power_of_two();
    let mut re = series.to_vec();
    re.resize(n, 0.0);
    let mut im = vec![0.0; n];
    transform(&mut re, &mut im);
    for (a, b) in re.iter_mut().zip(&mut im) {
        (*a, *b) = (*a * *a + *b * *b, 0.0);
    }
    transform(&mut re, &mut im);
    re.truncate(series.len());
    for sum in &mut re {
        *sum /= n as f64;
    }
    re
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_definition() {
        let series: Vec<f64> = (0..37).map(|i| f64::from(i * i % 11) - 3.0).collect();
        for (lag, fast) in products(&series).into_iter().enumerate() {
            let slow: f64 = series.iter().zip(&series[lag..]).map(|(a, b)| a * b).sum();
            assert!((fast - slow).abs() < 1e-9, "{lag}: {fast} {slow}");
        }
    }
}
