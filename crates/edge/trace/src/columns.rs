//! Which column means what: what the user said, or a guess by name with a note.

use std::path::Path;

use crate::error::{Place, TraceError};
use crate::names;
use crate::note::Note;
use crate::options::{ColumnMap, Measure};
use crate::shape::Shape;

/// The columns of a file by their role; indexes from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) time: Option<usize>,
    pub(crate) value: Option<(Measure, Vec<usize>)>,
    pub(crate) key: Option<usize>,
    pub(crate) input: Option<usize>,
    pub(crate) output: Option<usize>,
    pub(crate) service: Option<usize>,
}

impl Columns {
    /// Whether rows carry the work of single requests.
    pub(crate) const fn has_sizes(&self) -> bool {
        self.input.is_some() || self.output.is_some() || self.service.is_some()
    }

    fn used(&self) -> Vec<usize> {
        let values = self.value.iter().flat_map(|(_, columns)| columns.iter().copied());
        let singles = [self.time, self.key, self.input, self.output, self.service];
        values.chain(singles.into_iter().flatten()).collect()
    }
}

/// Finds the columns of a file.
pub(crate) struct Finder<'a> {
    pub(crate) path: &'a Path,
    pub(crate) shape: &'a Shape,
    pub(crate) notes: &'a mut Vec<Note>,
}

