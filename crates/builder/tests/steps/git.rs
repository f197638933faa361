//! Manifests from git and from directories (`imaginator.md §11.1`). No sandbox is needed for these.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use builder::manifest::{Fetched, fetch};
use builder::{Delivery, Order, Recipe, StepError};
use recipe::{Secrets, UserStream};

use crate::recorder::Recorder;
use crate::tree::{Place, write};

const SECRET: &str = "hunter2-of-the-variables-file";

fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(directory)
        .args(["-c", "user.name=n", "-c", "user.email=e@example.invalid"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A repository with two commits on a branch, the first of which has a tag.
struct Repository {
    path: PathBuf,
    first: String,
}

impl Repository {
    fn new(place: &Place, branch: &str) -> Self {
        let path = place.path().join("repository");
        fs::create_dir(&path).unwrap();
        git(&path, &["init", "-q", "-b", branch]);
        write(&path.join("manifest"), "{}\n");
        write(&path.join("streams/one/manifest"), "{\"first\": 1}\n");
        write(&path.join("streams/one/scripts/run"), "#! /bin/sh\n");
        write(&path.join("other/large"), "not needed");
        symlink("/etc", path.join("streams/etc")).unwrap();
        git(&path, &["add", "."]);
        git(&path, &["commit", "-qm", "first"]);
        git(&path, &["tag", "-am", "annotated", "v1"]);
        let first = git(&path, &["rev-parse", "HEAD"]);
        write(&path.join("streams/one/manifest"), "{\"second\": 2}\n");
        git(&path, &["commit", "-qam", "second"]);
        Self { path, first }
    }

    fn url(&self) -> String {
        format!("file://{}", self.path.display())
    }

    fn head(&self) -> String {
        git(&self.path, &["rev-parse", "HEAD"])
    }
}

fn fetched(place: &Place, url: &str, directory: &str, branch: &str) -> Result<Fetched, StepError> {
    let stream = UserStream {
        manifest_url: url.to_owned(),
        manifest_directory: directory.to_owned(),
        ..UserStream::default()
    };
    let secrets: BTreeMap<String, String> = [("PASSWORD".to_owned(), SECRET.to_owned())].into();
    let order = Order {
        number: 1,
        slot: 0,
        stream: "users/me/stream".to_owned(),
        recipe: Recipe::User {
            stream: Arc::new(stream.clone()),
            bind_mounts: Vec::new(),
            mtimes_copy_filter_lines: Vec::new(),
            cache: None,
        },
        variables: [("REQUESTED".to_owned(), "one".to_owned())].into(),
        branch: branch.to_owned(),
        max_source_age: None,
        expires_in: None,
        deadline: Duration::from_secs(120),
        created_for: String::new(),
        delivery: Delivery::Publish,
        secrets: Arc::new(Secrets::new(secrets)),
    };
    fetch(&order, &stream, &place.watcher(), place.path())
}

fn left_behind(place: &Place) -> Vec<String> {
    let names = place.path().read_dir().unwrap().flatten();
    names
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains(".manifest"))
        .collect()
}

fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = directory
        .read_dir()
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_branch_a_tag_and_a_commit_are_fetched_and_the_commit_is_known() {
    let place = Place::without_tree();
    let repository = Repository::new(&place, "master");
    for (branch, commit, content, recorded) in [
        ("", repository.head(), "second", "master"),
        ("master", repository.head(), "second", "master"),
        ("v1", repository.first.clone(), "first", "v1"),
        (
            &repository.first,
            repository.first.clone(),
            "first",
            &repository.first,
        ),
    ] {
        let fetched = fetched(&place, &repository.url(), "/streams/$REQUESTED/", branch).unwrap();
        assert_eq!(fetched.commit.as_deref(), Some(commit.as_str()), "{branch}");
        assert_eq!(fetched.branch, recorded);
        assert_eq!(fetched.url_unexpanded, repository.url());
        let text = fs::read_to_string(fetched.directory().join("manifest")).unwrap();
        assert!(text.contains(content), "{branch}: {text}");
        assert_eq!(files(fetched.directory()), ["manifest", "scripts"]);
        // Nothing but the wanted directory was checked out.
        assert!(!fetched.directory().join("../../other").exists());
        let name = &left_behind(&place)[0];
        assert!(name.starts_with("users_me_stream.manifest"), "{name}");
        drop(fetched);
        assert!(left_behind(&place).is_empty());
    }
    let log = place.log();
    let begins = format!("Cloning repository: {} branch: master\n", repository.url());
    assert!(log.starts_with(&begins), "{log}");
    assert!(log.contains("Downloaded partial repository in "), "{log}");
}

#[test]
fn without_a_directory_the_manifest_is_the_top_and_git_s_own_files_are_gone() {
    let place = Place::without_tree();
    let repository = Repository::new(&place, "master");
    let fetched = fetched(&place, repository.path.to_str().unwrap(), "", "").unwrap();
    assert_eq!(files(fetched.directory()), ["manifest", "other", "streams"]);
    assert_eq!(files(fetched.temporary()), ["files", "git-config"]);
}

#[test]
fn without_master_and_without_a_wish_the_default_branch_is_taken() {
    let place = Place::without_tree();
    let repository = Repository::new(&place, "main");
    let fetched_one = fetched(&place, &repository.url(), "", "").unwrap();
    assert_eq!(fetched_one.branch, "main");
    assert!(
        place
            .log()
            .contains("No branch master in the repository: taking its default branch main\n")
    );
    let error = fetched(&place, &repository.url(), "", "master").unwrap_err();
    assert_eq!(
        error.to_string(),
        "no branch, tag or full commit id in the repository: master"
    );
}

#[test]
fn what_is_not_in_the_repository_is_an_error_that_names_it() {
    let place = Place::without_tree();
    let repository = Repository::new(&place, "master");
    let error = |directory: &str, branch: &str| {
        fetched(&place, &repository.url(), directory, branch)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error("", "--upload-pack=x"),
        "no branch, tag or full commit id in the repository: --upload-pack=x"
    );
    let unknown = "0123456789012345678901234567890123456789";
    assert!(
        error("", unknown).starts_with("error running: git "),
        "{}",
        error("", unknown)
    );
    assert_eq!(error("nowhere", ""), "nowhere does not exist in repository");
    assert_eq!(
        error("manifest", ""),
        "manifest exists in repository but is not a directory"
    );
    assert!(left_behind(&place).is_empty());
}

#[test]
fn a_manifest_directory_never_leads_out_of_the_repository() {
    let place = Place::without_tree();
    let repository = Repository::new(&place, "master");
    for directory in ["..", "streams/../../..", "/../etc"] {
        let error = fetched(&place, &repository.url(), directory, "").unwrap_err();
        assert!(
            error.to_string().contains("leads out of the repository"),
            "{error}"
        );
        let error = fetched(
            &place,
            &format!("dir://{}", repository.path.display()),
            directory,
            "",
        );
        assert!(error.unwrap_err().to_string().contains("leads out"));
    }
    // A link to /etc in the repository.
    let error = fetched(&place, &repository.url(), "streams/etc", "").unwrap_err();
    assert_eq!(
        error.to_string(),
        "streams/etc exists in repository but is not a directory"
    );
}

/// Names a repository for [`fetches_what_another_test_names`].
const NAMED: &str = "STEPS_TEST_FETCHES";

/// Does nothing by itself: [`hooks_and_settings_of_the_user_do_nothing`] runs it in a process with another home.
#[test]
fn fetches_what_another_test_names() {
    let Ok(url) = std::env::var(NAMED) else { return };
    let place = Place::without_tree();
    let fetched = fetched(&place, &url, "streams/one", "").unwrap();
    assert_eq!(files(fetched.directory()), ["manifest", "scripts"]);
}

#[test]
fn hooks_and_settings_of_the_user_do_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::without_tree();
    let repository = Repository::new(&place, "master");
    let (home, mark) = (place.path().join("home"), place.path().join("mark"));
    for directory in ["hooks", "template/hooks"] {
        for name in ["post-checkout", "post-index-change", "reference-transaction"] {
            let hook = home.join(directory).join(name);
            write(&hook, &format!("#! /bin/sh\ntouch {}\n", mark.display()));
            fs::set_permissions(hook, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    let settings = |more: &str| {
        let home = home.display();
        write(
            &place.path().join("home/.gitconfig"),
            &format!("[core]\n\thooksPath = {home}/hooks\n[init]\n\ttemplateDir = {home}/template\n{more}"),
        );
    };
    let fetches = || {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "git::fetches_what_another_test_names"])
            .env(NAMED, repository.url())
            .env("HOME", &home)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    };
    settings("");
    // That they would do something: the same by hand.
    let by_hand = Command::new("git")
        .args(["clone", "-q", &repository.url()])
        .arg(place.path().join("by-hand"))
        .env("HOME", &home)
        .env_remove("GIT_CONFIG_GLOBAL")
        .status()
        .unwrap();
    assert!(by_hand.success() && mark.exists());
    fs::remove_file(&mark).unwrap();
    fetches();
    assert!(!mark.exists());
    settings("[url \"file:///nowhere\"]\n\tinsteadOf = \"file:///\"\n");
    fetches();
}

#[test]
fn nothing_that_git_started_outlives_the_process_that_builds() {
    use std::io::Read;
    if !rustix::process::geteuid().is_root() {
        return crate::tree::skip();
    }
    // It accepts, and says nothing: the program that talks to it would wait for a minute.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut builds = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "git::fetches_what_another_test_names"])
        .env(NAMED, format!("http://{}/x.git", listener.local_addr().unwrap()))
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let (mut connection, _) = listener.accept().unwrap();
    builds.kill().unwrap();
    builds.wait().unwrap();
    connection
        .set_read_timeout(Some(Duration::from_secs(40)))
        .unwrap();
    // The request, and then the end, because nobody is there any more.
    connection.read_to_end(&mut Vec::new()).unwrap();
}

/// A server that wants to know who asks, and says nothing more to who told it. Gives what it was told, when it was.
fn server_that_stalls() -> (u16, std::sync::mpsc::Receiver<(String, std::net::TcpStream)>) {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, of_whom) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let told = told.clone();
            std::thread::spawn(move || {
                let mut lines = BufReader::new(connection.try_clone().unwrap()).lines();
                let mut login = None;
                while let Some(Ok(line)) = lines.next() {
                    if let Some(is) = line.strip_prefix("Authorization: Basic ") {
                        login = Some(is.to_owned());
                    }
                    match login.take() {
                        Some(login) if line.is_empty() => {
                            let _ = told.send((login, connection.try_clone().unwrap()));
                        }
                        None if line.is_empty() => {
                            let refusal = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\n\
                                           Content-Length: 0\r\n\r\n";
                            (&connection).write_all(refusal.as_bytes()).unwrap();
                        }
                        of_this_request => login = of_this_request,
                    }
                }
            });
        }
    });
    (port, of_whom)
}

