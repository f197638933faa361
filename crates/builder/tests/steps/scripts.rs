//! Scripts (`image-manifest.md §5`).

use std::os::unix::fs::{MetadataExt, symlink};
use std::time::Duration;

use builder::StepError;
use builder::process::process_manifest;

use crate::recorder::Recorder;
use crate::tree::{Place, assert_in_order, environment};

fn process(place: &Place) -> Result<(), StepError> {
    process_manifest(&place.room(), &place.manifest(), &environment())
}

#[test]
fn scripts_run_in_version_order_and_hidden_ones_do_not() {
    let Some(place) = Place::new() else { return };
    for name in ["10_y", "9_x", "a", "9_w", ".hidden"] {
        place.script(
            &format!("scripts/{name}"),
            "echo \"this is ${0##*/}\"; pwd; id -u; cat",
        );
    }
    process(&place).unwrap();
    let log = place.log();
    assert_in_order(
        &log,
        &[
            "this is 9_w\n/\n0\n",
            "this is 9_x\n",
            "this is 10_y\n",
            "this is a\n",
        ],
    );
    assert!(!log.contains("hidden"), "{log}");
}

#[test]
fn a_directory_without_scripts_says_so() {
    let Some(place) = Place::new() else { return };
    std::fs::create_dir(place.manifest().join("scripts")).unwrap();
    process(&place).unwrap();
    assert!(place.log().contains("\n\nNo scripts to run\n"), "{}", place.log());
}

#[test]
fn commands_have_the_specified_environment_and_only_some_the_injected_one() {
    let Some(place) = Place::new() else { return };
    place.script("scripts/print", "env -u PWD -u _ -u SHLVL env | sort; echo end");
    place.replace_in_packager("echo \"$cmd $*\"", "echo \"$cmd ${INJECTED-without}\"");
    place.write("package-list", "less\n");
    process(&place).unwrap();
    let log = place.log();
    let printed = log
        .split("Running script: print\n")
        .nth(1)
        .and_then(|rest| rest.split("end\n").next())
        .unwrap();
    let without_zone: Vec<&str> = printed.lines().filter(|line| !line.starts_with("TZ=")).collect();
    assert_eq!(
        without_zone,
        [
            "ARCH=amd64",
            "FROM_VERBATIM=verbatim",
            "HOME=/",
            "INJECTED=a value",
            "LOGNAME=root",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "USER=root",
        ]
    );
    let asked = place.image("packager.log").replace("resolvable\n", "");
    assert_eq!(
        asked,
        "update a value\nupgrade a value\ninstall a value\nclean without\nshow-clean-patterns without\n"
    );
}

#[test]
fn a_script_that_fails_ends_the_build_with_its_name_and_status() {
    let Some(place) = Place::new() else { return };
    place.script("scripts/1", "exit 7");
    place.script("scripts/2", "echo not reached");
    let error = process(&place).unwrap_err();
    assert_eq!(error.to_string(), "error running script: 1: exit status 7");
    assert!(!place.log().contains("not reached"));
    assert!(!place.root().join(".scripts").exists());
}

#[test]
fn a_directory_among_scripts_and_a_link_out_of_the_manifest_are_errors() {
    let Some(place) = Place::new() else { return };
    place.script("scripts/below/x", "echo run");
    let error = process(&place).unwrap_err().to_string();
    assert_eq!(error, "scripts/below is not a regular file");
    std::fs::remove_dir_all(place.manifest().join("scripts/below")).unwrap();
    symlink("/bin/true", place.manifest().join("scripts/out")).unwrap();
    let error = process(&place).unwrap_err().to_string();
    assert!(error.starts_with("scripts/out: "), "{error}");
    assert!(!place.root().join(".scripts").exists());
}

#[test]
fn output_without_end_of_line_is_logged_as_it_comes() {
    let Some(place) = Place::new() else { return };
    let place = place.watched_by(Recorder::cancelling_at("50%"));
    // It would run for an hour: only what it printed of its line can have ended it.
    place.script("scripts/progress", "printf '50%%'; sleep 3600; echo never");
    let error = process(&place).unwrap_err();
    assert!(error.is_cancelled(), "{error}");
    assert!(!place.log().contains("never"));
}

#[test]
fn a_script_that_hangs_is_killed_when_the_build_s_time_is_over() {
    let Some(place) = Place::new() else { return };
    place.script("scripts/1", "echo begun");
    place.script(
        "scripts/hang",
        "trap '' TERM; (trap '' TERM; sleep 3620) & sleep 3620",
    );
    let room = place.room_of(Duration::from_millis(1500));
    let error = process_manifest(&room, &place.manifest(), &environment()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "error running script: hang: the build took longer than 1.5s, killed"
    );
    assert!(!is_running("3620"));
    // And no other command is begun.
    let error = process_manifest(&room, &place.manifest(), &environment()).unwrap_err();
    assert!(error.to_string().contains("took longer"), "{error}");
}

#[test]
fn a_daemon_that_a_script_left_ends_with_it() {
    let Some(place) = Place::new() else { return };
    place.script(
        "scripts/daemon",
        "setsid sleep 3621 >/dev/null 2>&1 </dev/null & echo left",
    );
    process(&place).unwrap();
    assert!(place.log().contains("left\n"));
    assert!(!is_running("3621"));
}

#[test]
fn what_a_script_replaced_its_own_directory_with_leads_nowhere() {
    let Some(place) = Place::new() else { return };
    let victim = place.path().join("victim");
    std::fs::create_dir(&victim).unwrap();
    std::fs::write(victim.join("file"), "host").unwrap();
    let script = format!("rm -r /.scripts; ln -s {} /.scripts", victim.display());
    place.script("scripts/evil", &script);
    process(&place).unwrap();
    assert!(victim.join("file").exists());
    assert!(place.root().join(".scripts").symlink_metadata().is_err());
}

#[test]
fn scripts_are_root_and_can_give_files_away() {
    let Some(place) = Place::new() else { return };
    place.script(
        "scripts/own",
        "touch /given; chown 33:44 /given; chmod 4711 /given; mknod /null c 1 3",
    );
    process(&place).unwrap();
    let data = place.root().join("given").metadata().unwrap();
    assert_eq!((data.uid(), data.gid(), data.mode() & 0o7777), (33, 44, 0o4711));
    assert!(place.root().join("null").symlink_metadata().is_ok());
}

fn is_running(argument: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).contains(&format!("sleep\0{argument}")))
    })
}
