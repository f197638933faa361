use super::*;

/// What reading `text` with a fixed set of fields told.
fn told(text: &str, format: Format) -> Vec<String> {
    let checked = check(text.as_bytes(), format, |top| {
        let record = top.record(&["Name", "Numbers", "Table"]);
        record.text("Name");
        for place in record.get("Numbers").map(Place::list).unwrap_or_default() {
            place.whole();
        }
        for (_, place) in record.get("Table").map(Place::entries).unwrap_or_default() {
            let record = place.record(&["Inner"]);
            record.texts("Inner");
        }
    });
    checked.problems.iter().map(Problem::to_string).collect()
}

#[test]
fn everything_wrong_in_json_is_told_at_once_with_its_line() {
    let text = r#"# a comment
{
    "Name": 7,
    // another
    "numbers": [1,
        "two",
        -3,
        [
        ]
    ],
    "Table": {
        "a b": {"Inner": ["x", {}]},
        "plain": {
            "Iner": []
        }
    },
    "Else": null
} and what follows is ignored"#;
    assert_eq!(
        told(text, Format::Json),
        [
            "line 3: Name: a text is needed here, not a number: put it in quotes",
            "line 6: numbers[1]: a whole number from 0 is needed here, not a text",
            "line 7: numbers[2]: a whole number from 0 is needed here, not a number",
            "line 8: numbers[3]: a whole number from 0 is needed here, not a list",
            "line 12: Table.\"a b\".Inner[1]: a text is needed here, not a table",
            "line 14: Table.plain.Iner: warning: there is no such field, and it is ignored: is Inner meant?",
            "line 17: Else: warning: there is no such field, and it is ignored",
        ]
    );
}

#[test]
fn everything_wrong_in_yaml_is_told_at_once_with_its_line() {
    let text = "\
# a comment
name: 7
Numbers:
  - 1
  - two
  - -3
  -
    - x
Table:
  a b:
    Inner:
      - x
      - y: z
  plain: {Iner: []}
Else:
";
    assert_eq!(
        told(text, Format::Yaml),
        [
            "line 2: name: a text is needed here, not a number: put it in quotes",
            "line 5: Numbers[1]: a whole number from 0 is needed here, not a text",
            "line 6: Numbers[2]: a whole number from 0 is needed here, not a number",
            "line 8: Numbers[3]: a whole number from 0 is needed here, not a list",
            "line 13: Table.\"a b\".Inner[1]: a text is needed here, not a table",
            "line 14: Table.plain.Iner: warning: there is no such field, and it is ignored: is Inner meant?",
            "line 15: Else: warning: there is no such field, and it is ignored",
        ]
    );
}

#[test]
fn what_is_no_json_or_yaml_is_told_with_its_line() {
    for (text, format, line) in [
        ("{\n\"Name\": \"x\",\n}", Format::Json, 3),
        ("{\n# comment\n\"Name\" 1}", Format::Json, 3),
        ("Name: x\nTable: [", Format::Yaml, 2),
        ("Name: x\n  y: [z", Format::Yaml, 2),
    ] {
        let problems = check(text.as_bytes(), format, |_| ()).problems;
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].line, line, "{problems:?}");
        assert!(problems[0].is_error());
    }
}

#[test]
fn a_text_that_is_no_table_is_refused() {
    for (text, format) in [
        ("", Format::Json),
        ("null", Format::Json),
        ("[]", Format::Json),
        ("", Format::Yaml),
        ("# nothing\n", Format::Yaml),
        ("- x", Format::Yaml),
        ("!tagged {a: b}", Format::Yaml),
    ] {
        let checked = check(text.as_bytes(), format, |_| ());
        assert_eq!(checked.value, None, "{text:?}");
        assert!(!checked.problems.is_empty());
    }
}

#[test]
fn of_a_name_that_occurs_twice_the_last_counts_and_somebody_is_told() {
    let text = "{\"Name\": \"a\",\n\"Name\": \"b\",\n\"NAME\": \"c\"}";
    let checked = check(text.as_bytes(), Format::Json, |top| {
        top.record(&["Name"]).text("Name")
    });
    assert_eq!(checked.value.as_deref(), Some("c"));
    let lines: Vec<usize> = checked.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [1, 2], "{:?}", checked.problems);
}

#[test]
fn yaml_that_unfolds_to_endless_values_is_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let list = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{list}]\n"));
    }
    let checked = check(text.as_bytes(), Format::Yaml, |_| ());
    assert_eq!(checked.value, None);
}

#[test]
fn texts_nested_too_deep_are_refused() {
    for (format, text) in [
        (Format::Json, format!("{{\"a\": {}", "[".repeat(100_000))),
        (Format::Yaml, format!("a: {}", "[".repeat(100_000))),
        (Format::Yaml, format!("a:\n{}", "- ".repeat(100_000))),
        (Format::Yaml, format!("a:\n{}", "? ".repeat(100_000))),
    ] {
        assert_eq!(check(text.as_bytes(), format, |_| ()).value, None);
    }
}

#[test]
fn hundreds_of_problems_are_counted_and_errors_come_before_warnings() {
    let mut text = String::from("{\n");
    for number in 0..300 {
        text.push_str(&format!("\"unknown{number}\": 0,\n"));
    }
    text.push_str("\"Name\": 7}");
    let problems = told(&text, Format::Json);
    assert_eq!(problems.len(), 201);
    assert!(
        problems
            .iter()
            .any(|problem| problem.starts_with("line 302: Name: a text"))
    );
    assert_eq!(problems[200], "warning: and 101 more problems");
}

proptest::proptest! {
    #[test]
    fn nothing_that_is_read_panics(text in "[\\[\\]{}\":,a-c0-9 \\n#&*!-]{0,200}", yaml: bool) {
        let format = if yaml { Format::Yaml } else { Format::Json };
        told(&text, format);
    }

    #[test]
    fn json_read_as_yaml_means_the_same(names in proptest::collection::vec("[a-z]{1,8}", 0..8)) {
        let text = serde_json::to_string(&serde_json::json!({ "Table": names })).unwrap();
        let texts = |format| check(text.as_bytes(), format, |top| top.record(&["Table"]).texts("Table")).value;
        proptest::prop_assert_eq!(texts(Format::Json), Some(names));
        // Words such as `null` in quotes are texts in YAML as well.
        proptest::prop_assert_eq!(texts(Format::Json), texts(Format::Yaml));
    }
}
