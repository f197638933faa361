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
