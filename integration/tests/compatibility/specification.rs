//! The rows of a specification file: its numbered sections with text of their own, and the rows of their tables.

use crate::markdown;
use std::collections::BTreeMap;

const MARKS: [&str; 3] = ["core", "expected", "rare"];

/// One row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// `§2.3`, or `§2.3 / first cell`; a second row with the same first cell ends in ` (2)`.
    pub(crate) id: String,
    /// Title of a section, for people.
    title: String,
    pub(crate) mark: &'static str,
}

impl Row {
    /// The first cell of its line on the page.
    pub(crate) fn display(&self) -> String {
        let text = if self.title.is_empty() {
            self.id.clone()
        } else {
            format!("{} {}", self.id, self.title)
        };
        text.replace('|', "\\|")
    }
}

/// All rows of a file, in its order. A section without a mark has that of the section around it, else `core`.
pub(crate) fn rows(text: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut marks: BTreeMap<String, &'static str> = BTreeMap::new();
    let mut section: Option<Section> = None;
    for line in markdown::lines_outside_code(text) {
        if let Some((number, title)) = heading(line) {
            let around = number
                .rsplit_once('.')
                .and_then(|(parent, _)| marks.get(parent).copied());
            let (title, own) = split_mark(title);
            let mark = own.or(around).unwrap_or("core");
            marks.insert(number.to_owned(), mark);
            section = Some(Section::new(number, title, mark));
        } else if let Some(section) = &mut section {
            section.take_line(line, &mut rows);
        }
    }
    rows
}

struct Section {
    id: String,
    title: String,
    mark: &'static str,
    has_text: bool,
    /// Lines of the present table that were seen: the first two are its head.
    table_lines: usize,
    first_cells: BTreeMap<String, usize>,
}

impl Section {
    fn new(number: &str, title: String, mark: &'static str) -> Self {
        let id = format!("§{number}");
        Self {
            id,
            title,
            mark,
            has_text: false,
            table_lines: 0,
            first_cells: BTreeMap::new(),
        }
    }

    fn take_line(&mut self, line: &str, rows: &mut Vec<Row>) {
        if !line.trim().is_empty() && !self.has_text {
            self.has_text = true;
            rows.push(Row {
                id: self.id.clone(),
                title: self.title.clone(),
                mark: self.mark,
            });
        }
        if !line.starts_with('|') {
            self.table_lines = 0;
            return;
        }
        self.table_lines += 1;
        if self.table_lines > 2 {
            rows.push(self.table_row(&markdown::cells(line)));
        }
    }

    fn table_row(&mut self, cells: &[String]) -> Row {
        let first = cells
            .iter()
            .find(|cell| !cell.is_empty())
            .map_or("", String::as_str);
        let (name, in_name) = match first.rsplit_once(" [") {
            Some((name, mark)) if mark.ends_with(']') => match known_mark(&mark[..mark.len() - 1]) {
                Some(mark) => (name, Some(mark)),
                None => (first, None),
            },
            _ => (first, None),
        };
        let mut in_column = cells
            .iter()
            .skip(1)
            .filter_map(|cell| known_mark(cell.strip_prefix('[')?.strip_suffix(']')?));
        let mark = in_name.or(in_column.next_back()).unwrap_or(self.mark);
        let count = self.first_cells.entry(name.to_owned()).or_insert(0);
        *count += 1;
        let again = if *count > 1 {
            format!(" ({count})")
        } else {
            String::new()
        };
        Row {
            id: format!("{} / {name}{again}", self.id),
            title: String::new(),
            mark,
        }
    }
}

/// `## 2.3 Title` or `## 2. Title`: number and title.
fn heading(line: &str) -> Option<(&str, &str)> {
    let text = line
        .strip_prefix("##")?
        .trim_start_matches('#')
        .strip_prefix(' ')?;
    let (number, title) = text.split_once(' ')?;
    number
        .starts_with(|first: char| first.is_ascii_digit())
        .then(|| (number.trim_end_matches('.'), title))
}

/// Takes `[core]`, `[core unless marked]` out of a title.
fn split_mark(title: &str) -> (String, Option<&'static str>) {
    let mut mark = None;
    let mut kept = title.to_owned();
    for known in MARKS {
        for written in [format!("[{known}]"), format!("[{known} unless marked]")] {
            if kept.contains(&written) {
                mark = mark.or(Some(known));
                kept = kept.replace(&written, "");
            }
        }
    }
    (kept.split_whitespace().collect::<Vec<_>>().join(" "), mark)
}

fn known_mark(text: &str) -> Option<&'static str> {
    MARKS.into_iter().find(|mark| *mark == text)
}

#[test]
fn rows_take_their_own_mark_or_that_around_them() {
    let text = "# File\n| a | b |\n\n## 1. First [expected]\n\n### 1.1 Inner\ntext\n\n| a | mark |\n| - | - |\n\
                | x | [rare] |\n| y [core] | |\n| x | z |\n\n```\n| no | row |\n```\n## 2. Empty [core unless marked]\n\
                ### 2.1 Last (raw)\nmore\n";
    let found: Vec<(String, &str)> = rows(text).iter().map(|row| (row.display(), row.mark)).collect();
    let expected = [
        ("§1.1 Inner", "expected"),
        ("§1.1 / x", "rare"),
        ("§1.1 / y", "core"),
        ("§1.1 / x (2)", "expected"),
        ("§2.1 Last (raw)", "core"),
    ];
    assert_eq!(found, expected.map(|(id, mark)| (id.to_owned(), mark)));
}
