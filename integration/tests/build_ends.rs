//! However a build ends, nothing of it is left but the image, and that only if it ended well.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use anyhow::Result;
use builder::{BuildLimits, Phase, Workshop, WorkshopConfig};
use integration::imaginator::lacks_root;
use integration::small_disk::SmallDisk;
use integration::workshop::{Place, Recorder};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

const MANIFEST: (&str, &str) = ("manifest", r#"{"SourceImage": "base"}"#);

/// Control groups, mounts and processes that name the directory of a workshop's trees.
fn traces(trees: &Path) -> Vec<String> {
    let name = trees.file_name().unwrap().to_str().unwrap();
    let mut found = Vec::new();
    let groups = Command::new("find")
        .args(["/sys/fs/cgroup", "-maxdepth", "3", "-type", "d", "-name"])
        .arg(format!("{name}*"))
        .output()
        .unwrap();
    found.extend(String::from_utf8_lossy(&groups.stdout).lines().map(str::to_owned));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    found.extend(
        mounts
            .lines()
            .filter(|line| line.contains(name))
            .map(str::to_owned),
    );
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let read = |what: &str| fs::read_link(process.path().join(what)).unwrap_or_default();
        for place in [read("root"), read("cwd")] {
            if place.starts_with(trees) {
                found.push(format!("{} in {}", process.path().display(), place.display()));
            }
        }
    }
    found
}

#[test]
fn a_build_that_is_cancelled_leaves_nothing_in_whatever_phase() -> Result<()> {
    if lacks_root("a_build_that_is_cancelled_leaves_nothing_in_whatever_phase") {
        return Ok(());
    }
    let place = Place::new(|_| Ok(()))?;
    let script = "#! /bin/sh\nsleep 1000 & echo own > /etc/own\n";
    let order = place.order(
        "user/cancelled",
        &[
            MANIFEST,
            ("pre-install-scripts/p", script),
            ("scripts/s", script),
            ("tests/t", "#! /bin/sh\nexit 0\n"),
        ],
    )?;
    let (built, log) = place.build(&order);
    built.expect(&log);
    let whole = Arc::new(Recorder::default());
    place.build_watched(&order, &whole)?;
    let phases = whole.phases();
    assert!(phases.len() > 10, "{phases:?}");
    let before = place.tool.must(&["list"])?;
    for phase in phases {
        let recorder = Recorder::with_hook(move |now, recorder| {
            if now == phase {
                recorder.cancel();
            }
        });
        let error = place.build_watched(&order, &recorder).unwrap_err();
        assert!(error.is_cancelled, "{phase}: {error}");
        // Where there was nothing to do the next phase noticed.
        assert!(error.phase >= Some(phase), "{phase}: {:?}", error.phase);
        assert_eq!(place.leftovers()?, [""; 0], "{phase}");
        assert_eq!(traces(&place.trees()), [""; 0], "{phase}");
    }
    assert_eq!(place.tool.must(&["list"])?, before);
    Ok(())
}

#[test]
fn a_running_command_ends_when_the_build_is_cancelled() -> Result<()> {
    if lacks_root("a_running_command_ends_when_the_build_is_cancelled") {
        return Ok(());
    }
    let place = Place::new(|_| Ok(()))?;
    let script = "#! /bin/sh\ntrap '' TERM INT\nsetsid sleep 1000 &\necho begun\nsleep 1000\n";
    let order = place.order("user/hangs", &[MANIFEST, ("scripts/s", script)])?;
    let recorder = Arc::new(Recorder::default());
    let error = std::thread::scope(|scope| {
        let build = scope.spawn(|| place.build_watched(&order, &recorder));
        while !recorder.text().contains("\nbegun\n") && !build.is_finished() {
            std::thread::yield_now();
        }
        recorder.cancel();
        build.join().unwrap().unwrap_err()
    });
    assert!(
        error.is_cancelled && error.phase == Some(Phase::Scripts),
        "{error}"
    );
    assert_eq!(place.leftovers()?, [""; 0]);
    assert_eq!(traces(&place.trees()), [""; 0]);
    Ok(())
}

