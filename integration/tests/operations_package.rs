//! The Debian package on a bare Debian without a service manager.
#![allow(clippy::unwrap_used)]

use anyhow::{Context, Result, ensure};
use integration::machine::{Machine, debian_tree, repository};
use integration::programs::program;
use std::path::Path;
use std::process::Command;

const PORT: u16 = 6971;
const DAEMON: &str = "/usr/sbin/imageserver";
/// Local packages only: no mirror is asked.
const INSTALL: &str = "apt-get -qq --yes --no-install-recommends -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=/dev/null install";

/// Builds the package from the programs under test and puts it into the machine as `/var/tmp/VERSION.deb`.
fn package(machine: &Machine, version: &str) -> Result<()> {
    let out = tempfile::tempdir()?;
    let programs = program("imageserver")?;
    let output = Command::new(repository("scripts/deb.sh"))
        .arg("--programs")
        .arg(programs.parent().context("no directory")?)
        .arg("--out")
        .arg(out.path())
        .args(["--version", version])
        .env("DEB_COMPRESSION", "none")
        .output()?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let path = String::from_utf8(output.stdout)?;
    std::fs::copy(
        Path::new(path.trim()),
        machine.path(&format!("/var/tmp/{version}.deb")),
    )?;
    Ok(())
}

fn daemon(machine: &Machine) -> Result<u32> {
    machine
        .read("/run/imageserver.pid")?
        .trim()
        .parse()
        .context("a process number")
}

fn wait_for_another(machine: &Machine, before: u32) -> Result<u32> {
    machine.wait_until("another daemon", || {
        Ok(daemon(machine).is_ok_and(|now| now != before))
    })?;
    machine.wait_until_healthy(PORT)?;
    daemon(machine)
}

