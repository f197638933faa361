//! What differs between two images is found out in the browser alone.

use super::stage::{NEW, OLD, Stage};
use super::tab::Tab;
use serde_json::Value;

#[test]
fn two_images_are_chosen_and_compared_down_to_the_lines_of_a_file() {
    let name = "two_images_are_chosen_and_compared_down_to_the_lines_of_a_file";
    let Some(stage) = Stage::set(name) else { return };
    let tab = Tab::open(&stage.chromium).unwrap();
    tab.set_scripts(false);
    tab.go(&stage.at(&format!("/compare?right={NEW}")));
    assert_eq!(
        tab.evaluate("document.querySelector('input[name=left]').value"),
        OLD,
        "the one before is proposed"
    );
    assert_eq!(
        tab.evaluate("document.querySelector('input[name=right]').value"),
        NEW
    );
    tab.evaluate("document.querySelector('input[name=left]').focus()");
    tab.press("Enter");
    assert_eq!(tab.loaded().status, 200);
    let main = tab.text("main");
    for told in [
        "1 added, 1 removed, 1 changed",
        "package9",
        "upgraded",
        "1.9",
        "1.10",
        "web-server",
        "/etc/fresh",
        "/etc/motd",
    ] {
        assert!(main.contains(told), "{told} is not in {main}");
    }
    assert!(
        !main.contains("/etc/binary") && !main.contains("package8"),
        "{main}"
    );
    tab.evaluate("document.querySelector('a[href^=\"/compareFile\"]').focus()");
    tab.press("Enter");
    assert_eq!(tab.loaded().status, 200);
    let lines = tab.text(".difference");
    assert!(
        lines.contains("− two") && lines.contains("+ two and a half") && lines.contains("three"),
        "{lines}"
    );
}

#[test]
fn a_comparison_is_there_for_programs_as_well() {
    let Some(stage) = Stage::set("a_comparison_is_there_for_programs_as_well") else {
        return;
    };
    let get = |form: &str| {
        stage
            .server
            .page(&format!("/compare?left={OLD}&right={NEW}&output={form}"))
            .unwrap()
            .1
    };
    let json: Value = serde_json::from_str(&get("json")).unwrap();
    assert_eq!(json["Totals"]["Changed"], 1);
    assert_eq!(json["Packages"][0]["Name"], "package9");
    assert_eq!(json["Triggers"][0]["Service"], "web-server");
    let paths: Vec<&str> = json["Files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["Path"].as_str().unwrap())
        .collect();
    assert_eq!(
        paths,
        ["/etc/text", "/etc/fresh", "/etc/motd"],
        "most bytes first"
    );
    let text = get("text");
    assert!(
        text.contains("package upgraded package9 1.9 1.10\n")
            && text.contains("file added - 11 /etc/fresh\n"),
        "{text}"
    );
    assert!(get("csv").starts_with("Path,Change,Size before,Size after,What differs\r\n"));
}
