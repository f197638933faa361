//! What a command reaches over each network.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Tree, run, runs, wrapper};
use sandbox::{Network, Outcome, Spec};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

fn with_network(tree: &Tree, network: Network, script: &str) -> Spec {
    let mut spec = tree.spec(script);
    spec.network = network;
    spec
}

fn has_pasta() -> bool {
    let is_there = Path::new("/usr/bin/pasta").exists();
    if !is_there {
        common::skip_without("pasta (package passt)");
    }
    is_there
}

/// A server that says a word to everybody who connects.
fn server(address: &str) -> u16 {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let _ = connection.unwrap().write_all(b"reached\n");
        }
    });
    port
}

#[test]
fn without_network_there_is_a_loopback_interface_and_nothing_else() {
    let Some(tree) = Tree::new() else { return };
    let (outcome, output) =
        tree.run("ls /sys/class/net; cat /proc/net/unix | grep -c @; grep -c . /proc/net/route");
    assert!(output.starts_with("lo\n0\n"), "{outcome:?} {output}");
}

#[test]
fn the_outside_is_reached_and_the_host_s_loopback_and_abstract_sockets_are_not() {
    let Some(tree) = Tree::new() else { return };
    if !has_pasta() {
        return;
    }
    let inside = server("127.0.0.1");
    let name = format!("imagewright-test-{}", std::process::id());
    let address =
        <std::os::unix::net::SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(&name)
            .unwrap();
    let _abstract_socket = std::os::unix::net::UnixListener::bind_addr(&address).unwrap();
    // A gateway may answer nothing at all.
    let reach = |host: &str, port: u16| {
        format!(
            "timeout 3 bash -c \"exec 3<>/dev/tcp/{host}/{port} && head -1 <&3\" 2>/dev/null || echo {host} refused\n"
        )
    };
    let gateway = "$(while read _ to by _; do [ $to = 00000000 ] && echo $((16#${by:6:2})).$((16#${by:4:2})).$((16#${by:2:2})).$((16#${by:0:2})); done </proc/net/route | head -1)";
    let script = [
        reach("127.0.0.1", inside),
        reach(gateway, inside),
        format!("grep -c {name} /proc/net/unix; ls /sys/class/net | wc -l; grep -c 00000000 /proc/net/route"),
    ]
    .concat();
    let mut spec = with_network(&tree, Network::Outside, "");
    spec.argv = ["/bin/bash", "-c", &script].map(str::to_owned).to_vec();
    let (outcome, output) = run(&spec);
    assert!(!output.contains("reached"), "{outcome:?} {output}");
    assert!(output.contains("127.0.0.1 refused"), "{output}");
    // Not the abstract socket; two interfaces; a route to the outside.
    let last: Vec<&str> = output.lines().rev().take(3).collect();
    assert_eq!((last[2], last[1]), ("0", "2"), "{output}");
    assert_ne!(last[0], "0", "{output}");
}

#[test]
fn what_joins_the_network_ends_with_its_supervisor_however_that_dies() {
    let Some(tree) = Tree::new() else { return };
    if !has_pasta() {
        return;
    }
    let spec = with_network(&tree, Network::Outside, "echo begun; sleep 3607.25");
    let command = sandbox::Command::by(env!("CARGO_BIN_EXE_sandbox-child"));
    let mut running = command.start(&spec).unwrap();
    let mut output = running.take_output().unwrap();
    let mut begun = [0; 6];
    output.read_exact(&mut begun).unwrap();
    assert_eq!(&begun, b"begun\n");
    let supervisor = running.process();
    let joined = children_of(supervisor);
    assert!(joined.len() >= 2, "{joined:?}");
    let supervisor = rustix::process::Pid::from_raw(supervisor.cast_signed()).unwrap();
    rustix::process::kill_process(supervisor, rustix::process::Signal::KILL).unwrap();
    common::eventually("all have ended", || {
        !runs("3607.25")
            && joined
                .iter()
                .all(|process| !Path::new("/proc").join(process).exists())
    });
    assert!(running.wait().is_err());
}

/// Processes with this one as their parent.
fn children_of(parent: u32) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter(|name| {
            let stat = std::fs::read_to_string(format!("/proc/{name}/stat")).unwrap_or_default();
            let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
            after.split_whitespace().nth(1) == Some(&parent.to_string())
        })
        .collect()
}

#[test]
fn without_the_program_that_joins_them_the_error_says_what_to_install() {
    let Some(tree) = Tree::new() else { return };
    let command = wrapper(
        tree.directory.path(),
        "for program in /usr/bin/pasta /usr/local/bin/pasta; do
             [ ! -e $program ] || { mkdir -p $(dirname $0)/empty; mount --bind $(dirname $0)/empty $(dirname $program); }
         done",
    );
    let error = command
        .run(&with_network(&tree, Network::Outside, "echo ran"), |_| {})
        .unwrap_err();
    assert!(error.to_string().contains("install the package passt"), "{error}");
}

#[test]
fn sysfs_is_mounted_again_without_a_word_whatever_the_network() {
    let Some(tree) = Tree::new() else { return };
    for network in [Network::None, Network::Host] {
        let script = "mkdir -p /new/sys; mount -n none -t proc /proc && mount -n none -t sysfs /sys && mount -t sysfs sysfs /new/sys && \
             ls /new/sys | grep class; touch /sys/x /new/sys/x 2>/dev/null || echo closed; umount /new/sys; rmdir /new/sys";
        let (outcome, output) = run(&with_network(&tree, network, script));
        assert_eq!(
            (outcome, output.as_str()),
            (Outcome::Exited(0), "class\nclosed\n")
        );
    }
}
