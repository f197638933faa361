//! Go-style flags: one table per program gives parsing, usage, flag files, verbs, completions and the man page.
//!
//! Existing scripts write `-imageDir=/x`, `-imageDir /x` and `--imageDir=/x`; people expect `--image-dir`. All mean
//! the same here, because the arguments are read by one function that knows the table and not by clap, which would
//! take `-imageDir` for a bundle of short flags. clap only draws: [`complete`] is made from a
//! [`clap::Command`] built from the same table. [`man`] is ours, because clap's pages do not know our spelling with one hyphen.
//!
//! Promises: the texts and exit codes of Go's flag package (`imageserver.md §8`, `imagetool.md §1`); parsing stops at
//! the first argument that is not a flag; flag files are read before the command line.
//! Lacks on purpose: environment variables, flags after the verb, abbreviations.
//!
//! ```
//! use flags::{Flag, Outcome, Table};
//! let table = Table::daemon("imageserver", "stores and serves images")
//!     .flag(Flag::string("imageDir", "/var/lib/imageserver", "directory of the images"))
//!     .flag(Flag::boolean("archiveMode", false, "keep everything ever seen"));
//! match table.parse(["--image-dir", "/srv/images", "-archiveMode"].map(String::from)) {
//!     Outcome::Run(values) => {
//!         assert_eq!(values.string("imageDir"), "/srv/images");
//!         assert!(values.boolean("archiveMode"));
//!     }
//!     Outcome::Exit(exit) => exit.leave(),
//! }
//! ```

mod clap_command;
mod documents;
mod files;
mod flag;
mod go_syntax;
mod help;
mod man_page;
mod nearest;
mod outcome;
mod parse;
pub mod shared;
mod table;
mod usage;
mod value;
mod values;
mod verb;
mod version;

pub use clap_command::{Shell, command, complete};
pub use files::{FlagFile, OnProblem};
pub use flag::{Flag, Kind, Prominence};
pub use man_page::man;
pub use nearest::nearest;
pub use outcome::{Exit, Outcome};
pub use table::{Note, Table};
pub use value::{Value, ValueError};
pub use values::{Origin, Values};
pub use verb::{Argument, Arity, Mark, Verb};
pub use version::Version;
