//! One connection from the status line to its end (srpc.md §3).

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use futures_util::FutureExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::statistics::CallResult;
use super::{Endpoint, Server, handshake};
use crate::access::{Wanted, decide};
use crate::blocker::Permit;
use crate::call::{Call, Caller};
use crate::conn::{Conn, ConnError};
use crate::http::CONNECTED_ANSWER;
use crate::registry::{Inside, Method, Outcome, Service};
use crate::scope::ConnectionScope;

/// Bytes of a method line.
pub const METHOD_LINE_MAX_BYTES: usize = 4096;
/// For the status line, which always fits into an empty socket buffer.
const STATUS_LINE_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn run(
    server: &Arc<Server>,
    stream: TcpStream,
    received: BytesMut,
    peer: SocketAddr,
    endpoint: Endpoint,
) {
    let local = stream.local_addr().unwrap_or(peer);
    let opened = tokio::select! {
        () = server.draining.cancelled() => return,
        opened = open(server, stream, received, peer, endpoint) => opened,
    };
    if let Some((conn, caller)) = opened {
        answer(server, conn, endpoint, caller, peer, local).await;
    }
}

/// From an established stream to its end.
pub(crate) async fn answer(
    server: &Arc<Server>,
    mut conn: Conn,
    endpoint: Endpoint,
    caller: Caller,
    peer: SocketAddr,
    local: SocketAddr,
) {
    conn.set_stall_timeout(server.policy.stall_timeout);
    let session = Session {
        server,
        endpoint,
        caller: Arc::new(caller),
        peer,
        local,
        connection: Arc::default(),
    };
    match session.answer_calls(&mut conn).await {
        End::Polite => conn.close().await,
        End::Abrupt => {}
    }
}

/// From the accepted CONNECT to an established stream with a known caller.
async fn open(
    server: &Server,
    mut stream: TcpStream,
    received: BytesMut,
    peer: SocketAddr,
    endpoint: Endpoint,
) -> Option<(Conn, Caller)> {
    crate::socket::configure(&stream, server.policy.keep_alive_period);
    let status = tokio::time::timeout(STATUS_LINE_TIMEOUT, stream.write_all(CONNECTED_ANSWER)).await;
    if !matches!(status, Ok(Ok(()))) {
        return None;
    }
    let tls = server.tls();
    if !endpoint.tls {
        let caller = Caller {
            insecure: tls.is_none(),
            ..Caller::default()
        };
        return Some((Conn::new(stream, endpoint.coder, received), caller));
    }
    // What came behind the CONNECT is thrown away, as the reference does: the client has to wait for the status line.
    let accepted = handshake::accept(&*tls?, stream, server.policy.handshake_timeout).await;
    match accepted {
        Ok((stream, caller)) => Some((Conn::new(stream, endpoint.coder, BytesMut::new()), caller)),
        Err(error) => {
            server.counters.reject(error.reason());
            tracing::warn!(%peer, %error, "connection rejected");
            None
        }
    }
}

struct Session<'a> {
    server: &'a Arc<Server>,
    endpoint: Endpoint,
    caller: Arc<Caller>,
    peer: SocketAddr,
    local: SocketAddr,
    connection: Arc<ConnectionScope>,
}

/// How a connection ends.
enum End {
    /// What is buffered is sent, and the peer is told.
    Polite,
    /// Dropped as it is.
    Abrupt,
}

/// Whether the connection goes on after a call.
enum Next {
    Line,
    Drop,
}

