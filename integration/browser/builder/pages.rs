//! Every page is whole, readable on any screen, and has nothing hostile in it.

use super::{HOSTILE, Stage, all_pages, encoded};
use crate::layout;
use crate::tab::Tab;
use integration::wait::until;

#[test]
fn the_builders_pages_render_with_scripts_and_without_and_hostile_names_are_text() {
    let name = "the_builders_pages_render_with_scripts_and_without_and_hostile_names_are_text";
    let Some(stage) = Stage::set(name) else { return };
    let word = encoded(HOSTILE);
    let mut pages = all_pages();
    let tab = Tab::open(&stage.chromium).unwrap();
    let home = stage.at("/");
    for scripts in [true, false] {
        tab.set_scripts(scripts);
        for page in &pages {
            let seen = tab.go(&stage.at(page));
            assert_eq!(seen.status, 200, "{page}");
            assert!(seen.complaints.is_empty(), "{page}: {:?}", seen.complaints);
            assert!(
                seen.requests.iter().all(|request| request.starts_with(&home)),
                "{page}: {:?}",
                seen.requests
            );
            assert!(
                !tab.text("h1").is_empty() && !tab.text("footer").is_empty(),
                "{page} is not whole"
            );
        }
    }
    tab.set_scripts(true);
    // What is not there is named as well.
    for page in [
        "showImageStream",
        "showCurrentBuildLog",
        "showBuildLog",
        "showStreamAllBuilds",
        "showRequestorAllBuilds",
        "build",
    ] {
        pages.push(format!("/{page}?{word}{word}"));
    }
    pages.push(format!("/searchBuildLogs?q={word}&stream={word}"));
    pages.push(format!("/showDirectedGraph?include={word}"));
    pages.push(format!("/build?of={word}&q={word}"));
    for page in &pages {
        let seen = tab.go(&stage.at(page));
        let unexpected: Vec<&String> = seen
            .complaints
            .iter()
            .filter(|complaint| !complaint.contains("with a status of 40"))
            .collect();
        assert!(unexpected.is_empty(), "{page}: {unexpected:?}");
        let planted = tab.evaluate("document.querySelectorAll('img, main script, [onerror]').length");
        assert_eq!(planted, 0, "{page}");
    }
    // It was there to be seen, as text, and marked.
    tab.go(&stage.at(&format!("/showLastBuildLog?{word}")));
    assert!(
        tab.text(".line.bad").contains(HOSTILE),
        "{}",
        tab.text("pre.lines")
    );
}

#[test]
fn the_builders_pages_fit_a_small_screen_and_are_readable_in_light_and_dark() {
    let name = "the_builders_pages_fit_a_small_screen_and_are_readable_in_light_and_dark";
    let Some(stage) = Stage::set(name) else { return };
    let tab = Tab::open(&stage.chromium).unwrap();
    layout::check(&tab, &all_pages(), |page| stage.at(page));
}

#[test]
fn the_graph_of_streams_is_a_picture_with_links_that_keys_reach() {
    let Some(stage) = Stage::set("the_graph_of_streams_is_a_picture_with_links_that_keys_reach") else {
        return;
    };
    let tab = Tab::open(&stage.chromium).unwrap();
    until("the graph is made", || {
        tab.go(&stage.at("/showDirectedGraph"));
        tab.evaluate("document.querySelectorAll('svg.stream-graph a').length")
            .as_u64()
            >= Some(4)
    });
    let shown = tab.evaluate("document.querySelector('svg.stream-graph[role=group]').textContent");
    assert!(shown.as_str().unwrap().contains("users/waiting"), "{shown}");
    let failed = tab.evaluate("[...document.querySelectorAll('svg.stream-graph a')].find((link) => link.textContent.includes('users/failing')).querySelector('.sign.failed') !== null");
    assert_eq!(failed, true);
    tab.evaluate("[...document.querySelectorAll('svg.stream-graph a')].find((link) => link.textContent.includes('users/waiting')).focus()");
    tab.press("Enter");
    assert_eq!(tab.loaded().status, 200);
    assert_eq!(tab.text("h1"), "users/waiting");
}