/// Every file below that has the text in it.
fn shown_by_files(directory: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.symlink_metadata() {
            Ok(data) if data.is_dir() => found.extend(shown_by_files(&path, text)),
            Ok(data) if data.is_file() => {
                let content = fs::read(&path).unwrap_or_default();
                if content.windows(text.len()).any(|part| part == text.as_bytes()) {
                    found.push(path);
                }
            }
            _ => {}
        }
    }
    found
}

#[test]
fn a_password_goes_to_its_server_and_into_no_argument_and_no_file() {
    use std::os::unix::fs::PermissionsExt;
    // Of this test alone: others fetch at the same time.
    const OWN: &str = "only-here%20with spaces%25";
    let place = Place::without_tree();
    let (port, of_whom) = server_that_stalls();
    let url = format!("http://someone:{OWN}@127.0.0.1:{port}/x.git");
    std::thread::scope(|scope| {
        let fetching = scope.spawn(|| fetched(&place, &url, "", ""));
        let (login, connection) = of_whom.recv_timeout(Duration::from_secs(60)).unwrap();
        // someone:only-here with spaces%
        assert_eq!(login, "c29tZW9uZTpvbmx5LWhlcmUgd2l0aCBzcGFjZXMl");
        let mut of_git = 0;
        for process in fs::read_dir("/proc").unwrap().flatten() {
            let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            of_git += usize::from(line.contains(&format!("127.0.0.1:{port}/x.git")));
            assert!(!line.contains("only-here"), "{line}");
        }
        assert!(of_git > 0, "git was not looked at");
        assert_eq!(shown_by_files(place.path(), "only-here"), Vec::<PathBuf>::new());
        let own = place.path().join(&left_behind(&place)[0]);
        let mode = own.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "others look into {}", own.display());
        // It tries once more, and is told to go.
        connection.shutdown(std::net::Shutdown::Both).unwrap();
        while !fetching.is_finished() {
            if let Ok((_, connection)) = of_whom.recv_timeout(Duration::from_millis(100)) {
                connection.shutdown(std::net::Shutdown::Both).unwrap();
            }
        }
        let error = fetching.join().unwrap().unwrap_err().to_string();
        assert!(!error.contains("only-here"), "{error}");
    });
    assert!(!place.log().contains("only-here"), "{}", place.log());
    assert!(left_behind(&place).is_empty());
}

