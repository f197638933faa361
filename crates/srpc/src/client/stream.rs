//! The stream of a running raw call.

use std::ops::{Deref, DerefMut};

use super::statistics::OpenCall;
use super::{CallError, Client};
use crate::conn::Conn;

/// A raw call in progress; use it as the [`Conn`] it is. [`Stream::finish`] at its regular end keeps the connection for further
/// calls; dropping it closes the connection, since there is no other way to abandon a stream (srpc.md §3.4).
pub struct Stream<'a> {
    client: &'a mut Client,
    conn: Conn,
    _open: OpenCall,
}

impl<'a> Stream<'a> {
    pub(super) fn new(client: &'a mut Client, conn: Conn) -> Self {
        Self {
            client,
            conn,
            _open: OpenCall::begin(),
        }
    }

    /// Sends what is buffered and gives the connection back for the next call.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn finish(mut self) -> Result<(), CallError> {
        self.conn.flush().await?;
        self.client.put_back(self.conn);
        Ok(())
    }
}

impl Deref for Stream<'_> {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Stream<'_> {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}
