//! Work dealt out to several processes, and the files in which its parts come back.
//!
//! For any command that is a list of independent jobs in a fixed order: [`Shard::owns`] says which jobs
//! a process does, [`write`] stores their results, [`read`] refuses what does not belong together, and
//! [`Parts::join`] gives all results in the order of the jobs, as if one process had done them. A new
//! command adds a [`Kind`], a record of what its jobs have in common, and a type of results; floats come
//! back to the bit. A part never holds times of execution, so that it is the same to the byte each time.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::failure::Failure;
use crate::show::write_whole;

/// How part files call themselves.
pub(crate) const FORMAT: &str = "homeostat-part";
/// The version of part files that this build writes and reads.
const VERSION: u64 = 1;
/// Shards at most.
const MOST: usize = 100_000;

/// One of several equal shares of a list of jobs: the `--shard I/N` of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shard {
    /// From 1 to `count`.
    pub(crate) index: usize,
    pub(crate) count: usize,
}

impl Shard {
    /// Whether job `number`, counted from 0, is in this share. Jobs are dealt like cards.
    pub(crate) const fn owns(self, number: usize) -> bool {
        number % self.count + 1 == self.index
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match parsed {
            Some((index, count)) if (1..=MOST).contains(&count) && (1..=count).contains(&index) => {
                Ok(Self { index, count })
            }
            _ => Err(format!("expected part I of N with I from 1 to N and N up to {MOST}, for example 2/4")),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// Which command a part comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Compare,
    Tune,
}

/// What must be equal in all parts of one run: names, and values that a user can make sense of where
/// possible. Put what people change by mistake (options) before digests: the first difference is told.
pub(crate) type Fingerprint = Vec<(String, String)>;

/// The start of a part file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    format: String,
    version: u64,
    program: String,
    kind: Kind,
    shard: Shard,
    /// Jobs of all shards.
    jobs: usize,
    fingerprint: Fingerprint,
}

impl Head {
    pub(crate) fn new(kind: Kind, shard: Shard, jobs: usize, fingerprint: Fingerprint) -> Self {
        let (format, program) = (FORMAT.to_owned(), program());
        Self { format, version: VERSION, program, kind, shard, jobs, fingerprint }
    }
}

fn program() -> String {
    format!("homeostat {}", env!("CARGO_PKG_VERSION"))
}

#[derive(Serialize)]
struct Written<'a, C, R> {
    head: &'a Head,
    common: &'a C,
    results: &'a [(usize, R)],
}

#[derive(Deserialize)]
struct Body<C, R> {
    common: C,
    results: Vec<(usize, R)>,
}

#[derive(Deserialize)]
struct Opening {
    head: Value,
}

/// Tells before a long run whether a part can be written to `path`.
pub(crate) fn can_write(path: &Path) -> Result<(), Failure> {
    if path.is_dir() {
        let text =
            format!("--out {}: it is a folder; expected a file, for example part1.json", path.display());
        return Err(Failure::new(text));
    }
    crate::show::report::can_hold(folder_of(path))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Writes a part whole or not at all: `common`, which is equal in all parts, and numbered results.
pub(crate) fn write<C: Serialize, R: Serialize>(
    path: &Path,
    head: &Head,
    common: &C,
    results: &[(usize, R)],
) -> Result<(), Failure> {
    let folder = folder_of(path);
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::new(format!("cannot make the folder {}: {error}", folder.display())))?;
    write_whole(path, &(serde_json::to_string(&Written { head, common, results })? + "\n"))
}

/// All parts of one run, in the order of their shards.
pub(crate) struct Parts(Vec<Part>);

struct Part {
    path: PathBuf,
    head: Head,
    text: String,
}

/// Reads parts in any order. Refused: other files, parts of different runs, doubles and gaps.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Parts, Failure> {
    let mut parts = paths.iter().map(|path| open(path)).collect::<Result<Vec<Part>, Failure>>()?;
    let Some(first) = parts.first() else { return Err(Failure::new("no part was named")) };
    for part in &parts[1..] {
        same_run(first, part)?;
    }
    parts.sort_by_key(|part| part.head.shard.index);
    for pair in parts.windows(2) {
        if pair[0].head.shard == pair[1].head.shard {
            return Err(Failure::new(format!(
                "{} and {} are both part {}; name each part once",
                pair[0].path.display(),
                pair[1].path.display(),
                pair[0].head.shard
            )));
        }
    }
    let count = parts[0].head.shard.count;
    let has = |index: &usize| parts.iter().any(|part| part.head.shard.index == *index);
    let missing: Vec<usize> = (1..=count).filter(|index| !has(index)).collect();
    if let Some(index) = missing.first() {
        const SHOWN: usize = 10;
        let mut names: Vec<String> =
            missing.iter().take(SHOWN).map(|index| format!("{index}/{count}")).collect();
        if missing.len() > SHOWN {
            names.push(format!("{} more", missing.len() - SHOWN));
        }
        return Err(Failure::new(format!(
            "missing: part {}; run the same command with --shard {index}/{count} --out part{index}.json, and \
             name all {count} parts",
            names.join(", ")
        )));
    }
    Ok(Parts(parts))
}

