//! Messages of the `Logger` service (gob.md §12). The empty name selects the main logger.

use image::record;

record! {
    /// Of `Debug`.
    pub struct DebugRequest {
        /// What to log.
        pub args: Vec<String>,
        /// The logger.
        pub name: String,
        /// Debug level of the message.
        pub level: u8,
    }

    /// Of `Debug`.
    pub struct DebugResponse {}

    /// Of `GetStackTrace`.
    pub struct GetStackTraceRequest {}

    /// Of `GetStackTrace`.
    pub struct GetStackTraceResponse {
        /// Text for people.
        pub data: Vec<u8>,
    }

    /// Of `Print`.
    pub struct PrintRequest {
        /// What to log.
        pub args: Vec<String>,
        /// The logger.
        pub name: String,
    }

    /// Of `Print`.
    pub struct PrintResponse {}

    /// Of `SetDebugLevel`.
    pub struct SetDebugLevelRequest {
        /// The logger.
        pub name: String,
        /// New maximum level, -1 for none.
        pub level: i16,
    }

    /// Of `SetDebugLevel`.
    pub struct SetDebugLevelResponse {}

    /// Of `Watch`.
    pub struct WatchRequest {
        /// Maximum level of debug messages, -1 for none.
        pub debug_level: i16,
        /// Lines that match are left out.
        pub exclude_regex: String,
        /// Lines that do not match are left out, unless empty.
        pub include_regex: String,
        /// The logger.
        pub name: String,
    }

    /// Of `Watch`; log lines follow as text.
    pub struct WatchResponse {
        /// Empty for success.
        pub error: String,
    }
}
