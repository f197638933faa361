//! What the image builder is told follows its files, servers and repositories, and nothing bad takes the place of something good.
// Helpers and tests of one file: a failure here is the failure of the test.
#![allow(clippy::unwrap_used)]

use actors::config_watcher::{ConfigWatcher, ConfigWatcherSystem, ConfigWatching, Current, start};
use parking_lot::Mutex;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Where there is no change for so long, there is none.
const PATIENCE: Duration = Duration::from_secs(60);

/// So long that a test which waits for it fails.
const NEVER: Duration = Duration::from_secs(3600);

/// Directories and files of one test.
struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let place = Place {
            root: tempfile::tempdir().unwrap(),
        };
        for directory in ["etc", "state"] {
            std::fs::create_dir(place.path(directory)).unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Replaces a file as a whole.
    fn replace(&self, name: &str, text: &str) {
        let temporary = self.path(&format!("{name}.new"));
        std::fs::write(&temporary, text).unwrap();
        std::fs::rename(temporary, self.path(name)).unwrap();
    }

    /// A main configuration with this streams URL and these further fields.
    fn configure(&self, streams_url: &str, more: &str) {
        let text = format!("{{\"ImageStreamsUrl\": {streams_url:?}{more}}}");
        self.replace("etc/conf.json", &text);
    }

    fn streams_url(&self) -> String {
        self.path("etc/streams.json").display().to_string()
    }

    /// Watches with the kernel's help alone.
    fn watching(&self) -> ConfigWatching {
        ConfigWatching {
            look_interval: NEVER,
            first_wait: NEVER,
            allow_debug_panic: true,
            ..ConfigWatching::new(
                self.path("etc/conf.json").display().to_string(),
                self.path("state"),
            )
        }
    }

    fn start(&self) -> ConfigWatcherSystem {
        start(self.watching()).unwrap()
    }
}

fn streams(names: &[&str]) -> String {
    let streams: Vec<String> = names
        .iter()
        .map(|name| format!("{name:?}: {{\"ManifestUrl\": \"dir:///x\"}}"))
        .collect();
    format!("{{\"Streams\": {{{}}}}}", streams.join(", "))
}

