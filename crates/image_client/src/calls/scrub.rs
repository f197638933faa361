//! Reading everything again: our own addition.

use protocol::image_server::{ScrubRequest, ScrubResponse, ScrubStatusRequest, ScrubStatusResponse};
use srpc::CallError;

use crate::error::Error;
use crate::server::ImageServer;

impl ImageServer {
    /// Has the server read everything again, at so many bytes per second (0 for its own rate); the number of the pass, nothing
    /// if the server cannot, as the original cannot.
    ///
    /// # Errors
    /// The call failed.
    pub async fn scrub(&mut self, bytes_per_second: u64) -> Result<Option<u64>, Error> {
        let request = ScrubRequest { bytes_per_second };
        let reply: Result<ScrubResponse, Error> = self.call("ImageServer.Scrub", &request).await;
        match reply {
            Ok(reply) => Ok(Some(reply.number)),
            Err(Error::Call(CallError::Remote(line))) if line.contains("unknown method") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// How that goes.
    ///
    /// # Errors
    /// The call failed.
    pub async fn scrub_status(&mut self) -> Result<ScrubStatusResponse, Error> {
        self.call("ImageServer.ScrubStatus", &ScrubStatusRequest {}).await
    }
}
