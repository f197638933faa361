use super::*;
use crate::{Problem, Secrets};

fn parse(text: &str) -> Checked<Streams> {
    let secrets = Secrets::new([("GIT_PASSWORD".to_owned(), "verysecret".to_owned())].into());
    let reading = Reading {
        architecture: "riscv64",
        secrets: Some(&secrets),
        ..Reading::default()
    };
    Streams::parse(text.as_bytes(), &reading)
}

#[test]
fn streams_and_patterns_are_read_with_the_architecture_in_their_names() {
    let text = r#"{
        // comment
        "streams": {
            "base/$ARCH": {
                "ManifestUrl": "https://git:$GIT_PASSWORD@git.example/manifests.git",
                "ManifestDirectory": "$IMAGE_STREAM_DIRECTORY_NAME",
                "BuilderGroups": ["ops"], "BuilderUsers": ["fred"],
                "Variables": {"NAME": "${IMAGE_STREAM[/0:1]}"}
            }
        },
        "StreamPatterns": {"users/[^/]*/$ARCH": {"ManifestUrl": "dir:///srv/manifests"}}
    }"#;
    let checked = parse(text);
    assert_eq!(checked.problems, []);
    let streams = checked.value.unwrap();
    assert_eq!((streams.len(), streams.is_empty()), (1, false));
    let stream = streams.find("base/riscv64").unwrap().unwrap();
    assert_eq!(stream.manifest_directory, "$IMAGE_STREAM_DIRECTORY_NAME");
    assert_eq!(stream.builder_groups, ["ops"]);
    assert_eq!(stream.builder_users, ["fred"]);
    assert_eq!(stream.variables["NAME"], "${IMAGE_STREAM[/0:1]}");
    assert!(streams.find("users/fred/riscv64").unwrap().is_some());
    for unknown in [
        "users/fred/amd64",
        "xusers/fred/riscv64",
        "users/fred/riscv64x",
        "users/a/b/riscv64",
    ] {
        assert!(streams.find(unknown).unwrap().is_none(), "{unknown}");
    }
    let names: Vec<&str> = streams.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["base/riscv64"], "pattern streams are in no list");
    let patterns: Vec<&str> = streams.patterns().map(|(pattern, _)| pattern).collect();
    assert_eq!(patterns, ["users/[^/]*/riscv64"]);
}

#[test]
fn a_name_that_two_patterns_match_is_refused() {
    let streams = parse(r#"{"StreamPatterns": {"a.*": {"ManifestUrl": "x"}, ".*b": {"ManifestUrl": "y"}}}"#);
    let streams = streams.value.unwrap();
    let error = streams.find("ab").unwrap_err();
    assert_eq!(error.to_string(), "multiple stream patterns match: \"ab\"");
    assert_eq!(streams.find("ac").unwrap().unwrap().manifest_url, "x");
}

#[test]
fn patterns_are_anchored_by_text_glued_to_their_ends() {
    // Go's `^a.*x|b$`: the alternatives are held by one end each.
    let streams = parse(r#"{"StreamPatterns": {"a.*x|b": {"ManifestUrl": "x"}}}"#)
        .value
        .unwrap();
    for (name, is_found) in [
        ("ax", true),
        ("a/x/more", true),
        ("more/b", true),
        ("bc", false),
        ("ca/x", false),
    ] {
        assert_eq!(streams.find(name).unwrap().is_some(), is_found, "{name}");
    }
    let streams = parse(r#"{"StreamPatterns": {"a.b": {"ManifestUrl": "x"}}}"#)
        .value
        .unwrap();
    assert!(streams.find("a/b").unwrap().is_some());
    assert!(
        streams.find("a/b/c").unwrap().is_none(),
        "whole names are matched, not their beginnings"
    );
}

#[test]
fn everything_wrong_is_told_and_nothing_of_it_is_used() {
    let text = r#"{
"Streams": {
  "a/$ARCH": {"ManifestUrl": "https://me:hunter22@git.example/x.git"},
  "a/riscv64": {"ManifestUrl": "dir://relative"},
  "": {"ManifestUrl": "x", "Variables": {"X": "$ARCH $GIT_PASSWORD"}},
  "b": {"Manifesturl": "$UNKNOWN", "ManifestDir": "x"},
  "c": {}
},
"StreamPatterns": {
  "(": {"ManifestUrl": "x"},
  "x/$ARCH": {"ManifestUrl": "dir://relative"},
  "x/riscv64": {"ManifestUrl": 7, "BuilderUsers": "fred"}
}}"#;
    let checked = parse(text);
    assert!(checked.value.is_none());
    let told: Vec<String> = checked.problems.iter().map(Problem::to_string).collect();
    let expected = [
        (3, "warning: a password stands in the URL"),
        (4, "duplicate stream: a/riscv64"),
        (5, "\"\" cannot be the name of a stream: empty name"),
        (5, "$ARCH is not known here"),
        (5, "$GIT_PASSWORD is a secret of the variables file"),
        (6, "$UNKNOWN is neither the stream's nor in the variables file"),
        (6, "there is no such field, and it is ignored"),
        (7, "without a ManifestUrl the stream cannot be built"),
        (10, "error parsing regexp: missing closing )"),
        (11, "warning: missing leading slash"),
        (12, "duplicate stream pattern: x/riscv64"),
    ];
    for (line, text) in expected {
        let start = format!("line {line}: ");
        assert!(
            told.iter()
                .any(|told| told.starts_with(&start) && told.contains(text)),
            "line {line}: {text} is not among {told:#?}"
        );
    }
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    assert!(!told.concat().contains("hunter22") && !told.concat().contains("verysecret"));
}
