//! The systemd unit, judged without a running systemd, and what the daemon tells systemd.
#![allow(clippy::unwrap_used)]

use anyhow::{Context, Result, ensure};
use integration::machine::repository;
use integration::server::Home;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Output};
use std::time::Duration;

/// In tenths, as `--threshold` takes it: 2.5 when this was written, 10 is no protection at all.
const MOST_EXPOSURE_TENTHS: u32 = 25;
/// Of the image builder, which has to be root and to make namespaces: 6.8 when this was written.
const MOST_BUILDER_EXPOSURE_TENTHS: u32 = 68;
/// Of the image repository, which keeps the right to ports below 1024: 2.6 when this was written.
const MOST_REPOSITORY_EXPOSURE_TENTHS: u32 = 26;
const DAEMONS: &[(&str, u32)] = &[
    ("imageserver", MOST_EXPOSURE_TENTHS),
    ("imaginator", MOST_BUILDER_EXPOSURE_TENTHS),
    ("imgapi", MOST_REPOSITORY_EXPOSURE_TENTHS),
];
/// Far more than a sign of life takes; only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A copy of the unit whose launcher is here and can be executed, which `verify` looks at.
fn unit(daemon: &str, directory: &std::path::Path) -> Result<std::path::PathBuf> {
    let text = std::fs::read_to_string(repository(&format!("systemd/{daemon}.service")))?;
    let installed = format!("/usr/local/lib/imagewright/launch-{daemon}");
    ensure!(text.contains(&installed));
    let launcher = repository(&format!("service/launch-{daemon}")).canonicalize()?;
    let path = directory.join(format!("{daemon}.service"));
    std::fs::write(&path, text.replace(&installed, &launcher.display().to_string()))?;
    Ok(path)
}

fn analyze(arguments: &[&str], unit: &std::path::Path) -> Result<Output> {
    Command::new("systemd-analyze")
        .args(arguments)
        .arg(unit)
        .env("SYSTEMD_COLORS", "0")
        .output()
        .context("cannot start systemd-analyze: install systemd")
}

fn can_analyze(test: &str) -> bool {
    let can = Command::new("systemd-analyze").arg("--version").output().is_ok();
    if !can {
        integration::skip(test, "systemd-analyze is not installed: apt-get install systemd");
    }
    can
}

#[test]
fn the_unit_has_no_mistake_that_systemd_knows_of() {
    if !can_analyze("the_unit_has_no_mistake_that_systemd_knows_of") {
        return;
    }
    for (daemon, _) in DAEMONS {
        let directory = tempfile::tempdir().unwrap();
        let unit = unit(daemon, directory.path()).unwrap();
        let output = analyze(&["verify", "--man=no", "--recursive-errors=no"], &unit).unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success() && !said.contains(&format!("{daemon}.service")),
            "{said}"
        );
        // It does see mistakes.
        let text = std::fs::read_to_string(&unit).unwrap();
        std::fs::write(&unit, text.replace("Type=notify", "Type=nonsense")).unwrap();
        let output = analyze(&["verify", "--man=no", "--recursive-errors=no"], &unit).unwrap();
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("nonsense"),
            "{output:?}"
        );
    }
}

#[test]
fn the_unit_is_exposed_no_more_than_it_was() {
    if !can_analyze("the_unit_is_exposed_no_more_than_it_was") {
        return;
    }
    for (daemon, most_tenths) in DAEMONS {
        let directory = tempfile::tempdir().unwrap();
        let unit = unit(daemon, directory.path()).unwrap();
        let judge = |tenths: u32| {
            let threshold = format!("--threshold={tenths}");
            analyze(&["security", "--offline=true", "--no-pager", &threshold], &unit).unwrap()
        };
        let output = judge(*most_tenths);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
        assert!(!judge(1).status.success(), "the threshold is heeded");
    }
}

