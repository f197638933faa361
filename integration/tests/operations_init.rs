//! The image server under the init.d script, in a Debian without a service manager.
#![allow(clippy::unwrap_used)]

use anyhow::{Context, Result};
use integration::machine::{Machine, debian_tree, repository};

const DAEMON: &str = "/usr/local/sbin/imageserver";
const BABYSIT: &str = "/usr/local/lib/imagewright/babysit";
const SCRIPT: &str = "/etc/init.d/imageserver";
const PORT: u16 = 6971;

/// Everybody may do everything: what is tried here is not who may do what.
const FLAGS: &str = "permitInsecureMode=true\ngenerateMissingWebcert=true\nCAfile=\nidentityCAfile=\ncertFile=\nkeyFile=\nsrpcTrustVmOwners=false\n";

/// A machine with everything installed, and flags to start with.
fn machine(test: &str) -> Option<Machine> {
    let machine = Machine::start(&debian_tree(test)?).unwrap();
    machine.install_by_hand().unwrap();
    machine.write("/etc/imageserver/flags.extra", FLAGS).unwrap();
    Some(machine)
}

fn number_in(machine: &Machine, file: &str) -> Result<u32> {
    machine.read(file)?.trim().parse().context("a process number")
}

fn daemon(machine: &Machine) -> Result<u32> {
    number_in(machine, "/run/imageserver.pid")
}

fn status(machine: &Machine) -> i32 {
    machine.run(&format!("{SCRIPT} status")).unwrap().code
}

/// Waits for a daemon that is another process than `before`, and serves.
fn wait_for_another(machine: &Machine, before: u32) -> Result<u32> {
    machine.wait_until("another daemon", || {
        Ok(daemon(machine).is_ok_and(|now| now != before) && status(machine) == 0)
    })?;
    machine.wait_until_healthy(PORT)?;
    daemon(machine)
}

/// Whether nothing is left that runs, or could start anything.
fn assert_nothing_runs(machine: &Machine) {
    assert!(machine.processes(DAEMON).unwrap().is_empty());
    assert!(machine.processes(BABYSIT).unwrap().is_empty());
    assert_eq!(status(machine), 3);
    for file in ["/run/imageserver.pid", "/run/imageserver.loop.pid"] {
        assert!(!machine.path(file).exists(), "{file}");
    }
}

#[test]
fn under_init_the_daemon_runs_as_its_user_comes_back_when_killed_and_stays_away_when_stopped() {
    let Some(machine) =
        machine("under_init_the_daemon_runs_as_its_user_comes_back_when_killed_and_stays_away_when_stopped")
    else {
        return;
    };
    assert_eq!(status(&machine), 3);
    machine.must(&format!("{SCRIPT} start")).unwrap();
    machine.wait_until_healthy(PORT).unwrap();
    let first = daemon(&machine).unwrap();
    assert_eq!(machine.processes(DAEMON).unwrap(), [first]);
    let watcher = number_in(&machine, "/run/imageserver.loop.pid").unwrap();
    assert_eq!(machine.processes(BABYSIT).unwrap(), [watcher]);
    let user = machine.must("id -u imageserver").unwrap();
    let described = machine.read(&format!("/proc/{first}/status")).unwrap();
    let line = |name: &str| -> Vec<String> {
        let line = described.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().skip(1).map(str::to_owned).collect()
    };
    assert_eq!(line("Uid:"), [user.trim(); 4]);
    assert_eq!(line("NoNewPrivs:"), ["1"]);
    assert_eq!(line("CapEff:"), ["0000000000000000"]);
    // Made for the user, who writes it.
    assert!(
        machine
            .read("/var/log/imageserver/latest")
            .unwrap()
            .contains("Service ready")
    );
    // Starting what runs is no failure and starts nothing.
    machine.must(&format!("{SCRIPT} start")).unwrap();
    assert_eq!(machine.processes(DAEMON).unwrap(), [first]);

    machine.must(&format!("kill -KILL {first}")).unwrap();
    let second = wait_for_another(&machine, first).unwrap();
    assert!(
        machine
            .read("/var/log/imageserver-babysitter.log")
            .unwrap()
            .contains("ended with status 137")
    );

    machine.must(&format!("{SCRIPT} restart")).unwrap();
    let third = wait_for_another(&machine, second).unwrap();
    machine.must(&format!("{SCRIPT} reload")).unwrap();
    let fourth = wait_for_another(&machine, third).unwrap();
    machine.must(&format!("{SCRIPT} force-reload")).unwrap();
    wait_for_another(&machine, fourth).unwrap();

    machine.must(&format!("{SCRIPT} stop")).unwrap();
    assert_nothing_runs(&machine);
    // Stopping what is stopped is no failure; starting again only what runs starts nothing.
    machine.must(&format!("{SCRIPT} stop")).unwrap();
    machine.must(&format!("{SCRIPT} try-restart")).unwrap();
    assert_nothing_runs(&machine);
    assert_eq!(machine.run(&format!("{SCRIPT} reload")).unwrap().code, 7);
    assert_eq!(machine.run(&format!("{SCRIPT} nonsense")).unwrap().code, 2);

    // As the administrator would type it.
    machine.must("service imageserver start").unwrap();
    machine.wait_until_healthy(PORT).unwrap();
    machine.must("service imageserver stop").unwrap();
    assert_nothing_runs(&machine);
}

