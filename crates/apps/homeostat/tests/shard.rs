//! Shards: their parts join into the bytes of one run, and what does not belong together is refused.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod common;

use std::process::Stdio;
use std::time::{Duration, Instant};

use common::{Place, SMALL};

const RUN: [&str; 8] =
    ["compare", "small.yaml", "--policy", "kpa", "--policy", "hpa-cpu-50", "--policy", "static"];

/// Runs all shards of a command; returns the names of the parts.
fn parts(place: &Place, args: &[&str], count: usize) -> Vec<String> {
    let names: Vec<String> = (1..=count).map(|index| format!("part{index}of{count}.json")).collect();
    for (i, name) in names.iter().enumerate() {
        let shard = format!("{}/{count}", i + 1);
        let (out, err) = place.ends(&[args, &["--shard", &shard, "--out", name]].concat(), 0);
        assert!(out.is_empty() && err.contains(&format!("part {shard}")), "{out}{err}");
    }
    names
}

fn merge<'a>(names: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    [&["merge"], &names[..], more].concat()
}

#[test]
fn parts_join_into_the_bytes_of_one_run() {
    let place = Place::new();
    place.write("small.yaml", SMALL.replace("length: 1h", "length: 30m"));
    for seeds in ["1", "3"] {
        let args = [&RUN[..], &["--seeds", seeds]].concat();
        let (whole, _) = place.ends(&[&args[..], &["--json", "--report", "whole"]].concat(), 0);
        let (table, _) = place.ends(&args, 0);
        // With one seed there are three jobs, so that eleven shards leave most without any.
        for count in [1, 2, 3, 5, 11] {
            let mut names = parts(&place, &args, count);
            names.reverse();
            let (joined, _) = place.ends(&merge(&names, &["--json", "--report", "joined"]), 0);
            assert_eq!(whole, joined, "{count} shards, {seeds} seeds");
            for file in ["report.html", "result.json"] {
                assert_eq!(place.bytes(&format!("whole/{file}")), place.bytes(&format!("joined/{file}")));
            }
            assert_eq!(table, place.ends(&merge(&names, &[]), 0).0);
        }
    }
}

#[test]
fn a_merge_answers_what_a_run_answers() {
    let place = Place::new();
    let short = ["--start-up", "20s", "--seeds", "2"];
    let args = [&RUN[..], &short].concat();
    place.write("old.json", place.ends(&[&args[..], &["--json"]].concat(), 0).0);
    let names = parts(&place, &args, 2);
    let asked = ["--json", "--against", "old.json", "--baseline", "static", "--require", "any", "--report"];
    let (whole, _) = place.ends(&[&args[..], &asked, &["whole"]].concat(), 0);
    assert_eq!(whole, place.ends(&merge(&names, &[&asked[..], &["joined"]].concat()), 0).0);
    assert_eq!(place.bytes("whole/report.html"), place.bytes("joined/report.html"));
    assert_eq!(place.bytes(&names[0]), {
        parts(&place, &[&args[..], &["--threads", "1"]].concat(), 2);
        place.bytes(&names[0])
    });
    place.refuses(&merge(&names, &["--require", "nope"]), &["--require nope", "kpa"]);
}

