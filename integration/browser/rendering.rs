//! Every page is whole, asks nobody else for anything, and has nothing to complain about.

use super::stage::{NEW, Stage, pages};
use super::tab::{Seen, Tab};

fn check(stage: &Stage, page: &str, seen: &Seen, tab: &Tab<'_>) {
    assert_eq!(seen.status, 200, "{page}");
    assert!(seen.complaints.is_empty(), "{page}: {:?}", seen.complaints);
    let home = stage.at("/");
    for request in &seen.requests {
        assert!(request.starts_with(&home), "{page} asks {request}");
    }
    assert!(
        !tab.text("h1").is_empty() && !tab.text("footer").is_empty(),
        "{page} is not whole"
    );
    assert!(
        tab.text("header").contains("healthy"),
        "{page} does not tell how the server is"
    );
}

#[test]
fn every_page_renders_with_scripts_and_without_and_asks_no_other_host() {
    let Some(stage) = Stage::set("every_page_renders_with_scripts_and_without_and_asks_no_other_host") else {
        return;
    };
    let tab = Tab::open(&stage.chromium).unwrap();
    for scripts in [true, false] {
        tab.set_scripts(scripts);
        for page in pages() {
            let seen = tab.go(&stage.at(&page));
            check(&stage, &page, &seen, &tab);
        }
    }
    // That they were off: nothing sorts without them.
    assert_eq!(tab.go(&stage.at("/listImages")).status, 200);
    assert_eq!(tab.evaluate("document.querySelectorAll('th button').length"), 0);
}

#[test]
fn links_from_page_to_page_lead_somewhere() {
    let Some(stage) = Stage::set("links_from_page_to_page_lead_somewhere") else {
        return;
    };
    let tab = Tab::open(&stage.chromium).unwrap();
    let mut known = std::collections::BTreeSet::new();
    for page in [
        "/".to_owned(),
        "/images".to_owned(),
        format!("/showImage?{NEW}"),
        format!("/files?image={NEW}&path=/etc"),
    ] {
        tab.go(&stage.at(&page));
        let links = tab.evaluate("[...document.querySelectorAll('a[href]')].map((link) => link.href)");
        for link in links.as_array().unwrap() {
            let link = link.as_str().unwrap().split('#').next().unwrap().to_owned();
            if let Some(path) = link.strip_prefix(stage.at("").as_str()) {
                known.insert(path.to_owned());
            }
        }
    }
    assert!(known.len() > 25, "{known:?}");
    for path in known {
        let status = stage.server.request("GET", &path, "text/html").unwrap().status;
        assert!(status == 200 || status == 307, "{path}: {status}");
    }
}
