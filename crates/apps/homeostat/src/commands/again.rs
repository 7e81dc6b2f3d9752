//! The command line that makes a result again, for reports.

use std::path::Path;

use crate::cli::{CompareArgs, ReadArgs, RunArgs, WhatIf};

/// `homeostat compare` with what it was given.
pub(crate) fn comparing(args: &CompareArgs) -> String {
    let mut line = Line(vec!["homeostat".to_owned(), "compare".to_owned(), quoted(&path(&args.scenario))]);
    line.option("trace", args.trace.as_deref().map(path));
    line.reading(&args.read);
    line.0.join(" ")
}

/// `command` with the options that change the result.
pub(crate) fn with_options(command: &str, args: &RunArgs) -> String {
    let mut line = Line(vec![command.to_owned()]);
    for policy in &args.policies {
        line.option("policy", Some(policy));
    }
    line.option("fidelity", args.fidelity.said());
    line.option("seed", (args.seed != 1).then_some(args.seed));
    line.option("seeds", (args.seeds != 1).then_some(args.seeds));
    line.what_if(&args.what_if);
    line.0.join(" ")
}

/// `command` with the baseline of savings, where one was named.
pub(crate) fn with_baseline(command: &str, baseline: Option<&str>) -> String {
    let mut line = Line(vec![command.to_owned()]);
    line.option("baseline", baseline);
    line.0.join(" ")
}

/// The options that change the scenario; empty where none was given.
pub(crate) fn what_if(what_if: &WhatIf) -> String {
    let mut line = Line(Vec::new());
    line.what_if(what_if);
    line.0.join(" ")
}

struct Line(Vec<String>);

impl Line {
    fn option(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.0.push(format!("--{name} {}", quoted(&value.to_string())));
        }
    }

    fn what_if(&mut self, what_if: &WhatIf) {
        self.option("scale-load", what_if.scale_load);
        self.option("start-up", what_if.start_up);
        self.option("slo", what_if.slo);
        self.option("max-replicas", what_if.max_replicas);
    }

    fn reading(&mut self, read: &ReadArgs) {
        self.option("map", read.map.as_ref());
        self.option("step", read.step);
        self.option("time-zone", read.time_zone.as_ref());
        self.option("on-duplicate", read.on_duplicate.as_ref());
        self.option("missing-zeros", read.missing_zeros);
        for window in &read.artefact {
            self.option("artefact", Some(window));
        }
        self.option("key", read.key.as_ref());
        if read.sort {
            self.0.push("--sort".to_owned());
        }
        self.option("start", read.start.as_ref());
        self.option("format", read.format.as_ref());
    }
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

/// A word as shells take it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn the_line_says_what_changes_the_result() {
        let line = [
            "homeostat compare 'my files/x.yaml' --trace t.csv --map time=t,count=n --sort",
            "--policy 'it'\\''s mine.yaml' --fidelity fluid --seed 3 --scale-load 1.5 --slo 500ms",
        ];
        let words = "homeostat|compare|my files/x.yaml|--trace|t.csv|--map|time=t,count=n|--sort|--policy|\
                     it's mine.yaml|--fidelity|fluid|--seed|3|--scale-load|1.5|--slo|500ms|--json";
        let cli = crate::cli::Cli::parse_from(words.split('|'));
        let crate::cli::Command::Compare(args) = cli.command else { panic!("another command") };
        assert_eq!(with_options(&comparing(&args), &args.run), line.join(" "));
    }
}
