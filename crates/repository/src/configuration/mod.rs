//! Configuration: defaults, instance file, computed values, checks (imgapi-operations.md §1, §2).

mod defaults;
mod join;
mod keys;
mod own;
mod read;
mod settings;
mod users;

pub use defaults::defaults;
pub use join::{BuildTarget, JoinSettings, PublishRule, TakeIn, WhenGone};
pub use keys::{KEYS, Key, Meaning};
pub use own::{OwnSettings, Tls};
pub use read::{Configuration, ConfigurationError, Origin};
pub use settings::{AuthType, Manta, Settings};
pub use users::UserTable;
