//! Configuration: defaults, instance file, computed values, checks (imgapi-operations.md §1, §2).

mod defaults;
mod keys;
mod read;
mod settings;

pub use defaults::defaults;
pub use keys::{KEYS, Key, Meaning};
pub use read::{Configuration, ConfigurationError, Origin};
pub use settings::{AuthType, Manta, Settings};
