//! Manifests from git and from directories (`imaginator.md §11.1`). No sandbox is needed for these.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use crate::git_place::{Repository, fetched, files, git, left_behind};
use crate::recorder::Recorder;
use crate::tree::{Place, write};

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
