//! A raw method may end its connection without a word on either side (srpc.md §11, `close client`).
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::log::Log;
use common::{Running, no_socket, services};
use srpc::{Call, Conn, Raw, RawError, Registry};

struct Leave;

impl Raw for Leave {
    const NAME: &'static str = "Leave";

    async fn serve(&self, _call: &Call, conn: &mut Conn) -> Result<(), RawError> {
        conn.write_line("bye").await?;
        conn.flush().await?;
        Err(RawError::close_client())
    }
}

#[tokio::test]
async fn a_method_that_closes_its_caller_is_not_logged() {
    let log = Log::default();
    // The server has a thread of its own.
    tracing::subscriber::set_global_default(log.clone()).unwrap();
    let registry = Registry::builder()
        .service(services::test_service().raw(Leave))
        .build();
    let running = Running::start(registry, None, no_socket());
    for (method, line) in [("Test.Leave", Some("bye".to_owned())), ("Test.FailRaw", None)] {
        let mut client = running.connect(None).await.unwrap();
        let mut stream = client.open(method).await.unwrap();
        let first = stream.read_line(100).await.unwrap();
        assert_eq!(first, line, "{method}");
        if first.is_some() {
            assert_eq!(stream.read_line(100).await.unwrap(), None, "{method}");
        }
    }
    let lines = log.lines();
    let about = |name: &str| lines.iter().any(|line| line.contains(name));
    assert!(about("Test.FailRaw") && !about("Test.Leave"), "{lines:?}");
}
