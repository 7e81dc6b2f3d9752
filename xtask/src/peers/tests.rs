//! The committed tables are whole, and ours in them are what comes out today.

use std::path::PathBuf;

use super::exchange::HORIZONS;
use super::scores::{differences, our_rows, ours};
use super::*;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn every_cell_of_the_table_is_there() {
    let rows = files::read_scores(&root()).unwrap();
    for trace in &TRACES {
        for horizon in HORIZONS {
            let cell: Vec<&Scored> =
                rows.iter().filter(|r| r.trace == trace.name && r.horizon_min == horizon).collect();
            for model in [OURS, "last", "autoets", "autoarima", "autotheta", "mstl-autoets", "prophet"] {
                assert_eq!(cell.iter().filter(|r| r.model == model).count(), 1, "{} {model}", trace.name);
            }
            for row in cell {
                assert!(row.n >= 300 && row.numbers().iter().all(Option::is_some), "{row:?}");
                assert!(row.cpu_us.is_some() || row.model == "last", "{row:?}");
            }
        }
    }
    assert_eq!(files::read_losses(&root()).unwrap().len(), TRACES.len() * HORIZONS.len() * 4);
}

#[test]
fn ours_in_the_table_are_what_comes_out() {
    let (kept, losses) = (files::read_scores(&root()).unwrap(), files::read_losses(&root()).unwrap());
    for trace in TRACES.iter().filter(|t| ["mongo-01", "twitter"].contains(&t.name)) {
        let Some(recorded) = trace.read(&root()).unwrap() else { continue };
        let parts = Parts::of(&recorded);
        let forecasts = ours(&parts.test.0, &parts.test.1);
        for row in our_rows(trace.name, &parts, &forecasts) {
            let same = |k: &&Scored| {
                (&k.trace, k.horizon_min, &k.model) == (&row.trace, row.horizon_min, &row.model)
            };
            let committed = kept.iter().find(same).unwrap();
            for (now, then) in row.numbers().into_iter().zip(committed.numbers()) {
                let (now, then) = (now.unwrap(), then.unwrap());
                assert!(
                    (now - then).abs() < 1e-5,
                    "{now} is not {then}: `cargo xtask peers --ours`\n{row:?}"
                );
            }
        }
        let found = differences(trace.name, &parts, &forecasts, &losses).unwrap();
        assert_eq!(found.len(), HORIZONS.len() * 4);
    }
}
