//! What a command line may say.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use repository::Uuid;

use crate::verbs;

#[derive(Parser)]
#[command(
    name = "imgapi-cli",
    version,
    about = "Lists, fetches and changes the images of a repository (IMGAPI)",
    arg_required_else_help = true,
    disable_help_subcommand = false,
    after_help = "Environment: IMGAPI_CLI_URL, IMGAPI_CLI_USER, IMGAPI_CLI_IDENTITY, IMGAPI_CLI_CHANNEL, IMGAPI_CLI_ACCOUNT, \
                  IMGAPI_CLI_INSECURE, IMGAPI_CLI_CA_FILE, IMGAPI_CLI_PROFILE stand for the flags of these names; \
                  IMGAPI_CLI_AUTH=none signs nothing.\n\
                  A flag counts more than the environment, and that more than a profile that nobody named.\n\n\
                  Exit codes: 0 done, 1 failed, 2 wrong use, 3 not there, 4 not allowed, 130 interrupted."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every verb takes.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Common {
    /// Address of the repository, with ?channel=NAME if you like (default http://localhost:8080)
    #[arg(long, global = true, value_name = "URL", help_heading = "Repository")]
    pub(crate) url: Option<String>,
    /// Named settings, see `imgapi-cli profiles`
    #[arg(
        long,
        short = 'P',
        global = true,
        value_name = "NAME",
        help_heading = "Repository"
    )]
    pub(crate) profile: Option<String>,
    /// Channel of the repository; "*" for all, where that makes sense
    #[arg(
        long,
        short = 'C',
        global = true,
        value_name = "NAME",
        help_heading = "Repository"
    )]
    pub(crate) channel: Option<String>,
    /// Who you are; requests are signed
    #[arg(
        long,
        short = 'u',
        global = true,
        value_name = "NAME",
        help_heading = "Repository"
    )]
    pub(crate) user: Option<String>,
    /// Your SSH key: a file, or the fingerprint of a key of your SSH agent (default ~/.ssh/id_rsa, id_ecdsa, id_ed25519)
    #[arg(
        long,
        short = 'i',
        global = true,
        value_name = "KEY",
        help_heading = "Repository"
    )]
    pub(crate) identity: Vec<String>,
    /// On whose behalf you ask, in a datacenter
    #[arg(long, global = true, value_name = "UUID", value_parser = uuid, help_heading = "Repository")]
    pub(crate) account: Option<Uuid>,
    /// Authorities for TLS that are trusted as well, in PEM
    #[arg(long, global = true, value_name = "FILE", help_heading = "Repository")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Do not check certificates
    #[arg(long, global = true, help_heading = "Repository")]
    pub(crate) insecure: bool,
    /// Results for programs
    #[arg(long, short = 'j', global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// No progress
    #[arg(long, short = 'q', global = true, help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Tell more about failures
    #[arg(long, short = 'd', global = true, help_heading = "Output")]
    pub(crate) debug: bool,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Ping(verbs::ping::Arguments),
    List(verbs::list::Arguments),
    #[command(visible_aliases = ["show", "info"])]
    Get(verbs::get::Arguments),
    GetFile(verbs::get_file::Arguments),
    GetIcon(verbs::get_icon::Arguments),
    Channels(verbs::channels::Arguments),
    Create(verbs::create::Arguments),
    AddFile(verbs::add_file::Arguments),
    Activate(verbs::activate::Arguments),
    Update(verbs::update::Arguments),
    Enable(verbs::enable::Arguments),
    Disable(verbs::disable::Arguments),
    Delete(verbs::delete::Arguments),
    AddIcon(verbs::add_icon::Arguments),
    DeleteIcon(verbs::delete_icon::Arguments),
    Acl(verbs::acl::Arguments),
    AddAcl(verbs::add_acl::Arguments),
    RemoveAcl(verbs::remove_acl::Arguments),
    ChannelAdd(verbs::channel_add::Arguments),
    ChannelRemove(verbs::channel_remove::Arguments),
    Import(verbs::import::Arguments),
    ImportRemote(verbs::import_remote::Arguments),
    Copy(verbs::copy::Arguments),
    Clone(verbs::clone::Arguments),
    Export(verbs::export::Arguments),
    CreateFromVm(verbs::create_from_vm::Arguments),
    Publish(verbs::publish::Arguments),
    TakeIn(verbs::take_in::Arguments),
    Jobs(verbs::jobs::Arguments),
    Job(verbs::job::Arguments),
    Wait(verbs::wait::Arguments),
    WaitJob(verbs::wait_job::Arguments),
    ChangeStor(verbs::change_stor::Arguments),
    State(verbs::state::Arguments),
    ReloadAuthKeys(verbs::reload_auth_keys::Arguments),
    Profiles(verbs::profiles::Arguments),
    /// Write the man pages of this program
    #[command(hide = true)]
    PrintManPages {
        /// Directory to write them to
        directory: PathBuf,
    },
    /// Print the completion script of a shell
    #[command(hide = true)]
    PrintCompletion {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// A UUID as every argument takes it.
pub(crate) fn uuid(text: &str) -> Result<Uuid, String> {
    Uuid::parse(text).ok_or_else(|| {
        if Uuid::parse(&text.to_ascii_lowercase()).is_some() {
            "UUIDs are lower case".to_owned()
        } else {
            "not a UUID".to_owned()
        }
    })
}

/// A duration such as `90s`, `5m` or `1h30m`.
pub(crate) fn duration(text: &str) -> Result<std::time::Duration, String> {
    human::parse_go_duration(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_table_is_sound() {
        Cli::command().debug_assert();
    }

    /// An argument of a verb with the name of a flag of all verbs would be taken for that flag.
    #[test]
    fn no_verb_has_an_argument_with_the_name_of_a_common_flag() {
        let command = Cli::command();
        let common: Vec<&str> = command
            .get_arguments()
            .map(|argument| argument.get_id().as_str())
            .collect();
        for verb in command.get_subcommands() {
            for argument in verb.get_arguments() {
                let name = argument.get_id().as_str();
                assert!(!common.contains(&name), "{} has its own {name}", verb.get_name());
            }
        }
    }

    /// Command lines of the original's client (its help, verb by verb).
    #[test]
    fn the_command_lines_of_the_original_are_understood() {
        const UUID: &str = "c58161c0-2547-11e2-a75e-9fdca1940570";
        let lines = [
            "ping",
            "-u joe -i /k ping",
            "ping -d --insecure",
            "list -a -j",
            "list -H -o uuid,name -s name --latest name=~base os=linux public=true",
            "list --tree -m 2020-01-01 -l 10 -A state=all",
            "get -A UUID",
            "show UUID",
            "-C * get UUID",
            "get-file UUID -o x -q",
            "get-file -O UUID",
            "get-icon UUID -O",
            "delete UUID",
            "delete --force-all-channels UUID",
            "create -m m.json -f f.gz -c gzip -s abc --storage local -q",
            "create",
            "update UUID -f x.json",
            "update UUID tags.a=b public=true",
            "import UUID -S https://images.example.com -C dev --skip-owner-check",
            "import -m m.json -f f.gz -c none -s abc --storage manta -q",
            "add-file UUID -f https://h/x -c xz -s abc --storage local",
            "add-icon UUID -f i.png -c image/png -s abc -q",
            "delete-icon UUID",
            "export UUID -o /joe/stor",
            "activate UUID",
            "disable UUID",
            "enable UUID",
            "add-acl UUID UUID UUID",
            "remove-acl UUID UUID",
            "channels -j -H -o name",
            "channel-add dev UUID UUID",
            "change-stor local UUID UUID",
            "reload-auth-keys",
            "state",
            "help list",
        ];
        for line in lines {
            let line = format!("imgapi-cli {}", line.replace("UUID", UUID));
            let parsed = Cli::try_parse_from(line.split(' '));
            if let Err(error) = parsed {
                assert_eq!(
                    error.kind(),
                    clap::error::ErrorKind::DisplayHelp,
                    "{line}: {error}"
                );
            }
        }
    }
}
