//! The order of `image-manifest.md §3`, and the words of the log.

use builder::Phase;
use builder::process::process_manifest;

use crate::tree::{Place, assert_in_order, environment};

/// A manifest of every part; each script says which earlier parts it sees.
fn whole(place: &Place) {
    let seen = "ls /parts 2>/dev/null | tr '\\n' ' '; cat /appended 2>/dev/null";
    place.write("files/parts/1-files", "");
    place.write("files/appended", "files\n");
    place.write("files.append/appended", "files.append\n");
    place.script(
        "pre-install-scripts/look",
        &format!("echo pre-install; {seen}; touch /parts/2-pre"),
    );
    place.write("package-list", "# comment\nless\n\ncron=1.2\n");
    place.write("post-install-files/parts/4-post-install", "");
    place.write("post-install-files.append/appended", "post-install.append\n");
    place.script(
        "scripts/look",
        &format!("echo scripts; {seen}; touch /parts/5-scripts"),
    );
    place.write("post-scripts-files/etc/resolv.conf", "of the manifest\n");
    place.write("post-scripts-files/parts/6-post-scripts", "");
    place.script(
        "post-cleanup-scripts/look",
        &format!("echo post-cleanup; {seen}; cat /etc/resolv.conf; ls /var/cache"),
    );
}

#[test]
fn a_manifest_is_carried_out_in_the_order_it_is_written_for() {
    let Some(place) = Place::new() else { return };
    whole(&place);
    process_manifest(&place.room(), &place.manifest(), &environment()).unwrap();
    let log = place.log();
    assert_in_order(
        &log,
        &[
            "\nCopied files tree in ",
            "\nAppended files.append tree in ",
            "\nRunning scripts in: pre-install-scripts\nRunning script: look\n",
            "pre-install\n1-files files\nfiles.append\n",
            "Script: look took ",
            "\n=================================================================\nRan scripts in ",
            "\nUpdating package database:\npackager: update\nPackage database update took: ",
            "\nUpgrading packages:\npackager: upgrade\nPackage upgrade took: ",
            "\nInstalling packages: less cron=1.2\npackager: install\nPackage install took: ",
            "\nCopied post-install-files tree in ",
            "\nAppended post-install-files.append tree in ",
            "\nRunning scripts in: scripts\nRunning script: look\n",
            "scripts\n1-files 2-pre 4-post-install files\nfiles.append\npost-install.append\n",
            "\nCleaning packages:\npackager: clean\na warning\nPackage clean took: ",
            "\nCopied post-scripts-files tree in ",
            "\nRunning scripts in: post-cleanup-scripts\n",
            "post-cleanup\n1-files 2-pre 4-post-install 5-scripts 6-post-scripts files\n",
            "of the manifest\n",
        ],
    );
    assert_eq!(
        place.watcher.phases(),
        [
            Phase::Files,
            Phase::PreInstallScripts,
            Phase::Packages,
            Phase::PostInstallFiles,
            Phase::Scripts,
            Phase::CleanUp,
            Phase::PostScripts
        ]
    );
    // The host's resolv.conf was there for packages; what the manifest ships is what stays.
    assert_eq!(
        place.image("packager.log"),
        "update \nresolvable\nupgrade \nresolvable\ninstall less cron=1.2\nresolvable\nclean \nresolvable\n\
         show-clean-patterns \nresolvable\n"
    );
    assert_eq!(place.image("etc/resolv.conf"), "of the manifest\n");
    assert!(!place.root().join("var/cache/left").exists());
    assert!(place.root().join("var/cache").exists());
    assert!(!place.root().join(".scripts").exists());
}

#[test]
fn a_manifest_of_nothing_does_nothing_and_says_so() {
    let Some(place) = Place::new() else { return };
    process_manifest(&place.room(), &place.manifest(), &environment()).unwrap();
    let log = place.log();
    assert_in_order(
        &log,
        &[
            "\nCopied files tree in ",
            "No files.append directory\nNo pre-install-scripts directory\n\nNo packages to install\n",
            "\nCopied post-install-files tree in ",
            "No post-install-files.append directory\nNo scripts directory\n\nCleaning packages:\n",
            "\nCopied post-scripts-files tree in ",
            "No post-cleanup-scripts directory\n",
        ],
    );
    assert_eq!(place.image("etc/resolv.conf"), "");
    assert_eq!(
        place.image("packager.log"),
        "clean \nresolvable\nshow-clean-patterns \nresolvable\n"
    );
}

#[test]
fn the_first_step_that_fails_is_the_last() {
    let Some(place) = Place::new() else { return };
    whole(&place);
    place.replace_in_packager("fail) exit 100", "upgrade) exit 100");
    let error = process_manifest(&place.room(), &place.manifest(), &environment()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "error installing packages: error upgrading: exit status 100"
    );
    assert!(!place.log().contains("Copied post-install-files"));
    assert!(!place.root().join("parts/4-post-install").exists());
}

#[test]
fn without_a_packager_the_first_step_says_what_is_missing() {
    let Some(place) = Place::new() else { return };
    std::fs::remove_file(place.root().join("usr/bin/generic-packager")).unwrap();
    let error = process_manifest(&place.room(), &place.manifest(), &environment()).unwrap_err();
    let error = error.to_string();
    assert!(
        error.starts_with("error copying in /etc/resolv.conf: "),
        "{error}"
    );
    assert!(error.contains("/bin/generic-packager"), "{error}");
}