/// Waits until what is in force is as wanted.
fn until(watcher: &ConfigWatcher, what: &str, is_so: impl Fn(&Current) -> bool) -> Arc<Current> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let current = watcher.current();
        if is_so(&current) {
            return current;
        }
        assert!(Instant::now() < deadline, "never {what}: {current:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn has(names: &'static [&'static str]) -> impl Fn(&Current) -> bool {
    move |current| {
        current.is_streams_loaded
            && current
                .streams
                .iter()
                .map(|(name, _)| name)
                .eq(names.iter().copied())
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

#[test]
fn streams_follow_a_file_that_is_replaced_and_one_that_is_written_in_place() {
    let place = Place::new();
    place.configure(&place.streams_url(), "");
    place.replace("etc/streams.json", &streams(&["a"]));
    let system = place.start();
    let watcher = system.watcher();
    until(watcher, "loaded", has(&["a"]));
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
    let place = Place::new();
    place.configure(&place.streams_url(), "");
    place.replace("etc/streams.json", &streams(&["a"]));
    let system = place.start();
    let watcher = system.watcher();
    let good = until(watcher, "loaded", has(&["a"]));
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

/// A server that answers every request with a text, or refuses it.
struct Server {
    address: std::net::SocketAddr,
    answer: Arc<Mutex<Option<String>>>,
}

impl Server {
    fn start() -> Server {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let answer = Arc::new(Mutex::new(None::<String>));
        let server = Server {
            address: listener.local_addr().unwrap(),
            answer: answer.clone(),
        };
        // Ends with the process.
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let _ = Server::serve(connection, answer.lock().clone());
            }
        });
        server
    }

    fn serve(mut connection: std::net::TcpStream, answer: Option<String>) -> std::io::Result<()> {
        let mut request = Vec::new();
        let mut chunk = [0; 1024];
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            let length = connection.read(&mut chunk)?;
            if length == 0 {
                return Ok(());
            }
            request.extend_from_slice(&chunk[..length]);
        }
        let (status, body) = match answer {
            Some(body) => ("200 OK", body),
            None => ("503 Service Unavailable", String::new()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        connection.write_all(head.as_bytes())?;
        connection.write_all(body.as_bytes())
    }

    fn answer(&self, text: Option<String>) {
        *self.answer.lock() = text;
    }

    fn url(&self) -> String {
        format!("http://user:hunter22@{}/image-streams.json", self.address)
    }
}

#[test]
fn streams_follow_a_server() {
    let place = Place::new();
    let server = Server::start();
    server.answer(Some(streams(&["a"])));
    place.configure(&server.url(), ", \"ImageStreamsCheckInterval\": \"20ms\"");
    let system = place.start();
    let watcher = system.watcher();
    until(watcher, "loaded", has(&["a"]));
    server.answer(Some(streams(&["b"])));
    until(watcher, "changed", has(&["b"]));
    server.answer(None);
    let bad = until(watcher, "refused", |current| {
        current.streams_status.problem.is_some()
    });
    assert!(has(&["b"])(&bad));
    assert!(bad.problems().concat().contains("503"), "{:?}", bad.problems());
    server.answer(Some(streams(&["c"])));
    let well = until(watcher, "well", has(&["c"]));
    for current in [&bad, &well] {
        let shown = format!("{:?} {:?}", current.streams_status, current.problems());
        assert!(!shown.contains("hunter22"), "{shown}");
        assert!(shown.contains("user:***@"), "{shown}");
    }
}

#[test]
fn a_server_that_is_asked_once_is_asked_again_until_it_answers() {
    let place = Place::new();
    let server = Server::start();
    place.configure(&server.url(), "");
    let system = place.start();
    until(system.watcher(), "refused", |current| {
        current.streams_status.problem.is_some()
    });
    server.answer(Some(streams(&["a"])));
    until(system.watcher(), "loaded", has(&["a"]));
}

#[test]
fn an_unknown_stream_is_looked_for_in_what_is_there_now() {
    let place = Place::new();
    let server = Server::start();
    server.answer(Some(streams(&["a"])));
    place.configure(&server.url(), "");
    let system = place.start();
    let watcher = system.watcher();
    until(watcher, "loaded", has(&["a"]));
    server.answer(Some(streams(&["a", "b"])));
    assert!(watcher.current().find("b").is_err());
    assert!(block_on(watcher.find("b")).is_ok());
    assert!(watcher.current().find("b").is_ok());
    let error = block_on(watcher.find("c")).unwrap_err();
    assert_eq!(error.to_string(), "unknown stream: c");
}

#[test]
fn without_an_answer_the_copy_of_an_earlier_run_is_used_until_there_is_one() {
    let place = Place::new();
    let server = Server::start();
    server.answer(Some(streams(&["a"])));
    place.configure(&server.url(), ", \"ImageStreamsCheckInterval\": \"20ms\"");
    let system = place.start();
    until(system.watcher(), "loaded", has(&["a"]));
    let copy = place.path("state/image-streams.json");
    until(system.watcher(), "copied", |_| copy.exists());
    drop(system);
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), streams(&["a"]));
    assert_eq!(
        std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(!place.path("state/image-streams.json~").exists());
    server.answer(None);
    let system = start(ConfigWatching {
        first_wait: Duration::from_millis(50),
        ..place.watching()
    })
    .unwrap();
    let copied = until(system.watcher(), "taken from the copy", has(&["a"]));
    assert!(copied.streams_status.is_copy && copied.streams_status.problem.is_some());
    server.answer(Some(streams(&["a"])));
    let same = until(system.watcher(), "confirmed", |current| {
        !current.streams_status.is_copy
    });
    assert_eq!(same.streams_status.problem, None);
    assert_eq!(same.generation, copied.generation, "it is what was in force");
    server.answer(Some(streams(&["b"])));
    until(system.watcher(), "replaced", has(&["b"]));
}

fn git(directory: &Path, arguments: &[&str]) {
    let status = Command::new("git")
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example",
            "-c",
            "init.defaultBranch=trunk",
        ])
        .args(arguments)
        .current_dir(directory)
        .status()
        .unwrap();
    assert!(status.success(), "{arguments:?}");
}

fn commit(repository: &Path, text: &str) {
    std::fs::write(repository.join("deep/streams.json"), text).unwrap();
    git(repository, &["add", "."]);
    git(repository, &["commit", "--quiet", "--message", "change"]);
}

