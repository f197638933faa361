//! One file per verb: its arguments, its help, what it does.

use crate::arguments::Command;
use crate::session::Session;

mod file_of_image;
mod new_image;
mod shared_with;
mod started_job;

/// Declares the modules and what runs them.
macro_rules! verbs {
    ($($module:ident $name:ident),* $(,)?) => {
        $(pub(crate) mod $module;)*
        pub(crate) mod profiles;

        /// Runs a verb.
        pub(crate) async fn run(command: Command, session: &Session) -> anyhow::Result<()> {
            match command {
                $(Command::$name(arguments) => arguments.run(session).await,)*
                // These need no repository, and are done already.
                Command::Profiles(_) | Command::PrintManPages { .. } | Command::PrintCompletion { .. } => Ok(()),
            }
        }
    };
}

verbs![
    // look
    ping Ping,
    list List,
    get Get,
    get_file GetFile,
    get_icon GetIcon,
    channels Channels,
    acl Acl,
    // change
    create Create,
    add_file AddFile,
    activate Activate,
    update Update,
    enable Enable,
    disable Disable,
    delete Delete,
    add_icon AddIcon,
    delete_icon DeleteIcon,
    add_acl AddAcl,
    remove_acl RemoveAcl,
    channel_add ChannelAdd,
    channel_remove ChannelRemove,
    // move
    import Import,
    import_remote ImportRemote,
    copy Copy,
    clone Clone,
    export Export,
    create_from_vm CreateFromVm,
    publish Publish,
    take_in TakeIn,
    change_stor ChangeStor,
    // jobs
    jobs Jobs,
    job Job,
    wait Wait,
    wait_job WaitJob,
    // housekeeping
    state State,
    reload_auth_keys ReloadAuthKeys,
];