fn open(path: &Path) -> Result<Part, Failure> {
    let name = path.display();
    let foreign = |problem: &dyn fmt::Display| {
        Failure::new(format!(
            "{name}: not a part of a run ({problem}); expected a file that `--shard I/N --out FILE` wrote"
        ))
    };
    let bytes = std::fs::read(path).map_err(|error| Failure::new(format!("cannot read {name}: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|_| foreign(&"it is not text"))?;
    let opening: Opening = serde_json::from_str(&text).map_err(|error| foreign(&error))?;
    if opening.head["format"] != FORMAT {
        return Err(foreign(&format!("its format is not {FORMAT}")));
    }
    let (version, writer) = (&opening.head["version"], &opening.head["program"]);
    if *version != VERSION || *writer != program() {
        return Err(Failure::new(format!(
            "{name}: written by {} in version {version} of the format, this is {} with version {VERSION}; run \
             and merge all parts with one version of the program",
            writer.as_str().unwrap_or("an unknown program"),
            program()
        )));
    }
    let head: Head = serde_json::from_value(opening.head).map_err(|error| foreign(&error))?;
    if head.shard.count > MOST || !(1..=head.shard.count).contains(&head.shard.index) {
        return Err(foreign(&format!("there is no shard {}", head.shard)));
    }
    Ok(Part { path: path.to_owned(), head, text })
}

/// Refuses two parts of different runs, saying what differs.
fn same_run(a: &Part, b: &Part) -> Result<(), Failure> {
    let (x, y) = (&a.head, &b.head);
    let names = |part: &Part| part.head.fingerprint.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let kind = |kind: Kind| format!("{kind:?}").to_lowercase();
    let mut facts = vec![
        ("command".to_owned(), kind(x.kind), kind(y.kind)),
        ("number of shards".to_owned(), x.shard.count.to_string(), y.shard.count.to_string()),
    ];
    for ((name, mine), (_, other)) in x.fingerprint.iter().zip(&y.fingerprint) {
        facts.push((name.clone(), mine.clone(), other.clone()));
    }
    facts.push(("number of runs".to_owned(), x.jobs.to_string(), y.jobs.to_string()));
    facts.push(("fingerprint".to_owned(), names(a).join(", "), names(b).join(", ")));
    let Some((name, mine, other)) = facts.into_iter().find(|(_, mine, other)| mine != other) else {
        return Ok(());
    };
    Err(Failure::new(format!(
        "{} and {} are parts of different runs: {name}: {mine} and {other}; merge parts of one command only",
        a.path.display(),
        b.path.display()
    )))
}

impl Parts {
    /// Which command they come from.
    pub(crate) fn kind(&self) -> Kind {
        self.0[0].head.kind
    }

    /// What the parts have in common, as the first says it, and all results in the order of the jobs.
    pub(crate) fn join<C: DeserializeOwned, R: DeserializeOwned>(self) -> Result<(C, Vec<R>), Failure> {
        let jobs = self.0[0].head.jobs;
        let mut common = None;
        let mut all: Vec<(usize, R)> = Vec::new();
        for Part { path, head, text } in self.0 {
            let damaged = |problem: &dyn fmt::Display| {
                let shard = head.shard;
                Failure::new(format!(
                    "{}: damaged ({problem}); make it again with --shard {shard}",
                    path.display()
                ))
            };
            let body: Body<C, R> = serde_json::from_str(&text).map_err(|error| damaged(&error))?;
            let numbers = body.results.iter().map(|(number, _)| *number);
            if !numbers.eq((0..jobs).filter(|number| head.shard.owns(*number))) {
                return Err(damaged(&"its results are not those of its share"));
            }
            all.extend(body.results);
            common.get_or_insert(body.common);
        }
        all.sort_by_key(|(number, _)| *number);
        let Some(common) = common else { return Err(Failure::new("no part was named")) };
        Ok((common, all.into_iter().map(|(_, result)| result).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_in_one_share_and_shares_are_balanced() {
        for (count, jobs) in [(1, 7), (3, 7), (4, 12), (9, 2)] {
            let shares: Vec<usize> = (1..=count)
                .map(|index| (0..jobs).filter(|job| Shard { index, count }.owns(*job)).count())
                .collect();
            assert_eq!(shares.iter().sum::<usize>(), jobs);
            assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1, "{shares:?}");
        }
    }

    #[test]
    fn shares_are_written_as_i_of_n() {
        assert_eq!("2/4".parse(), Ok(Shard { index: 2, count: 4 }));
        for text in ["0/4", "5/4", "1/0", "2", "a/b", "-1/2", "1/2/3", "", "1/100001"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