impl Finder<'_> {
    /// Takes what the map says, and guesses the rest where that is safe.
    pub(crate) fn find(&mut self, map: Option<&ColumnMap>) -> Result<Columns, TraceError> {
        let mut columns = match map {
            Some(map) => self.mapped(map)?,
            None => Columns::default(),
        };
        if columns.time.is_none() {
            columns.time = self.guess_time();
        }
        if columns.value.is_none() && !columns.has_sizes() {
            self.guess_load(&mut columns, map.is_some())?;
        }
        if let Some((_, values)) = &mut columns.value
            && values.is_empty()
        {
            let taken = [columns.time, columns.key];
            *values = (0..self.shape.width()).filter(|i| !taken.contains(&Some(*i))).collect();
        }
        self.note_ignored(&columns);
        Ok(columns)
    }

    fn mapped(&self, map: &ColumnMap) -> Result<Columns, TraceError> {
        let one = |name: &Option<String>| name.as_deref().map(|name| self.column(name)).transpose();
        let value = match &map.value {
            Some((measure, names)) => Some((*measure, self.several(names)?)),
            None => None,
        };
        Ok(Columns {
            time: one(&map.time)?,
            value,
            key: one(&map.key)?,
            input: one(&map.input)?,
            output: one(&map.output)?,
            service: one(&map.service)?,
        })
    }

    /// A column by its name, without case if need be, or as `#n`.
    pub(crate) fn column(&self, name: &str) -> Result<usize, TraceError> {
        self.lookup(name).ok_or_else(|| self.unknown(name))
    }

    fn lookup(&self, name: &str) -> Option<usize> {
        let names = &self.shape.names;
        names
            .iter()
            .position(|known| known == name)
            .or_else(|| names.iter().position(|known| known.eq_ignore_ascii_case(name)))
            .or_else(|| {
                let number: usize = name.strip_prefix('#')?.parse().ok()?;
                (1..=names.len()).contains(&number).then(|| number - 1)
            })
    }

    /// `a`, `a+b`, or `*` (an empty list, filled in when the others are known).
    fn several(&self, names: &str) -> Result<Vec<usize>, TraceError> {
        if names == "*" {
            return Ok(Vec::new());
        }
        if let Some(column) = self.lookup(names) {
            return Ok(vec![column]);
        }
        names.split('+').map(|name| self.column(name.trim())).collect()
    }

    fn unknown(&self, name: &str) -> TraceError {
        let known = self.shape.names.iter().take(20).map(String::as_str).collect::<Vec<_>>().join(", ");
        let near = names::plain(name);
        let best = self.shape.names.iter().find(|known| {
            let known = names::plain(known);
            !near.is_empty() && (known.contains(&near) || near.contains(&known))
        });
        let example = best.or_else(|| self.shape.names.first()).map_or("#1", String::as_str);
        Place { path: self.path, row: self.shape.header_row(), column: Some(name) }.refuse(
            "there is no such column",
            format!("one of {known}"),
            example,
        )
    }

    fn guess_time(&self) -> Option<usize> {
        let shape = self.shape;
        if !shape.header {
            return (0..shape.width().min(8)).find(|column| shape.is_date(*column));
        }
        let ranked = (0..shape.width()).filter_map(|i| Some((names::time_rank(&shape.names[i])?, i)));
        ranked.max_by_key(|(rank, i)| (*rank, usize::MAX - i)).map(|(_, column)| column)
    }

    fn guess_load(&mut self, columns: &mut Columns, mapped: bool) -> Result<(), TraceError> {
        let free: Vec<usize> = (0..self.shape.width()).filter(|i| Some(*i) != columns.time).collect();
        if !self.shape.header {
            self.guess_headless(columns, &free);
            return Ok(());
        }
        let named = |test: fn(&str) -> bool| -> Vec<usize> {
            free.iter().copied().filter(|i| test(&self.shape.names[*i])).collect()
        };
        let (counts, rates) = (named(names::is_count), named(names::is_rate));
        let keys = named(names::is_key);
        let (input, output) = (named(names::is_input), named(names::is_output));
        let service = named(names::is_service);
        let value = match (counts.as_slice(), rates.as_slice()) {
            ([one], rates)
                if rates.len() != 1 || self.shape.names[rates[0]].eq_ignore_ascii_case("value") =>
            {
                Some((Measure::Count, *one))
            }
            ([], [one]) => Some((Measure::Rate, *one)),
            ([], []) => None,
            _ => return Err(self.ambiguous(&counts, &rates)),
        };
        if let Some((measure, column)) = value {
            self.note_guess(measure, column);
            columns.value = Some((measure, vec![column]));
            if let ([key], false, Some(_)) = (keys.as_slice(), mapped, columns.time) {
                let name = &self.shape.names[*key];
                self.notes.push(Note::new(
                    "key",
                    format!(
                        "rows are told apart by column `{name}` and added by time (--map key=… to change)"
                    ),
                ));
                columns.key = Some(*key);
            }
        } else if !mapped {
            columns.input = input.first().copied();
            columns.output = output.first().copied();
            columns.service = columns.input.or(columns.output).and(service.first().copied());
        }
        Ok(())
    }

    /// Without a header the first free column is the load: a count if it is a whole number.
    fn guess_headless(&mut self, columns: &mut Columns, free: &[usize]) {
        let Some(first) = free.first() else { return };
        if columns.time.is_none() && self.shape.width() > 1 {
            return;
        }
        let measure = if self.shape.is_whole(*first) { Measure::Count } else { Measure::Rate };
        self.note_guess(measure, *first);
        columns.value = Some((measure, vec![*first]));
    }

    fn note_guess(&mut self, measure: Measure, column: usize) {
        let name = &self.shape.names[column];
        let (says, other) = match measure {
            Measure::Count => ("requests per bin", "rate"),
            Measure::Rate => ("requests per second", "count"),
        };
        let text = format!("column `{name}` is read as {says} (--map {other}={name} to change)");
        self.notes.push(Note::new("measure", text));
    }

    fn note_ignored(&mut self, columns: &Columns) {
        let used = columns.used();
        let ignored: Vec<&str> = (0..self.shape.width())
            .filter(|column| !used.contains(column))
            .map(|column| self.shape.names[column].as_str())
            .collect();
        if !ignored.is_empty() && !used.is_empty() {
            let shown = ignored.iter().take(8).copied().collect::<Vec<_>>().join(", ");
            let more = if ignored.len() > 8 { ", …" } else { "" };
            self.notes.push(Note::new("ignored-columns", format!("columns not used: {shown}{more}")));
        }
    }

    fn ambiguous(&self, counts: &[usize], rates: &[usize]) -> TraceError {
        let names: Vec<&str> = counts.iter().chain(rates).map(|i| self.shape.names[*i].as_str()).collect();
        Place { path: self.path, row: self.shape.header_row(), column: None }.refuse(
            format!("several columns could be the load: {}", names.join(", ")),
            "a choice with --map; several are added with `+`",
            format!("--map count={}", names.iter().take(2).copied().collect::<Vec<_>>().join("+")),
        )
    }
}