#[test]
fn a_failing_step_is_named_and_publishes_nothing() -> Result<()> {
    if lacks_root("a_failing_step_is_named_and_publishes_nothing") {
        return Ok(());
    }
    let place = Place::new(|_| Ok(()))?;
    let fails = |files: &[(&str, &str)]| {
        let order = place.order("user/fails", files).unwrap();
        let error = place.build(&order).0.unwrap_err();
        assert_eq!(place.leftovers().unwrap(), [""; 0]);
        (error.text, error.phase.unwrap())
    };
    let exits = "#! /bin/sh\nexit 3\n";
    let (text, phase) = fails(&[MANIFEST, ("scripts/10_bad", exits)]);
    assert_eq!(
        text,
        "error processing manifest: error running script: 10_bad: exit status 3"
    );
    assert_eq!(phase, Phase::Scripts);
    let (text, phase) = fails(&[MANIFEST, ("tests/bad", exits), ("tests/worse", exits)]);
    assert_eq!((&*text, phase), ("2 tests failed", Phase::Tests));
    let (text, phase) = fails(&[("filter", "")]);
    assert!(text.starts_with("error reading manifest file: "), "{text}");
    assert_eq!(phase, Phase::FetchManifest);
    let (text, _) = fails(&[("manifest", r#"{"SourceImage": "base", "FilterLines": ["("]}"#)]);
    assert!(
        text.contains("FilterLines") || text.contains("error compiling filter"),
        "{text}"
    );
    assert!(!place.tool.must(&["list"])?.contains("user/fails"));
    Ok(())
}

#[test]
fn without_an_image_server_a_build_fails_and_says_so() -> Result<()> {
    if lacks_root("without_an_image_server_a_build_fails_and_says_so") {
        return Ok(());
    }
    let mut place = Place::new(|_| Ok(()))?;
    let order = place.order("user/down", &[MANIFEST])?;
    place.server.end()?;
    let error = place.build(&order).0.unwrap_err();
    assert!(
        error
            .text
            .starts_with("error unpacking image: the image server is away: 127.0.0.1:"),
        "{error}"
    );
    assert!(error.is_server_away);
    assert!(error.needs.is_none() && !error.is_cancelled);
    assert_eq!(place.leftovers()?, [""; 0]);
    Ok(())
}

#[test]
fn an_image_that_does_not_fit_is_refused_and_a_build_that_fills_the_disk_is_ended() -> Result<()> {
    if lacks_root("an_image_that_does_not_fit_is_refused_and_a_build_that_fills_the_disk_is_ended") {
        return Ok(());
    }
    let mut place = Place::new(|_| Ok(()))?;
    let small = place.path().join("small");
    fs::create_dir(&small)?;
    let disk = SmallDisk::mount(&small, "size=2m")?;
    let on_it = |config: &mut WorkshopConfig| config.temporary.clone_from(&small);
    place.restart_with(on_it)?;
    let fill = "#! /bin/sh\nexec dd if=/dev/zero of=/large bs=1M count=4000\n";
    let order = place.order("user/large", &[MANIFEST, ("scripts/fill", fill)])?;
    let error = place.build(&order).0.unwrap_err();
    assert_eq!(
        error.text,
        "error unpacking image: image will not fit on file-system"
    );
    assert_eq!(place.leftovers()?, [""; 0]);
    disk.change("size=64m")?;
    let error = place.build(&order).0.unwrap_err();
    // Whoever is first: the program, or one of those who watch the disk.
    let endings = ["no space left on device", "exit status 1", "hardly any left"];
    assert!(
        endings.iter().any(|ending| error.text.ends_with(ending)),
        "{error}"
    );
    assert_eq!(error.phase, Some(Phase::Scripts));
    assert_eq!(place.leftovers()?, [""; 0]);
    let fine = place.order("user/fine", &[MANIFEST])?;
    place.image(&fine)?;
    place.restart_with(|_| ())?;
    Ok(())
}

#[test]
fn a_build_that_puts_more_on_the_disk_than_it_may_is_ended() -> Result<()> {
    if lacks_root("a_build_that_puts_more_on_the_disk_than_it_may_is_ended") {
        return Ok(());
    }
    let mut place = Place::new(|_| Ok(()))?;
    place.restart_with(|config| {
        config.limits = BuildLimits {
            disk_bytes: Some(8 << 20),
            ..config.limits
        };
    })?;
    let fill = "#! /bin/sh\ndd if=/dev/zero of=/large bs=1M count=20\nsleep 1000\n";
    let order = place.order("user/large", &[MANIFEST, ("scripts/fill", fill)])?;
    let error = place.build(&order).0.unwrap_err();
    // Whoever is first: the one who watches the build, or the one who watches its command.
    let of_build = "the build has put more than 8 MiB on the disk, which is the limit";
    let of_command = "it used more of the disk than it may";
    assert!(
        error.text == of_build || error.text.contains(of_command),
        "{error}"
    );
    assert!(!error.is_cancelled);
    assert_eq!(place.leftovers()?, [""; 0]);
    Ok(())
}

#[test]
fn a_second_process_is_refused_the_directories_and_stale_trees_are_removed() -> Result<()> {
    if lacks_root("a_second_process_is_refused_the_directories_and_stale_trees_are_removed") {
        return Ok(());
    }
    let mut place = Place::new(|_| Ok(()))?;
    let error = Workshop::new(place.config()?).err().unwrap().to_string();
    let pid = std::process::id();
    assert!(
        error.contains(&format!(
            "is in use by another process (pid {pid}): stop it, or give this one another state directory"
        )),
        "{error}"
    );
    // Also one with another place for trees: names of control groups go by the state directory.
    let mut elsewhere = place.config()?;
    elsewhere.temporary = place.path().join("elsewhere");
    elsewhere.object_cache = None;
    fs::create_dir(&elsewhere.temporary)?;
    let error = Workshop::new(elsewhere).err().unwrap().to_string();
    assert!(error.contains("is in use by another process"), "{error}");
    // Another daemon on this host, with a state directory of its own, is welcome.
    let mut other = place.config()?;
    other.state_directory = place.path().join("other");
    other.object_cache = None;
    drop(Workshop::new(other)?);
    let stale = place.trees().join("user_old.rootABCDEF/usr/deep");
    fs::create_dir_all(&stale)?;
    let mounted = place.trees().join("mounted");
    fs::create_dir(&mounted)?;
    let disk = SmallDisk::mount(&mounted, "size=1m")?;
    fs::write(mounted.join("file"), "")?;
    place.restart_with(|_| ())?;
    assert_eq!(place.leftovers()?, [""; 0]);
    assert_eq!(traces(&place.trees()), [""; 0]);
    // It has nothing to unmount any more.
    std::mem::forget(disk);
    place.image(&place.order("user/after", &[MANIFEST])?)?;
    Ok(())
}
