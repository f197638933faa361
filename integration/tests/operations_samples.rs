//! The samples work as they stand.
#![allow(clippy::unwrap_used)]

use integration::machine::{Machine, debian_tree, repository};

const ROLES: &[&str] = &["master", "replica", "archiver"];

/// A machine with everything installed, and certificates as docs/operating.md tells to make them.
fn machine(test: &str) -> Option<Machine> {
    let machine = Machine::start(&debian_tree(test)?).unwrap();
    machine.install_by_hand().unwrap();
    machine
        .must(
            "imagewright certs ca --out /root/pki && cp /root/pki/CA.pem /etc/ssl/
             imagewright certs issue --ca /root/pki --user imageserver --server localhost --out /etc/ssl/imageserver
             chown -R imageserver: /etc/ssl/imageserver
             imagewright certs issue --ca /root/pki --user root --preset admin --out /root/.ssl",
        )
        .unwrap();
    Some(machine)
}

fn use_sample(machine: &Machine, role: &str) {
    let sample = std::fs::read_to_string(repository(&format!("config-samples/{role}/flags.extra"))).unwrap();
    machine.write("/etc/imageserver/flags.extra", &sample).unwrap();
}

#[test]
fn the_sample_of_a_master_takes_an_image_from_whoever_may_add_one() {
    let Some(machine) = machine("the_sample_of_a_master_takes_an_image_from_whoever_may_add_one") else {
        return;
    };
    use_sample(&machine, "master");
    machine.must("/etc/init.d/imageserver start").unwrap();
    machine.wait_until_healthy(6971).unwrap();
    machine
        .must(
            "mkdir /root/tree && echo hello >/root/tree/file && touch /root/none
             imagetool -requiredPaths= mkdir d
             imagetool -requiredPaths= add d/1 /root/tree /root/none ''",
        )
        .unwrap();
    assert_eq!(machine.must("imagetool list").unwrap(), "d/1\n");
    let (status, _) = machine.page(6971, "/listImages?output=text").unwrap();
    assert_eq!(status, 200);
    // Somebody without a certificate does nothing.
    let ended = machine
        .run("imagetool -certDirectory=/nonexistent mkdir e")
        .unwrap();
    assert_ne!(ended.code, 0, "{ended:?}");
    machine.must("/etc/init.d/imageserver stop").unwrap();
}

/// A master beside the daemon under test, on an address of its own that has the name of the samples; and what the sample is to reach.
fn start_master(machine: &Machine) {
    machine
        .must(
            "echo 127.0.0.2 images.example.org >>/etc/hosts
             mkdir /srv/master && cd /srv/master && mkdir images objects
             imagewright certs issue --ca /root/pki --user imageserver --server images.example.org --out ssl
             chown -R imageserver: .
             setpriv --reuid=imageserver --regid=imageserver --clear-groups /usr/local/sbin/imageserver -listenAddress=127.0.0.2 \
               -certFile=/srv/master/ssl/cert.pem -keyFile=/srv/master/ssl/key.pem -imageDir=/srv/master/images \
               -objectDir=/srv/master/objects -logDir=/srv/master/log -identityCAfile= </dev/null >/dev/null 2>&1 &
             disown",
        )
        .unwrap();
    // Beside it on the same port.
    machine
        .write("/etc/imageserver/flags.default", "listenAddress=127.0.0.1\n")
        .unwrap();
    let master = "imagetool -imageServerHostname=images.example.org -requiredPaths=";
    machine
        .wait_until("the master", || {
            Ok(machine.run(&format!("{master} listdirs"))?.code == 0)
        })
        .unwrap();
    machine
        .must(&format!(
            "mkdir /root/tree && echo hello >/root/tree/file && touch /root/none
             {master} mkdir d && {master} add d/kept /root/tree /root/none '' && {master} add d/gone /root/tree /root/none ''"
        ))
        .unwrap();
}

/// Starts the daemon with the sample of a role, and a certificate with those powers on the master.
fn start_role(machine: &Machine, role: &str, preset: &str) {
    use_sample(machine, role);
    machine
        .must(&format!(
            "imagewright certs issue --force --ca /root/pki --user replica --preset {preset} --server localhost --out /etc/ssl/imageserver
             chown -R imageserver: /etc/ssl/imageserver
             /etc/init.d/imageserver start"
        ))
        .unwrap();
    machine.wait_until_healthy(6971).unwrap();
}

fn list(machine: &Machine) -> String {
    machine
        .run("imagetool -imageServerHostname=127.0.0.1 list")
        .map(|ended| ended.out)
        .unwrap_or_default()
}

fn wait_for_list(machine: &Machine, expected: &str) {
    machine
        .wait_until(&format!("{expected:?} on the replica"), || {
            Ok(list(machine) == expected)
        })
        .unwrap();
}

const DELETE: &str = "imagetool -imageServerHostname=images.example.org delete d/gone";

#[test]
fn the_sample_of_a_replica_follows_its_master() {
    let Some(machine) = machine("the_sample_of_a_replica_follows_its_master") else {
        return;
    };
    start_master(&machine);
    start_role(&machine, "replica", "replica");
    wait_for_list(&machine, "d/gone\nd/kept\n");
    machine.must(DELETE).unwrap();
    wait_for_list(&machine, "d/kept\n");
    machine
        .must("imagetool -imageServerHostname=127.0.0.1 get d/kept /root/copy && cmp /root/tree/file /root/copy/file")
        .unwrap();
}

#[test]
fn the_sample_of_an_archiver_keeps_what_its_master_deletes() {
    let Some(machine) = machine("the_sample_of_an_archiver_keeps_what_its_master_deletes") else {
        return;
    };
    start_master(&machine);
    start_role(&machine, "archiver", "read-only-replica");
    wait_for_list(&machine, "d/gone\nd/kept\n");
    machine.must(DELETE).unwrap();
    // What comes later is there, so the deletion has been passed over.
    machine
        .must("imagetool -imageServerHostname=images.example.org -requiredPaths= add d/later /root/tree /root/none ''")
        .unwrap();
    wait_for_list(&machine, "d/gone\nd/kept\nd/later\n");
}

/// Flag files are read before `-version` is answered, and an unknown flag or a bad value in them ends the program.
#[test]
fn every_sample_names_flags_that_there_are_with_values_they_take() {
    let Some(machine) = machine("every_sample_names_flags_that_there_are_with_values_they_take") else {
        return;
    };
    let version =
        "setpriv --reuid=imageserver --regid=imageserver --clear-groups /usr/local/sbin/imageserver -version";
    for role in ROLES {
        use_sample(&machine, role);
        machine.must(version).unwrap();
    }
    machine
        .write("/etc/imageserver/flags.extra", "noSuchFlag=1\n")
        .unwrap();
    assert_eq!(machine.run(version).unwrap().code, 1);
}
