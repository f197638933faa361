use proptest::prelude::*;

use super::*;

fn of(values: &[&str]) -> Secrets {
    let values = values
        .iter()
        .enumerate()
        .map(|(index, value)| (format!("S{index}"), (*value).to_owned()));
    Secrets::new(values.collect())
}

#[test]
fn both_forms_are_read() {
    for text in [
        "# comment\n\nGIT_USER=somebody\n  # another\nTOKEN=a=b c \n",
        "\n// comment\n  {\"GIT_USER\": \"somebody\",\n# comment\n\"TOKEN\": \"a=b c \"}",
    ] {
        let checked = Secrets::parse(text.as_bytes());
        assert_eq!(checked.problems, [], "{text}");
        let secrets = checked.value.unwrap();
        assert_eq!(secrets.get("GIT_USER"), Some("somebody"));
        assert_eq!(secrets.get("TOKEN"), Some("a=b c "));
        assert_eq!(secrets.names().collect::<Vec<_>>(), ["GIT_USER", "TOKEN"]);
    }
    assert!(Secrets::parse(b"").value.unwrap().is_empty());
}

#[test]
fn lines_that_are_none_are_told_without_what_is_in_them() {
    let checked = Secrets::parse(b"A=fine\nhunter22\n=hunter22\nB C=hunter22\nD=xyz\nA=again\n");
    let told: Vec<String> = checked.problems.iter().map(ToString::to_string).collect();
    assert_eq!(checked.value, None);
    let lines: Vec<usize> = checked.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6], "{told:?}");
    assert!(!told.concat().contains("hunter22"), "{told:?}");
}

#[test]
fn json_that_is_none_is_told_without_what_is_in_it() {
    for text in [
        "{\"A\": \"hunter22\" \"hunter22\"}",
        "{\"A\": [\"hunter22\"]}",
        "{hunter22",
        "{\"A\": 1}",
    ] {
        let checked = Secrets::parse(text.as_bytes());
        assert_eq!(checked.value, None, "{text}");
        assert!(
            !format!("{:?}", checked.problems).contains("hunter22"),
            "{:?}",
            checked.problems
        );
    }
}

#[test]
fn secrets_are_found_however_they_are_written() {
    let secrets = of(&["s3cr/et+ä b\"", "abcd", "abcdef", "xyz", ""]);
    for (text, expected) in [
        ("nothing here xyz", "nothing here xyz"),
        ("<s3cr/et+ä b\">", "<***>"),
        ("https://u:s3cr%2Fet%2b%C3%A4%20b%22@h/", "https://u:***@h/"),
        ("q=s3cr%2Fet%2B%c3%a4+b%22&", "q=***&"),
        ("%73%33%63%72%2f%65%74%2b%c3%a4%20%62%22", "***"),
        (r#"{"k": "s3cr\/et+ä b\""}"#, r#"{"k": "***"}"#),
        // The longer one first; twice in a row; cut short.
        ("abcdef abcdabcdef abc", "*** ****** abc"),
        ("%", "%"),
        ("abc%6", "abc%6"),
        ("abc%64", "***"),
    ] {
        assert_eq!(secrets.redact_text(text), expected, "{text}");
        assert_eq!(&*secrets.redact(text.as_bytes()), expected.as_bytes());
    }
    assert!(matches!(secrets.redact_text("plain"), Cow::Borrowed("plain")));
}

#[test]
fn each_line_of_a_secret_of_several_is_one() {
    let secrets = of(&["-----BEGIN-----\nAbCdEf\n-----END-----"]);
    assert_eq!(secrets.redact_text("line AbCdEf of a key"), "line *** of a key");
}

#[test]
fn bytes_that_are_no_text_stay_around_a_secret() {
    assert_eq!(
        &*of(&["hunter22"]).redact(b"\xff\xfehunter22\xff"),
        b"\xff\xfe***\xff"
    );
}

#[test]
fn printing_secrets_prints_their_names() {
    let text = format!("{:?}", of(&["hunter22"]));
    assert!(text.contains("S0") && !text.contains("hunter22"), "{text}");
}

proptest! {
    #[test]
    fn no_value_is_left_in_what_was_redacted(
        values in proptest::collection::vec("[a-c%+\\\\ é]{4,8}", 1..4),
        words in proptest::collection::vec("[a-c%+\\\\ é]{0,6}", 0..6),
        order in proptest::collection::vec(0usize..4, 0..6),
    ) {
        let secrets = Secrets::new(values.iter().map(|value| (value.clone(), value.clone())).collect());
        let mut text = words.concat();
        for index in order {
            text.push_str(&values[index % values.len()]);
            text.push('|');
        }
        let redacted = secrets.redact_text(&text);
        for value in &values {
            prop_assert!(!redacted.contains(value.as_str()), "{text:?} {redacted:?}");
        }
    }

    #[test]
    fn no_variables_file_makes_reading_panic(text in "[{}\":,A-C= \\n#]{0,60}") {
        Secrets::parse(text.as_bytes());
    }
}
