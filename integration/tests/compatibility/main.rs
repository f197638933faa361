//! `docs/compatibility.md` is kept honest: every row of the specification has a line there, and every line that
//! says "works" names a test that exists.

// Helpers stand outside the test functions, where the usual leave to unwrap does not reach.
#![allow(clippy::unwrap_used)]

mod markdown;
mod page;
mod specification;

use page::{Entry, State};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn entries() -> Vec<Entry> {
    page::parse(&fs::read_to_string(top().join("docs/compatibility.md")).unwrap())
}

/// Fails with all findings at once, so that they can be mended at once.
fn refuse(findings: &[String]) {
    assert!(
        findings.is_empty(),
        "docs/compatibility.md: {} findings\n{}",
        findings.len(),
        findings.join("\n")
    );
}

#[test]
fn every_line_says_how_things_stand_and_proves_it_or_says_why_not() {
    let mut findings = Vec::new();
    let mut sources = BTreeMap::new();
    for entry in entries() {
        let mut find = |what: &str| findings.push(format!("{}: {what}", entry.name()));
        match entry.state {
            None => find("its state is none of works, differs, later, not planned, pending"),
            Some(State::Works) if entry.tests().is_empty() => find("works, but no test shows it"),
            Some(State::Later) if !page::names_issue(&entry.proof) => {
                find("later, but no issue will bring it")
            }
            Some(State::Differs | State::NotPlanned) if entry.proof.is_empty() => find("does not say why"),
            _ => {}
        }
        for (path, test) in entry.tests() {
            let source = sources
                .entry(path.to_owned())
                .or_insert_with(|| fs::read_to_string(top().join(path)));
            match source {
                Err(error) => find(&format!("{path}: {error}")),
                Ok(source) if !page::holds_test(path, source, test) => {
                    find(&format!("{path} holds no test {test}"))
                }
                Ok(_) => {}
            }
        }
    }
    refuse(&findings);
}

#[test]
fn no_row_has_two_lines() {
    let mut seen = BTreeMap::new();
    for entry in entries() {
        *seen.entry(entry.name()).or_insert(0) += 1;
    }
    let twice: Vec<String> = seen
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .map(|(name, _)| name)
        .collect();
    refuse(&twice);
}

/// The specification is kept outside this repository; where it does not lie beside the checkout there is nothing to
/// compare with, and the page is what the last comparison left.
#[test]
fn every_row_of_the_specification_has_a_line_with_its_mark() {
    let directory = top().join("../shared/spec");
    let Ok(files) = fs::read_dir(&directory) else {
        return;
    };
    let entries = entries();
    let mut findings = Vec::new();
    for file in files {
        let path = file.unwrap().path();
        let Some(name) = path
            .file_name()
            .and_then(|name| name.to_str())
            .filter(|name| name.ends_with(".md"))
        else {
            continue;
        };
        if name == "README.md" {
            continue;
        }
        let of_file: Vec<&Entry> = entries.iter().filter(|entry| entry.file == name).collect();
        if let [whole] = of_file[..]
            && whole.row.is_empty()
        {
            continue;
        }
        compare(
            name,
            &specification::rows(&fs::read_to_string(&path).unwrap()),
            &of_file,
            &mut findings,
        );
    }
    refuse(&findings);
}

fn compare(file: &str, rows: &[specification::Row], entries: &[&Entry], findings: &mut Vec<String>) {
    let by_id: BTreeMap<&str, &Entry> = entries.iter().map(|entry| (entry.row.as_str(), *entry)).collect();
    for row in rows {
        match by_id.get(row.id.as_str()) {
            None => findings.push(format!(
                "{file} lacks: | {} | {} | pending | |",
                row.display(),
                row.mark
            )),
            Some(entry) if entry.mark != row.mark => {
                findings.push(format!(
                    "{}: is marked {}, not {}",
                    entry.name(),
                    row.mark,
                    entry.mark
                ));
            }
            Some(_) => {}
        }
    }
    let known: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let strangers = entries
        .iter()
        .filter(|entry| !known.contains(&entry.row.as_str()));
    findings.extend(strangers.map(|entry| format!("{}: is no row of the specification", entry.name())));
}
