//! Options of TCP sockets that both sides set.

use std::time::Duration;

use tokio::net::TcpStream;

/// No delay for small writes, and keep-alive with this period. Best effort: a socket works without.
pub(crate) fn configure(stream: &TcpStream, keep_alive_period: Duration) {
    let result = stream.set_nodelay(true).and_then(|()| {
        rustix::net::sockopt::set_socket_keepalive(stream, true)?;
        rustix::net::sockopt::set_tcp_keepidle(stream, keep_alive_period)?;
        rustix::net::sockopt::set_tcp_keepintvl(stream, keep_alive_period)?;
        Ok(())
    });
    if let Err(error) = result {
        tracing::debug!(%error, "cannot set socket options");
    }
}
