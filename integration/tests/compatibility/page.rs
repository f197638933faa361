//! The lines of `docs/compatibility.md`.

use crate::markdown;

/// How an implementation stands to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Works,
    Differs,
    Later,
    NotPlanned,
    /// Belongs to the work under way.
    Pending,
}

/// One line.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The file of the specification.
    pub(crate) file: String,
    /// As `specification::Row::id`; empty where the line speaks of a whole file.
    pub(crate) row: String,
    pub(crate) mark: String,
    /// None: no known word.
    pub(crate) state: Option<State>,
    pub(crate) proof: String,
}

impl Entry {
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.file, self.row)
    }

    /// `path::test_name` pairs of the last column.
    pub(crate) fn tests(&self) -> Vec<(&str, &str)> {
        let words = self
            .proof
            .split_whitespace()
            .map(|word| word.trim_matches(|c| matches!(c, '`' | ',' | ';')));
        words.filter_map(|word| word.rsplit_once("::")).collect()
    }
}

/// All lines: those under a heading that names a file, and those of the table of whole files.
pub(crate) fn parse(text: &str) -> Vec<Entry> {
    let mut file = String::new();
    let mut entries = Vec::new();
    for line in markdown::lines_outside_code(text) {
        if let Some(title) = line.strip_prefix("## ") {
            file = title.trim().to_owned();
        }
        if !line.starts_with('|') {
            continue;
        }
        let cells = markdown::cells(line);
        let cell = |index: usize| cells.get(index).cloned().unwrap_or_default();
        let (first, state, proof) = (cell(0), state(&cell(2)), cell(3));
        if first.starts_with('§') {
            entries.push(Entry {
                file: file.clone(),
                row: row_id(&first),
                mark: cell(1),
                state,
                proof,
            });
        } else if first.ends_with(".md") {
            entries.push(Entry {
                file: first,
                row: String::new(),
                mark: String::new(),
                state,
                proof,
            });
        }
    }
    entries
}

/// `§2.3 Title` is called `§2.3`; `§2.3 / x` keeps its name.
fn row_id(cell: &str) -> String {
    match cell.split_once(' ') {
        Some((_, rest)) if rest.starts_with("/ ") => cell.to_owned(),
        Some((section, _)) => section.to_owned(),
        None => cell.to_owned(),
    }
}

fn state(word: &str) -> Option<State> {
    Some(match word {
        "works" => State::Works,
        "differs" => State::Differs,
        "later" => State::Later,
        "not planned" => State::NotPlanned,
        "pending" => State::Pending,
        _ => return None,
    })
}

/// Does the text say `issue N`?
pub(crate) fn names_issue(text: &str) -> bool {
    text.split("issue ")
        .skip(1)
        .any(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

/// Does the source hold a test of this name? In Rust a function with a test attribute right above it, elsewhere
/// (scripts, browser tests) the name itself.
pub(crate) fn holds_test(path: &str, source: &str, test: &str) -> bool {
    if !path.ends_with(".rs") {
        return source.contains(test);
    }
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let declares = |line: &str| {
        let after = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        after
            .and_then(|after| after.strip_prefix(test))
            .is_some_and(|rest| rest.starts_with('('))
    };
    (0..lines.len())
        .filter(|index| declares(lines[*index]))
        .any(|index| {
            let above = lines[..index]
                .iter()
                .rev()
                .take_while(|line| !line.is_empty() && !line.ends_with('}'));
            above
                .into_iter()
                .any(|line| line.starts_with("#[") && (line.contains("test]") || line.contains("test(")))
        })
}

#[test]
fn only_functions_that_are_tests_count_as_tests() {
    let source = "fn helper() {\n}\n#[test]\nfn real() {}\n\n#[tokio::test(flavor = \"x\")]\n// why\nasync fn slow() {\n}\n";
    for (name, expected) in [
        ("real", true),
        ("slow", true),
        ("helper", false),
        ("rea", false),
        ("gone", false),
    ] {
        assert_eq!(holds_test("a.rs", source, name), expected, "{name}");
    }
}

#[test]
fn lines_are_read_with_their_tests() {
    let text = "## a.md\n| §1 Title | core | works | `x/y.rs::one`, `z.rs::two` |\n| §1 / b \\| c | rare | odd | |\n\
                | b.md | words | later | issue 5 |\n";
    let entries = parse(text);
    assert_eq!(entries[0].tests(), [("x/y.rs", "one"), ("z.rs", "two")]);
    assert_eq!(
        (entries[0].row.as_str(), entries[0].state),
        ("§1", Some(State::Works))
    );
    assert_eq!((entries[1].row.as_str(), entries[1].state), ("§1 / b | c", None));
    assert_eq!(
        (entries[2].name().as_str(), names_issue(&entries[2].proof)),
        ("b.md ", true)
    );
}
