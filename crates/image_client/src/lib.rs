//! Typed calls and flows of the image services, for tools, replicator and builder alike.
//!
//! [`ImageServer`] has one method per call of the `ImageServer` service, and the small ones of `ObjectServer`. Objects move in
//! bulk: [`AddQueue`] sends what the server lacks while the sender still produces, [`fetch`] brings objects in order. The
//! [`flows`] put these together: finish an image (`imagetool.md §6.2`), scan and send, fetch and unpack.
//!
//! Promises: errors a server answers with keep their text; nothing waits for ever on a peer that fell silent; what is in flight
//! is bounded in bytes; received objects are verified before they count. Lacks: retries and pools, which
//! depend on who is calling; anything that prints.

pub mod add_queue;
mod calls;
mod connections;
pub mod error;
pub mod fetch;
pub mod flows;
mod server;
pub mod updates;

pub use add_queue::{AddOptions, AddQueue, AddReport};
pub use calls::Selection;
pub use connections::{Connect, Connections};
pub use error::Error;
pub use fetch::ObjectStream;
pub use server::ImageServer;