#[test]
fn a_daemon_whose_baby_sitter_was_killed_goes_on_and_is_watched_again() {
    let Some(machine) = machine("a_daemon_whose_baby_sitter_was_killed_goes_on_and_is_watched_again") else {
        return;
    };
    machine.must(&format!("{SCRIPT} start")).unwrap();
    machine.wait_until_healthy(PORT).unwrap();
    let first = daemon(&machine).unwrap();
    let watcher = number_in(&machine, "/run/imageserver.loop.pid").unwrap();
    machine.must(&format!("kill -KILL {watcher}")).unwrap();
    let told = machine.must(&format!("{SCRIPT} status")).unwrap();
    assert!(told.contains("watched by nobody"), "{told}");
    machine.must(&format!("{SCRIPT} start")).unwrap();
    assert_eq!(machine.processes(DAEMON).unwrap(), [first]);
    machine.must(&format!("kill -KILL {first}")).unwrap();
    wait_for_another(&machine, first).unwrap();
    // A stop finds a daemon that nobody watches, too.
    let watcher = number_in(&machine, "/run/imageserver.loop.pid").unwrap();
    machine.must(&format!("kill -KILL {watcher}")).unwrap();
    machine.must(&format!("{SCRIPT} stop")).unwrap();
    assert_nothing_runs(&machine);
}

#[test]
fn a_daemon_that_cannot_start_is_tried_ever_less_often_and_can_be_stopped() {
    let Some(machine) = machine("a_daemon_that_cannot_start_is_tried_ever_less_often_and_can_be_stopped")
    else {
        return;
    };
    machine
        .write("/etc/imageserver/flags.extra", "noSuchFlag=1\n")
        .unwrap();
    machine.run(&format!("{SCRIPT} start")).unwrap();
    let log = || machine.read("/var/log/imageserver-babysitter.log");
    machine
        .wait_until("the third pause", || {
            Ok(log()?.contains("starting it again in 4 s"))
        })
        .unwrap();
    let text = log().unwrap();
    // Why it does not start is told beside.
    assert!(text.contains("no such flag -noSuchFlag"), "{text}");
    let pauses: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_once("starting it again in ").map(|(_, pause)| pause))
        .collect();
    assert_eq!(pauses, ["1 s", "2 s", "4 s"]);
    machine.must(&format!("{SCRIPT} stop")).unwrap();
    assert_nothing_runs(&machine);
}

#[test]
fn what_is_not_configured_is_not_started() {
    let Some(machine) = machine("what_is_not_configured_is_not_started") else {
        return;
    };
    machine.must("rm /etc/imageserver/flags.extra").unwrap();
    let ended = machine.run(&format!("{SCRIPT} start")).unwrap();
    assert_eq!(ended.code, 6);
    assert!(ended.err.contains("not configured"), "{ended:?}");
    machine.write("/etc/imageserver/flags.extra", FLAGS).unwrap();
    machine
        .write("/etc/default/imageserver", "DAEMON=/nonexistent\n")
        .unwrap();
    assert_eq!(machine.run(&format!("{SCRIPT} start")).unwrap().code, 5);
    assert_nothing_runs(&machine);
}

