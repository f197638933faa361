//! Names of images, directories, files, tags and packages come from anybody, and are never more than text.

use super::stage::{NEW, Stage};
use super::tab::Tab;
use image::{Annotation, Filter, Image, Package, Trigger, Triggers};
use integration::images::{add, image, make_directory, store};

/// Would say so if any of it became markup, in an element, an attribute or a script.
const HOSTILE: &str = "x\"'><img src=x onerror=alert(1)><script>alert(2)<script>${alert(3)}&lt;";
const CONTENT: &[u8] = b"<script>alert('content')</script>\n<img src=x onerror=alert(4)>\n";
const OTHER: &[u8] = b"<script>alert('other')</script>\n";

fn hostile(content: &[u8]) -> Image {
    let text = || HOSTILE.to_owned();
    let note = |content: &[u8]| {
        Some(Annotation {
            object: Some(hash::of(content)),
            url: String::new(),
        })
    };
    Image {
        build_branch: text(),
        build_commit_id: text(),
        build_git_url: text(),
        created_for: text(),
        source_image: text(),
        owner_groups: vec![text()],
        owner_users: vec![text()],
        filter: Some(Filter {
            filter_lines: vec![regex::escape(HOSTILE)],
        }),
        triggers: Some(Triggers {
            triggers: vec![Trigger {
                match_lines: vec!["/.*".to_owned()],
                service: text(),
                ..Trigger::default()
            }],
        }),
        packages: vec![Package {
            name: text(),
            size: content.len() as u64,
            version: format!("{HOSTILE}{}", content.len()),
        }],
        release_notes: note(CONTENT),
        build_log: note(CONTENT),
        tags: [(text(), text())].into(),
        ..image(&[(HOSTILE, content)])
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn hostile_names_and_contents_run_nothing_anywhere() {
    let Some(stage) = Stage::set("hostile_names_and_contents_run_nothing_anywhere") else {
        return;
    };
    let (one, other) = (format!("{HOSTILE}/1{HOSTILE}"), format!("{HOSTILE}/2{HOSTILE}"));
    make_directory(&stage.server, HOSTILE).unwrap();
    store(&stage.server, &[CONTENT, OTHER]).unwrap();
    add(&stage.server, &one, hostile(CONTENT)).unwrap();
    add(&stage.server, &other, hostile(OTHER)).unwrap();
    let (left, right, word) = (encoded(&one), encoded(&other), encoded(HOSTILE));
    let mut pages: Vec<String> = [
        "/",
        "/images",
        "/listImages",
        "/listDirectories",
        "/objects",
        "/logs",
        "/compare",
    ]
    .map(str::to_owned)
    .into();
    for page in [
        "showImage",
        "listImage",
        "listFilter",
        "listTriggers",
        "listPackages",
        "listBuildLog",
        "listReleaseNotes",
        "listComputedInodes",
    ] {
        pages.push(format!("/{page}?{right}"));
    }
    pages.extend([
        format!("/images?directory={word}"),
        format!("/search?q={word}"),
        format!("/files?image={right}&path=/"),
        format!("/files?image={right}&path=/{word}"),
        format!("/compare?left={left}&right={right}"),
        format!("/compare?left={left}&right={right}&below=/{word}"),
        format!("/compareFile?left={left}&right={right}&path=/{word}"),
        format!("/object?{}", hash::of(OTHER)),
        format!("/logs?q={word}"),
        // What is not there is named as well.
        format!("/showImage?{word}"),
        format!("/compare?left={word}&right={word}"),
        format!("/files?image={right}&path=/{word}{word}"),
        format!("/images?directory={word}{word}"),
        format!("/object?{word}"),
        format!("/{word}"),
        format!("/metrics/{word}"),
    ]);
    let tab = Tab::open(&stage.chromium).unwrap();
    for page in pages {
        let seen = tab.go(&stage.at(&page));
        let unexpected: Vec<&String> = seen
            .complaints
            .iter()
            .filter(|complaint| {
                !complaint.contains("Failed to load resource: the server responded with a status of 40")
            })
            .collect();
        assert!(unexpected.is_empty(), "{page}: {unexpected:?}");
        let planted = tab.evaluate("document.querySelectorAll('img, main script, [onerror]').length");
        assert_eq!(planted, 0, "{page}");
    }
    // They were there to be seen, as text.
    tab.go(&stage.at(&format!("/compareFile?left={left}&right={right}&path=/{word}")));
    assert!(
        tab.text("main").contains("+ <script>alert('other')</script>"),
        "{}",
        tab.text("main")
    );
    tab.go(&stage.at(&format!("/showImage?{NEW}")));
    assert!(tab.text("h1").contains(NEW));
}
