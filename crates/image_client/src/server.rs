//! A connection to an image server.

use gob::Gob;
use serde::Serialize;
use serde::de::DeserializeOwned;
use srpc::{Client, ConnectOptions, Stream};

use crate::error::Error;

/// Calls of the `ImageServer` and `ObjectServer` services, one at a time over one connection. An error the server answered with
/// leaves it usable.
pub struct ImageServer {
    client: Client,
}

impl ImageServer {
    /// Connects.
    ///
    /// # Errors
    /// [`Error::Connect`].
    pub async fn connect(options: &ConnectOptions) -> Result<ImageServer, Error> {
        match Client::connect(options).await {
            Ok(client) => Ok(ImageServer { client }),
            Err(source) => Err(Error::Connect {
                address: options.address.clone(),
                source,
            }),
        }
    }

    /// Uses a connection that is there.
    pub fn new(client: Client) -> ImageServer {
        ImageServer { client }
    }

    /// The connection, for calls that are not here.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Gives the connection up.
    pub fn into_client(self) -> Client {
        self.client
    }

    pub(crate) async fn call<Request, Reply>(
        &mut self,
        method: &str,
        request: &Request,
    ) -> Result<Reply, Error>
    where
        Request: Gob + Serialize + DeserializeOwned,
        Reply: Gob + Serialize + DeserializeOwned,
    {
        Ok(self.client.call(method, request).await?)
    }

    pub(crate) async fn open(&mut self, method: &str) -> Result<Stream<'_>, Error> {
        Ok(self.client.open(method).await?)
    }
}

/// Replies that carry their error in a field.
pub(crate) fn refusal(text: String) -> Result<(), Error> {
    if text.is_empty() {
        Ok(())
    } else {
        Err(Error::Refused(text))
    }
}
