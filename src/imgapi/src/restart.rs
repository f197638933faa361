//! Starting again with what the configuration says now.
//!
//! The process replaces itself: it keeps its number, so that systemd, an init script or a shell that started it sees one daemon that
//! never ended. Ports and the lock of the directory are closed by then, and nothing of the old process is left.

use std::io;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use repository::configuration::Settings;

use crate::listener::tls;
use crate::metrics;

/// Replaces this process by a new one of the same program and arguments. Comes back only with the reason why it could not.
pub(crate) fn again() -> io::Error {
    let program = match program() {
        Ok(program) => program,
        Err(error) => return error,
    };
    Command::new(program).args(std::env::args_os().skip(1)).exec()
}

/// The file this process was started from. After an upgrade that is the new program at the old's place.
fn program() -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    // What the kernel adds to the name of a file that was replaced.
    let name = program.to_string_lossy();
    Ok(name
        .strip_suffix(" (deleted)")
        .map_or_else(|| program.clone(), PathBuf::from))
}

/// Whether a start with these settings would come as far as an open port, as far as that can be told while the old ones serve: a configuration
/// that is good in itself must not end a daemon that runs.
///
/// # Errors
/// Why not, for people.
pub(crate) fn check(old: &Settings, new: &Settings) -> Result<(), String> {
    if !Path::new(&new.own.base).is_dir() {
        return Err(format!("baseDir {} is no directory", new.own.base));
    }
    if let Some(tls) = &new.own.tls {
        tls::acceptor(tls).map_err(|error| error.to_string())?;
    }
    let used = places(old);
    for (address, port) in places(new) {
        if used.contains(&(address.clone(), port)) {
            continue;
        }
        // Everybody who listens on all addresses has the port already on each of them, and this would fail for that alone.
        if used.iter().any(|(_, taken)| *taken == port) {
            continue;
        }
        TcpListener::bind((address.as_str(), port))
            .map_err(|error| format!("cannot listen on {address}:{port}: {error}"))?;
    }
    Ok(())
}

/// Where it listens with these settings.
fn places(settings: &Settings) -> Vec<(String, u16)> {
    let mut places = vec![(settings.address.clone(), settings.port)];
    if let Some(tls) = &settings.own.tls {
        places.push((settings.address.clone(), tls.port));
    }
    places.extend(metrics::place(settings));
    places
}
