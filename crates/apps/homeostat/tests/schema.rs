//! The JSON Schema that `scenario schema` prints describes the committed scenarios.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod common;

use std::path::PathBuf;

use common::{Place, root};
use serde_json::Value;

#[test]
fn the_committed_scenarios_fit_the_schema() {
    let (schema, _) = Place::new().ends(&["scenario", "schema"], 0);
    let schema: Value = serde_json::from_str(&schema).unwrap();
    for path in committed() {
        let text = std::fs::read_to_string(&path).unwrap();
        let value: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(mismatch(&value, &schema, &schema), None, "{}", path.display());
    }
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let place = Place::new();
    let (schema, _) = place.ends(&["scenario", "schema"], 0);
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let cases = [
        ("latency: 1s", "latncy: 1s", "latncy"),
        ("latency: 1s", "latency: 5", "latency"),
        ("fcfs: { slots", "lifo: { slots", "server"),
        ("version: 1", "version: 1\ncolour: red", "colour"),
        ("version: 1\n", "", "version"),
        ("slots: 4", "slots: many", "server"),
    ];
    for (from, to, named) in cases {
        let text = common::SMALL.replacen(from, to, 1);
        let value: Value = serde_saphyr::from_str(&text).unwrap();
        let problem = mismatch(&value, &schema, &schema);
        assert!(problem.as_ref().is_some_and(|problem| problem.contains(named)), "{to}: {problem:?}");
        place.write("bad.yaml", text);
        place.refuses(&["scenario", "check", "bad.yaml"], &["bad.yaml"]);
    }
}

fn committed() -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for folder in ["scenarios/demo", "scenarios/benchmark"] {
        let entries = std::fs::read_dir(root().join(folder)).unwrap();
        paths.extend(entries.map(|entry| entry.unwrap().path()));
    }
    paths.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    assert!(paths.len() > 10, "{paths:?}");
    paths
}

/// What of a value the schema has no place for: names, required fields, alternatives and kinds.
fn mismatch(value: &Value, schema: &Value, root: &Value) -> Option<String> {
    if let Some(to) = schema["$ref"].as_str() {
        return mismatch(value, root.pointer(to.trim_start_matches('#')).unwrap(), root);
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(forms) = schema[choice].as_array() {
            let problems: Option<Vec<String>> =
                forms.iter().map(|form| mismatch(value, form, root)).collect();
            return problems.map(|all| format!("none of the forms: {}", all.join("; ")));
        }
    }
    if let Some(constant) = schema.get("const") {
        return (value != constant).then(|| format!("{value} is not {constant}"));
    }
    if let Some(allowed) = schema["enum"].as_array() {
        return (!allowed.contains(value)).then(|| format!("{value} is not one of {allowed:?}"));
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => kind.as_str().into_iter().collect(),
    };
    match value {
        _ if kinds.is_empty() => None,
        Value::Object(_) if kinds.contains(&"object") => misfit(value, schema, root),
        Value::Array(items) if kinds.contains(&"array") => {
            items.iter().find_map(|item| mismatch(item, &schema["items"], root))
        }
        Value::String(_) if kinds.contains(&"string") => None,
        Value::Number(_) if kinds.contains(&"number") || kinds.contains(&"integer") => None,
        Value::Bool(_) if kinds.contains(&"boolean") => None,
        Value::Null if kinds.contains(&"null") => None,
        other => Some(format!("{other} is not {kinds:?}")),
    }
}

/// The same for an object.
fn misfit(value: &Value, schema: &Value, root: &Value) -> Option<String> {
    let mut fields = value.as_object()?.iter();
    let problem = fields.find_map(|(name, value)| match schema["properties"].get(name) {
        Some(schema) => mismatch(value, schema, root).map(|problem| format!("{name}: {problem}")),
        None => (schema["additionalProperties"] == false).then(|| format!("{name} is unknown")),
    });
    let required = schema["required"].as_array().into_iter().flatten();
    let mut missing = required.filter(|name| value.get(name.as_str().unwrap()).is_none());
    problem.or_else(|| missing.next().map(|name| format!("{name} is missing")))
}
