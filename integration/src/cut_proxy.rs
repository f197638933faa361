//! A way to a server that breaks off, or stands still, after so many bytes.

use anyhow::Result;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Both ends are closed after so many bytes to the server.
    CutToServer(u64),
    /// Both ends are closed after so many bytes to the client.
    CutToClient(u64),
    /// Nothing passes any more after so many bytes to the client, and nothing is closed.
    StallToClient(u64),
    /// The same after so many bytes to the server.
    StallToServer(u64),
}

/// A listener that passes connections on to a server. Dropping it closes all of them.
pub struct CutProxy {
    port: u16,
    state: Arc<State>,
}

struct State {
    server: SocketAddr,
    fault: Fault,
    to_server: AtomicU64,
    to_client: AtomicU64,
    is_over: AtomicBool,
}

/// How long a stalled connection looks away before it looks whether the test is over.
const GLANCE: Duration = Duration::from_millis(5);

impl CutProxy {
    /// The fault counts the bytes of all connections together.
    pub fn new(server: SocketAddr, fault: Fault) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(State {
            server,
            fault,
            to_server: AtomicU64::new(0),
            to_client: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        });
        let on_thread = state.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if on_thread.is_over.load(Ordering::SeqCst) {
                    return;
                }
                // A server that is gone closes the connection at once.
                let _ = pass_on(&on_thread, client);
            }
        });
        Ok(Self { port, state })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Bytes that went through so far: to the server, to the client.
    pub fn bytes(&self) -> (u64, u64) {
        let load = |count: &AtomicU64| count.load(Ordering::SeqCst);
        (load(&self.state.to_server), load(&self.state.to_client))
    }
}

impl Drop for CutProxy {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::SeqCst);
        // Wakes the listener, which then ends.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn pass_on(state: &Arc<State>, client: TcpStream) -> Result<()> {
    let server = TcpStream::connect(state.server)?;
    let (up, down) = match state.fault {
        Fault::None => (None, None),
        Fault::CutToServer(after) => (Some((after, false)), None),
        Fault::CutToClient(after) => (None, Some((after, false))),
        Fault::StallToServer(after) => (Some((after, true)), None),
        Fault::StallToClient(after) => (None, Some((after, true))),
    };
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    let up_state = state.clone();
    std::thread::spawn(move || copy(&up_state, &up_state.to_server, up, from_client, to_server));
    let down_state = state.clone();
    std::thread::spawn(move || copy(&down_state, &down_state.to_client, down, server, client));
    Ok(())
}

/// Copies one direction until it ends, or the fault comes.
fn copy(
    state: &State,
    count: &AtomicU64,
    fault: Option<(u64, bool)>,
    mut from: TcpStream,
    mut to: TcpStream,
) {
    let mut buffer = [0; 16 << 10];
    let _ = from.set_read_timeout(Some(GLANCE));
    loop {
        let length = match from.read(&mut buffer) {
            Ok(0) => {
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
            Ok(length) => length,
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) =>
            {
                if state.is_over.load(Ordering::SeqCst) {
                    return close(&from, &to);
                }
                continue;
            }
            Err(_) => return close(&from, &to),
        };
        let before = count.fetch_add(length as u64, Ordering::SeqCst);
        if let Some((after, stalls)) = fault
            && before + length as u64 > after
        {
            let rest = usize::try_from(after.saturating_sub(before)).unwrap_or(0);
            let _ = to.write_all(&buffer[..rest.min(length)]);
            while stalls && !state.is_over.load(Ordering::SeqCst) {
                std::thread::sleep(GLANCE);
            }
            return close(&from, &to);
        }
        if to.write_all(&buffer[..length]).is_err() {
            return close(&from, &to);
        }
    }
}

fn close(from: &TcpStream, to: &TcpStream) {
    for end in [from, to] {
        let _ = end.shutdown(Shutdown::Both);
    }
}