#[test]
fn traces_may_lie_elsewhere_but_must_hold_the_same() {
    let place = Place::new();
    std::fs::create_dir(place.path("far")).unwrap();
    let text = "time,count\n2026-01-01T00:00,600\n2026-01-01T00:01,900\n2026-01-01T00:02,700\n";
    place.write("t.csv", text);
    place.write("far/t.csv", text);
    place.write("small.yaml", SMALL.replace("warm_up: 5m", "warm_up: 30s"));
    let run = |trace: &'static str, shard: &'static str, out: &'static str| {
        let args = [&RUN[..], &["--trace", trace, "--shard", shard, "--out", out]].concat();
        place.ends(&args, 0);
    };
    run("t.csv", "1/2", "a");
    run("far/t.csv", "2/2", "b");
    place.ends(&["merge", "a", "b"], 0);
    // The same sum, peak and length, but not the same trace.
    place.write("far/t.csv", text.replace("00:00,600", "00:00,700").replace("00:02,700", "00:02,600"));
    run("far/t.csv", "2/2", "b");
    place.refuses(&["merge", "a", "b"], &["a and b", "traffic"]);
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let place = Place::new();
    place.write("small.yaml", SMALL.replace("length: 1h", "length: 10m"));
    place.write(
        "other.yaml",
        SMALL.replace("length: 1h", "length: 10m").replace("name: small", "name: other"),
    );
    place.write("drain.yaml", SMALL.replace("length: 1h", "length: 10m").replace("cv: 0.5", "cv: 0.6"));
    let part = |args: &[&str], shard: &str, out: &str| {
        place.ends(&[args, &["--shard", shard, "--out", out]].concat(), 0);
    };
    let base = ["compare", "small.yaml", "--no-bound", "--policy", "kpa", "--policy", "static"];
    for (shard, out) in [("1/3", "a"), ("2/3", "b"), ("3/3", "c"), ("1/3", "again")] {
        part(&base, shard, out);
    }
    place.ends(&["merge", "c", "a", "b"], 0);
    place.refuses(&["merge", "a", "c"], &["missing", "part 2/3", "--shard 2/3 --out part2.json"]);
    place.refuses(&["merge", "a", "b", "again", "c"], &["a and again", "part 1/3"]);
    part(&base, "2/4", "four");
    place.refuses(&["merge", "a", "four", "c"], &["a and four", "number of shards", "3 and 4"]);
    let others: [(&[&str], &str); 6] = [
        (
            &["compare", "other.yaml", "--no-bound", "--policy", "kpa", "--policy", "static"],
            "scenario: small and other",
        ),
        (
            &["compare", "drain.yaml", "--no-bound", "--policy", "kpa", "--policy", "static"],
            "contents of the scenario",
        ),
        (&[&base[..], &["--seed", "2"]].concat(), "seeds: [1] and [2]"),
        (&[&base[..], &["--start-up", "9s"]].concat(), "options: none and --start-up 9s"),
        (&["compare", "small.yaml", "--no-bound", "--policy", "kpa", "--policy", "watermark"], "policies"),
        (
            &["compare", "small.yaml", "--no-bound", "--policy", "kpa", "--policy", "static.yaml"],
            "settings of the policies",
        ),
    ];
    place.write("static.yaml", "name: static\nstatic: { replicas: 7 }\n");
    for (args, said) in others {
        part(args, "2/3", "mixed");
        place.refuses(&["merge", "a", "mixed", "c"], &["a and mixed", "different runs", said]);
    }
    let text = place.text("b");
    let damage: [(&str, String, &[&str]); 6] = [
        ("an old version", text.replacen("\"version\":1", "\"version\":0", 1), &["version 0", "version 1"]),
        ("cut", text[..text.len() / 2].to_owned(), &["bad", "not a part"]),
        ("results of another", text.replacen("\"results\":[[1,", "\"results\":[[0,", 1), &["bad", "damaged"]),
        ("no results", text.replacen("\"results\":[[", "\"results\":[],\"x\":[[", 1), &["bad", "damaged"]),
        ("JSON of something else", "{}".to_owned(), &["bad", "--shard I/N --out FILE"]),
        ("another program", text.replacen("homeostat 0", "homeostat 9", 1), &["homeostat 9", "one version"]),
    ];
    for (what, text, said) in damage {
        assert_ne!(text, place.text("b"), "{what}");
        place.write("bad", text);
        place.refuses(&["merge", "a", "bad", "c"], said);
    }
    place.refuses(&["merge", "absent"], &["absent", "No such file"]);
    place.refuses(&["merge", "a", "small.yaml"], &["small.yaml", "not a part"]);
}

#[test]
fn options_that_don_t_fit_are_refused() {
    let place = Place::new();
    let cases: [(&[&str], &[&str]); 9] = [
        (&["--shard", "5/4", "--out", "p"], &["--shard", "2/4"]),
        (&["--shard", "0/4", "--out", "p"], &["--shard", "2/4"]),
        (&["--shard", "1/2"], &["--out"]),
        (&["--out", "p"], &["--shard"]),
        (&["--shard", "1/2", "--out", "p", "--json"], &["--json", "homeostat merge"]),
        (&["--shard", "1/2", "--out", "p", "--report", "r"], &["--report", "homeostat merge"]),
        (&["--shard", "1/2", "--out", "p", "--timing"], &["--timing"]),
        (&["--shard", "1/2", "--out", "."], &["--out .", "folder"]),
        (&["--shard", "1/2", "--out", "small.yaml/p"], &["small.yaml", "is a file"]),
    ];
    for (extra, named) in cases {
        let args = [&["compare", "small.yaml", "--no-bound", "--policy", "static"], extra].concat();
        // The parser's errors go over several lines.
        let before = place.names();
        let (_, err) = place.ends(&args, 2);
        for name in named {
            assert!(err.contains(name), "{args:?}: no `{name}` in: {err}");
        }
        assert_eq!(before, place.names(), "{args:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_stopped_shard_leaves_no_part() {
    let place = Place::new();
    place.write("long.yaml", SMALL.replace("rps: 20, length: 1h", "rps: 20, length: 60d"));
    let args =
        ["compare", "long.yaml", "--no-bound", "--policy", "static", "--policy", "kpa", "--threads", "1"];
    let args = [&args[..], &["--shard", "1/1", "--out", "part.json", "--journal", "journals"]].concat();
    let child = place.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    // The folder of journals is made when the first run begins.
    while !place.path("journals").exists() && begun.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no part was written"));
    assert_eq!(place.names(), ["journals", "long.yaml", "small.yaml"]);
}
