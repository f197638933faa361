//! Everything can be reached and used without a mouse.

use super::stage::{NEW, OLD, Stage};
use super::tab::Tab;
use serde_json::Value;

/// What can have the focus, in the order of the document, each with a number.
const NUMBER: &str = r"
(() => {
  const can = 'a[href], button, input, select, textarea, summary, [tabindex]';
  let number = 0;
  for (const element of document.querySelectorAll(can)) {
    if (element.getClientRects().length > 0) element.dataset.number = number++;
  }
  return number;
})()";

#[test]
fn everything_is_reached_with_the_tab_key_in_order_and_is_seen_to_have_the_focus() {
    let name = "everything_is_reached_with_the_tab_key_in_order_and_is_seen_to_have_the_focus";
    let Some(stage) = Stage::set(name) else { return };
    let tab = Tab::open(&stage.chromium).unwrap();
    for page in [
        "/compare".to_owned(),
        format!("/compare?left={OLD}&right={NEW}"),
        "/images?directory=base/web".to_owned(),
    ] {
        tab.go(&stage.at(&page));
        let count = tab.evaluate(NUMBER).as_u64().unwrap();
        assert!(count > 10, "{page}: {count}");
        for number in 0..count {
            tab.press("Tab");
            let focused =
                tab.evaluate("document.activeElement.dataset.number ?? document.activeElement.outerHTML");
            assert_eq!(focused, Value::from(number.to_string()), "{page}");
            let outline = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle");
            assert_ne!(
                outline, "none",
                "{page}: nobody sees that number {number} has the focus"
            );
        }
    }
}

#[test]
fn the_first_key_leads_past_the_frame_and_searching_takes_no_mouse() {
    let name = "the_first_key_leads_past_the_frame_and_searching_takes_no_mouse";
    let Some(stage) = Stage::set(name) else { return };
    let tab = Tab::open(&stage.chromium).unwrap();
    // Both ways: the form is a form.
    for scripts in [true, false] {
        tab.set_scripts(scripts);
        tab.go(&stage.at("/"));
        tab.press("Tab");
        assert_eq!(
            tab.evaluate("document.activeElement.getAttribute('href')"),
            "#main"
        );
        tab.evaluate("document.querySelector('form[role=search] input').focus()");
        tab.write("ARCH=amd64 carol");
        tab.press("Enter");
        tab.loaded();
        assert!(tab.text("h1").contains("ARCH=amd64 carol"), "{}", tab.text("h1"));
        let table = tab.text("table.list");
        assert!(table.contains(OLD) && table.contains(NEW), "{table}");
    }
}
