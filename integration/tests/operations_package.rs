//! The Debian package on a bare Debian without a service manager.
#![allow(clippy::unwrap_used)]

use anyhow::{Context, Result, ensure};
use integration::machine::{Machine, debian_tree, repository};
use integration::programs::all_programs;
use std::path::Path;
use std::process::Command;

const PORT: u16 = 6971;
const DAEMON: &str = "/usr/sbin/imageserver";
/// Local packages only: no mirror is asked.
const INSTALL: &str = "apt-get -qq --yes --no-install-recommends -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=/dev/null install";

/// Builds the package from the programs under test and puts it into the machine as `/var/tmp/VERSION.deb`.
fn package(machine: &Machine, version: &str) -> Result<()> {
    let out = tempfile::tempdir()?;
    let output = Command::new(repository("scripts/deb.sh"))
        .arg("--programs")
        .arg(all_programs()?)
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
    let image = serves_a_repository(&machine);
    let repository = repository_process(&machine).unwrap();
    upgrades(&machine);
    upgrades_a_repository(&machine, repository, &image);
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
        "/usr/sbin/imgapi",
        "/usr/bin/imgapi-cli",
        "/usr/lib/systemd/system/imgapi.service",
        "/etc/default/imgapi",
        "/usr/share/man/man8/imgapi.8.gz",
        "/usr/share/man/man1/imgapi-cli.1.gz",
        "/usr/share/doc/imagewright/imgapi.md",
        "/usr/share/doc/imagewright/config-samples/imgapi/public.json",
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
        "/usr/lib/systemd/system/imgapi.service",
        "/etc/init.d/imgapi",
        "/usr/lib/imagewright/settings-imgapi",
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
    machine
        .must("test -L /etc/systemd/system/multi-user.target.wants/imgapi.service && ls /etc/rc2.d/S??imgapi")
        .unwrap();
    assert_eq!(machine.run("service imgapi status").unwrap().code, 3);
    assert!(
        said.contains("Next steps: /usr/share/doc/imagewright/imgapi.md"),
        "{said}"
    );
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

const REPOSITORY: &str = "IMGAPI_CLI_URL=http://127.0.0.1:8080 imgapi-cli";

fn repository_process(machine: &Machine) -> Result<u32> {
    machine
        .read("/run/imgapi.pid")?
        .trim()
        .parse()
        .context("a process number")
}

fn wait_for_repository(machine: &Machine) {
    machine
        .wait_until("the image repository", || {
            Ok(machine.run(&format!("{REPOSITORY} ping"))?.code == 0)
        })
        .unwrap();
}

/// What docs/imgapi.md tells to do; gives the image.
fn serves_a_repository(machine: &Machine) -> String {
    machine
        .write(
            "/etc/imgapi/imgapi.config.json",
            "{\"baseDir\": \"/var/lib/imgapi\", \"authType\": \"none\"}\n",
        )
        .unwrap();
    machine.must("service imgapi start").unwrap();
    wait_for_repository(machine);
    let process = repository_process(machine).unwrap();
    assert_eq!(
        machine.must(&format!("stat -c %U /proc/{process}")).unwrap(),
        "imgapi\n"
    );
    // A change that needs it restarts the daemon in place, and the baby-sitter sees nothing of it.
    machine
        .write(
            "/etc/imgapi/imgapi.config.json",
            "{\"baseDir\": \"/var/lib/imgapi\", \"authType\": \"none\", \"mode\": \"private\"}\n",
        )
        .unwrap();
    machine
        .wait_until("the restart", || {
            // Each run begins a file of its own.
            let again = "grep -q 'Restarting for mode' /var/log/imgapi/* && grep -q 'listening on' /var/log/imgapi/latest";
            let old = "grep -q 'Restarting for mode' /var/log/imgapi/latest";
            Ok(machine.run(&format!("{again} && ! {old}"))?.code == 0)
        })
        .unwrap();
    wait_for_repository(machine);
    assert_eq!(repository_process(machine).unwrap(), process);
    machine
        .must(&format!(
            "echo hello >/root/file && cd /root
             {REPOSITORY} create name=base version=1 type=other os=other public=false owner=930896af-bf8c-48d4-885c-6573a94b1853 -f file -c none >/root/created
             {REPOSITORY} list -H -o uuid >/root/image"
        ))
        .unwrap();
    let image = machine.read("/root/image").unwrap().trim().to_owned();
    assert_eq!(image.len(), 36, "{image}");
    image
}

fn upgrades_a_repository(machine: &Machine, before: u32, image: &str) {
    machine
        .wait_until("another daemon", || {
            Ok(repository_process(machine).is_ok_and(|now| now != before))
        })
        .unwrap();
    wait_for_repository(machine);
    machine
        .must(&format!(
            "{REPOSITORY} get-file {image} -o /root/copied && cmp /root/file /root/copied"
        ))
        .unwrap();
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
        "/etc/default/imgapi",
        "/etc/init.d/imgapi",
        "/var/log/imageserver",
        "/var/log/imgapi",
    ] {
        assert!(!machine.path(file).exists(), "{file}");
    }
    machine
        .must("test -s /var/lib/imageserver/d/1 && test -d /var/lib/imgapi/manifests && ! ls /etc/rc?.d | grep imageserver")
        .unwrap();
    assert!(
        !machine
            .path("/etc/systemd/system/multi-user.target.wants/imageserver.service")
            .exists()
    );
}
