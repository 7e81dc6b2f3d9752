//! The tables of docs/rejuvenation.md: leaks over 72 h under `rejuvenate`, today's restarts and ablations;
//! and leaks under the World Cup's load beside HPA and `predictive`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::bounds::Choice;
use crate::product;

/// Where results are kept, so that a measurement that was cut short goes on where it was.
const KEPT: &str = "target/rejuvenation";
const PAGE: &str = "docs/rejuvenation.md";
const BEGIN: &str = "<!-- rejuvenation: begin -->";
const END: &str = "<!-- rejuvenation: end -->";
const COMBINED_TITLE: &str = "Combined";
const COMBINED_NAME: &str = "combined";

/// First seeds of the parts in which 20 seeds are run, and the seeds of a part.
const PARTS: [u32; 4] = [1, 6, 11, 16];
const SEEDS: &str = "5";
/// Seeds of the combined table; the bound is that of the first.
const COMBINED: [u32; 3] = [1, 2, 3];

/// Policies without a wish for the count, by the name of the row. The first does nothing.
const REPLACERS: [(&str, &str); 13] = [
    ("none (restart on OOM)", ""),
    ("nightly: max age 24 h, evicted", "{ restart: { max_age: 24h } }"),
    ("max age 4 h, evicted", "{ restart: { max_age: 4h } }"),
    ("max age 3 h, surge", "{ restart: { max_age: 3h, surge: true } }"),
    ("40 000 requests ± 10 %, evicted", "{ restart: { max_requests: 40000, jitter: 0.1 } }"),
    ("90 % of the limit, evicted", "{ restart: { memory_percent: 90 } }"),
    ("95 % of the limit, evicted", "{ restart: { memory_percent: 95 } }"),
    ("90 % of the limit, surge", "{ restart: { memory_percent: 90, surge: true } }"),
    ("95 % of the limit, surge", "{ restart: { memory_percent: 95, surge: true } }"),
    ("**rejuvenate**", "{ rejuvenate: {} }"),
    ("ours without surge", "{ rejuvenate: { surge: false } }"),
    ("ours without load regression", "{ rejuvenate: { regress_load: false } }"),
    ("ours without persistence", "{ rejuvenate: { persistence: 1 } }"),
];

/// A world: the demo's with a leak, beside what the replacers stand, and which of them.
struct World {
    name: &'static str,
    title: &'static str,
    leak: &'static str,
    count: &'static str,
    rows: &'static [usize],
}

const FIXED: &str = "{ static: { replicas: 10 } }";
const WORLDS: [World; 4] = [
    World {
        name: "even-fixed",
        title: "Beside a fixed count of 10, even leaks",
        leak: "leak: { mib_per_hour: 120, mib_per_1000_requests: 15, cv: 0.3 }",
        count: FIXED,
        rows: &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    },
    World {
        name: "even-hpa",
        title: "Beside HPA at 60 %, even leaks",
        leak: "leak: { mib_per_hour: 120, mib_per_1000_requests: 15, cv: 0.3 }",
        count: "{ hpa: { cpu_percent: 60 } }",
        rows: &[0, 3, 5, 7, 8, 9, 10, 11, 12],
    },
    World {
        name: "accelerating-fixed",
        title: "Beside a fixed count of 10, leaks that accelerate",
        leak: "leak: { mib_per_hour: 60, acceleration_per_hour: 0.6, cv: 0.3 }",
        count: FIXED,
        rows: &[0, 3, 6, 7, 8, 9, 10],
    },
    World {
        name: "steps-fixed",
        title: "Beside a fixed count of 10, leaks in steps of 150 MiB",
        leak: "leak: { mib_per_hour: 230, step_mib: 150, cv: 0.3 }",
        count: FIXED,
        rows: &[0, 3, 6, 7, 8, 9, 10],
    },
];

