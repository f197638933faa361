//! What systemd is told: `sd_notify(3)` without its library.

use std::ffi::OsString;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Says that the daemon is ready. Does nothing when systemd did not ask to be told.
pub fn notify_ready() {
    notify("READY=1");
}

/// Says that the daemon is stopping.
pub fn notify_stopping() {
    notify("STOPPING=1");
}

/// Says again and again that the daemon is alive, twice in the time after which systemd would take it for hung. Ends at once
/// when systemd did not ask. What it shows is that the runtime it was spawned on still runs tasks.
pub async fn keep_watchdog_quiet() {
    let Some(limit) = watchdog_limit(|name| std::env::var(name).ok(), std::process::id()) else {
        return;
    };
    let mut ticks = tokio::time::interval(limit / 2);
    loop {
        ticks.tick().await;
        notify("WATCHDOG=1");
    }
}

/// The time systemd lets pass between two signs of life, if it expects any of this process (`sd_watchdog_enabled(3)`).
fn watchdog_limit(variable: impl Fn(&str) -> Option<String>, process: u32) -> Option<Duration> {
    let is_meant = variable("WATCHDOG_PID").is_none_or(|text| text.parse() == Ok(process));
    let microseconds: u64 = variable("WATCHDOG_USEC")?.parse().ok()?;
    (is_meant && microseconds > 1).then(|| Duration::from_micros(microseconds))
}

fn notify(state: &str) {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else {
        return;
    };
    if let Err(error) = send(&socket, state) {
        tracing::warn!(%error, "cannot tell systemd {state}");
    }
}

/// A leading `@` is the abstract namespace.
fn send(socket: &OsString, state: &str) -> io::Result<()> {
    let address = match socket.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(socket)?,
    };
    let datagram = UnixDatagram::unbound()?;
    // A manager that does not read must not stop the daemon.
    datagram.set_nonblocking(true)?;
    datagram.send_to_addr(state.as_bytes(), &address).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_is_told_by_path_and_by_abstract_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let receiver = UnixDatagram::bind(&path).unwrap();
        send(&path.into_os_string(), "READY=1").unwrap();
        let mut buffer = [0; 64];
        let length = receiver.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"READY=1");

        let name = format!("front-test-{}", std::process::id());
        let receiver = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        send(&format!("@{name}").into(), "STOPPING=1").unwrap();
        let length = receiver.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"STOPPING=1");
    }

    #[test]
    fn signs_of_life_are_given_to_whom_they_are_asked_of() {
        let limit = |time: Option<&str>, process: Option<&str>| {
            let variable = |name: &str| match name {
                "WATCHDOG_USEC" => time.map(str::to_owned),
                "WATCHDOG_PID" => process.map(str::to_owned),
                other => panic!("{other}"),
            };
            watchdog_limit(variable, 7)
        };
        assert_eq!(limit(Some("3000000"), Some("7")), Some(Duration::from_secs(3)));
        assert_eq!(limit(Some("3000000"), None), Some(Duration::from_secs(3)));
        for (time, process) in [
            (Some("3000000"), Some("8")),
            (Some("0"), None),
            (Some("soon"), None),
            (None, Some("7")),
            (None, None),
        ] {
            assert_eq!(limit(time, process), None, "{time:?} {process:?}");
        }
    }
}
