//! Files of this host: followed, good or bad.

use crate::place::{Place, has, streams, until};
use actors::config_watcher::{ConfigWatching, Current, start};
use std::time::Duration;

#[test]
fn streams_follow_a_file_that_is_replaced_and_one_that_is_written_in_place() {
    let (place, system) = Place::running(&["a"]);
    let watcher = system.watcher();
    place.replace("etc/streams.json", &streams(&["a", "b"]));
    until(watcher, "replaced", has(&["a", "b"]));
    std::fs::write(place.path("etc/streams.json"), streams(&["c"])).unwrap();
    until(watcher, "written in place", has(&["c"]));
}

#[test]
fn a_file_that_a_link_leads_to_is_followed() {
    let place = Place::new();
    std::fs::create_dir(place.path("elsewhere")).unwrap();
    place.configure(&place.streams_url(), "");
    place.replace("elsewhere/real.json", &streams(&["a"]));
    std::os::unix::fs::symlink(place.path("elsewhere/real.json"), place.path("etc/streams.json")).unwrap();
    let system = place.start();
    until(system.watcher(), "loaded", has(&["a"]));
    place.replace("elsewhere/real.json", &streams(&["b"]));
    until(system.watcher(), "changed where the link leads", has(&["b"]));
}

#[test]
fn without_the_kernels_help_files_are_looked_at_now_and_then() {
    let place = Place::new();
    // A directory that comes later cannot be watched at first.
    let late = place.path("late/streams.json").display().to_string();
    place.configure(&late, "");
    let system = start(ConfigWatching {
        look_interval: Duration::from_millis(20),
        ..place.watching()
    })
    .unwrap();
    until(system.watcher(), "missed", |current| {
        current.streams_status.problem.is_some()
    });
    std::fs::create_dir(place.path("late")).unwrap();
    place.replace("late/streams.json", &streams(&["a"]));
    until(system.watcher(), "found", has(&["a"]));
}

#[test]
fn a_bad_text_is_told_and_the_last_good_one_stays() {
    let (place, system) = Place::running(&["a"]);
    let watcher = system.watcher();
    let good = watcher.current();
    place.replace("etc/streams.json", "{\n\"Streams\": {\"../b\": {}}}");
    let bad = until(watcher, "refused", |current| {
        current.streams_status.problem.is_some()
    });
    assert!(has(&["a"])(&bad));
    assert_eq!(bad.generation, good.generation);
    assert_eq!(bad.streams_status.loaded_at, good.streams_status.loaded_at);
    let problem = bad.problems().concat();
    assert!(problem.contains("line 2: Streams.\"../b\": "), "{problem}");
    assert_eq!(watcher.health().last_error, Some(problem));
    std::fs::remove_file(place.path("etc/streams.json")).unwrap();
    let gone = until(watcher, "missed", |current| {
        current
            .streams_status
            .problem
            .as_ref()
            .is_some_and(|problem| problem.contains("No such file"))
    });
    assert!(has(&["a"])(&gone));
    // The same as is in force: well again, and no change.
    place.replace("etc/streams.json", &streams(&["a"]));
    let well = until(watcher, "well", |current| {
        current.streams_status.problem.is_none()
    });
    assert_eq!(well.generation, good.generation);
    assert_eq!(watcher.health().last_error, None);
}

#[test]
fn the_main_configuration_is_reloaded_with_all_that_hangs_on_it() {
    let place = Place::new();
    place.configure(&place.streams_url(), ", \"BindMounts\": [\"/usr\"]");
    place.replace("etc/streams.json", &streams(&["a"]));
    place.replace("etc/other.json", &streams(&["b"]));
    let system = place.start();
    let watcher = system.watcher();
    let first = until(watcher, "loaded", has(&["a"]));
    assert_eq!(first.configuration.bind_mounts, ["/usr"]);
    place.configure(
        &place.path("etc/other.json").display().to_string(),
        ", \"BindMounts\": [\"/opt\"]",
    );
    let second = until(watcher, "reloaded", has(&["b"]));
    assert_eq!(second.configuration.bind_mounts, ["/opt"]);
    assert!(second.generation > first.generation);
    place.replace("etc/conf.json", "{\"BindMounts\": [\"no\"]}");
    let third = until(watcher, "refused", |current| {
        current.configuration_status.problem.is_some()
    });
    assert_eq!(third.configuration.bind_mounts, ["/opt"]);
    // Without a URL there are no streams.
    place.replace("etc/conf.json", "{}");
    until(watcher, "without streams", has(&[]));
}

#[test]
fn what_the_main_configuration_names_is_part_of_it() {
    let place = Place::new();
    place.replace("etc/filter", "/a\n");
    let filter = place.path("etc/filter").display().to_string();
    let bootstrap = format!(
        ", \"PackagerTypes\": {{\"deb\": {{}}}}, \"BootstrapStreams\": {{\"b\": {{\"BootstrapCommand\": [\"true\", \"$dir\"],
        \"PackagerType\": \"deb\", \"ImageFilterUrl\": {filter:?}}}}}"
    );
    place.configure("", &bootstrap);
    let system = place.start();
    let lines = |current: &Current| {
        let stream = &current.configuration.bootstrap_streams["b"];
        stream.image_filter.as_ref().unwrap().filter_lines.clone()
    };
    assert_eq!(lines(&system.watcher().current()), ["/a"]);
    place.replace("etc/filter", "/b\n");
    until(system.watcher(), "changed", |current| lines(current) == ["/b"]);
    place.replace("etc/filter", "(\n");
    let bad = until(system.watcher(), "refused", |current| {
        current.configuration_status.problem.is_some()
    });
    assert_eq!(lines(&bad), ["/b"]);
}

