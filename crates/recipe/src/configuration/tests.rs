use super::*;
use crate::architecture;

/// A configuration with everything in it, in the original's spelling.
const WHOLE: &str = r#"# What is built here.
{
    "BindMounts": ["/srv/cache"],
    "BootstrapStreams": {
        "bootstrap/Debian-12/$ARCH": {
            "BootstrapCommand": ["debootstrap", "--arch=$ARCH", "bookworm", "$dir", "$MIRROR/debian"],
            "FilterLines": ["/etc/hostname", "/var/log/.*"],
            "ImageFilterUrl": "file:///filter",
            "ImageTriggersUrl": "file:///triggers",
            "ImageTagsUrl": "file:///tags",
            "Owners": {"Groups": ["g"], "Users": ["u"]},
            "PackagerType": "deb"
        },
        "a": {"BootstrapCommand": ["true", "$dir/$ARCH"], "PackagerType": "deb"}
    },
    "Cache": {"BaseDirectory": "/srv/builds", "MountPoint": "/cache", "SizeLimit": 1048576},
    "ImageStreamsCheckInterval": 60,
    "ImageStreamsToAutoRebuild": ["base/$ARCH", "bootstrap/Debian-12/$ARCH"],
    "ImageStreamsUrl": "https://$GIT_USER:$GIT_PASSWORD@git.example/streams.git?image-streams.json",
    "MtimesCopyFilterLines": ["/etc/.*"],
    "PackagerTypes": {
        "deb": {
            "CleanCommand": ["apt-get", "clean"],
            "CleanPatterns": ["/var/cache/apt/.*[.]bin"],
            "ListCommand": {"ArgList": ["dpkg-query", "-f", "${binary:Package} ${Version}\n"], "SizeMultiplier": 1024},
            "Verbatim": ["export http_proxy=$PROXY", "export X=$Y"]
        }
    },
    "RelationshipsQuickLinks": [{"Name": "all", "URL": "?x=y"}],
    "Variables": {"MIRROR": "http://mirror.example/$ARCH", "PROXY": ""}
}
"#;

