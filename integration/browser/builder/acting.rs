//! What changes something is done with a token, once given for all.

use super::{BEFORE, Stage, WAITING};
use crate::tab::Tab;
use integration::imaginator::{ADMINISTRATOR, BOOTSTRAP};
use integration::wait::until;

#[test]
fn a_build_is_cancelled_with_a_token_and_the_next_button_needs_none() {
    let Some(stage) = Stage::set("a_build_is_cancelled_with_a_token_and_the_next_button_needs_none") else {
        return;
    };
    let building = stage
        .workplace
        .begin(ADMINISTRATOR, &stage.daemon, WAITING)
        .unwrap();
    let page = stage.running();
    let token = stage.workplace.page_token(ADMINISTRATOR, &stage.daemon).unwrap();
    let tab = Tab::open(&stage.chromium).unwrap();
    // Forms are forms: no script is needed for any of this.
    tab.set_scripts(false);
    tab.go(&stage.at(&page));
    until("it waits", || tab.text("pre.lines").contains(BEFORE));
    assert!(tab.text("#actions").contains("cancel…"));
    tab.evaluate("document.querySelector('#actions details').open = true; document.querySelector('#actions input[name=token]').focus()");
    assert!(
        tab.text("#actions").contains("builder-tool cancel "),
        "{}",
        tab.text("#actions")
    );
    tab.write(&token);
    tab.press("Enter");
    until("it is cancelled", || tab.text("#state").contains("cancelled"));
    assert_ne!(building.end().unwrap().code, 0);
    tab.go(&stage.at(&format!("/showImageStream?{BOOTSTRAP}")));
    assert!(
        tab.text("main").contains("You act as administrator"),
        "{}",
        tab.text("main")
    );
    assert_eq!(tab.evaluate("document.cookie"), "", "no script reads the token");
    tab.evaluate("document.querySelector('form[action=\"/buildNow\"] button').focus()");
    tab.press("Enter");
    until("it is built", || tab.text("#state").contains("● built"));
    tab.evaluate("document.querySelector('form[action=\"/forgetToken\"] button').focus()");
    tab.press("Enter");
    until("the token is forgotten", || {
        tab.text("h1") == "imaginator status page"
    });
    assert!(!tab.text("main").contains("You act as"));
}
