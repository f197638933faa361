//! Asking for builds: the conversation of `Imaginator.BuildImage`, who may, what is told (`builder-tool.md`).

// Helpers stand outside the test functions, where the usual leave to unwrap does not reach.
#![allow(clippy::unwrap_used)]

use integration::imaginator::{ADMINISTRATOR, BOOTSTRAP, Workplace, lacks_root};

#[test]
fn a_build_is_asked_for_followed_and_published() {
    if lacks_root("a_build_is_asked_for_followed_and_published") {
        return;
    }
    let mut workplace = Workplace::new().unwrap();
    workplace
        .add_stream(
            "users/small",
            BOOTSTRAP,
            &[(
                "scripts/10-hello",
                "#!/bin/sh\necho hello from a script; echo built >/built\n",
            )],
        )
        .unwrap();
    let daemon = workplace.start(&[]).unwrap();
    let outcome = workplace.build(&daemon, "users/small").unwrap();
    assert_eq!(outcome.code, 0, "{}\n{}", outcome.err, daemon.log_text());
    assert!(outcome.out.starts_with("users/small/"), "{}", outcome.out);
    assert!(outcome.err.contains("hello from a script\n"), "{}", outcome.err);
    let first = outcome.err.lines().next().unwrap();
    assert!(first.starts_with("Start of build log ="), "{first}");
    assert!(
        outcome
            .err
            .contains(&format!("Building: users/small for: {ADMINISTRATOR}\n"))
    );
    let last = outcome.err.lines().last().unwrap();
    assert!(last.starts_with("End of build log ="), "{last}");
    assert_eq!(daemon.stop().unwrap(), Some(0));
}
