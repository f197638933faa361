//! What a command tries, and what comes of it. As root; without root nothing of this can run.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Tree, eventually, owner, run, runs};
use sandbox::{Bind, Command, Limits, Outcome};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[test]
fn a_command_is_root_in_its_tree_and_its_files_have_their_owners_on_the_disk() {
    let Some(tree) = Tree::new() else { return };
    let (outcome, output) = tree.run(
        "id -u; echo content >/root/file; chown 33:44 /root/file; chmod 4755 /root/file; \
         touch /root/own; ls -n /root/file; echo $$; hostname 2>/dev/null || cat /proc/sys/kernel/hostname",
    );
    assert_eq!(outcome, Outcome::Exited(0), "{output}");
    let root = tree.root();
    assert_eq!(owner(&root.join("root/file")), (33, 44));
    assert_eq!(owner(&root.join("root/own")), (0, 0));
    let mode = root.join("root/file").metadata().unwrap().mode();
    assert_eq!(mode & 0o7777, 0o4755);
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!((lines[0], lines[2], lines[3]), ("0", "1", "sandbox"), "{output}");
}

#[test]
fn the_usual_devices_are_there_and_no_others() {
    let Some(tree) = Tree::new() else { return };
    let (outcome, output) = tree.run(
        "set -e; echo x >/dev/null; head -c 3 /dev/zero | wc -c; head -c 1 /dev/urandom >/dev/null; \
         test -c /dev/ptmx; test -d /dev/shm; ls /dev | tr '\\n' ' '",
    );
    assert_eq!(outcome, Outcome::Exited(0), "{output}");
    assert!(
        !output.contains("sda") && !output.contains("mem") && !output.contains("kmsg"),
        "{output}"
    );
}

#[test]
fn usual_device_nodes_can_be_made_but_not_opened_and_those_of_disks_not_even_made() {
    let Some(tree) = Tree::new() else { return };
    let (outcome, output) = tree.run(
        "mkdir -p /a/b; cd /a; mknod b/null c 1 3 && mknod -m 600 ../console c 5 1 && chown 0:5 /console || echo usual failed
         mknod /disk b 8 0 2>&1; mknod /mem c 1 1 2>&1; mknod /kmsg c 1 11 2>&1; mkfifo /pipe
         ( echo x >/a/b/null ) 2>&1
         ln -s /etc/passwd /link; mknod /link c 1 3 2>&1",
    );
    assert_ne!(outcome, Outcome::Killed(9), "{output}");
    assert!(!output.contains("usual failed"), "{output}");
    let root = tree.root();
    let null = root.join("a/b/null").symlink_metadata().unwrap();
    assert_eq!(null.rdev(), rustix::fs::makedev(1, 3));
    assert_eq!(owner(&root.join("a/b/null")), (0, 0));
    assert_eq!(owner(&root.join("console")), (0, 5));
    assert_eq!(root.join("console").metadata().unwrap().mode() & 0o7777, 0o600);
    for name in ["disk", "mem", "kmsg"] {
        assert!(!root.join(name).exists(), "{name}: {output}");
    }
    assert!(root.join("pipe").exists());
    assert!(output.contains("Permission denied"), "{output}");
    assert!(output.contains("File exists"), "{output}");
}

#[test]
fn a_user_without_the_right_to_make_nodes_makes_none() {
    let Some(tree) = Tree::new() else { return };
    let (_, output) = tree
        .run("chmod 777 /tmp; setpriv --reuid=65534 --regid=65534 --clear-groups mknod /tmp/null c 1 3 2>&1");
    assert!(output.contains("not permitted"), "{output}");
    assert!(!tree.root().join("tmp/null").exists());
}