/// Runs what is missing and puts the tables into the page. Results of an earlier call are used again: delete
/// `target/rejuvenation` to measure anew. Names of worlds, and `combined`, choose: other tables stay as the
/// page has them, as do those of which nothing was run. `--parts N` runs the first N parts of five seeds (of
/// the combined table: seeds) only; `--kept` makes the tables of what is there and runs nothing.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    let (args, parts) = parts(args)?;
    let known: Vec<&str> = WORLDS.iter().map(|world| world.name).chain([COMBINED_NAME]).collect();
    let choice = Choice::of(&args, &known)?;
    let mut text = String::new();
    for world in &WORLDS {
        let table = choice.wants(world.name, &known).then(|| world.table(root, parts, choice.runs));
        text.push_str(&or_before(root, world.title, table.transpose()?.flatten())?);
    }
    let table = choice.wants(COMBINED_NAME, &known).then(|| combined(root, parts, choice.runs));
    text.push_str(&or_before(root, COMBINED_TITLE, table.transpose()?.flatten())?);
    print!("{text}");
    put(root, &text)
}

/// The arguments without `--parts N`, and N: all where it isn't there.
fn parts(args: &[String]) -> Result<(Vec<String>, usize)> {
    let Some(place) = args.iter().position(|arg| arg == "--parts") else {
        return Ok((args.to_vec(), PARTS.len()));
    };
    let number = args.get(place + 1).context("`--parts` needs a number")?;
    let parts = number.parse().with_context(|| format!("`--parts {number}`"))?;
    Ok(([&args[..place], &args[place + 2..]].concat(), parts))
}

/// A new table, or where there is none the one that the page has.
fn or_before(root: &Path, title: &str, table: Option<String>) -> Result<String> {
    table.map_or_else(
        || {
            eprintln!("left as it was: {title}");
            before(root, title)
        },
        Ok,
    )
}

/// The table under this title as the page has it.
fn before(root: &Path, title: &str) -> Result<String> {
    let page = std::fs::read_to_string(root.join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    let tables = page.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).map(|(tables, _)| tables);
    let table = tables.and_then(|tables| tables.split_once(&format!("{title}, ")));
    let (_, table) = table.with_context(|| format!("no table `{title}` in {PAGE}"))?;
    let titles = WORLDS.iter().map(|world| world.title).chain([COMBINED_TITLE]);
    let end = titles.filter_map(|other| table.find(&format!("\n{other}, "))).min();
    let table = end.map_or(table, |end| &table[..=end]);
    Ok(format!("{title}, {table}"))
}

/// The result of a world's file with these arguments, kept under a name for its first seed.
fn compare(root: &Path, file: &Path, first: &str, args: &[&str], runs: bool) -> Result<Option<Value>> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let path = file.with_file_name(format!("{stem}-{first}.json"));
    let file = file.to_string_lossy();
    product::kept(root, &path, &[&["compare", &*file], args].concat(), &[0], runs)
}

/// Puts the tables between the marks of the page.
fn put(root: &Path, text: &str) -> Result<()> {
    let page = root.join(PAGE);
    let old = std::fs::read_to_string(&page).with_context(|| format!("cannot read {PAGE}"))?;
    let (Some(from), Some(to)) = (old.find(BEGIN), old.find(END)) else {
        bail!("{PAGE} has no `{BEGIN}` and `{END}` to put the tables between");
    };
    std::fs::write(&page, format!("{}{BEGIN}\n{text}{}", &old[..from], &old[to..]))?;
    Ok(())
}

impl World {
    /// The demo's world with this leak, without its policies.
    fn text(&self, root: &Path) -> Result<String> {
        let text = std::fs::read_to_string(root.join("scenarios/demo/aging.yaml"))?;
        let (world, _) =
            text.split_once("policies:").context("scenarios/demo/aging.yaml lists no policies")?;
        let line = |line: &str| {
            let leaks = line.trim_start().starts_with("leak:");
            if leaks { format!("    {}\n", self.leak) } else { format!("{line}\n") }
        };
        Ok(world.lines().map(line).collect())
    }

    /// Its title and table, over all parts that are run or kept; `None` where there are none.
    fn table(&self, root: &Path, parts: usize, runs: bool) -> Result<Option<String>> {
        let file = write(root, self.name, &self.text(root)?, &self.contenders())?;
        let mut rows = Vec::new();
        for first in PARTS.into_iter().take(parts) {
            let first = first.to_string();
            let args = ["--no-bound", "--seed", &first, "--seeds", SEEDS];
            if let Some(part) = compare(root, &file, &first, &args, runs)? {
                add(&mut rows, &part);
            }
        }
        if rows.is_empty() {
            return Ok(None);
        }
        Ok(Some(format!("{}, {}:\n\n{}\n", self.title, seeds(&rows), table(&rows)?)))
    }

