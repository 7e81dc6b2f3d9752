//! Style that lints can't express. Every rule says why it is there.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// Production lines of a file: beyond this it does more than one thing.
const FILE_LINES: usize = 800;
/// Lines of a function: it should fit on a screen.
const FUNCTION_LINES: usize = 70;
/// Columns of a line.
const COLUMNS: usize = 110;

/// Runs all checks over the Rust sources below `root`.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut problems = Vec::new();
    for file in sources(root)? {
        let text = fs::read_to_string(&file)?;
        let name = file.strip_prefix(root).unwrap_or(&file).display().to_string();
        check(&name, &text, &mut problems);
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    if !problems.is_empty() {
        bail!("{} places are not tidy", problems.len());
    }
    Ok(())
}

fn sources(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.join("crates"), root.join("xtask")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn check(name: &str, text: &str, problems: &mut Vec<String>) {
    if !text.starts_with("//!") {
        problems.push(format!("{name}:1: a module opens by saying what it is for"));
    }
    for (i, line) in text.lines().enumerate() {
        if line.chars().count() > COLUMNS && !line.contains("://") && !line.contains('"') {
            problems.push(format!("{name}:{}: more than {COLUMNS} columns", i + 1));
        }
    }
    let production = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = production.lines().count();
    if lines > FILE_LINES {
        problems.push(format!("{name}: {lines} lines; split it at {FILE_LINES}"));
    }
    functions(name, production, problems);
}

/// Functions by their braces: from a line with `fn` to the closing brace at the same indentation.
fn functions(name: &str, text: &str, problems: &mut Vec<String>) {
    let mut open: Option<(usize, usize)> = None;
    for (i, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let code = line.trim_start();
        let is_fn = code.starts_with("fn ") || (code.contains(" fn ") && !code.starts_with("//"));
        if open.is_none() && is_fn && !code.ends_with(';') && !code.ends_with('}') {
            open = Some((i, indent));
        } else if let Some((start, depth)) = open
            && code == "}"
            && indent == depth
        {
            if i - start > FUNCTION_LINES {
                problems.push(format!("{name}:{}: a function of {} lines", start + 1, i - start));
            }
            open = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        run(root).unwrap();
    }

    #[test]
    fn finds_what_is_not_tidy() {
        let mut problems = Vec::new();
        let body = "    let x = 1;\n".repeat(80);
        check("a.rs", &format!("fn long() {{\n{body}}}\n"), &mut problems);
        assert_eq!(problems.len(), 2, "{problems:?}");
    }
}
