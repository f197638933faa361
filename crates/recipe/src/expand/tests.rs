use proptest::prelude::*;

use super::*;

const STREAM: &str = "users/fred/generic/base/Debian-10/amd64";

fn lookup(name: &str) -> Option<&'static str> {
    match name {
        "IMAGE_STREAM" => Some(STREAM),
        "A" => Some("alpha"),
        "DOLLAR" => Some("$A"),
        "EMPTY" => Some(""),
        "*" => Some("star"),
        "1" => Some("one"),
        "12" => Some("twelve"),
        _ => None,
    }
}

#[test]
fn names_end_where_the_specification_says() {
    for (text, expected) in [
        ("", ""),
        ("plain", "plain"),
        ("$A", "alpha"),
        ("${A}", "alpha"),
        ("<$A>", "<alpha>"),
        ("$A.b$A", "alpha.balpha"),
        ("$Ab", ""),
        ("${A}b", "alphab"),
        ("$UNKNOWN.", "."),
        ("$EMPTY.", "."),
        // What comes out is not looked at again.
        ("$DOLLAR", "$A"),
        // One digit, one special character.
        ("$12", "one2"),
        ("${12}", "twelve"),
        ("$*x", "starx"),
        ("${*}", "star"),
        ("$#$@$!$?$-", ""),
        // Before anything else, and at the end, it stays.
        ("$", "$"),
        ("a$ b$.$", "a$ b$.$"),
        ("$$A", "A"),
        ("$é", "$é"),
        // Malformed braces.
        ("${}x", "x"),
        ("${", ""),
        ("a${b", "ab"),
        ("${A", "A"),
    ] {
        assert_eq!(expression(text, lookup), expected, "{text}");
    }
}

#[test]
fn sub_expressions_select_components() {
    for (selection, expected) in [
        ("/2:-1", "generic/base/Debian-10"),
        ("/-2:", "Debian-10/amd64"),
        ("/:2", "users/fred"),
        ("/:", STREAM),
        ("/1:1", ""),
        ("/0:5", "users/fred/generic/base/Debian-10"),
        ("a:1", "users/fred/generic/b"),
        // Out of range.
        ("/0:6", ""),
        ("/0:99", ""),
        ("/7:", ""),
        ("/-7:", ""),
        ("/3:2", ""),
        ("/3:-5", ""),
        ("/:-99", ""),
        // Malformed.
        ("/", ""),
        ("/1", ""),
        ("/1:2:3", ""),
        ("/x:y", ""),
        ("/1 :2", ""),
        ("é1:2", ""),
        ("/9223372036854775807:-9223372036854775808", ""),
        ("/-9223372036854775808:", ""),
    ] {
        let text = format!("${{IMAGE_STREAM[{selection}]}}");
        assert_eq!(expression(&text, lookup), expected, "{text}");
    }
    for text in [
        "${[/1:2]}",
        "${UNKNOWN[/1:2]}",
        "${EMPTY[/0:0]}",
        "${A[]}",
        "${AB[]}",
    ] {
        assert_eq!(expression(text, lookup), "", "{text}");
    }
}

#[test]
fn the_opportunistic_mode_expands_all_or_nothing() {
    for (text, expected) in [
        ("$A/$dir", "$A/$dir"),
        ("$A/x", "alpha/x"),
        ("$EMPTY$A", "$EMPTY$A"),
        ("no variable", "no variable"),
        ("${IMAGE_STREAM[/0:1]}", "users"),
        // Malformed parts are no unknown variables.
        ("${}$A", "alpha"),
    ] {
        assert_eq!(opportunistic(text, lookup), expected, "{text}");
    }
}

#[test]
fn what_a_shell_has_to_expand_stays_as_it_is() {
    for (text, expected) in [
        ("$A", "alpha"),
        (
            "${binary:Package} ${Version}\\n $A",
            "${binary:Package} ${Version}\\n alpha",
        ),
        ("echo $? $$ $# \"$@\" $(x) ${", "echo $? $$ $# \"$@\" $(x) ${"),
        ("${} ${X[1]} ${X[@]}", "${} ${X[1]} ${X[@]}"),
        ("${IMAGE_STREAM[/0:1]}", "users"),
        ("${A:-x}", "${A:-x}"),
    ] {
        assert_eq!(
            known(text, |name| lookup(name)
                .filter(|_| name.len() > 1 || name == "A")),
            expected
        );
    }
}

#[test]
fn names_are_listed_without_their_sub_expressions() {
    assert_eq!(names("$A/${B[/1:2]}${}$C-$A"), ["A", "B", "C", "A"]);
}

proptest! {
    #[test]
    fn no_text_and_no_value_make_expansion_panic(text in "[$\\{\\}\\[\\]:/A-C0-9é* -]{0,40}", value in "[/A-Cé]{0,12}") {
        let lookup = |name: &str| (name != "C").then_some(value.as_str());
        for expanded in [expression(&text, lookup), opportunistic(&text, lookup), known(&text, lookup)] {
            prop_assert!(expanded.len() <= text.len() * (value.len() + 1));
        }
        names(&text);
    }

    #[test]
    fn a_text_without_a_dollar_stays(text in "[^$]{0,40}") {
        prop_assert_eq!(expression(&text, lookup), text.clone());
        prop_assert_eq!(known(&text, lookup), text);
    }

    #[test]
    fn selecting_and_joining_everything_changes_nothing(value in "[a-c/]{1,20}") {
        let lookup = |name: &str| (name == "V").then_some(value.as_str());
        prop_assert_eq!(expression("${V[/:]}", lookup), value.clone());
        prop_assert_eq!(expression("${V[/0:]}", lookup), value);
    }
}
