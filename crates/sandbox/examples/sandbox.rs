//! Runs a command in a sandbox, to look at what it sees there. As root:
//!
//! ```text
//! sandbox tree ROOT [OPTION]... -- PROGRAM [ARGUMENT]...    in a tree of its own
//! sandbox host DIRECTORY [OPTION]... -- PROGRAM [ARGUMENT]...    with the host's programs, filling a directory
//! options: --network=none|outside|host  --seconds=N  --memory=BYTES  --processes=N  --disk=BYTES  --bind=PATH  --times=N
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)] // A program to try things out by hand.

use sandbox::{Bind, Command, Network, Spec, View};
use std::process::ExitCode;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    if let Some(code) = sandbox::run_if_child() {
        return code;
    }
    let mut words = std::env::args().skip(1);
    let (kind, path) = (
        words.next().expect("tree or host"),
        words.next().expect("a directory"),
    );
    let options: Vec<String> = words.by_ref().take_while(|word| word != "--").collect();
    let view = match kind.as_str() {
        "tree" => View::Tree { root: path.into() },
        "host" => View::Host {
            writable: path.into(),
        },
        other => panic!("{other}: tree or host"),
    };
    let mut spec = Spec::new(view, words);
    let mut times = 1;
    for option in options {
        let (name, value) = option.split_once('=').expect("NAME=VALUE");
        let number = || value.parse::<u64>().expect("a number");
        match name {
            "--network" => {
                spec.network = match value {
                    "none" => Network::None,
                    "outside" => Network::Outside,
                    "host" => Network::Host,
                    other => panic!("{other}: no such network"),
                }
            }
            "--seconds" => spec.limits.time = Some(Duration::from_secs(number())),
            "--memory" => spec.limits.memory_bytes = Some(number()),
            "--processes" => spec.limits.processes = Some(number()),
            "--bind" => spec.binds.push(Bind {
                source: value.into(),
                target: value.into(),
                writable: false,
            }),
            "--disk" => spec.limits.disk_bytes = Some(number()),
            "--times" => times = number(),
            other => panic!("{other}: no such option"),
        }
    }
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    for (name, value) in [
        ("HOME", "/"),
        ("LOGNAME", "root"),
        ("PATH", path),
        ("USER", "root"),
    ] {
        spec.environment.push((name.to_owned(), value.to_owned()));
    }
    let start = Instant::now();
    for _ in 0..times {
        let outcome = Command::new()
            .run(&spec, |line| println!("{}", line.text()))
            .expect("a sandbox");
        if !outcome.is_success() {
            eprintln!("{outcome}");
            return ExitCode::FAILURE;
        }
    }
    eprintln!("{:?} each", start.elapsed() / times.max(1) as u32);
    ExitCode::SUCCESS
}