#[test]
fn streams_follow_the_default_branch_of_a_repository() {
    let place = Place::new();
    let repository = place.path("streams.git");
    std::fs::create_dir_all(repository.join("deep")).unwrap();
    git(&repository, &["init", "--quiet"]);
    std::fs::write(repository.join("large"), "not needed").unwrap();
    commit(&repository, &streams(&["a"]));
    let url = format!("file://{}?deep/streams.json", repository.display());
    place.configure(&url, ", \"ImageStreamsCheckInterval\": \"20ms\"");
    let system = place.start();
    until(system.watcher(), "loaded", has(&["a"]));
    commit(&repository, &streams(&["b"]));
    until(system.watcher(), "changed", has(&["b"]));
    git(&repository, &["rm", "--quiet", "deep/streams.json"]);
    git(&repository, &["commit", "--quiet", "--message", "gone"]);
    let bad = until(system.watcher(), "missed", |current| {
        current.streams_status.problem.is_some()
    });
    assert!(
        bad.problems().concat().contains("deep/streams.json"),
        "{:?}",
        bad.problems()
    );
    assert!(has(&["b"])(&bad));
}

#[test]
fn everything_is_read_again_when_asked_for_and_what_is_the_same_is_no_change() {
    let place = Place::new();
    let server = Server::start();
    server.answer(Some(streams(&["a"])));
    place.configure(&server.url(), "");
    let system = place.start();
    let watcher = system.watcher();
    let first = until(watcher, "loaded", has(&["a"]));
    let same = block_on(watcher.reload()).unwrap();
    assert_eq!(same.generation, first.generation);
    assert!(same.streams_status.looked_at > first.streams_status.looked_at);
    server.answer(Some(streams(&["b"])));
    let mut changes = watcher.published().changes();
    changes.mark_unchanged();
    let other = block_on(watcher.reload()).unwrap();
    assert!(has(&["b"])(&other));
    assert!(changes.has_changed().unwrap());
}

#[test]
fn killed_under_load_it_comes_back_and_nobody_ever_sees_nothing() {
    const ROUNDS: u64 = 3;
    let place = Place::new();
    place.configure(&place.streams_url(), "");
    place.replace("etc/streams.json", &streams(&["a"]));
    let system = place.start();
    let watcher = system.watcher();
    until(watcher, "loaded", has(&["a"]));
    let (is_over, reloaded) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        // Who asks for everything to be read again, and who looks; and files that change all the time.
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    // What was in its hands when it died is answered with an error.
                    if block_on(watcher.reload()).is_ok() {
                        reloaded.fetch_add(1, Ordering::SeqCst);
                    }
                    let current = watcher.current();
                    assert!(current.is_streams_loaded && current.streams.iter().count() == 1);
                }
            });
        }
        scope.spawn(|| {
            for names in [["b"], ["c"], ["d"]].iter().cycle() {
                if is_over.load(Ordering::SeqCst) {
                    break;
                }
                place.replace("etc/streams.json", &streams(names));
            }
        });
        for round in 1..=ROUNDS {
            let before = reloaded.load(Ordering::SeqCst);
            assert!(block_on(watcher.debug_panic()).is_err());
            until(watcher, "serving again", |_| {
                watcher.health().restarts == round && reloaded.load(Ordering::SeqCst) > before + 4
            });
        }
        is_over.store(true, Ordering::SeqCst);
    });
    place.replace("etc/streams.json", &streams(&["last"]));
    until(watcher, "watching still", has(&["last"]));
    assert_eq!(*system.given_up().borrow(), None);
}

#[test]
fn killed_it_comes_back_and_goes_on_watching() {
    let place = Place::new();
    place.configure(&place.streams_url(), "");
    place.replace("etc/streams.json", &streams(&["a"]));
    let system = place.start();
    let watcher = system.watcher();
    until(watcher, "loaded", has(&["a"]));
    for (round, names) in [&["b"][..], &["c"], &["d"]].into_iter().enumerate() {
        assert!(block_on(watcher.debug_panic()).is_err());
        // What is in force is there while it is away.
        assert!(watcher.current().is_streams_loaded);
        place.replace("etc/streams.json", &streams(names));
        until(watcher, "watching again", |current| {
            current.streams.find(names[0]).unwrap().is_some()
        });
        assert_eq!(watcher.health().restarts, round as u64 + 1);
    }
    assert!(block_on(watcher.reload()).is_ok());
    assert_eq!(*system.given_up().borrow(), None);
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