#[test]
fn ways_to_a_repository_that_run_programs_are_refused() {
    let place = Place::without_tree();
    let mark = place.path().join("mark");
    let url = format!("ext::touch {}", mark.display());
    let error = fetched(&place, &url, "", "").unwrap_err().to_string();
    assert!(error.contains("not allowed"), "{error}");
    assert!(!mark.exists());
}

#[test]
fn a_repository_that_cannot_be_reached_is_an_error_and_its_password_is_said_nowhere() {
    let place = Place::without_tree();
    // Nobody listens there: what is bound and not listened at refuses.
    let listener = rustix::net::socket(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::STREAM,
        None,
    )
    .unwrap();
    let address = std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 0);
    rustix::net::bind(&listener, &address).unwrap();
    let bound: std::net::SocketAddr = rustix::net::getsockname(&listener).unwrap().try_into().unwrap();
    for url in [
        format!("http://someone:$PASSWORD@{bound}/x.git"),
        format!("http://someone:literal-password@{bound}/x.git"),
    ] {
        let error = fetched(&place, &url, "", "").unwrap_err().to_string();
        assert!(
            error.starts_with("error running: git ls-remote: exit status 128: fatal: "),
            "{error}"
        );
        for text in [error, place.log()] {
            assert!(
                !text.contains(SECRET) && !text.contains("literal-password"),
                "{text}"
            );
        }
    }
    assert!(
        place
            .log()
            .contains("Cloning repository: http://someone:$PASSWORD@")
    );
    assert!(left_behind(&place).is_empty());
}

