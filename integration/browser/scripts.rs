//! With scripts, pages do more: tables sort and filter in place, what happens is seen as it happens.

use super::stage::{NEW, Stage};
use super::tab::Tab;
use integration::images::make_directory;
use integration::wait::until;
use serde_json::json;

const NAMES: &str = "[...document.querySelectorAll('table.list tbody tr')].filter((row) => !row.hidden).map((row) => row.cells[0].innerText)";

#[test]
fn tables_are_sorted_and_filtered_in_place() {
    let Some(stage) = Stage::set("tables_are_sorted_and_filtered_in_place") else {
        return;
    };
    let tab = Tab::open(&stage.chromium).unwrap();
    tab.go(&stage.at(&format!("/listPackages?{NEW}")));
    let first = || tab.evaluate(&format!("{NAMES}[0]"));
    assert_eq!(first(), "package1");
    let sort = "document.querySelectorAll('th button')[1].click()";
    tab.evaluate(sort);
    tab.evaluate(sort);
    assert_eq!(first(), "package20", "by size, largest first");
    tab.evaluate("document.querySelector('input.filter').focus()");
    tab.write("PACKAGE19");
    assert_eq!(tab.evaluate(NAMES), json!(["package19"]));
    // The icon is fetched when the browser sees fit.
    let asked = tab.seen().requests;
    let asked: Vec<&String> = asked
        .iter()
        .filter(|request| !request.ends_with("/assets/icon.svg"))
        .collect();
    assert!(asked.is_empty(), "sorting and filtering ask nobody: {asked:?}");
}

#[test]
fn the_log_is_followed_as_lines_are_written() {
    let Some(stage) = Stage::set("the_log_is_followed_as_lines_are_written") else {
        return;
    };
    let tab = Tab::open(&stage.chromium).unwrap();
    let seen = tab.go(&stage.at("/logs?q=makedirectory"));
    assert!(seen.complaints.is_empty(), "{:?}", seen.complaints);
    let mut number = 0;
    until("a line that was written later is seen", || {
        // Again until the stream is open: only then lines come.
        number += 1;
        make_directory(&stage.server, &format!("followed{number}")).unwrap();
        tab.text("pre.log").contains("MakeDirectory(followed")
    });
    assert!(
        !tab.text("pre.log").contains("AddImage("),
        "what was not asked for is left out"
    );
}