#[test]
fn the_host_is_neither_seen_nor_signalled_nor_changed() {
    let Some(tree) = Tree::new() else { return };
    let pattern = || std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    let pattern_before = pattern();
    let mut victim = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let secret = tree.directory.path().join("secret");
    std::fs::write(&secret, "content-of-the-secret\n").unwrap();
    let script = format!(
        "kill -9 {victim} 2>&1; ls /proc | grep -c '^[0-9]'; cat {secret} 2>&1; \
         cat /proc/1/root{secret} 2>&1; ls /proc/1/root/ | tr '\\n' ' '; \
         echo of-a-sandbox >/proc/sys/kernel/core_pattern; echo b >/proc/sysrq-trigger; echo 1 >/proc/sys/vm/drop_caches; \
         hostname changed 2>&1; date -s 2001-01-01 2>&1; mount --bind /proc/1/root /root 2>&1 && ls /root | tr '\\n' ' '; \
         chroot /proc/1/root ls {secret} 2>&1; nsenter -t 1 -m ls {secret} 2>&1; echo end",
        victim = victim.id(),
        secret = secret.display(),
    );
    let (_, output) = tree.run(&script);
    let name = victim.try_wait().unwrap();
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert!(name.is_none(), "a process of the host was killed: {output}");
    assert!(!output.contains("content-of-the-secret"), "{output}");
    assert!(output.contains("end"), "{output}");
    assert!(output.matches("Permission denied").count() >= 2, "{output}");
    assert_ne!(
        std::fs::read_to_string("/proc/sys/kernel/hostname")
            .unwrap()
            .trim(),
        "changed"
    );
    assert_eq!(pattern(), pattern_before);
    assert!(year() >= 2026);
}

/// The year of the host's clock, roughly.
fn year() -> u64 {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    1970 + now.as_secs() / 31_556_952
}

#[test]
fn mounts_stay_inside_and_a_disk_cannot_be_mounted() {
    let Some(tree) = Tree::new() else { return };
    let before = std::fs::read_to_string("/proc/self/mounts").unwrap();
    let (_, output) = tree.run(
        "mount -t tmpfs none /tmp && echo tmpfs; mkdir /p; mount -t proc proc /p && echo proc; \
         mount -t ext4 /dev/vda /root 2>&1; mount -o remount,rw /usr 2>&1; touch /usr/x 2>&1; \
         mount -t sysfs sysfs /root 2>&1; umount -l /proc 2>&1; umount /usr 2>&1; ls /usr/bin | head -1; unshare -U true 2>&1",
    );
    assert!(output.starts_with("tmpfs\nproc\n"), "{output}");
    assert!(!Path::new("/usr/x").exists(), "{output}");
    assert!(
        output.contains("unshare failed: Operation not permitted"),
        "{output}"
    );
    assert_eq!(std::fs::read_to_string("/proc/self/mounts").unwrap(), before);
    assert!(!tree.root().join("usr/bin").exists());
}

#[test]
fn links_in_the_tree_lead_nowhere_else() {
    let Some(tree) = Tree::new() else { return };
    let outside = tree.directory.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("file"), "host").unwrap();
    // The places of mounts as well: they would be made, or mounted on, outside.
    symlink(&outside, tree.root().join("proc")).unwrap();
    symlink(&outside, tree.root().join("place")).unwrap();
    let mut spec = tree.spec("echo overwritten 2>/dev/null >/place/file; ls / /proc 2>&1; true");
    spec.binds.push(Bind {
        source: "/etc".into(),
        target: "/place/below".into(),
        writable: false,
    });
    let command = Command::by(env!("CARGO_BIN_EXE_sandbox-child"));
    // Refused or done inside: either is right.
    let outcome = command.run(&spec, |_| {});
    assert_eq!(
        std::fs::read_to_string(outside.join("file")).unwrap(),
        "host",
        "{outcome:?}"
    );
    assert_eq!(outside.read_dir().unwrap().count(), 1, "{outcome:?}");
}

#[test]
fn what_a_command_left_running_ends_with_it() {
    let Some(tree) = Tree::new() else { return };
    let marker = "3601.25";
    let (outcome, output) = tree.run(&format!(
        "setsid sleep {marker} & (trap '' TERM HUP; sleep {marker} & sleep {marker}) & sleep 0.2; exit 7"
    ));
    assert_eq!(outcome, Outcome::Exited(7), "{output}");
    assert!(!runs(marker));
}

