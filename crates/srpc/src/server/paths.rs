//! The paths of the protocol (srpc.md §2.1).

/// Without TLS, gob; and everything below.
pub const PLAIN_GOB: &str = "/_goSRPC_/";
/// With TLS, gob; and everything below.
pub const TLS_GOB: &str = "/_go_TLS_SRPC_/";
/// Without TLS, JSON.
pub const PLAIN_JSON: &str = "/_SRPC_/unsecured/JSON";
/// With TLS, JSON.
pub const TLS_JSON: &str = "/_SRPC_/TLS/JSON";
/// The query key that gives up method powers (srpc.md §7.5).
pub const NO_POWERS: &str = "doNotUseMethodPowers";
