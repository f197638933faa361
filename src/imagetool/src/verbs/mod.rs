//! One file per verb: its name, its place in the help, what it does (`imagetool.md §4`).

use flags::{Mark, Verb};

use crate::session::Session;

/// How a verb ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Exit code 0.
    Done,
    /// The answer is no: exit code 1, no message.
    No,
}

impl Verdict {
    fn of(yes: bool) -> Verdict {
        if yes { Verdict::Done } else { Verdict::No }
    }
}

mod build;
mod computed_root;
mod described;
mod destination;
mod finish;
mod objects;
mod packager;
mod tool;
mod unreferenced;
mod web;

/// Declares the modules and what finds them by name.
macro_rules! verbs {
    ($($module:ident),* $(,)?) => {
        $(mod $module;)*

        fn available() -> Vec<Verb> {
            vec![$($module::verb()),*]
        }

        /// Runs a verb; beside the result the words that precede an error.
        pub(crate) async fn run(
            verb: &str,
            session: &mut Session,
            arguments: &[String],
        ) -> (&'static str, anyhow::Result<Verdict>) {
            match verb {
                $($module::NAME => ($module::DOING, $module::run(session, arguments).await),)*
                other => ("error", Err(anyhow::anyhow!("this build does not have the command {other} yet"))),
            }
        }
    };
}

verbs![
    // look
    list,
    show,
    check,
    find_latest_image,
    show_metadata,
    show_inode,
    show_filter,
    show_triggers,
    listdirs,
    check_directory,
    estimate_usage,
    get_image_expiration,
    get_package_list,
    get_build_log,
    get_file_in_image,
    get_replication_master,
    get_image_updates,
    get_object_statistics,
    wait,
    // compare
    diff,
    diff_files,
    diff_filters,
    diff_triggers,
    diff_package_lists,
    diff_build_logs,
    match_triggers,
    // change
    add,
    addi,
    addrep,
    copy,
    delete,
    change_image_expiration,
    mkdir,
    rmdir,
    chown,
    // move
    get,
    tar,
    save_to_file,
    restore_from_file,
    get_archive_data,
    import_fs_tree,
    // housekeeping
    list_damaged,
    scrub,
    listunrefobj,
    showunrefobj,
    delunrefobj,
    merge_filters,
    merge_triggers,
    scan_filtered_files,
    test_download_speed,
];

/// Commands of the original that are not here yet, with their arguments.
const MISSING: &[(&str, &str)] = &[
    ("adds", "name subname filterfile triggerfile"),
    ("analyse-file-system", "directory"),
    ("bulk-addrep", "layerimage..."),
    ("copy-filtered-files", "name srcdir destdir"),
    ("list-mdb", ""),
    ("list-not-in-mdb", ""),
    ("make-raw-image", "name rawfile"),
    ("patch-directory", "name directory"),
    ("run-command-in-image-chroot", "name cmd..."),
    ("show-bad-computed-files", ""),
    ("show-bad-image-subs", ""),
    ("show-computed-file-subs", "filename source"),
    ("trace-inode-history", "name inodePath"),
    ("unpack-fs-tree", "dirname treeUrl"),
];

/// All verbs for the help, those that are missing named as such.
pub(crate) fn all() -> Vec<Verb> {
    let missing = MISSING.iter().map(|(name, arguments)| {
        Verb::new(name, arguments, "not in this build yet")
            .group("not in this build yet")
            .mark(Mark::Rare)
    });
    available().into_iter().chain(missing).collect()
}