#[test]
fn data_log_and_pid_files_lie_where_the_settings_say() {
    let Some(machine) = machine("data_log_and_pid_files_lie_where_the_settings_say") else {
        return;
    };
    machine
        .must("useradd --system images && install -d -o images /srv/images /srv/objects")
        .unwrap();
    machine
        .write(
            "/etc/default/imageserver",
            "USERNAME=images\nIMAGE_DIR=/srv/images\nOBJECT_DIR=/srv/objects\nLOG_DIR=/srv/log\nPIDFILE=/run/one.pid\nLOOP_PIDFILE=/run/two.pid\n",
        )
        .unwrap();
    machine.must(&format!("{SCRIPT} start")).unwrap();
    machine.wait_until_healthy(PORT).unwrap();
    let started = number_in(&machine, "/run/one.pid").unwrap();
    assert_eq!(machine.processes(DAEMON).unwrap(), [started]);
    assert_eq!(
        machine.processes(BABYSIT).unwrap(),
        [number_in(&machine, "/run/two.pid").unwrap()]
    );
    let owner = machine
        .must(&format!(
            "stat -c %U /proc/{started} /srv/log; ls /srv/log/latest"
        ))
        .unwrap();
    assert_eq!(owner, "images\nimages\n/srv/log/latest\n");
    machine
        .must("imagetool -certDirectory=/nonexistent -imageServerHostname=127.0.0.1 mkdir there && test -d /srv/images/there")
        .unwrap();
    machine.must(&format!("{SCRIPT} stop")).unwrap();
    assert!(machine.processes(DAEMON).unwrap().is_empty());
    assert!(!machine.path("/run/one.pid").exists() && !machine.path("/run/two.pid").exists());
}

/// Stands where the daemon would and tells what it was given, so that each setting can be seen for itself.
const TELLS: &str =
    "#!/bin/sh\nprintf '%s\\n' \"$@\"; echo \"user $(id -un) files $(ulimit -n) mask $(umask)\"\n";

fn told(machine: &Machine, settings: &str) -> Result<String> {
    machine.write(
        "/etc/default/imageserver",
        &format!("DAEMON=/usr/local/sbin/tells\n{settings}"),
    )?;
    machine.must("/usr/local/lib/imagewright/launch-imageserver")
}

#[test]
fn every_setting_becomes_its_flag_and_nothing_else_does() {
    let Some(machine) = machine("every_setting_becomes_its_flag_and_nothing_else_does") else {
        return;
    };
    machine.write("/usr/local/sbin/tells", TELLS).unwrap();
    machine
        .must("chmod 755 /usr/local/sbin/tells; useradd --system other")
        .unwrap();
    // Without limits there is still the kernel's, or the hard limit of whoever may not raise it.
    let most = machine
        .must("ulimit -n $(cat /proc/sys/fs/nr_open) 2>/dev/null || true; ulimit -Hn")
        .unwrap();
    let plain = format!("user imageserver files {} mask 0022\n", most.trim());
    // `printf` prints an empty line for no arguments.
    assert_eq!(told(&machine, "").unwrap(), format!("\n{plain}"));
    for (settings, flags) in [
        ("ARCHIVE_MODE=true", "-archiveMode=true"),
        ("ARCHIVE_MODE=1", "-archiveMode=true"),
        ("ARCHIVE_MODE=false", ""),
        ("IMAGE_DIR='/srv/all images'", "-imageDir=/srv/all images"),
        (
            "IMAGE_SERVER_HOSTNAME=master.example.org",
            "-imageServerHostname=master.example.org",
        ),
        ("LOG_DIR=/var/log/imageserver", ""),
        ("LOG_DIR=/srv/log", "-logDir=/srv/log"),
        ("LOG_QUOTA=1GiB", "-logQuota=1GiB"),
        ("LOGBUF_LINES=2000", "-logbufLines=2000"),
        ("OBJECT_DIR=/srv/objects", "-objectDir=/srv/objects"),
    ] {
        assert_eq!(
            told(&machine, settings).unwrap(),
            format!("{flags}\n{plain}"),
            "{settings}"
        );
    }
    let other = told(&machine, "USERNAME=other\nFD_LIMIT=4096\nLOG_DIR=/srv/other-log").unwrap();
    assert_eq!(other, "-logDir=/srv/other-log\nuser other files 4096 mask 0022\n");
    assert_eq!(
        machine.must("stat -c '%U %a' /srv/other-log").unwrap(),
        "other 755\n"
    );
    for (settings, words) in [
        ("USERNAME=nobody-there", "there is no such user"),
        ("DAEMON=/nonexistent", "is no program"),
        ("FD_LIMIT=many", "is refused"),
    ] {
        machine
            .write(
                "/etc/default/imageserver",
                &format!("DAEMON=/usr/local/sbin/tells\n{settings}\n"),
            )
            .unwrap();
        let ended = machine
            .run("/usr/local/lib/imagewright/launch-imageserver")
            .unwrap();
        assert!(
            ended.code == 1 && ended.err.contains(words),
            "{settings}: {ended:?}"
        );
    }
}