/// What covers parts of /proc keeps everybody from mounting another in a user namespace, which every sandbox does.
#[test]
fn the_unit_of_the_image_builder_leaves_its_sandboxes_possible() {
    let text = std::fs::read_to_string(repository("systemd/imaginator.service")).unwrap();
    for setting in [
        "ProtectKernelTunables",
        "ProtectKernelLogs",
        "ProtectProc",
        "ProcSubset",
        "ProtectControlGroups",
        "RestrictNamespaces",
        "PrivateUsers",
        "User",
        "NoNewPrivileges",
        "RestrictSUIDSGID",
    ] {
        let set = text.lines().any(|line| line.starts_with(&format!("{setting}=")));
        assert!(!set, "{setting}");
    }
}

/// Seen under a running systemd: with `RestrictSUIDSGID=`, openat2(2) is not there and the server ends at once; and /bin/kill belongs to a
/// package that a small Debian does without.
#[test]
fn the_unit_leaves_out_what_was_found_to_stop_the_server() {
    let text = std::fs::read_to_string(repository("systemd/imageserver.service")).unwrap();
    let settings: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(!settings.iter().any(|line| line.starts_with("RestrictSUIDSGID=")));
    assert!(settings.contains(&"ExecReload=+/bin/sh -c 'kill -HUP $MAINPID'"));
}

/// The configuration of the image repository may lie anywhere: the settings that name it are asked, as by the init.d script.
#[test]
fn the_unit_of_the_image_repository_finds_the_configuration_that_the_settings_name() {
    let text = std::fs::read_to_string(repository("systemd/imgapi.service")).unwrap();
    let condition = text
        .lines()
        .find_map(|line| line.strip_prefix("ExecCondition=/bin/sh -c '"));
    let condition = condition.and_then(|rest| rest.strip_suffix('\'')).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path().display().to_string();
    let settings = std::fs::read_to_string(repository("service/settings-imgapi")).unwrap();
    // The same files, below a directory of the test.
    let settings = settings
        .replace("/etc/", &format!("{here}/"))
        .replace("/data/", &format!("{here}/"));
    std::fs::write(directory.path().join("settings"), settings).unwrap();
    let script = condition.replace("$$", "$").replace(
        "/usr/local/lib/imagewright/settings-imgapi",
        &format!("{here}/settings"),
    );
    let may_start = || {
        Command::new("/bin/sh")
            .args(["-c", &script])
            .status()
            .unwrap()
            .code()
    };
    assert_eq!(may_start(), Some(1));
    std::fs::create_dir(directory.path().join("default")).unwrap();
    std::fs::write(
        directory.path().join("default/imgapi"),
        format!("CONFIGURATION={here}/mine.yaml\n"),
    )
    .unwrap();
    assert_eq!(may_start(), Some(1));
    std::fs::write(directory.path().join("mine.yaml"), "{}").unwrap();
    assert_eq!(may_start(), Some(0));
}

/// systemd takes the daemon for ready when the port is open, and for alive as long as it says so.
#[test]
fn systemd_is_told_when_the_server_serves_and_again_and_again_that_it_lives() {
    let home = Home::new().unwrap();
    let path = home.path().join("notify");
    let receiver = UnixDatagram::bind(&path).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
    receiver.set_read_timeout(Some(PATIENCE)).unwrap();
    let environment = [
        ("NOTIFY_SOCKET", path.to_str().unwrap()),
        ("WATCHDOG_USEC", "200000"),
    ];
    let server = home
        .start_in(&environment, integration::server::INSECURE)
        .unwrap();
    let next = || {
        let mut buffer = [0; 64];
        let length = receiver.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let mut said = Vec::new();
    while !said.contains(&"READY=1".to_owned())
        || said.iter().filter(|word| *word == "WATCHDOG=1").count() < 3
    {
        said.push(next());
    }
    let mut ready = said.clone();
    ready.retain(|word| word != "WATCHDOG=1");
    assert_eq!(ready, ["READY=1"]);
    assert_eq!(server.stop().unwrap(), Some(0));
    receiver.set_nonblocking(true).unwrap();
    let mut rest = Vec::new();
    let mut buffer = [0; 64];
    while let Ok(length) = receiver.recv(&mut buffer) {
        rest.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
    }
    assert!(rest.contains(&"STOPPING=1".to_owned()), "{rest:?}");
}