    fn contenders(&self) -> Vec<(String, String)> {
        let row = |index: &usize| {
            let (name, policy) = REPLACERS[*index];
            let all: Vec<&str> = [self.count, policy].into_iter().filter(|part| !part.is_empty()).collect();
            (name.to_owned(), together(&all))
        };
        self.rows.iter().map(row).collect()
    }
}

fn together(all: &[&str]) -> String {
    format!("{{ together: [{}] }}", all.join(", "))
}

fn write(root: &Path, name: &str, world: &str, policies: &[(String, String)]) -> Result<PathBuf> {
    let rows =
        policies.iter().map(|(name, policy)| format!("  - {{ name: \"{name}\", policy: {policy} }}\n"));
    let folder = root.join(KEPT);
    std::fs::create_dir_all(&folder)?;
    let file = folder.join(format!("{name}.yaml"));
    std::fs::write(&file, format!("{world}policies:\n{}", rows.collect::<String>()))?;
    Ok(file)
}

/// A row over several seeds: counts are sums, the others means.
struct Row {
    name: String,
    seeds: f64,
    counts: [u64; 4],
    cancelled: u64,
    attained: f64,
    hours: f64,
}

/// Adds the runs of a result to the rows.
fn add(rows: &mut Vec<Row>, result: &Value) {
    for (index, row) in result["policies"].as_array().into_iter().flatten().enumerate() {
        if rows.len() == index {
            let name = row["name"].as_str().unwrap_or("?").to_owned();
            rows.push(Row { name, seeds: 0.0, counts: [0; 4], cancelled: 0, attained: 0.0, hours: 0.0 });
        }
        let sums = &mut rows[index];
        let count = |field: &str| row["aging"][field].as_u64().unwrap_or(0);
        let fields = ["oom_kills", "rejuvenations", "lost_to_oom", "lost_to_rejuvenation"];
        for (sum, field) in sums.counts.iter_mut().zip(fields) {
            *sum += count(field);
        }
        sums.cancelled += count("surges_cancelled");
        let seeds = result["seeds"].as_array().map_or(1.0, |seeds| seeds.len() as f64);
        let share = seeds / (sums.seeds + seeds);
        let mean = |old: f64, field: &str| old + (row[field].as_f64().unwrap_or(f64::NAN) - old) * share;
        (sums.attained, sums.hours) = (mean(sums.attained, "attainment"), mean(sums.hours, "replica_hours"));
        sums.seeds += seeds;
    }
}

fn seeds(rows: &[Row]) -> String {
    let seeds = rows.first().map_or(0.0, |row| row.seeds);
    if seeds > 1.0 { format!("seeds 1 to {seeds}") } else { "seed 1".to_owned() }
}

impl Row {
    fn is_safe(&self) -> bool {
        self.counts[0] + self.counts[3] == 0
    }

    fn is_ours(&self) -> bool {
        self.name.contains("rejuvenate") || self.name.contains("ours")
    }

    fn cells(&self) -> String {
        let [kills, replaced, to_kills, to_replacements] = self.counts;
        let attained = (self.attained * 100_000.0).floor() / 1_000.0;
        format!(
            " {kills} | {replaced} | {to_kills} | {to_replacements} | {attained:.3} % | {:.2} |",
            self.hours
        )
    }
}

const HEAD: &str = "| policy | OOM kills | replaced | lost to kills | lost to replacements | attained | \
                    replica-hours |";

fn table(rows: &[Row]) -> Result<String> {
    let mut text = format!("{HEAD}\n|---|---|---|---|---|---|---|\n");
    for row in rows {
        writeln!(text, "| {} |{}", row.name, row.cells())?;
    }
    for (ours, evicts) in [("**rejuvenate**", false), ("ours without surge", true)] {
        let safe = rows.iter().filter(|row| row.is_safe() && !row.is_ours());
        let peers = safe.filter(|row| row.name.contains("evicted") == evicts);
        let best = peers.min_by(|a, b| a.hours.total_cmp(&b.hours));
        if let (Some(ours), Some(best)) = (rows.iter().find(|row| row.name == ours), best) {
            let more = (ours.hours / best.hours - 1.0) * 100.0;
            let name = ours.name.trim_matches('*');
            let peer = &best.name;
            writeln!(
                text,
                "\nReplica-hours of {name} against the best safe peer of its kind ({peer}): {more:+.3} %"
            )?;
        }
    }
    Ok(text)
}

