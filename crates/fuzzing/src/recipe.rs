//! What the image builder is told: configurations, streams, variables files, manifests, and variables in texts.

use std::collections::BTreeMap;

use recipe::{Checked, Configuration, Format, Manifest, ManifestLocation, Reading, Secrets, Source, Streams};

use crate::input::Input;

/// What kind of text, then the text.
pub fn recipe(data: &[u8]) {
    let mut input = Input::new(data);
    let kind = input.byte() % 12;
    let bytes = input.rest();
    let text = String::from_utf8_lossy(bytes);
    match kind {
        0 => configuration(bytes, Format::Json),
        1 => configuration(bytes, Format::Yaml),
        2 => streams(bytes, Format::Json),
        3 => streams(bytes, Format::Yaml),
        4 => variables(bytes),
        5 => manifest(bytes),
        6 => expansion(&text),
        7 => sources(&text),
        8 => redaction(bytes),
        9 => packages(&text),
        10 => drop(recipe::manifest::owners(bytes)),
        _ => drop(recipe::manifest::package_list(bytes)),
    }
}

/// Problems point at lines that are there, and a value comes with no error.
fn sound<T>(checked: &Checked<T>, text: &[u8]) {
    let lines = String::from_utf8_lossy(text).lines().count();
    for problem in &checked.problems {
        assert!(
            problem.line <= lines,
            "line {} of {lines}: {problem}",
            problem.line
        );
        assert!(!problem.what.is_empty());
    }
    let is_refused = checked.problems.iter().any(recipe::Problem::is_error);
    assert_eq!(checked.value.is_none(), is_refused, "{:?}", checked.problems);
}

fn reading(format: Format) -> Reading<'static> {
    Reading {
        format,
        open: &|url| {
            if url.len() % 2 == 0 {
                Ok(url.as_bytes().to_vec())
            } else {
                Err("closed".to_owned())
            }
        },
        ..Reading::default()
    }
}

fn configuration(text: &[u8], format: Format) {
    let checked = Configuration::parse(text, &reading(format));
    sound(&checked, text);
    let Some(configuration) = checked.value else {
        return;
    };
    for name in configuration.auto_rebuild(true) {
        let _ = configuration.find(&Streams::default(), name);
    }
    configuration.check_streams(&Streams::default());
    let _ = Source::parse(&configuration.expanded_image_streams_url(&Secrets::default()));
    for packager in configuration.packager_types.values() {
        let script = recipe::packager::script(packager);
        assert!(script.starts_with("#! /bin/sh\n") && script.ends_with("\nexit 2\n"));
    }
}

fn streams(text: &[u8], format: Format) {
    let checked = Streams::parse(text, &reading(format));
    sound(&checked, text);
    let Some(streams) = checked.value else {
        return;
    };
    let no_variables = BTreeMap::new();
    for (name, stream) in streams.iter() {
        let found = streams.find(name);
        assert!(matches!(&found, Ok(Some(found)) if std::sync::Arc::ptr_eq(found, stream)));
        let location = ManifestLocation::with_secrets(name, stream, &no_variables, &Secrets::default());
        let _ = location.map(|location| location.local_tree());
        let environment = recipe::environment(name, stream, &no_variables, Some("commit"), "branch");
        assert_eq!(environment["IMAGE_STREAM"], name);
    }
    let _ = streams.find("a/b/c");
}

fn variables(text: &[u8]) {
    let checked = Secrets::parse(text);
    sound(&checked, text);
    let told = format!("{:?}", checked.problems);
    if let Some(secrets) = checked.value {
        for name in secrets.names() {
            // What is told of a value has at most its name in it.
            let value = secrets.get(name).unwrap_or_default();
            let is_word = value.len() < 16 || secrets.names().any(|name| name.contains(value));
            assert!(is_word || !told.contains(value), "{told}");
        }
        secrets.redact(text);
    }
}

fn manifest(text: &[u8]) {
    if let Ok(manifest) = Manifest::parse(text) {
        let again = manifest.clone().expanded(&BTreeMap::new());
        assert!(again.source_image_tags_to_match.len() <= manifest.source_image_tags_to_match.len());
        let _ = manifest.mtimes_copy_filter(&["/x".to_owned()]);
    }
}

/// The first line is a value, the rest a text.
fn expansion(text: &str) {
    let (value, text) = text.split_once('\n').unwrap_or((text, ""));
    let lookup = |name: &str| (name.len() % 2 == 1).then_some(value);
    let most = text.len() * (value.len() + 1);
    assert!(recipe::expand::expression(text, lookup).len() <= most);
    assert!(recipe::expand::opportunistic(text, lookup).len() <= most);
    assert_eq!(
        recipe::expand::known(text, |_| None),
        text,
        "what is not known stays"
    );
    if recipe::expand::names(text).is_empty() && !text.contains('$') {
        assert_eq!(recipe::expand::expression(text, lookup), text);
    }
}

fn sources(text: &str) {
    let shown = recipe::source::without_password(text);
    assert_eq!(recipe::source::without_password(&shown), shown);
    if let Ok(source) = Source::parse(text) {
        let printed = format!("{source:?}");
        assert!(
            !printed.contains('@') || !matches!(source, Source::Http(_)),
            "{printed}"
        );
    }
}

/// The first line is a secret; none of it is left in the rest.
fn redaction(data: &[u8]) {
    let mut parts = data.splitn(2, |&byte| byte == b'\n');
    let (secret, text) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Ok(secret) = std::str::from_utf8(secret) else {
        return;
    };
    let secrets = Secrets::new([("S".to_owned(), secret.to_owned())].into());
    let redacted = secrets.redact(text);
    // Stars beside stars could make a secret of stars.
    let is_looked_for = secret.len() >= recipe::secrets::SHORTEST_REDACTED_BYTES && !secret.contains('*');
    if is_looked_for {
        let is_left = redacted
            .windows(secret.len())
            .any(|part| part == secret.as_bytes());
        assert!(!is_left, "{secret:?} is left");
    } else if secret.len() < recipe::secrets::SHORTEST_REDACTED_BYTES {
        assert_eq!(&*redacted, text);
    }
}

fn packages(text: &str) {
    let (multiplier, list) = text.split_once('\n').unwrap_or(("", text));
    if let Ok(packages) = image::package_list::parse(multiplier, list) {
        assert!(packages.is_sorted_by(|left, right| left.name < right.name));
        assert!(packages.len() <= list.lines().count());
    }
}