fn open(url: &str) -> Result<Vec<u8>, String> {
    match url {
        "file:///filter" => Ok(b"# comment\n/etc/.*\n".to_vec()),
        "file:///triggers" => Ok(br#"[{"MatchLines": ["/etc/ssh/.*"], "Service": "ssh"}]"#.to_vec()),
        "file:///tags" => Ok(br#"{"os": "debian"}"#.to_vec()),
        "file:///bad" => Ok(b"(".to_vec()),
        other => Err(format!("cannot open {other}")),
    }
}

fn secrets() -> Secrets {
    let values = [("GIT_USER", "somebody"), ("GIT_PASSWORD", "verysecret")];
    Secrets::new(
        values
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    )
}

fn parse(text: &str, format: Format) -> Checked<Configuration> {
    let secrets = secrets();
    let reading = Reading {
        format,
        architecture: "riscv64",
        secrets: Some(&secrets),
        open: &open,
    };
    Configuration::parse(text.as_bytes(), &reading)
}

fn told(text: &str) -> Vec<String> {
    parse(text, Format::Json)
        .problems
        .iter()
        .map(Problem::to_string)
        .collect()
}

#[test]
fn every_field_is_read_and_expanded() {
    let checked = parse(WHOLE, Format::Json);
    assert_eq!(checked.problems, []);
    let configuration = checked.value.unwrap();
    assert_eq!(configuration.bind_mounts, ["/srv/cache"]);
    let cache = configuration.cache.unwrap();
    assert_eq!(
        (
            cache.base_directory.as_str(),
            cache.mount_point.as_str(),
            cache.size_limit
        ),
        ("/srv/builds", "/cache", 1 << 20)
    );
    assert_eq!(
        configuration.image_streams_check_interval,
        Duration::from_secs(60)
    );
    assert_eq!(
        configuration.image_streams_to_auto_rebuild,
        ["base/riscv64", "bootstrap/Debian-12/riscv64"]
    );
    assert!(configuration.image_streams_url.contains("$GIT_PASSWORD"));
    assert_eq!(configuration.mtimes_copy_filter_lines, ["/etc/.*"]);
    assert_eq!(configuration.relationships_quick_links[0].url, "?x=y");
    let stream = &configuration.bootstrap_streams["bootstrap/Debian-12/riscv64"];
    assert_eq!(
        stream.command,
        [
            "debootstrap",
            "--arch=riscv64",
            "bookworm",
            "$dir",
            "http://mirror.example/riscv64/debian"
        ]
    );
    // As the original has it: a word with an unknown variable stays whole until the build.
    assert_eq!(
        configuration.bootstrap_streams["a"].command,
        ["true", "$dir/$ARCH"]
    );
    assert_eq!(stream.filter_lines, ["/etc/hostname", "/var/log/.*"]);
    assert_eq!(stream.image_filter.as_ref().unwrap().filter_lines, ["/etc/.*"]);
    assert_eq!(stream.image_triggers.as_ref().unwrap().triggers[0].service, "ssh");
    assert_eq!(stream.image_tags["os"], "debian");
    assert_eq!(stream.owners.groups, ["g"]);
    assert_eq!(stream.owners.users, ["u"]);
    assert_eq!(stream.packager.clean_command, ["apt-get", "clean"]);
    assert_eq!(stream.packager.size_multiplier, 1024);
    assert_eq!(stream.packager.list_command[2], "${binary:Package} ${Version}\n");
    assert_eq!(stream.packager.verbatim, ["export http_proxy=", "export X=$Y"]);
}

#[test]
fn without_a_filter_the_images_are_sparse() {
    let configuration = parse(WHOLE, Format::Json).value.unwrap();
    let stream = &configuration.bootstrap_streams["a"];
    assert_eq!((&stream.image_filter, &stream.image_triggers), (&None, &None));
}

#[test]
fn the_same_in_yaml_is_the_same() {
    let json = image::go_json::without_comments(WHOLE.as_bytes());
    let value: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let yaml = serde_yaml::to_string(&value).unwrap();
    let (left, right) = (parse(WHOLE, Format::Json).value, parse(&yaml, Format::Yaml).value);
    let mut right = right.unwrap();
    right.auto_rebuild_lines = left.as_ref().unwrap().auto_rebuild_lines.clone();
    assert_eq!(format!("{:?}", left.unwrap()), format!("{right:?}"));
}

#[test]
fn everything_wrong_is_told_at_once() {
    let text = r#"{
"BindMounts": ["relative", "/a/../b", "/", "/x", "/x"],
"BootstrapStreams": {
  "one": {
    "BootstrapCommand": [],
    "FilterLines": ["(", "!", ""],
    "ImageFilterUrl": "file:///bad",
    "ImageTriggersUrl": "file:///none",
    "ImageTagsUrl": "file:///bad",
    "PackagerType": "dep"
  },
  "two/$ARCH": {"BootstrapCommand": ["x", "$GIT_PASSWORD"], "PackagerType": "deb"},
  "two/riscv64": {"BootstrapCommand": ["x", "$dir"], "PackagerType": "deb"},
  "../up": {"BootstrapCommand": ["x", "$dir"], "packagertype": "deb"},
  "$HOST/x": {"BootstrapCommand": ["x", "$dir"]}
},
"Cache": {"BaseDirectory": "x", "SizeLimit": "10 parsecs"},
"ImageStreamsCheckInterval": "often",
"ImageStreamsUrl": "ftp://$NOBODY/",
"MtimesCopyFilterLines": ["[", "/ok"],
"PackagerTypes": {"deb": {"CleanPatterns": ["a'", "("], "Verbatim": [1], "ListCommand": {"SizeMultiplier": -1}}},
"SshMetadataFetcher": {"Algorithm": "RSA"},
"Variables": {"dir": "x", "GIT_USER": "y", "a b": "z"},
"BootStreams": {}
}"#;
    let told = told(text);
    let expected = [
        (2, "BindMounts[0]: \"relative\" is no absolute path"),
        (2, "BindMounts[1]: \"/a/../b\" must not go up by .."),
        (2, "BindMounts[2]: the root directory cannot be mounted"),
        (2, "BindMounts[4]: warning: the same directory"),
        (
            5,
            "BootstrapStreams.one.BootstrapCommand: BootstrapCommand is empty",
        ),
        (
            6,
            "BootstrapStreams.one.FilterLines[0]: error parsing regexp: missing closing ): `^(`",
        ),
        (6, "BootstrapStreams.one.FilterLines[2]: empty regular expression"),
        (7, "BootstrapStreams.one.ImageFilterUrl: error parsing regexp"),
        (
            8,
            "BootstrapStreams.one.ImageTriggersUrl: cannot open file:///none",
        ),
        (9, "BootstrapStreams.one.ImageTagsUrl: error decoding tags"),
        (
            10,
            "BootstrapStreams.one.PackagerType: packager type: \"dep\" unknown",
        ),
        (12, "$GIT_PASSWORD is a secret of the variables file"),
        (12, "no argument has $dir"),
        (13, "duplicate bootstrap stream: two/riscv64"),
        (14, "\"../up\" cannot be the name of a stream"),
        (15, "$HOST is not known here"),
        (15, "\"/x\" cannot be the name of a stream"),
        (15, "packager type: \"\" unknown"),
        (17, "Cache.BaseDirectory: \"x\" is no absolute path"),
        (17, "Cache.SizeLimit: invalid size"),
        (17, "Cache: warning: nothing is cached"),
        (18, "ImageStreamsCheckInterval: "),
        (19, "$NOBODY is not in the variables file"),
        (19, "unknown scheme: ftp"),
        (20, "MtimesCopyFilterLines[0]: error parsing regexp"),
        (21, "CleanPatterns[0]: warning: a single quote"),
        (21, "CleanPatterns[1]: error parsing regexp"),
        (21, "Verbatim[0]: a text is needed"),
        (21, "SizeMultiplier: a whole number from 0"),
        (22, "SshMetadataFetcher: warning: SSH keys are not fetched"),
        (23, "Variables.dir: $dir has a meaning of its own"),
        (
            23,
            "Variables.GIT_USER: $GIT_USER is in the variables file as well",
        ),
        (23, "Variables.\"a b\": a variable's name"),
        (24, "BootStreams: warning: there is no such field"),
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
    assert!(parse(text, Format::Json).value.is_none());
    assert!(!told.concat().contains("verysecret"));
}

#[test]
fn sizes_and_durations_may_be_written_as_people_do() {
    let text = r#"{"Cache": {"BaseDirectory": "/a", "MountPoint": "/b", "SizeLimit": "2GiB"}, "ImageStreamsCheckInterval": "1h5m"}"#;
    let configuration = parse(text, Format::Json).value.unwrap();
    assert_eq!(configuration.cache.unwrap().size_limit, 2 << 30);
    assert_eq!(
        configuration.image_streams_check_interval,
        Duration::from_secs(3900)
    );
}

#[test]
fn a_password_in_the_streams_url_is_told_without_telling_it() {
    let told = told(r#"{"ImageStreamsUrl": "https://me:hunter22@git.example/x.git?streams.json"}"#);
    assert_eq!(told.len(), 1);
    assert!(
        told[0].contains("a password stands in the URL") && !told[0].contains("hunter22"),
        "{told:?}"
    );
}

#[test]
fn bootstrap_streams_are_always_rebuilt_first_and_nothing_twice() {
    let configuration = parse(WHOLE, Format::Json).value.unwrap();
    assert_eq!(
        configuration.auto_rebuild(true),
        ["a", "bootstrap/Debian-12/riscv64", "base/riscv64"]
    );
    assert_eq!(
        configuration.auto_rebuild(false),
        ["base/riscv64", "bootstrap/Debian-12/riscv64"]
    );
}

#[test]
fn streams_to_be_rebuilt_that_do_not_exist_are_told_with_their_line() {
    let configuration = parse(WHOLE, Format::Json).value.unwrap();
    let problems = configuration.check_streams(&Streams::default());
    assert_eq!(problems.len(), 1);
    assert_eq!(
        problems[0].to_string(),
        "line 18: ImageStreamsToAutoRebuild[0]: warning: unknown stream: base/riscv64"
    );
    let text = br#"{"Streams": {"a": {"ManifestUrl": "dir:///x"}}, "StreamPatterns": {"base/.*": {"ManifestUrl": "dir:///x"}}}"#;
    let streams = Streams::parse(text, &Reading::default()).into_result().unwrap();
    let problems = configuration.check_streams(&streams);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].what.contains("has a stream of this name"));
}

#[test]
fn bootstrap_streams_win_over_streams_and_those_over_patterns() {
    let configuration = parse(WHOLE, Format::Json).value.unwrap();
    let text = br#"{"Streams": {"a": {}, "b": {"ManifestUrl": "exact"}}, "StreamPatterns": {".": {"ManifestUrl": "pattern"}}}"#;
    let streams = Streams::parse(text, &Reading::default()).into_result().unwrap();
    let url = |name: &str| match configuration.find(&streams, name).unwrap() {
        Found::Bootstrap(_) => "bootstrap".to_owned(),
        Found::User(stream) => stream.manifest_url.clone(),
    };
    assert_eq!(
        (url("a"), url("b"), url("c")),
        ("bootstrap".into(), "exact".into(), "pattern".into())
    );
    let error = configuration.find(&streams, "no").unwrap_err();
    assert_eq!(error.to_string(), "unknown stream: no");
}

#[test]
fn secrets_reach_the_streams_url() {
    let configuration = parse(WHOLE, Format::Json).value.unwrap();
    assert_eq!(
        configuration.expanded_image_streams_url(&secrets()),
        "https://somebody:verysecret@git.example/streams.git?image-streams.json"
    );
}

#[test]
fn an_empty_table_is_a_configuration_that_builds_nothing() {
    let configuration = parse("{}", Format::Json).value.unwrap();
    assert!(configuration.bootstrap_streams.is_empty() && configuration.image_streams_url.is_empty());
    assert_eq!(configuration.auto_rebuild(true), Vec::<&str>::new());
    assert!(!architecture().is_empty());
}
