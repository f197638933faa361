//! The differences for programs, whole.

use super::Asked;
use super::report::{FileChange, Report, Side};
use bstr::ByteSlice;
use serde_json::{Value as Json, json};
use std::fmt::Write;

/// One line each: what it is, what happened, its name, sizes or versions before and after.
pub(super) fn text(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    for package in &report.packages {
        let version =
            |side: &Option<(String, u64)>| side.as_ref().map_or("-".to_owned(), |side| side.0.clone());
        let (left, right) = (version(&package.left), version(&package.right));
        let _ = writeln!(text, "package {} {} {left} {right}", package.change, package.name);
    }
    for trigger in &report.triggers {
        let _ = writeln!(text, "trigger {}", trigger.service);
    }
    for file in &report.files {
        let size = |side: Option<Side>| side.map_or("-".to_owned(), |side| side.size.to_string());
        let (left, right) = (size(file.left), size(file.right));
        let _ = writeln!(
            text,
            "file {} {left} {right} {}",
            file.change,
            file.path.as_bstr()
        );
    }
    text
}

/// An object with everything.
pub(super) fn json(asked: &Asked, report: &Report) -> String {
    let packages: Vec<Json> = report
        .packages
        .iter()
        .map(|package| {
            let side = |side: &Option<(String, u64)>| match side {
                Some((version, size)) => json!({"Version": version, "Size": size}),
                None => Json::Null,
            };
            json!({"Name": package.name, "Change": package.change, "Left": side(&package.left), "Right": side(&package.right)})
        })
        .collect();
    let directories: Vec<Json> = report
        .directories
        .iter()
        .map(|directory| {
            json!({
                "Path": directory.path.as_bstr().to_string(),
                "Added": directory.added, "Removed": directory.removed, "Changed": directory.changed,
                "BytesLeft": directory.bytes_left, "BytesRight": directory.bytes_right,
            })
        })
        .collect();
    let files: Vec<Json> = report.files.iter().map(file).collect();
    let whole = json!({
        "Left": &*asked.left.name,
        "Right": &*asked.right.name,
        "Totals": {
            "Added": report.totals.added, "Removed": report.totals.removed, "Changed": report.totals.changed,
            "BytesLeft": report.totals.bytes_left, "BytesRight": report.totals.bytes_right,
            "OnlyTimesDiffer": report.times_only,
        },
        "FilterDiffers": report.filter_differs,
        "TriggersDiffer": report.triggers_differ,
        "Packages": packages,
        "Triggers": report.triggers,
        "Directories": directories,
        "Files": files,
    });
    format!("{whole:#}\n")
}

fn file(change: &FileChange) -> Json {
    let side = |side: Option<Side>| match side {
        Some(side) => {
            json!({"Kind": side.kind, "Size": side.size, "Hash": side.hash.map(|hash| hash.to_string())})
        }
        None => Json::Null,
    };
    let what = change.what;
    json!({
        "Path": change.path.as_bstr().to_string(),
        "Change": change.change,
        "Left": side(change.left),
        "Right": side(change.right),
        "Content": what.content, "Mode": what.mode, "Owner": what.owner, "Kind": what.kind,
        "Target": what.target, "Device": what.rdev, "Time": what.mtime,
    })
}
