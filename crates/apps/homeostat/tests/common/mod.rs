//! Runs the binary on small files.

#![allow(dead_code, reason = "each test binary uses a part of this")]
#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// An hour of a small service.
pub(crate) const SMALL: &str = "\
version: 1
name: small
traffic:
  source: { generate: { length: 1h, mean_rps: 40, bursts: { per_day: 60, height: 1.0, lasts: 2m } } }
objective: { latency: 1s, attainment: 0.99 }
services:
  - name: model
    server: { fcfs: { slots: 4 } }
    service_time: { log_normal: { mean: 200ms, cv: 0.5 } }
    replicas: { min: 1, max: 30 }
    start_up: { model_load: { fixed: 30s } }
warm_up: 5m
";

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

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs the binary in this folder.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_homeostat"));
        command.args(args).current_dir(self.0.path());
        command
    }

    /// Runs the binary, which must end with `code`; returns what it printed.
    pub(crate) fn ends(&self, args: &[&str], code: i32) -> (String, String) {
        let output = self.run(args);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{out}\n{err}");
        assert!(!err.contains("panicked"), "{args:?}\n{err}");
        (out, err)
    }

    pub(crate) fn json(&self, args: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.ends(args, 0).0).unwrap()
    }
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}
