//! Runs the binary on small files.

#![allow(dead_code, reason = "each test binary uses a part of this")]
#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// An hour of constant traffic on a small service.
pub(crate) const SMALL: &str = "\
version: 1
name: small
traffic:
  source: { constant: { rps: 20, length: 1h } }
objective: { latency: 1s, attainment: 0.99 }
services:
  - name: model
    server: { fcfs: { slots: 4 } }
    service_time: { log_normal: { mean: 200ms, cv: 0.5 } }
    replicas: { min: 1, max: 30 }
    start_up: { model_load: { fixed: 30s } }
warm_up: 5m
";

/// A manifest of the Kubernetes HPA with one metric.
pub(crate) fn hpa(metric: &str) -> String {
    format!(
        "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{ name: web, namespace: shop }}
spec:
  scaleTargetRef: {{ apiVersion: apps/v1, kind: Deployment, name: web }}
  minReplicas: 2
  maxReplicas: 20
  metrics:
    - {metric}
"
    )
}

/// A folder with a small scenario, removed at the end.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("small.yaml", SMALL);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Everything in the folder, by name.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The binary in this folder.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_homeostat"));
        command.args(args).current_dir(self.0.path()).env_remove("HOMEOSTAT_DATA");
        command
    }

    /// Runs the binary, which must end with `code`; returns what it printed.
    pub(crate) fn ends(&self, args: &[&str], code: i32) -> (String, String) {
        let Output { status, stdout, stderr } = self.command(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (out, err) = (text(stdout), text(stderr));
        assert_eq!(status.code(), Some(code), "{args:?}\n{out}\n{err}");
        assert!(!err.contains("panicked"), "{args:?}\n{err}");
        (out, err)
    }

    /// Runs the binary, which must succeed and print JSON.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.ends(args, 0).0).unwrap()
    }

    /// Runs the binary, which must refuse its input: exit code 2, nothing on standard output, one error
    /// that holds all of `named`, and no file made or changed in name.
    pub(crate) fn refuses(&self, args: &[&str], named: &[&str]) {
        let before = self.names();
        let (out, err) = self.ends(args, 2);
        assert!(out.is_empty(), "{args:?} printed {out}");
        assert_eq!(before, self.names(), "{args:?} left files behind");
        let errors: Vec<&str> = err.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "{args:?}: {err}");
        for name in named {
            assert!(errors[0].contains(name), "{args:?}: no `{name}` in: {err}");
        }
    }
}

/// The policy of this name in a result.
pub(crate) fn policy<'a>(result: &'a Value, name: &str) -> &'a Value {
    result["policies"].as_array().unwrap().iter().find(|p| p["name"] == name).unwrap()
}

/// The names of the fields of an object, in their order.
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}