#[test]
fn time_is_limited_whatever_signals_are_ignored() {
    let Some(tree) = Tree::new() else { return };
    let mut spec = tree.spec("trap '' TERM INT HUP; while :; do sleep 3602.25; done");
    spec.limits.time = Some(Duration::from_millis(500));
    let (outcome, _) = run(&spec);
    assert_eq!(outcome, Outcome::TimedOut(Duration::from_millis(500)));
    assert!(!runs("3602.25"));
}

#[test]
fn nobody_outlives_the_end_by_changing_its_user() {
    let Some(tree) = Tree::new() else { return };
    // The kernel then forgets that it is to die with its parent.
    let mut spec = tree.spec("");
    spec.argv = [
        "/usr/bin/setpriv",
        "--reuid=1",
        "--regid=1",
        "--clear-groups",
        "/usr/bin/sleep",
        "3605.25",
    ]
    .map(str::to_owned)
    .to_vec();
    spec.limits.time = Some(Duration::from_millis(300));
    let (outcome, _) = run(&spec);
    assert_eq!(outcome, Outcome::TimedOut(Duration::from_millis(300)));
    assert!(!runs("3605.25"));

    spec.limits.time = None;
    let command = Command::by(env!("CARGO_BIN_EXE_sandbox-child"));
    let running = command.start(&spec).unwrap();
    eventually("it runs", || runs("3605.25"));
    let supervisor = rustix::process::Pid::from_raw(running.process().cast_signed()).unwrap();
    rustix::process::kill_process(supervisor, rustix::process::Signal::KILL).unwrap();
    eventually("it has ended", || !runs("3605.25"));
    assert!(running.wait().is_err());
}

#[test]
fn a_command_that_keeps_its_supervisor_busy_lives_no_longer() {
    let Some(tree) = Tree::new() else { return };
    let mut spec =
        tree.spec("for i in 1 2 3 4; do (while :; do mknod /node$i c 1 3; rm -f /node$i; done) & done; wait");
    spec.limits.time = Some(Duration::from_millis(700));
    let (outcome, _) = run(&spec);
    assert_eq!(outcome, Outcome::TimedOut(Duration::from_millis(700)));
}

#[test]
fn memory_processes_and_file_size_are_limited() {
    let Some(tree) = Tree::new() else { return };
    let limits = Limits {
        memory_bytes: Some(64 << 20),
        processes: Some(30),
        file_bytes: Some(1 << 20),
        ..Limits::default()
    };
    let mut spec = tree.spec("head -c 300000000 /dev/zero | tail -c 200000000 | wc -c");
    spec.limits = limits.clone();
    let (outcome, output) = run(&spec);
    assert!(!output.contains("200000000"), "{outcome:?} {output}");
    let mut spec = tree.spec("i=0; while [ $i -lt 60 ]; do sleep 5 & i=$((i+1)); done; echo all");
    spec.limits = limits.clone();
    let (outcome, output) = run(&spec);
    assert!(
        !output.contains("all") && output.contains("fork"),
        "{outcome:?} {output}"
    );
    let mut spec = tree.spec("head -c 2000000 /dev/zero >/root/file");
    spec.limits = limits;
    let (outcome, _) = run(&spec);
    assert!(!outcome.is_success());
    assert!(tree.root().join("root/file").metadata().unwrap().len() <= 1 << 20);
}

#[test]
fn a_command_reads_its_input_and_has_its_environment_only() {
    let Some(tree) = Tree::new() else { return };
    let mut spec = tree.spec("cat; env | sort | grep -v -e ^PWD -e ^_ -e ^SHLVL; pwd");
    spec.input = b"input\n".to_vec();
    spec.environment
        .push(("NAME".to_owned(), "value with spaces".to_owned()));
    spec.directory = PathBuf::from("/etc");
    let (outcome, output) = run(&spec);
    assert_eq!(outcome, Outcome::Exited(0));
    assert_eq!(
        output,
        "input\nNAME=value with spaces\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n/etc\n"
    );
}

