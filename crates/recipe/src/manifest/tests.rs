use super::*;

fn environment() -> BTreeMap<String, String> {
    let table = [
        ("IMAGE_STREAM", "base/Debian-12/amd64"),
        ("TEAM", "ops"),
        ("EMPTY", ""),
    ];
    table
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

#[test]
fn every_field_is_read_and_expanded() {
    let text = br#"{
        # comment
        "sourceimage": "bootstrap/${IMAGE_STREAM[/1:]}",
        "FilterLines": ["/var/log/.*"],
        "MtimesCopyAddFilterLines": ["/b", "/a"],
        "SourceImageBuildVariables": {"WHO": "$TEAM", "NOBODY": "$UNKNOWN"},
        "SourceImageGitCommitId": "$TEAM-1",
        "SourceImageTagsToMatch": {"team": ["$TEAM", "all"], "optional": ["$EMPTY", "$UNKNOWN"], "either": ["", "x"]},
        "PublishAs": {"anything": ["else", 1, null]}
    }"#;
    let manifest = Manifest::parse(text).unwrap();
    assert_eq!(manifest.source_image, "bootstrap/${IMAGE_STREAM[/1:]}");
    assert_eq!(
        manifest.filter_lines.as_deref(),
        Some(&["/var/log/.*".to_owned()][..])
    );
    let manifest = manifest.expanded(&environment());
    assert_eq!(manifest.source_image, "bootstrap/Debian-12/amd64");
    assert_eq!(manifest.source_image_git_commit_id, "ops-1");
    assert_eq!(manifest.source_image_build_variables["WHO"], "ops");
    assert_eq!(manifest.source_image_build_variables["NOBODY"], "");
    assert_eq!(manifest.source_image_tags_to_match["team"], ["ops", "all"]);
    assert_eq!(manifest.source_image_tags_to_match["either"], ["", "x"]);
    assert!(
        !manifest.source_image_tags_to_match.contains_key("optional"),
        "matching it is optional"
    );
}

#[test]
fn what_is_absent_or_null_is_nothing() {
    for text in [
        &b"{}"[..],
        br#"{"SourceImage": null, "FilterLines": null, "SourceImageTagsToMatch": null}"#,
    ] {
        assert_eq!(Manifest::parse(text).unwrap(), Manifest::default());
    }
    let empty = Manifest::parse(br#"{"FilterLines": []}"#).unwrap();
    assert_eq!(empty.filter_lines, Some(Vec::new()));
}

#[test]
fn everything_wrong_is_told_at_once() {
    let text = b"{\n\"SourceImage\": 7,\n\"FilterLines\": [\"(\"],\n\"Other\": 1}";
    let error = Manifest::parse(text).unwrap_err().to_string();
    assert_eq!(
        error,
        "line 2: SourceImage: a text is needed here, not a number: put it in quotes; \
         line 3: FilterLines[0]: error parsing regexp: missing closing ): `^(`"
    );
}

#[test]
fn the_list_of_mtimes_is_replaced_or_extended() {
    let global = ["/c".to_owned(), "/a".to_owned()];
    let filter = |text: &[u8]| Manifest::parse(text).unwrap().mtimes_copy_filter(&global);
    assert_eq!(filter(b"{}"), ["/c", "/a"]);
    assert_eq!(
        filter(br#"{"MtimesCopyAddFilterLines": ["/b", "/a"]}"#),
        ["/a", "/b", "/c"]
    );
    let both = br#"{"MtimesCopyAddFilterLines": ["/b"], "MtimesCopyFilterLines": ["/x"]}"#;
    assert_eq!(filter(both), ["/x"]);
}

#[test]
fn package_lists_are_lines_as_they_are() {
    assert_eq!(
        package_list(b"# comment\n\nvim\n #not a comment\npkg=1.2 \npkg-\r\nlast"),
        ["vim", " #not a comment", "pkg=1.2 ", "pkg-\r", "last"]
    );
    assert_eq!(package_list(b""), Vec::<String>::new());
}

#[test]
fn owners_are_read() {
    let owners = owners(br#"{"groups": ["g"], "Users": ["u", "v"]}"#).unwrap();
    assert_eq!(owners.groups, ["g"]);
    assert_eq!(owners.users, ["u", "v"]);
    assert!(super::owners(br#"{"Users": "u"}"#).is_err());
}

#[test]
fn a_tag_that_becomes_empty_is_dropped_and_an_empty_one_stays() {
    let tags = [("a", "$TEAM"), ("b", "$UNKNOWN"), ("c", ""), ("d", "x$EMPTY")];
    let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let expanded = expanded_tags(&tags, &environment());
    let expanded: Vec<(&str, &str)> = expanded
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(expanded, [("a", "ops"), ("c", ""), ("d", "x")]);
}

proptest::proptest! {
    #[test]
    fn no_manifest_makes_reading_panic(text in "[{}\\[\\]\":,a-c0-9SourceImage]{0,80}") {
        let _ = Manifest::parse(text.as_bytes());
        let _ = owners(text.as_bytes());
        package_list(text.as_bytes());
    }
}