/// The script and the unit start the same launcher, so what holds of the settings under one holds under the other.
#[test]
fn unit_and_script_start_the_daemon_by_the_same_launcher() {
    let control = std::fs::read_to_string(repository("service/control")).unwrap();
    assert!(control.contains("launch=$lib/launch-$name\n") && control.contains("-- \"$launch\" <"));
    for daemon in ["imageserver", "imaginator"] {
        let unit = std::fs::read_to_string(repository(&format!("systemd/{daemon}.service"))).unwrap();
        let started: Vec<&str> = unit
            .lines()
            .filter_map(|line| line.strip_prefix("ExecStart="))
            .collect();
        assert_eq!(started, [format!("/usr/local/lib/imagewright/launch-{daemon}")]);
        let script = std::fs::read_to_string(repository(&format!("init.d/{daemon}"))).unwrap();
        assert!(script.contains(&format!("name={daemon}\nlib=/usr/local/lib/imagewright\n")));
        assert!(script.contains("\n. \"$lib/control\"\n"));
    }
}

const BUILDER: &str = "/usr/local/sbin/imaginator";
const BUILDER_SCRIPT: &str = "/etc/init.d/imaginator";
const BUILDER_PORT: u16 = 6975;

/// Certificates as docs/imaginator.md tells to make them, and a configuration without streams.
fn builder(test: &str) -> Option<Machine> {
    let machine = Machine::start(&debian_tree(test)?).unwrap();
    machine.install_by_hand().unwrap();
    machine
        .must(
            "imagewright certs ca --out /root/pki && cp /root/pki/CA.pem /etc/ssl/
             imagewright certs issue --ca /root/pki --user imaginator --server localhost --preset builder --out /etc/ssl/imaginator
             mkdir -p /etc/imaginator",
        )
        .unwrap();
    machine.write("/etc/imaginator/conf.json", "{}\n").unwrap();
    Some(machine)
}

fn wait_for_another_builder(machine: &Machine, before: u32) -> u32 {
    let now = || number_in(machine, "/run/imaginator.pid");
    machine
        .wait_until("another image builder", || {
            Ok(now().is_ok_and(|now| now != before))
        })
        .unwrap();
    machine.wait_until_healthy(BUILDER_PORT).unwrap();
    now().unwrap()
}