/// What docs/operating.md tells to do after the installation.
const CERTIFICATES: &str = "
    imagewright certs ca --out /root/pki && cp /root/pki/CA.pem /etc/ssl/
    imagewright certs issue --ca /root/pki --user imageserver --server localhost --out /etc/ssl/imageserver
    chown imageserver: /etc/ssl/imageserver/*.pem
    imagewright certs issue --ca /root/pki --user root --preset admin --out /root/.ssl";

#[test]
fn the_package_installs_runs_upgrades_and_goes_and_leaves_the_images() {
    let Some(tree) = debian_tree("the_package_installs_runs_upgrades_and_goes_and_leaves_the_images") else {
        return;
    };
    let machine = Machine::start(&tree).unwrap();
    for version in ["0.1.0", "0.1.1"] {
        package(&machine, version).unwrap();
    }
    installs(&machine);
    serves(&machine);
    upgrades(&machine);
    goes(&machine);
}

/// Nothing starts before there is anything to start with, and it says what comes next.
fn installs(machine: &Machine) {
    let said = machine.must(&format!("{INSTALL} /var/tmp/0.1.0.deb")).unwrap();
    assert!(
        said.contains("Next steps: /usr/share/doc/imagewright/operating.md"),
        "{said}"
    );
    assert_eq!(machine.run("service imageserver status").unwrap().code, 3);
    assert_eq!(
        machine
            .must("stat -c %U /var/lib/imageserver /var/lib/objectserver /var/log/imageserver")
            .unwrap(),
        "imageserver\n".repeat(3)
    );
    for file in [
        "/usr/sbin/imageserver",
        "/usr/bin/imagetool",
        "/usr/sbin/imaginator",
        "/usr/bin/builder-tool",
        "/usr/bin/imagewright",
        "/usr/lib/systemd/system/imageserver.service",
        "/usr/lib/systemd/system/imaginator.service",
        "/etc/default/imageserver",
        "/etc/default/imaginator",
        "/usr/share/man/man8/imaginator.8.gz",
        "/usr/share/man/man1/builder-tool.1.gz",
        "/usr/share/doc/imagewright/imaginator.md",
        "/usr/share/doc/imagewright/config-samples/health-agent/imaginator.yml",
        "/usr/share/man/man8/imageserver.8.gz",
        "/usr/share/man/man1/imagetool.1.gz",
        "/usr/share/man/man1/imagewright.1.gz",
        "/usr/share/bash-completion/completions/imagetool",
        "/usr/share/doc/imagewright/operating.md",
        "/usr/share/doc/imagewright/config-samples/replica/flags.extra",
    ] {
        assert!(machine.path(file).is_file(), "{file}");
    }
    for file in [
        "/usr/lib/systemd/system/imageserver.service",
        "/usr/lib/systemd/system/imaginator.service",
        "/etc/init.d/imageserver",
        "/etc/init.d/imaginator",
        "/usr/lib/imagewright/settings-imageserver",
        "/usr/lib/imagewright/settings-imaginator",
    ] {
        let text = machine.read(file).unwrap();
        assert!(
            !text.contains("=/usr/local/lib") && !text.contains("=/usr/local/sbin/"),
            "{file}: {text}"
        );
    }
    // At boot.
    assert_eq!(
        machine.must("ls /etc/rc2.d | grep -c 'S..imageserver'").unwrap(),
        "1\n"
    );
    machine.must("test -L /etc/systemd/system/multi-user.target.wants/imageserver.service && dpkg --verify imagewright").unwrap();
    machine.must("test -L /etc/systemd/system/multi-user.target.wants/imaginator.service && ls /etc/rc2.d/S??imaginator").unwrap();
    assert_eq!(machine.run("service imaginator status").unwrap().code, 3);
}

fn serves(machine: &Machine) {
    machine.must(CERTIFICATES).unwrap();
    machine.must("service imageserver start").unwrap();
    machine.wait_until_healthy(PORT).unwrap();
    let first = daemon(machine).unwrap();
    assert_eq!(
        machine.must(&format!("stat -c %U /proc/{first}")).unwrap(),
        "imageserver\n"
    );
    machine
        .must(
            "mkdir /root/tree && echo hello >/root/tree/file && touch /root/none && imagetool mkdir d
             imagetool -requiredPaths= add d/1 /root/tree /root/none ''",
        )
        .unwrap();
    machine.must(&format!("kill -KILL {first}")).unwrap();
    wait_for_another(machine, first).unwrap();
    assert_eq!(machine.must("imagetool list").unwrap(), "d/1\n");
}

/// The new one takes the place of the running old one, with its data and what the administrator wrote.
fn upgrades(machine: &Machine) {
    let settings = machine.read("/etc/default/imageserver").unwrap() + "LOGBUF_LINES=3000\n";
    machine.write("/etc/default/imageserver", &settings).unwrap();
    let before = daemon(machine).unwrap();
    machine.must(&format!("{INSTALL} /var/tmp/0.1.1.deb")).unwrap();
    let after = wait_for_another(machine, before).unwrap();
    assert_eq!(machine.processes(DAEMON).unwrap(), [after]);
    assert_eq!(
        machine.must("dpkg-query -W -f='${Version}' imagewright").unwrap(),
        "0.1.1"
    );
    assert_eq!(machine.read("/etc/default/imageserver").unwrap(), settings);
    assert!(
        machine
            .read(&format!("/proc/{after}/cmdline"))
            .unwrap()
            .contains("-logbufLines=3000")
    );
    machine
        .must("imagetool -requiredPaths= get d/1 /root/copy && cmp /root/tree/file /root/copy/file")
        .unwrap();
}

fn goes(machine: &Machine) {
    machine.must("apt-get -qq --yes remove imagewright").unwrap();
    assert!(machine.processes(DAEMON).unwrap().is_empty());
    assert!(
        machine
            .processes("/usr/lib/imagewright/babysit")
            .unwrap()
            .is_empty()
    );
    assert!(!machine.path(DAEMON).exists() && machine.path("/etc/default/imageserver").exists());
    // What is left of it does no harm at boot.
    machine.must("/etc/init.d/imageserver start").unwrap();
    machine.must("dpkg --purge imagewright").unwrap();
    for file in [
        "/etc/default/imageserver",
        "/etc/default/imaginator",
        "/etc/init.d/imageserver",
        "/etc/init.d/imaginator",
        "/var/log/imageserver",
    ] {
        assert!(!machine.path(file).exists(), "{file}");
    }
    machine
        .must("test -s /var/lib/imageserver/d/1 && ! ls /etc/rc?.d | grep imageserver")
        .unwrap();
    assert!(
        !machine
            .path("/etc/systemd/system/multi-user.target.wants/imageserver.service")
            .exists()
    );
}
