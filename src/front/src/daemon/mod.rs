//! What every daemon does besides its work: flags, log, credentials, signals.

mod begin;
mod common_flags;
mod credentials;
mod outgoing;
mod signals;
mod systemd;

pub use begin::Daemon;
pub use common_flags::{
    common_flags, credential_flags, listen_address, log_flags, port_flag, strict_common_flags,
};
pub use credentials::{LoadedCredentials, load_credentials, policy};
pub use outgoing::{ClientTls, Connect, Outgoing};
pub use signals::{StopSignal, StopSignals};
pub use systemd::{keep_watchdog_quiet, notify_ready, notify_stopping};

/// How long a daemon that was told to stop lets running calls finish.
pub const STOP_LIMIT: std::time::Duration = std::time::Duration::from_secs(30);
