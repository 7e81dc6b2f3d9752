//! Writes a report of made-up data, for looking at: 66 days, 12 policies, one peak a day.
//!
//! `cargo run -p homeostat-report --example sample -- /tmp/report.html [days]`

#[path = "sample/made_up.rs"]
mod made_up;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().unwrap_or_else(|| "report.html".to_owned());
    let days = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(66);
    let page = homeostat_report::render(&made_up::report(days));
    println!("{path}: {:.2} MB", page.len() as f64 / 1e6);
    std::fs::write(path, page)
}