#[test]
fn errors_can_be_read_apart_from_output() {
    let Some(tree) = Tree::new() else { return };
    let command = Command::by(env!("CARGO_BIN_EXE_sandbox-child"));
    let spec = tree.spec("echo data; echo warning >&2; printf more");
    let mut running = command.start_with_errors_apart(&spec).unwrap();
    let (output, errors) = (running.take_output().unwrap(), running.take_errors().unwrap());
    assert!(running.take_errors().is_none());
    assert_eq!(std::io::read_to_string(output).unwrap(), "data\nmore");
    assert_eq!(std::io::read_to_string(errors).unwrap(), "warning\n");
    assert_eq!(running.wait().unwrap(), Outcome::Exited(0));
}

#[test]
fn what_cannot_be_run_is_an_error_that_names_it() {
    let Some(tree) = Tree::new() else { return };
    let mut spec = tree.spec("");
    spec.argv = vec!["/no/such/program".to_owned()];
    let command = Command::by(env!("CARGO_BIN_EXE_sandbox-child"));
    let error = command.run(&spec, |_| {}).unwrap_err().to_string();
    assert!(
        error.contains("/no/such/program") && error.contains("No such file"),
        "{error}"
    );
}

#[test]
fn cancelled_or_without_its_parent_it_ends() {
    let Some(tree) = Tree::new() else { return };
    let command = Command::by(env!("CARGO_BIN_EXE_sandbox-child"));
    let mut running = command.start(&tree.spec("echo begun; sleep 3603.25")).unwrap();
    let canceller = running.canceller();
    running.read_output(|line| {
        assert_eq!(line.text(), "begun");
        canceller.cancel();
    });
    assert_eq!(running.wait().unwrap(), Outcome::Cancelled);
    assert!(!runs("3603.25"));
    drop(command.start(&tree.spec("sleep 3604.25")).unwrap());
    assert!(!runs("3604.25"));
}

#[test]
fn directories_made_to_mount_on_go_even_if_the_supervisor_is_killed() {
    let Some(tree) = Tree::new() else { return };
    std::fs::create_dir(tree.root().join("there")).unwrap();
    let mut spec = tree.spec("echo begun; sleep 3608.25");
    for target in ["/there/made/inner", "/made/kept"] {
        spec.binds.push(Bind {
            source: "/etc".into(),
            target: target.into(),
            writable: false,
        });
    }
    let is_there = |name: &str| tree.root().join(name).exists();
    let command = Command::by(env!("CARGO_BIN_EXE_sandbox-child"));
    let mut running = command.start(&spec).unwrap();
    let canceller = running.canceller();
    running.read_output(|_| {
        assert!(is_there("there/made/inner") && is_there("made/kept"));
        // Of one that runs nothing is removed.
        sandbox::remove_stale_directories();
        assert!(is_there("there/made/inner") && is_there("made/kept"));
        canceller.cancel();
    });
    assert_eq!(running.wait().unwrap(), Outcome::Cancelled);
    assert!(is_there("there") && !is_there("there/made") && !is_there("made"));

    let mut running = command.start(&spec).unwrap();
    let supervisor = rustix::process::Pid::from_raw(running.process().cast_signed()).unwrap();
    running.read_output(|_| {
        rustix::process::kill_process(supervisor, rustix::process::Signal::KILL).unwrap();
    });
    assert!(running.wait().is_err());
    eventually("it has ended", || !runs("3608.25"));
    assert!(is_there("there/made/inner") && is_there("made/kept"));
    std::fs::write(tree.root().join("made/file"), "").unwrap();
    sandbox::remove_stale_directories();
    assert!(is_there("there") && !is_there("there/made"));
    assert!(is_there("made/file") && !is_there("made/kept"));
}

