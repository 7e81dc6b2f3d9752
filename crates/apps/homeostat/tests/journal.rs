//! Journals: the same to the byte, replayed without a difference, refused when damaged.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod common;

use common::{Place, SMALL};

/// A place with the journals of two policies in the folder `a`.
fn recorded() -> Place {
    let place = Place::new();
    record(&place, "a");
    place
}

fn record(place: &Place, folder: &str) {
    let args = [
        "compare",
        "small.yaml",
        "--no-bound",
        "--policy",
        "hpa-cpu-50",
        "--policy",
        "kpa",
        "--journal",
        folder,
    ];
    place.ends(&args, 0);
}

#[test]
fn journals_are_the_same_to_the_byte() {
    let place = recorded();
    record(&place, "b");
    for name in ["hpa-cpu-50", "kpa"] {
        let [a, b] = ["a", "b"].map(|folder| place.bytes(&format!("{folder}/{name}.journal")));
        assert!(a == b, "{name}");
    }
}

#[test]
fn a_replay_decides_the_same() {
    let place = recorded();
    for name in ["a/hpa-cpu-50.journal", "a/kpa.journal"] {
        let (out, _) = place.ends(&["replay", name], 0);
        assert!(out.contains(" 0 different"), "{out}");
        let counts = place.json(&["replay", name, "--json"]);
        assert_eq!(counts["different"], 0);
        assert!(counts["decisions"].as_u64().unwrap() > 100, "{counts}");
    }
}

#[test]
fn every_service_has_its_journal() {
    let place = Place::new();
    let service = SMALL.split_once("services:\n").unwrap().1.split_once("warm_up").unwrap().0;
    let called = service.replace("name: model", "name: ranker");
    let calls = format!("{service}    then: [[ranker]]\n{called}");
    place.write("two.yaml", SMALL.replace(service, &calls));
    place.ends(&["compare", "two.yaml", "--no-bound", "--policy", "kpa", "--journal", "a"], 0);
    for name in ["a/kpa.model.journal", "a/kpa.ranker.journal"] {
        assert_eq!(place.json(&["replay", name, "--json"])["different"], 0);
    }
}

#[test]
fn decisions_are_explained() {
    let place = recorded();
    let (out, _) = place.ends(&["explain", "a/hpa-cpu-50.journal", "--at", "30m"], 0);
    for words in ["small under hpa-cpu-50", "30m", "observed", "cpu", "50 %", "outcome"] {
        assert!(out.contains(words), "{words}: {out}");
    }
    let all = place.ends(&["explain", "a/hpa-cpu-50.journal"], 0).0.lines().count();
    let changes = place.ends(&["explain", "a/hpa-cpu-50.journal", "--changes"], 0).0.lines().count();
    assert!(changes < all, "{changes} of {all}");
    let (_, note) = place.ends(&["explain", "a/hpa-cpu-50.journal", "--at", "9h"], 0);
    assert!(note.contains("the last decision is of +1h00m00s"), "{note}");
    place.refuses(&["explain", "a/kpa.journal", "--at", "noon"], &["--at noon", "2026-03-01T14:03"]);
}

#[test]
fn damaged_journals_are_refused() {
    let place = recorded();
    let bytes = place.bytes("a/kpa.journal");
    let flipped = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        bytes
    };
    let middle = bytes.len() / 2;
    let cases = [
        ("cut.journal", bytes[..middle].to_vec(), "cut off"),
        ("endless.journal", bytes[..bytes.len() - 21].to_vec(), "cut off"),
        ("body.journal", flipped(middle), "checksum"),
        ("header.journal", flipped(100), "checksum"),
        ("more.journal", [&bytes[..], b"more"].concat(), "follows the end"),
        ("other.journal", b"something else".to_vec(), "not a journal"),
        ("empty.journal", Vec::new(), "not a journal"),
    ];
    for (name, bytes, said) in cases {
        place.write(name, bytes);
        place.refuses(&["replay", name], &[name, said]);
        place.refuses(&["explain", name, "--at", "2h"], &[name, said]);
    }
    place.refuses(&["replay", "absent.journal"], &["absent.journal", "No such file"]);
}

#[test]
fn another_policy_shows_in_the_replay() {
    let place = recorded();
    let mut bytes = place.bytes("a/hpa-cpu-50.journal");
    // The same length, so that the file stays whole; the header's checksum is made good.
    let at = bytes.windows(16).position(|w| w == br#"cpu_percent\":50"#).unwrap();
    bytes[at + 14] = b'8';
    let length = u32::from_le_bytes(bytes[10..14].try_into().unwrap()) as usize;
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[14..14 + length]);
    bytes[14 + length..18 + length].copy_from_slice(&crc.sum().to_le_bytes());
    place.write("changed.journal", &bytes);
    let (out, err) = place.ends(&["replay", "changed.journal"], 1);
    assert!(!out.contains(" 0 different") && err.contains("recorded"), "{out}{err}");
}