#[test]
fn what_git_says_has_no_secret_in_it() {
    let place = Place::without_tree();
    // git itself takes out the password of a URL, but nothing of a path.
    let error = fetched(&place, "file:///nowhere/$PASSWORD/x.git", "", "").unwrap_err();
    for text in [error.to_string(), place.log()] {
        assert!(
            text.contains("fatal: '/nowhere/***/x.git' does not appear to be a git repository"),
            "{text}"
        );
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[test]
fn a_secret_in_the_manifest_directory_is_said_nowhere() {
    let place = Place::without_tree();
    let repository = Repository::new(&place, "master");
    for url in [repository.url(), format!("dir://{}", repository.path.display())] {
        for directory in ["$PASSWORD", "../$PASSWORD"] {
            let error = fetched(&place, &url, directory, "").unwrap_err().to_string();
            assert!(!error.contains(SECRET), "{error}");
        }
    }
    assert!(!place.log().contains(SECRET), "{}", place.log());
}

#[test]
fn a_directory_of_the_host_is_copied_with_its_links_as_they_are() {
    let place = Place::without_tree();
    let tree = place.path().join("tree with space");
    write(&tree.join("sub/manifest"), "{}");
    write(&tree.join("sub/empty/file"), "");
    fs::remove_file(tree.join("sub/empty/file")).unwrap();
    symlink("/etc/passwd", tree.join("sub/link")).unwrap();
    let url = format!("dir://{}", tree.display().to_string().replace(' ', "%20"));
    let fetched_one = fetched(&place, &url, "sub", "master").unwrap();
    assert_eq!(files(fetched_one.directory()), ["empty", "link", "manifest"]);
    assert!(fetched_one.directory().join("link").is_symlink());
    assert_eq!((fetched_one.commit, fetched_one.branch.as_str()), (None, ""));
    assert_eq!(
        place.log(),
        format!("Copying manifest tree: {}\n", tree.join("sub").display())
    );
    let error = fetched(&place, &url, "sub", "dev").unwrap_err();
    assert_eq!(error.to_string(), "branch: dev is not master");
    let error = fetched(&place, &url, "nowhere", "").unwrap_err().to_string();
    assert!(error.starts_with("error copying manifest: "), "{error}");
    assert!(error.ends_with("no such file or directory"), "{error}");
}

#[test]
fn a_cancelled_build_waits_for_no_repository() {
    let place = Place::without_tree().watched_by(Recorder::cancelling_at("Cloning repository"));
    // It accepts and says nothing.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x.git", listener.local_addr().unwrap());
    let error = fetched(&place, &url, "", "").unwrap_err();
    assert!(error.is_cancelled(), "{error}");
    assert!(left_behind(&place).is_empty());
}

#[test]
fn a_name_is_a_branch_or_a_tag_and_no_other_ref() {
    let place = Place::without_tree();
    let repository = Repository::new(&place, "master");
    // What a stranger proposes, where a server keeps that beside the branches.
    git(&repository.path, &["update-ref", "refs/pull/1/head", "HEAD"]);
    for branch in [
        "refs/pull/1/head",
        "HEAD",
        "refs/imagewright/fetched",
        "refs/heads/*",
        "master:refs/heads/x",
        "a\nb",
    ] {
        let error = fetched(&place, &repository.url(), "", branch)
            .unwrap_err()
            .to_string();
        let says = format!(
            "no branch, tag or full commit id in the repository: {}",
            branch.escape_debug()
        );
        assert_eq!(error, says);
    }
    for branch in ["refs/heads/master", "refs/tags/v1"] {
        assert_eq!(
            fetched(&place, &repository.url(), "", branch).unwrap().branch,
            branch
        );
    }
}
