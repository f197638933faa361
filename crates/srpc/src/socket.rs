//! Options of TCP sockets that both sides set.

use std::time::Duration;

use tokio::net::TcpStream;

/// Time between two probes of a connection that does not answer. After nine of them the kernel gives it up; with the period
/// of keep-alive between them, as in the original, a replica would take its dead link for a quiet one for most of an hour.
const PROBE_INTERVAL: Duration = Duration::from_secs(30);

/// No delay for small writes, and keep-alive with this period. Best effort: a socket works without.
pub(crate) fn configure(stream: &TcpStream, keep_alive_period: Duration) {
    let result = stream.set_nodelay(true).and_then(|()| {
        rustix::net::sockopt::set_socket_keepalive(stream, true)?;
        rustix::net::sockopt::set_tcp_keepidle(stream, keep_alive_period)?;
        rustix::net::sockopt::set_tcp_keepintvl(stream, keep_alive_period.min(PROBE_INTERVAL))?;
        Ok(())
    });
    if let Err(error) = result {
        tracing::debug!(%error, "cannot set socket options");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::sockopt::{tcp_keepidle, tcp_keepintvl};

    #[tokio::test]
    async fn a_connection_that_has_died_is_noticed_within_minutes() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        for (period, interval) in [(300, 30), (10, 10)] {
            configure(&stream, Duration::from_secs(period));
            assert_eq!(tcp_keepidle(&stream).unwrap(), Duration::from_secs(period));
            assert_eq!(tcp_keepintvl(&stream).unwrap(), Duration::from_secs(interval));
        }
    }
}