impl Session<'_> {
    async fn answer_calls(&self, conn: &mut Conn) -> End {
        let mut draining = pin!(self.server.draining.cancelled());
        loop {
            let line = tokio::select! {
                biased;
                () = &mut draining => return End::Polite,
                line = conn.read_line(METHOD_LINE_MAX_BYTES) => line,
            };
            let result = match line {
                Ok(None) => return End::Polite,
                Ok(Some(line)) => self.answer_line(conn, line.trim()).await,
                Err(error @ ConnError::LineTooLong { .. }) => {
                    // Where the next line starts is unknown: say why, then end.
                    tracing::info!(peer = %self.peer, user = self.caller.username, %error, "method line refused");
                    let _ = conn.write_line(&error.to_string()).await;
                    return End::Polite;
                }
                Err(error) => Err(error),
            };
            match result {
                Ok(Next::Line) => {}
                Ok(Next::Drop) => return End::Abrupt,
                Err(error) => {
                    tracing::trace!(peer = %self.peer, user = self.caller.username, %error, "connection lost");
                    return End::Abrupt;
                }
            }
        }
    }

    async fn answer_line(&self, conn: &mut Conn, line: &str) -> Result<Next, ConnError> {
        let refusal = if line.is_empty() {
            String::new()
        } else {
            match self.look_up(line) {
                Ok((service, method)) => match self.admit(service, method) {
                    Ok((call, permit)) => return self.run_call(conn, method, call, permit).await,
                    Err(refusal) => refusal,
                },
                Err(refusal) => {
                    tracing::info!(peer = %self.peer, user = self.caller.username, refusal, "method line refused");
                    refusal
                }
            }
        };
        conn.write_line(&refusal).await?;
        conn.flush().await?;
        Ok(Next::Line)
    }

    fn look_up(&self, line: &str) -> Result<(&Service, &Method), String> {
        let (service_name, method_name) = match line.split_once('.') {
            Some((service, method)) if !method.contains('.') => (service, method),
            _ => return Err(format!("malformed Service.Method: {line}")),
        };
        let Some(service) = self.server.registry.service(service_name) else {
            return Err(format!("unknown service: {service_name}"));
        };
        match service.methods.get(method_name) {
            Some(method) => Ok((service, method)),
            None => Err(format!("{service_name}: unknown method: {method_name}")),
        }
    }

    fn admit(&self, service: &Service, method: &Method) -> Result<(Call, Permit), String> {
        let wanted = Wanted {
            caller: &self.caller,
            powers_allowed: self.endpoint.powers_allowed,
            method: method.name,
            full_name: &method.full_name,
            access: method.access,
            granter: service.granter.as_ref(),
        };
        let owners = self.server.machine_owners.load();
        let Some(permitted) = decide(&wanted, &[&self.server.policy.trusted, &owners]) else {
            method.statistics.deny();
            tracing::info!(peer = %self.peer, user = self.caller.username, method = %method.full_name, "access denied");
            return Err("access to method denied".to_owned());
        };
        let call = Call {
            caller: Arc::clone(&self.caller),
            have_method_access: permitted.have_method_access,
            peer: self.peer,
            local: self.local,
            service: service.name,
            method: method.name,
            coder: self.endpoint.coder,
            connection: Arc::clone(&self.connection),
            draining: self.server.draining.clone(),
        };
        let permit = match &service.blocker {
            Some(blocker) => blocker.admit(&call)?,
            None => Permit::free(),
        };
        Ok((call, permit))
    }

    async fn run_call(
        &self,
        conn: &mut Conn,
        method: &Method,
        call: Call,
        permit: Permit,
    ) -> Result<Next, ConnError> {
        let start = Instant::now();
        let _running = method.statistics.permit();
        let _counted = self
            .server
            .counters
            .running(!method.statistics.is_request_reply());
        conn.write_all(b"\n").await?;
        conn.flush().await?;
        conn.set_limits(method.erased.limits());
        conn.reset_encoder();
        let inside = Inside::default();
        let caught = AssertUnwindSafe(method.erased.run(&call, conn, &inside))
            .catch_unwind()
            .await;
        drop(permit);
        let result = match &caught {
            Ok(Outcome::Succeeded) => CallResult::Ok,
            Ok(Outcome::Failed(_) | Outcome::Close(_)) => CallResult::Error,
            Err(_) => CallResult::Panic,
        };
        method.statistics.finish(result, start.elapsed(), inside.get());
        let (peer, user, name) = (self.peer, &self.caller.username, &method.full_name);
        match caught {
            Ok(Outcome::Succeeded) => {
                tracing::trace!(%peer, user, method = %name, "call succeeded");
            }
            Ok(Outcome::Failed(error)) => {
                tracing::info!(%peer, user, method = %name, error, "call failed");
            }
            Ok(Outcome::Close(text)) => {
                if let Some(error) = text {
                    tracing::info!(%peer, user, method = %name, error, "call failed, closing the connection");
                }
                return Ok(Next::Drop);
            }
            Err(panic) => {
                self.server.counters.panicked();
                let message = panic_text(panic.as_ref());
                tracing::error!(%peer, user, method = %name, message, "method panicked, closing the connection");
                return Ok(Next::Drop);
            }
        }
        conn.flush().await?;
        Ok(Next::Line)
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text")
}
