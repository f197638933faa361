//! SRPC: calls and streams over a connection that starts life as an HTTP CONNECT; client and server.
//!
//! An SRPC server shares its port with web pages. A client asks for a path by `CONNECT`, gets one status line, does a TLS
//! handshake inside the same connection where the path says so, and from then on sends lines `Service.Method`. A method
//! either takes one value and answers with one ([`RequestReply`]), or owns the byte stream while it runs ([`Raw`]). Values
//! are gob or JSON. Who may call what is written in the caller's certificate ([`powers`]).
//!
//! Promises: byte for byte what Go's peers send and expect; no wait inside a message or transfer without an end, none between
//! calls with one; buffers bounded, except for one value of the size that [`gob::Limits`] allow; a panic in a method
//! ends its connection only; bulk bytes are copied once at most.
//!
//! Lacks on purpose: several calls at a time on one connection (the protocol has none), listeners that speak TLS before
//! CONNECT, tunnels through another SRPC server, verification of servers (their certificates are self-signed by custom), questions to a metadata
//! service unless told to.
//!
//! Server: [`ServiceBuilder`] → [`Registry`] → [`Server`]; the port's owner asks [`Server::endpoint`] and hands the stream to
//! [`Server::serve_plain`], or leaves both to [`server::listener`]. Client: [`Client::connect`], [`Client::call`],
//! [`Client::open`].

pub mod access;
mod blocker;
mod call;
pub mod client;
mod coder;
pub mod conn;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod http;
pub mod json;
mod method;
pub mod pages;
pub mod powers;
mod registry;
mod scope;
pub mod server;
mod socket;
pub mod tls;
mod upgrade_messages;

pub use access::Trusted;
pub use blocker::{Blocker, PerUserLimit, Permit};
pub use call::{Call, Caller};
pub use client::{CallError, Client, ConnectError, ConnectOptions, Proxy, Stream};
pub use coder::{Coder, Message};
pub use conn::{Conn, ConnError, ReadHalf, Transport, WriteHalf};
pub use method::{
    Access, DEFAULT_REQUEST_MAX_BYTES, DEFAULT_REQUEST_MAX_MEMORY_BYTES, MethodError, Raw, RawError,
    RequestReply,
};
pub use registry::{Granter, Registry, RegistryBuilder, ServiceBuilder};
pub use scope::ConnectionScope;
pub use server::{Decision, Endpoint, Policy, Server, UnixSocket};
