//! A plain radix-2 transform, only to get autocorrelations of twenty thousand cells quickly.

use std::f64::consts::TAU;

/// Transforms in place; the length is a power of two.
fn transform(re: &mut [f64], im: &mut [f64]) {
    let n = re.len();
    let bits = n.trailing_zeros();
    for here in 1..n {
        let there = here.reverse_bits() >> (usize::BITS - bits);
        if here < there {
            re.swap(here, there);
            im.swap(here, there);
        }
    }
    let mut length = 2;
    while length <= n {
        let half = length / 2;
        for k in 0..half {
            let (sin, cos) = (-TAU * k as f64 / length as f64).sin_cos();
            for start in (k..n).step_by(length) {
                let other = start + half;
                let turned = (re[other] * cos - im[other] * sin, re[other] * sin + im[other] * cos);
                (re[other], im[other]) = (re[start] - turned.0, im[start] - turned.1);
                (re[start], im[start]) = (re[start] + turned.0, im[start] + turned.1);
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
