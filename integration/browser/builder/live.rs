//! A build is seen while it happens.

use super::{AFTER, BEFORE, Stage, WAITING};
use crate::tab::Tab;
use integration::imaginator::ADMINISTRATOR;
use integration::wait::until;

#[test]
fn the_log_of_a_build_grows_while_it_runs_and_its_end_is_shown() {
    let Some(stage) = Stage::set("the_log_of_a_build_grows_while_it_runs_and_its_end_is_shown") else {
        return;
    };
    let building = stage
        .workplace
        .begin(ADMINISTRATOR, &stage.daemon, WAITING)
        .unwrap();
    let page = stage.running();
    let (tab, front) = (
        Tab::open(&stage.chromium).unwrap(),
        Tab::open(&stage.chromium).unwrap(),
    );
    front.go(&stage.at("/"));
    assert!(front.text("#now").contains(WAITING));
    let seen = tab.go(&stage.at(&page));
    assert!(seen.complaints.is_empty(), "{:?}", seen.complaints);
    until("what it said is shown", || tab.text("pre.lines").contains(BEFORE));
    assert!(
        tab.text("#state").contains("being built"),
        "{}",
        tab.text("#state")
    );
    assert!(tab.text("#phases").contains("scripts") && !tab.text("pre.lines").contains(AFTER));
    assert!(tab.text("#actions").contains("cancel"));
    // Nothing is loaded again: what comes now comes by events.
    tab.evaluate("window.stays = true");
    stage.workplace.go_on().unwrap();
    until("what it says then is shown", || {
        tab.text("pre.lines").contains(AFTER)
    });
    until("its end is shown", || tab.text("#state").contains("● built"));
    until("another can be asked for", || {
        tab.text("#actions").contains("build now")
    });
    assert!(
        tab.text("#state").contains(&format!("{WAITING}/20")),
        "its image: {}",
        tab.text("#state")
    );
    assert_eq!(tab.evaluate("window.stays"), true);
    // Each line once, numbered as they come.
    let numbers = tab.evaluate("[...document.querySelectorAll('pre.lines .line')].every((line, index) => line.dataset.line == index + 1 && line.id == `L${index + 1}`)");
    assert_eq!(numbers, true);
    let times = tab.text("pre.lines").matches(BEFORE).count();
    assert_eq!(times, 1);
    until("the front page tells it as well", || {
        front.text("#now").contains("Nothing is being built")
            && front.text("#results").contains(&format!("{WAITING}/20"))
    });
    assert_eq!(building.end().unwrap().code, 0);
}

#[test]
fn the_log_of_a_build_grows_without_scripts_as_well() {
    let Some(stage) = Stage::set("the_log_of_a_build_grows_without_scripts_as_well") else {
        return;
    };
    let building = stage
        .workplace
        .begin(ADMINISTRATOR, &stage.daemon, WAITING)
        .unwrap();
    let page = stage.running();
    let tab = Tab::open(&stage.chromium).unwrap();
    tab.set_scripts(false);
    tab.go(&stage.at(&page));
    until("what it said is shown", || tab.text("pre.lines").contains(BEFORE));
    stage.workplace.go_on().unwrap();
    until("the page asks again by itself", || {
        tab.text("pre.lines").contains(AFTER) && tab.text("#state").contains("● built")
    });
    assert_eq!(
        tab.evaluate("document.querySelectorAll('label.follow').length"),
        0,
        "scripts were off"
    );
    assert_eq!(building.end().unwrap().code, 0);
}
