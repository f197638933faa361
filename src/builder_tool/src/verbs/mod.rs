//! One file per verb: its name, its place in the help, what it does (`builder-tool.md §2`). Those that build here are in
//! [`crate::local`].

use flags::Verb;

use crate::local::{
    build_from_manifest, build_raw_from_manifest, build_tree_from_manifest, process_manifest,
};
use crate::session::Session;

/// Headings of the help.
pub(crate) const BUILD: &str = "build";
pub(crate) const LOCAL: &str = "build here";
pub(crate) const LOOK: &str = "look";
pub(crate) const CONTROL: &str = "control";

/// Declares the modules and what finds them by name.
macro_rules! verbs {
    ($($module:ident),* ; $($local:ident),* $(,)?) => {
        $(mod $module;)*

        /// All verbs for the help.
        pub(crate) fn all() -> Vec<Verb> {
            vec![$($module::verb(),)* $($local::verb()),*]
        }

        /// Runs a verb; beside the result the words that precede an error.
        pub(crate) async fn run(
            verb: &str,
            session: &mut Session,
            arguments: &[String],
        ) -> (&'static str, anyhow::Result<()>) {
            match verb {
                $($module::NAME => ($module::DOING, $module::run(session, arguments).await),)*
                $($local::NAME => ($local::DOING, $local::run(session, arguments).await),)*
                other => ("error", Err(anyhow::anyhow!("there is no command {other}"))),
            }
        }
    };
}

verbs![
    build_image,
    cancel,
    get_dependencies,
    get_digraph,
    start_auto_builds,
    disable_auto_builds,
    disable_build_requests,
    enable_build_requests,
    get_page_token,
    replace_idle_slaves;
    build_from_manifest,
    build_tree_from_manifest,
    process_manifest,
    build_raw_from_manifest,
];
