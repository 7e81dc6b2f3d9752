//! Ticks of the pictures that are drawn without the script, as the script would set them.

const DAY: i64 = 86_400;
/// Steps between ticks of time, in seconds; longer ones are whole days.
const STEPS: [i64; 14] = [10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, DAY];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Round values from 0 to `high`, about `count` of them.
pub(crate) fn values(high: f64, count: f64) -> Vec<f64> {
    let raw = high / count;
    if !(raw.is_finite() && raw > 0.0) {
        return vec![0.0];
    }
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0].map(|m| m * power).into_iter().find(|step| *step >= raw * 0.999);
    let step = step.unwrap_or(10.0 * power);
    (0..100).map(|i| f64::from(i) * step).take_while(|value| *value <= high).collect()
}

/// Ticks of a trace's time, at most `count`: seconds since its start, and a label. Labels are UTC where the
/// trace has a calendar, else they count from its start.
pub(crate) fn times(start_unix_s: Option<i64>, span_s: f64, count: f64) -> Vec<(f64, String)> {
    if !(span_s.is_finite() && span_s > 0.0) {
        return Vec::new();
    }
    let raw = span_s / count;
    let fits = STEPS.into_iter().find(|step| *step as f64 >= raw);
    let step = fits.unwrap_or_else(|| (raw / DAY as f64).ceil() as i64 * DAY);
    let start = start_unix_s.unwrap_or(0);
    let first = start + (-start).rem_euclid(step);
    let ticks = (0..).map(|i| first + i * step).take_while(|at| (at - start) as f64 <= span_s);
    ticks.map(|at| ((at - start) as f64, label(at, step, start_unix_s.is_some()))).collect()
}

fn label(at: i64, step: i64, calendar: bool) -> String {
    let (days, second) = (at.div_euclid(DAY), at.rem_euclid(DAY));
    match (second, calendar) {
        (0, true) => date(days),
        (0, false) if at > 0 || step >= DAY => format!("day {}", days + 1),
        _ if step < 60 => format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60),
        _ => format!("{:02}:{:02}", second / 3_600, second / 60 % 60),
    }
}

/// Day and month of a number of days since 1970, by eras of 400 years that start in March.
fn date(days: i64) -> String {
    let day = (days + 719_468).rem_euclid(146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let in_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * in_year + 2) / 153;
    let name = MONTHS[((month + 2) % 12) as usize];
    format!("{} {name}", in_year - (153 * month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        let cases = [(0, "1 Jan"), (58, "28 Feb"), (59, "1 Mar"), (364, "31 Dec"), (10_346, "30 Apr")];
        for (days, expected) in cases {
            assert_eq!(date(days), expected);
        }
        assert_eq!(
            (date(11_016), date(11_017), date(20_782)),
            ("29 Feb".into(), "1 Mar".into(), "25 Nov".into())
        );
    }

    #[test]
    fn ticks_fall_on_round_times_and_values() {
        let ticks = times(Some(3_000), 7_200.0, 4.0);
        assert_eq!(ticks[0], (600.0, "01:00".to_owned()));
        assert_eq!(ticks.len(), 4);
        assert_eq!(times(None, 30.0 * 86_400.0, 10.0)[1], (3.0 * 86_400.0, "day 4".to_owned()));
        assert_eq!(values(23.0, 5.0), [0.0, 5.0, 10.0, 15.0, 20.0]);
        assert_eq!(values(0.0, 5.0), [0.0]);
    }
}