#[test]
fn the_start_waits_for_the_variables_file_and_then_follows_it() {
    let place = Place::new();
    place.configure(&format!("{}/$DIR/streams.json", place.path("").display()), "");
    for (directory, name) in [("one", "a"), ("two", "b")] {
        std::fs::create_dir(place.path(directory)).unwrap();
        place.replace(&format!("{directory}/streams.json"), &streams(&[name]));
    }
    let watching = ConfigWatching {
        variables_file: Some(place.path("etc/variables")),
        ..place.watching()
    };
    let starting = std::thread::spawn(move || start(watching).unwrap());
    // It cannot end before the file is there, however long that takes.
    for _ in 0..50 {
        assert!(!starting.is_finished());
        std::thread::yield_now();
    }
    place.replace("etc/variables", "DIR=one\n");
    let system = starting.join().unwrap();
    let watcher = system.watcher();
    assert_eq!(watcher.current().secrets.get("DIR"), Some("one"));
    until(watcher, "loaded", has(&["a"]));
    std::fs::write(place.path("etc/variables"), "DIR=two\n").unwrap();
    until(watcher, "followed in place", has(&["b"]));
    place.replace("etc/variables", "{\"DIR\": [\"hunter22\"]}");
    let bad = until(watcher, "refused", |current| {
        current.variables_status.as_ref().unwrap().problem.is_some()
    });
    assert_eq!(bad.secrets.get("DIR"), Some("two"));
    assert!(!format!("{bad:?}").contains("hunter22"));
    place.replace("etc/variables", "{\"DIR\": \"one\"}");
    until(watcher, "followed in the other form", has(&["a"]));
}

#[test]
fn a_start_without_something_good_is_refused_in_words() {
    let place = Place::new();
    let told = |watching: ConfigWatching| start(watching).err().unwrap().to_string();
    assert!(told(place.watching()).starts_with("error getting master configuration: "));
    place.replace("etc/conf.json", "{\n\"BindMounts\": 7}");
    let error = told(place.watching());
    assert!(
        error.starts_with("error getting master configuration: ")
            && error.contains("line 2: BindMounts: a list"),
        "{error}"
    );
    place.configure("", "");
    place.replace("etc/variables", "hunter22");
    let error = told(ConfigWatching {
        variables_file: Some(place.path("etc/variables")),
        ..place.watching()
    });
    assert!(
        error.starts_with("error reading variables: line 1") && !error.contains("hunter22"),
        "{error}"
    );
    place.configure(
        "",
        ", \"Cache\": {\"BaseDirectory\": \"/no/such\", \"MountPoint\": \"/x\"}",
    );
    assert!(told(place.watching()).contains("/no/such is not a directory"));
}

#[test]
fn a_check_tells_everything_wrong_in_all_texts_and_no_secret() {
    let place = Place::new();
    let url = format!("{}/$SECRET.json", place.path("etc").display());
    place.configure(
        &url,
        ", \"BindMounts\": [\"/no/such\"], \"ImageStreamsToAutoRebuild\": [\"unknown\"]",
    );
    place.replace("etc/variables", "SECRET=hunter22\nSHORT=x\n");
    place.replace("etc/hunter22.json", "{\"Streams\": {\"hunter22/a\": {}}}");
    let watching = ConfigWatching {
        variables_file: Some(place.path("etc/variables")),
        ..place.watching()
    };
    let report = actors::config_watcher::check(&watching);
    assert!(!report.has_errors, "{}", report.text);
    for part in [
        "variables: line 2: SHORT: warning: ",
        "conf.json: BindMounts[0]: warning: /no/such is not a directory",
        "conf.json: line 1: ImageStreamsToAutoRebuild[0]: warning: unknown stream: unknown",
        "etc/$SECRET.json: line 1: Streams.\"***/a\": warning: without a ManifestUrl",
        "0 bootstrap streams, 1 image stream, 0 stream patterns: 0 errors, 4 warnings",
    ] {
        assert!(report.text.contains(part), "{part} is not in {}", report.text);
    }
    assert!(!report.text.contains("hunter22"), "{}", report.text);
    place.replace("etc/hunter22.json", "{\"Streams\": {\"/a\": {}, \"b\": 7}}");
    let report = actors::config_watcher::check(&watching);
    assert!(
        report.has_errors && report.text.contains("no image streams: 2 errors"),
        "{}",
        report.text
    );
    std::fs::remove_file(place.path("etc/hunter22.json")).unwrap();
    let report = actors::config_watcher::check(&watching);
    assert!(
        report.has_errors && report.text.contains("No such file"),
        "{}",
        report.text
    );
    assert!(!report.text.contains("hunter22"), "{}", report.text);
}
