//! How the image builder starts, what it refuses, how it ends (`imaginator.md §2`).

// Helpers stand outside the test functions, where the usual leave to unwrap does not reach.
#![allow(clippy::unwrap_used)]

use integration::imaginator::{Workplace, lacks_root};
use integration::programs::program;
use std::process::Command;

#[test]
fn it_starts_only_as_root_with_the_right_umask_and_with_credentials() {
    if lacks_root("it_starts_only_as_root_with_the_right_umask_and_with_credentials") {
        return;
    }
    // Where anybody may run it.
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("imaginator");
    std::fs::copy(program("imaginator").unwrap(), &copy).unwrap();
    Command::new("chmod")
        .args(["755", directory.path().to_str().unwrap()])
        .status()
        .unwrap();
    let run = |script: &str| {
        let output = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(&copy)
            .args(["-logDir=", "-alsoLogToStderr"])
            .arg(format!("-stateDir={}", directory.path().join("state").display()))
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let nobody = "exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$@\"";
    assert_eq!(
        run(nobody),
        (Some(1), "Must run the Image Builder as root\n".to_owned())
    );
    let (code, said) = run("umask 077; exec \"$@\"");
    assert_eq!(code, Some(1));
    assert!(said.contains("Umask must be 022, not 077"), "{said}");
    let (code, said) =
        run("umask 022; exec \"$@\" -CAfile=/nonexistent -certFile=/nonexistent -keyFile=/nonexistent");
    assert_eq!(code, Some(1));
    assert!(said.contains("missing"), "{said}");
    // It comes after the credentials.
    assert!(!directory.path().join("state").exists());
}

#[test]
fn where_memory_lacks_it_is_none_of_the_first_to_be_ended() {
    if lacks_root("where_memory_lacks_it_is_none_of_the_first_to_be_ended") {
        return;
    }
    let of = |process: &str| {
        let score = std::fs::read_to_string(format!("/proc/{process}/oom_score_adj")).unwrap();
        score.trim().parse::<i32>().unwrap()
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let rights = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let rights = u64::from_str_radix(rights.unwrap().trim(), 16).unwrap();
    // CAP_SYS_RESOURCE: without it nothing can be made less likely, and it stays as it is.
    let most = if rights & 1 << 24 == 0 { of("self") } else { -900 };
    let workplace = Workplace::new().unwrap();
    let daemon = workplace.start(&[]).unwrap();
    assert_eq!(of(&daemon.process_id().to_string()), most);
}

#[test]
fn its_mounts_are_its_own_and_it_ends_when_told_to() {
    if lacks_root("its_mounts_are_its_own_and_it_ends_when_told_to") {
        return;
    }
    let workplace = Workplace::new().unwrap();
    let daemon = workplace.start(&[]).unwrap();
    let process = daemon.process_id();
    let namespace = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/mnt")).unwrap();
    assert_ne!(namespace(&process.to_string()), namespace("self"));
    let mounts = std::fs::read_to_string(format!("/proc/{process}/mountinfo")).unwrap();
    assert!(
        !mounts.contains(" shared:"),
        "what is mounted there reaches the host: {mounts}"
    );
    for page in ["/healthz", "/metrics/", "/logs"] {
        assert_eq!(daemon.page(page).unwrap().0, 200, "{page}");
    }
    assert_eq!(daemon.stop().unwrap(), Some(0));
}

#[test]
fn existing_clients_find_the_methods_they_know() {
    if lacks_root("existing_clients_find_the_methods_they_know") {
        return;
    }
    let workplace = Workplace::new().unwrap();
    let daemon = workplace.start(&[]).unwrap();
    let names = |page: &str| {
        let (_, text) = daemon.page(page).unwrap();
        let ours = text.lines().filter_map(|name| name.strip_prefix("Imaginator."));
        ours.map(str::to_owned).collect::<Vec<String>>()
    };
    let specified = [
        "BuildImage",
        "DisableAutoBuilds",
        "DisableBuildRequests",
        "GetDependencies",
        "GetDirectedGraph",
        "ReplaceIdleSlaves",
        "StartAutoBuilds",
    ];
    let all = names("/_goSRPC_/listMethods");
    assert!(
        specified.iter().all(|name| all.iter().any(|known| known == name)),
        "{all:?}"
    );
    assert_eq!(
        names("/_goSRPC_/listPublicMethods"),
        ["BuildImage", "GetDependencies", "GetDirectedGraph"]
    );
}