/// Three days of the World Cup's busy weeks, leaks, and starts of two minutes; `None` without the trace, or
/// where nothing is run or kept.
fn combined(root: &Path, parts: usize, runs: bool) -> Result<Option<String>> {
    let text = std::fs::read_to_string(root.join("scenarios/benchmark/world-cup.yaml"))?;
    let world = text
        .replace("  part: test\n", "  part: test\n  skip: 14d\n  take: 3d\n")
        .replace(
            "    start_up:",
            "    memory_mib: 2048\n    memory_limit_mib: 4096\n    leak: { mib_per_hour: 120, \
             mib_per_1000_requests: 2.5, cv: 0.3 }\n    memory: { noise_mib: 10 }\n    start_up:",
        )
        .replace("name: world-cup", "name: world-cup-leaks");
    let file = write(root, COMBINED_NAME, &world, &pairs())?;
    let (mut rows, mut bound) = (Vec::new(), None);
    for seed in COMBINED.into_iter().take(parts) {
        let seed = seed.to_string();
        let args = ["--seed", &seed, "--no-bound"];
        let with_bound = bound.is_none();
        let args = if with_bound { &args[..2] } else { &args[..] };
        if let Some(result) = compare(root, &file, &seed, args, runs)? {
            add(&mut rows, &result);
            bound.get_or_insert(result);
        }
    }
    bound.map(|bound| combined_table(&rows, &bound)).transpose()
}

/// Each count alone, with a threshold, and with ours.
fn pairs() -> Vec<(String, String)> {
    let peer = "{ restart: { memory_percent: 90, surge: true } }";
    let ours = "{ rejuvenate: {} }";
    let mut all = Vec::new();
    for percent in [60, 70, 80] {
        let (name, hpa) = (format!("hpa {percent} %"), format!("{{ hpa: {{ cpu_percent: {percent} }} }}"));
        all.push((name.clone(), together(&[&hpa])));
        all.push((format!("{name} + 90 % of the limit"), together(&[&hpa, peer])));
        if percent > 60 {
            all.push((format!("{name} + rejuvenate"), together(&[&hpa, ours])));
        }
    }
    let predictive = "{ predictive: {} }";
    all.push(("predictive".to_owned(), together(&[predictive])));
    all.push(("predictive + 90 % of the limit".to_owned(), together(&[predictive, peer])));
    all.push(("**predictive + rejuvenate**".to_owned(), together(&[predictive, ours])));
    all
}

fn combined_table(rows: &[Row], bound: &Value) -> Result<String> {
    let mut text = format!(
        "{COMBINED_TITLE}, {}; the bound and what is measured by it are those of seed 1:\n\n{HEAD} surges \
         cancelled | attained, seed 1 | over the best schedule | gap closed |\n|{}\n",
        seeds(rows),
        "---|".repeat(11)
    );
    let first = bound["policies"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (row, first) in rows.iter().zip(first) {
        let number = |field: &str, factor: f64, unit: &str, places: usize| {
            let value = first[field].as_f64();
            value.map_or_else(|| "–".to_owned(), |value| format!("{:.places$}{unit}", value * factor))
        };
        writeln!(
            text,
            "| {} |{} {} | {} | {} | {} |",
            row.name,
            row.cells(),
            row.cancelled,
            number("attainment", 100.0, " %", 4),
            number("cost_over_bound", 1.0, "", 3),
            number("gap_closed", 100.0, " %", 0)
        )?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_that_are_left_alone_stay_to_the_byte() {
        let root = crate::root();
        let page = std::fs::read_to_string(root.join(PAGE)).unwrap();
        let (_, rest) = page.split_once(&format!("{BEGIN}\n")).unwrap();
        let (tables, _) = rest.split_once(END).unwrap();
        let titles = WORLDS.iter().map(|world| world.title).chain([COMBINED_TITLE]);
        let parts: Vec<String> = titles.map(|title| before(&root, title).unwrap()).collect();
        assert_eq!(parts.concat(), tables);
        assert!(parts.iter().all(|part| part.contains("rejuvenate")));
    }
}
