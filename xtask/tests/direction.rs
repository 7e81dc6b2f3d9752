//! Which crate may use which. The picture in ARCHITECTURE.md is true as long as this passes.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// What each of our crates may use of the others, and nothing else.
const MAY_USE: [(&str, &[&str]); 9] = [
    ("homeostat-core", &[]),
    ("homeostat-forecast", &["homeostat-core"]),
    ("homeostat-policy", &["homeostat-core", "homeostat-forecast"]),
    ("homeostat-twin", &["homeostat-core", "homeostat-forecast", "homeostat-policy"]),
    ("homeostat-calibrate", &["homeostat-core", "homeostat-forecast", "homeostat-policy", "homeostat-twin"]),
    ("homeostat-trace", &["homeostat-core"]),
    ("homeostat-report", &[]),
    (
        "homeostat",
        &[
            "homeostat-core",
            "homeostat-forecast",
            "homeostat-policy",
            "homeostat-twin",
            "homeostat-calibrate",
            "homeostat-trace",
            "homeostat-report",
        ],
    ),
    (
        "xtask",
        &["homeostat-core", "homeostat-forecast", "homeostat-policy", "homeostat-trace", "homeostat-twin"],
    ),
];

/// What nothing below `crates/pure` may reach, not even through others.
const IMPURE: [&str; 9] =
    ["tokio", "hyper", "kube", "reqwest", "burn", "rand", "getrandom", "flate2", "homeostat-trace"];

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Normal dependencies by package id.
fn edges(metadata: &Value) -> BTreeMap<String, Vec<String>> {
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let normal = |dep: &&Value| dep["dep_kinds"].as_array().unwrap().iter().any(|k| k["kind"].is_null());
    let id = |v: &Value| v.as_str().unwrap().to_owned();
    let deps = |node: &Value| {
        node["deps"].as_array().unwrap().iter().filter(normal).map(|dep| id(&dep["pkg"])).collect()
    };
    nodes.iter().map(|node| (id(&node["id"]), deps(node))).collect()
}

fn names(metadata: &Value) -> BTreeMap<String, (String, String)> {
    let packages = metadata["packages"].as_array().unwrap();
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    packages.iter().map(|p| (text(&p["id"]), (text(&p["name"]), text(&p["manifest_path"])))).collect()
}

#[test]
fn our_crates_point_one_way() {
    let metadata = metadata();
    let (names, edges) = (names(&metadata), edges(&metadata));
    let members = metadata["workspace_members"].as_array().unwrap();
    for member in members {
        let id = member.as_str().unwrap();
        let name = &names[id].0;
        let allowed = MAY_USE.iter().find(|(n, _)| n == name);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("{name} is new: say here what it may use"));
        for dep in &edges[id] {
            let dep = &names[dep].0;
            if MAY_USE.iter().any(|(n, _)| n == dep) {
                assert!(allowed.contains(&dep.as_str()), "{name} must not use {dep}");
            }
        }
    }
    assert_eq!(members.len(), MAY_USE.len(), "a crate listed here is gone");
}

#[test]
fn the_pure_half_reaches_no_world() {
    let metadata = metadata();
    let (names, edges) = (names(&metadata), edges(&metadata));
    for (id, (name, path)) in &names {
        if !path.contains("/crates/pure/") {
            continue;
        }
        let (mut open, mut seen) = (vec![id.clone()], Vec::new());
        while let Some(id) = open.pop() {
            if !seen.contains(&id) {
                open.extend(edges[&id].iter().cloned());
                seen.push(id);
            }
        }
        for reached in seen.iter().map(|id| names[id].0.as_str()) {
            assert!(!IMPURE.contains(&reached), "{name} reaches {reached}");
        }
    }
}
