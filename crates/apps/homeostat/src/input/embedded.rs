//! Scenarios that are part of the program.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::input::scenario::{World, parse};

/// The example that `scenario init` prints.
pub(crate) const EXAMPLE: &str = include_str!("../../../../../scenarios/demo/example.yaml");

/// An embedded scenario.
pub(crate) struct Demo {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    text: &'static str,
}

/// All of them; the first is the default.
pub(crate) const DEMOS: [Demo; 8] = [
    Demo {
        name: "daily",
        about: "two days of a model service: a daily shape, bursts and flash crowds",
        text: include_str!("../../../../../scenarios/demo/daily.yaml"),
    },
    Demo {
        name: "cold-start",
        about: "the same load, but a replica needs five minutes and sometimes fails to start",
        text: include_str!("../../../../../scenarios/demo/cold-start.yaml"),
    },
    Demo {
        name: "flash-crowd",
        about: "a quiet service that is suddenly talked about",
        text: include_str!("../../../../../scenarios/demo/flash-crowd.yaml"),
    },
    Demo {
        name: "half-hourly",
        about: "scheduled jobs hit the service every half hour",
        text: include_str!("../../../../../scenarios/demo/half-hourly.yaml"),
    },
    Demo {
        name: "faults",
        about: "crashes, lost nodes, slow replicas, leaks, and a metrics source that goes away",
        text: include_str!("../../../../../scenarios/demo/faults.yaml"),
    },
    Demo {
        name: "aging",
        about: "three days of a model service that leaks: restarts by age, by a threshold, and foreseen",
        text: include_str!("../../../../../scenarios/demo/aging.yaml"),
    },
    Demo {
        name: "graph",
        about: "a gateway, a model with two feature services, and a re-ranker: each scaled on its own",
        text: include_str!("../../../../../scenarios/demo/graph.yaml"),
    },
    Demo {
        name: "to-zero",
        about: "a service that is idle for hours: scaling to and from zero",
        text: include_str!("../../../../../scenarios/demo/to-zero.yaml"),
    },
];

/// The demo of this name.
pub(crate) fn demo(name: &str) -> Option<&'static Demo> {
    DEMOS.iter().find(|demo| demo.name == name)
}

/// Their names, for messages.
pub(crate) fn names() -> String {
    DEMOS.map(|demo| demo.name).join(", ")
}

impl Demo {
    /// The scenario.
    pub(crate) fn read(&self) -> Result<World, Failure> {
        parse(self.text, &format!("demo {}", self.name), PathBuf::new())
    }
}