#[test]
fn processes_of_the_host_are_neither_traced_nor_written_through_proc() {
    let Some(tree) = Tree::new() else { return };
    let mut victim = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let status = |name: &str| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", victim.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.to_owned()
    };
    let pid = victim.id();
    // By its number on the host, and all that are seen: there are only the command's own.
    let (_, output) = tree.run(&format!(
        "strace -p {pid} -o /dev/null 2>&1; kill -STOP {pid} 2>&1; kill -9 -1 2>&1; ls /proc | grep -c '^[0-9]'
         for file in /proc/{pid}/mem /proc/{pid}/oom_score_adj /proc/sys/kernel/core_pattern /proc/sys/vm/panic_on_oom \
             /proc/sysrq-trigger /proc/sys/fs/file-max /proc/irq/0/smp_affinity /sys/kernel/uevent_helper /sys/power/state; do
             (echo 1 >$file) 2>/dev/null && echo wrote $file
         done
         (echo 1000 >/proc/self/oom_score_adj) && echo end"
    ));
    let after = (status("State:"), status("TracerPid:"));
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert!(
        after.0.contains("sleeping") && after.1.ends_with("\t0"),
        "{after:?} {output}"
    );
    assert!(output.contains("end"), "{output}");
    assert!(
        !output.contains("wrote") && !output.contains("attached"),
        "{output}"
    );
}

#[test]
fn a_fork_bomb_is_contained_and_leaves_nothing() {
    let Some(tree) = Tree::new() else { return };
    let mut spec = tree.spec("bomb() { sleep 3609.25 & bomb | bomb & }; bomb 2>/dev/null; sleep 3609.25");
    spec.limits.processes = Some(100);
    spec.limits.memory_bytes = Some(256 << 20);
    spec.limits.time = Some(Duration::from_secs(2));
    let command = Command::by(env!("CARGO_BIN_EXE_sandbox-child"));
    let mut running = command.start(&spec).unwrap();
    // The host goes on meanwhile: it starts processes as before.
    eventually("it has begun", || runs("3609.25"));
    assert!(std::process::Command::new("true").status().unwrap().success());
    running.read_output(|_| {});
    let outcome = running.wait().unwrap();
    assert!(!outcome.is_success(), "{outcome:?}");
    assert!(!runs("3609.25"));
}

#[test]
fn absolute_links_over_files_of_the_host_change_those_of_the_tree() {
    let Some(tree) = Tree::new() else { return };
    let before = std::fs::read("/etc/hostname").ok();
    let outside = tree.directory.path().join("outside");
    std::fs::write(&outside, "host\n").unwrap();
    let script = format!(
        "mkdir -p $(dirname {outside}); ln -s {outside} /root/link; ln -s /etc /root/etc; ln -s /../../../../etc/hostname /root/up
         echo tree >/root/link; echo tree >/root/etc/hostname; echo tree >/root/up; cat {outside}",
        outside = outside.display()
    );
    let (outcome, output) = tree.run(&script);
    assert_eq!((outcome, output.as_str()), (Outcome::Exited(0), "tree\n"));
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "host\n");
    assert_eq!(std::fs::read("/etc/hostname").ok(), before);
    assert_eq!(
        std::fs::read_to_string(tree.root().join("etc/hostname")).unwrap(),
        "tree\n"
    );
}

#[test]
fn an_ordinary_user_is_told_what_it_takes() {
    let Some(tree) = Tree::new() else { return };
    let program = tree.directory.path().join("program");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    std::fs::set_permissions(
        tree.directory.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    // This test again, as somebody else.
    let again = std::process::Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(program)
        .args([
            "--exact",
            "--ignored",
            "who_is_not_root_gets_an_error",
            "--nocapture",
        ])
        .output()
        .unwrap();
    let output =
        String::from_utf8_lossy(&again.stdout).into_owned() + &String::from_utf8_lossy(&again.stderr);
    assert!(again.status.success() && output.contains("1 passed"), "{output}");
}

#[test]
#[ignore = "run by the test before it, as an ordinary user"]
fn who_is_not_root_gets_an_error() {
    let view = sandbox::View::Tree { root: "/tree".into() };
    let spec = sandbox::Spec::new(view, ["/bin/true"]);
    let error = Command::by("/no/such/program").start(&spec).unwrap_err();
    assert!(error.to_string().contains("take root"), "{error}");
}