#[test]
fn under_init_the_image_builder_runs_comes_back_when_killed_and_stays_away_when_stopped() {
    let Some(machine) =
        builder("under_init_the_image_builder_runs_comes_back_when_killed_and_stays_away_when_stopped")
    else {
        return;
    };
    machine
        .write(
            "/etc/default/imaginator",
            "LOG_DIR=/srv/log\nSTATE_DIR=/srv/state\nPROG_ARGS='-logbufLines=77 -imageRebuildInterval=0s'\n",
        )
        .unwrap();
    machine.must(&format!("{BUILDER_SCRIPT} start")).unwrap();
    machine.wait_until_healthy(BUILDER_PORT).unwrap();
    let first = number_in(&machine, "/run/imaginator.pid").unwrap();
    assert_eq!(machine.processes(BUILDER).unwrap(), [first]);
    let owners = machine
        .must(&format!(
            "stat -c %U /proc/{first} /srv/log /srv/state; ls /srv/log/latest"
        ))
        .unwrap();
    assert_eq!(owners, "root\nroot\nroot\n/srv/log/latest\n");
    let arguments = machine.read(&format!("/proc/{first}/cmdline")).unwrap();
    assert!(arguments.contains("\0-logbufLines=77\0"), "{arguments}");

    machine.must(&format!("kill -KILL {first}")).unwrap();
    let second = wait_for_another_builder(&machine, first);
    machine.must(&format!("{BUILDER_SCRIPT} restart")).unwrap();
    let third = wait_for_another_builder(&machine, second);
    machine.must(&format!("{BUILDER_SCRIPT} reload")).unwrap();
    let fourth = wait_for_another_builder(&machine, third);
    machine.must(&format!("{BUILDER_SCRIPT} force-reload")).unwrap();
    wait_for_another_builder(&machine, fourth);

    machine.must(&format!("{BUILDER_SCRIPT} stop")).unwrap();
    assert!(machine.processes(BUILDER).unwrap().is_empty());
    assert!(machine.processes(BABYSIT).unwrap().is_empty());
    assert_eq!(machine.run(&format!("{BUILDER_SCRIPT} status")).unwrap().code, 3);
    for file in ["/run/imaginator.pid", "/run/imaginator.loop.pid"] {
        assert!(!machine.path(file).exists(), "{file}");
    }
    assert_eq!(
        machine.run(&format!("{BUILDER_SCRIPT} nonsense")).unwrap().code,
        2
    );
}

/// As [`TELLS`], with what matters to builds.
const BUILDER_TELLS: &str =
    "#!/bin/sh\nprintf '%s\\n' \"$@\"; echo \"user $(id -un) mask $(umask) trees in $TMPDIR home $HOME\"\n";

#[test]
fn every_setting_of_the_image_builder_becomes_its_flag_and_nothing_else_does() {
    let Some(machine) = builder("every_setting_of_the_image_builder_becomes_its_flag_and_nothing_else_does")
    else {
        return;
    };
    machine.write("/usr/local/sbin/tells", BUILDER_TELLS).unwrap();
    machine.must("chmod 755 /usr/local/sbin/tells").unwrap();
    let told = |settings: &str| {
        let all = format!("DAEMON=/usr/local/sbin/tells\n{settings}");
        machine.write("/etc/default/imaginator", &all).unwrap();
        machine
            .must("umask 077; /usr/local/lib/imagewright/launch-imaginator")
            .unwrap()
    };
    let plain = "user root mask 0022 trees in /var/tmp home /root\n";
    assert_eq!(told(""), format!("\n{plain}"));
    for (settings, flags) in [
        (
            "CONFIGURATION_URL=/etc/other.json",
            "-configurationUrl=/etc/other.json",
        ),
        (
            "IMAGE_SERVER_HOSTNAME=images.example.org",
            "-imageServerHostname=images.example.org",
        ),
        (
            "VARIABLES_FILE='/root/my secrets'",
            "-variablesFile=/root/my secrets",
        ),
        ("LOG_DIR=/var/log/imaginator", ""),
        ("LOG_DIR=/srv/log", "-logDir=/srv/log"),
        ("LOG_QUOTA=1GiB", "-logQuota=1GiB"),
        ("LOGBUF_LINES=2000", "-logbufLines=2000"),
        ("STATE_DIR=/var/lib/imaginator", ""),
        ("STATE_DIR=/srv/state", "-stateDir=/srv/state"),
        ("PROG_ARGS='-a=* -b'", "-a=*\n-b"),
        ("PROG_ARGS=-a\nLOG_QUOTA=1", "-a\n-logQuota=1"),
    ] {
        assert_eq!(told(settings), format!("{flags}\n{plain}"), "{settings}");
    }
    assert!(told("TMPDIR=/srv/tmp").contains("trees in /srv/tmp "));
    assert_eq!(
        machine.must("stat -c %a /srv/log /srv/state").unwrap(),
        "755\n755\n"
    );
    machine
        .write("/etc/default/imaginator", "DAEMON=/nonexistent\n")
        .unwrap();
    let ended = machine
        .run("/usr/local/lib/imagewright/launch-imaginator")
        .unwrap();
    assert!(
        ended.code == 1 && ended.err.contains("is no program"),
        "{ended:?}"
    );
}
