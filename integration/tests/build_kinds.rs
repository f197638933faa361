//! What image builders are asked for most: a bootstrap, a stream built on it, one built on that.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use integration::imaginator::{BOOTSTRAP, Workplace, lacks_root};
use std::fs;

#[test]
fn a_stream_is_built_from_a_source_that_is_built_first() {
    if lacks_root("a_stream_is_built_from_a_source_that_is_built_first") {
        return;
    }
    let mut place = Workplace::new().unwrap();
    place
        .add_stream(
            "users/base",
            BOOTSTRAP,
            &[
                ("files/etc/base", "of the base\n"),
                ("package-list", "less\n"),
                (
                    "scripts/10_b",
                    "#! /bin/sh\necho second; id -u; echo $IMAGE_STREAM\n",
                ),
                ("scripts/9_a", "#! /bin/sh\necho first; echo x >/srv-was-here\n"),
                ("tests/base", "#! /bin/sh\ntest -f /etc/base\n"),
            ],
        )
        .unwrap();
    place
        .add_stream("users/app", "users/base", &[("files/etc/app", "of the app\n")])
        .unwrap();
    let daemon = place.start(&[]).unwrap();
    let name = place.built(&daemon, "users/app").unwrap();
    assert!(name.starts_with("users/app/"), "{name}");
    let target = place.path().join("got");
    place.unpack(&name, &target).unwrap();
    assert_eq!(
        fs::read_to_string(target.join("etc/base")).unwrap(),
        "of the base\n"
    );
    assert_eq!(
        fs::read_to_string(target.join("etc/app")).unwrap(),
        "of the app\n"
    );
    assert!(!target.join("etc/hostname").exists());
    let packages = fs::read_to_string(target.join("var/lib/packages")).unwrap();
    assert_eq!(packages, "base 1 7\nless 1.0 3\n");
}
