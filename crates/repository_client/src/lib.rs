//! A client of image repositories (IMGAPI): one method a call, requests signed with an SSH key, files that are checked while they pass.
//!
//! Promises:
//! * No file is held in memory, neither up nor down, and no answer without a bound.
//! * A download that ends well has the digests that the repository announced. A connection that breaks is made again and
//!   goes on where it was; so does an upload where the repository can do that.
//! * [`save`](Client::save) shows a file under its name when it is whole, checked and on stable storage, not before.
//! * Errors carry the repository's own code and message.
//! * Every wait has an end.
//!
//! Lacks on purpose: caches, retries of calls that change something (whoever calls knows whether that is safe), redirects
//! (a signed write must not go where nobody sent it).
//!
//! | module | what |
//! | --- | --- |
//! | [`Client`] | address, calls |
//! | [`Auth`], [`Agent`] | who asks: a key in a file or in an SSH agent |
//! | [`Options`] | time-outs, authorities for TLS, proxy |
//! | [`Image`] | a manifest as it was answered |
//! | [`Download`], [`FileRequest`] | a file as a stream of checked bytes |
//! | [`AddFile`], [`Progress`] | what an upload says, how far a transfer is |
//! | [`ClientError`], [`Refusal`] | what went wrong, and what the repository says about it |

mod agent;
mod auth;
mod call;
mod calls;
mod client;
mod download;
mod error;
mod image;
mod options;
mod progress;
mod pulse;
mod save;
mod upload;

pub use agent::{Agent, AgentError, AgentKey};
pub use auth::{Auth, IdentityError};
pub use calls::create::{ImportImage, NewMachineImage};
pub use calls::get::GetImage;
pub use calls::jobs::{JobStatus, StartedJob};
pub use calls::list::{ListImages, Pages};
pub use calls::ping::Ping;
pub use client::Client;
pub use download::{Download, FileRequest};
pub use error::{ClientError, Refusal};
pub use image::{Image, ImageFile};
pub use options::Options;
pub use progress::Progress;
pub use save::Saved;
pub use upload::AddFile;
