//! The shipped samples are good as they stand, whoever reads them.
#![allow(clippy::unwrap_used)]

use recipe::{Checked, Configuration, Format, Found, Reading, Secrets, Streams, UserStream};
use std::path::{Path, PathBuf};
use std::process::Command;

const CONFIGURATIONS: [&str; 4] = ["debian.json", "ubuntu.json", "rpm.json", "several.yaml"];

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../config-samples/imaginator")
        .join(name)
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(sample(name)).unwrap()
}

fn secrets() -> Secrets {
    Secrets::parse(&read("variables")).into_result().unwrap()
}

/// Reads a sample as if it were installed.
fn with<T>(name: &str, parse: impl FnOnce(&[u8], &Reading<'_>) -> Checked<T>) -> T {
    let secrets = secrets();
    let open = |url: &str| {
        let name = url.strip_prefix("file:///etc/imaginator/").ok_or(url)?;
        Ok(read(name))
    };
    let reading = Reading {
        format: Format::of(name),
        secrets: Some(&secrets),
        open: &open,
        ..Reading::default()
    };
    let checked = parse(&read(name), &reading);
    assert_eq!(checked.problems, [], "{name}");
    checked.value.unwrap()
}

fn configuration(name: &str) -> Configuration {
    with(name, Configuration::parse)
}

fn streams() -> Streams {
    with("image-streams.json", Streams::parse)
}

#[test]
fn nothing_is_wrong_with_any_sample() {
    for name in CONFIGURATIONS {
        let configuration = configuration(name);
        assert!(!configuration.bootstrap_streams.is_empty(), "{name}");
        assert_eq!(configuration.check_streams(&streams()), [], "{name}");
        let url = configuration.expanded_image_streams_url(&secrets());
        assert!(recipe::Source::parse(&url).is_ok(), "{name}");
    }
    assert!(Secrets::parse(&read("variables")).problems.is_empty());
}

#[test]
fn every_variable_of_a_bootstrap_command_is_known_but_the_directory() {
    for name in CONFIGURATIONS {
        for (stream, bootstrap) in &configuration(name).bootstrap_streams {
            assert!(!stream.contains('$'), "{stream}");
            let left: Vec<String> = bootstrap
                .command
                .iter()
                .flat_map(|word| recipe::expand::names(word))
                .collect();
            assert_eq!(left, ["dir"], "{stream} of {name}");
        }
    }
}

#[test]
fn no_sample_names_a_real_host() {
    let mut names = vec![
        "image-streams.json",
        "variables",
        "filters/debian",
        "triggers/debian",
    ];
    names.extend(CONFIGURATIONS);
    for name in names {
        let text = String::from_utf8(read(name)).unwrap();
        for part in text.split("://").skip(1).chain(text.split("git@").skip(1)) {
            let authority = part.split(['/', '"', '\'', ',', ' ', '\n', ':']).next().unwrap();
            let host = authority.rsplit('@').next().unwrap();
            assert!(
                host.is_empty() || host.ends_with(".example") || host.starts_with('$'),
                "{name}: {host}"
            );
        }
    }
}

#[test]
fn a_shell_understands_every_packager() {
    for name in CONFIGURATIONS {
        for (kind, packager) in &configuration(name).packager_types {
            let script = recipe::packager::script(packager);
            let run = |verb: &str| {
                Command::new("/bin/sh")
                    .args(["-c", &script, "x", verb])
                    .output()
                    .unwrap()
            };
            let checked = Command::new("/bin/sh")
                .args(["-n", "-c", &script])
                .status()
                .unwrap();
            assert!(checked.success(), "{kind} of {name}");
            let multiplier = if kind == "deb" { "1024\n" } else { "1\n" };
            assert_eq!(
                run("show-size-multiplier").stdout,
                multiplier.as_bytes(),
                "{kind} of {name}"
            );
            let patterns = image::filter::parse_lines(&run("show-clean-patterns").stdout);
            assert_eq!(patterns.filter_lines, packager.clean_patterns, "{kind} of {name}");
            for verb in ["clean", "install", "list", "remove", "update", "upgrade"] {
                assert!(
                    !script.contains(&format!("= \"{verb}\" ] && exit 0")),
                    "{verb} of {kind} of {name}"
                );
            }
        }
    }
}

#[test]
fn the_streams_show_every_way_to_a_manifest() {
    let (configuration, streams) = (configuration("debian.json"), streams());
    let architecture = recipe::architecture();
    let find = |name: &str| -> (String, std::sync::Arc<UserStream>) {
        let name = name.replace("ARCH", architecture);
        match configuration.find(&streams, &name).unwrap() {
            Found::User(stream) => (name, stream),
            Found::Bootstrap(_) => panic!("{name}"),
        }
    };
    for (name, url, directory) in [
        (
            "base/Debian-12/ARCH",
            "dir:///etc/imaginator/manifests",
            "base/Debian-12",
        ),
        (
            "webserver/Debian-12/ARCH",
            "https://git.example/images/manifests.git",
            "webserver/Debian-12",
        ),
        (
            "database/Debian-12/ARCH",
            "git@git.example:images/database.git",
            "",
        ),
        (
            "products/widgets",
            "https://image-builder:not-a-real-password@git.example/products/widgets.git",
            "image",
        ),
        (
            "users/fred/a/b/ARCH",
            "https://git.example/users/fred/manifests.git",
            "a/b",
        ),
    ] {
        let (name, stream) = find(name);
        let location = recipe::ManifestLocation::without_request(&name, &stream, &secrets());
        assert_eq!(
            (location.url.as_str(), location.directory.as_str()),
            (url, directory),
            "{name}"
        );
    }
}
