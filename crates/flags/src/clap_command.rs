//! Completions, drawn by clap from the same table.

use clap::builder::ValueHint;
use clap::{Arg, ArgAction, Command};

use crate::{Argument, Flag, Kind, Prominence, Table, Verb};

pub use clap_complete::Shell;

/// The table as a clap command. It is for drawing only: clap never reads our arguments.
pub fn command(table: &Table) -> Command {
    let mut command = Command::new(table.program.clone())
        .about(table.about)
        .version(table.version.version.clone())
        .disable_help_flag(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true)
        .arg(
            Arg::new("help")
                .long("help")
                .action(ArgAction::SetTrue)
                .help("tell everything"),
        );
    for flag in &table.flags {
        command = command.arg(argument_of_flag(flag));
    }
    for verb in &table.verbs {
        command = command.subcommand(subcommand(verb));
    }
    command
}

/// The completion script of a shell.
pub fn complete(table: &Table, shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(table), table.program.clone(), &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

fn argument_of_flag(flag: &Flag) -> Arg {
    let hyphenated = flag.hyphenated();
    let mut argument = Arg::new(flag.name)
        .long(flag.name)
        .help(flag.help)
        .hide(flag.prominence == Prominence::Hidden)
        .action(if flag.kind == Kind::Boolean {
            ArgAction::SetTrue
        } else {
            ArgAction::Set
        });
    if hyphenated != flag.name {
        argument = argument.visible_alias(hyphenated);
    }
    if !flag.group.is_empty() {
        argument = argument.help_heading(flag.group);
    }
    match flag.kind {
        Kind::Boolean => argument,
        Kind::Choice(words) => argument
            .value_parser(words.to_vec())
            .default_value(flag.documented_default().to_owned()),
        kind => {
            let argument = argument.value_name(kind.word()).value_hint(hint(flag.name));
            if flag.documented_default().is_empty() {
                argument
            } else {
                argument.default_value(flag.documented_default().to_owned())
            }
        }
    }
}

fn subcommand(verb: &Verb) -> Command {
    let mut command = Command::new(verb.name).about(verb.help).disable_help_flag(true);
    for argument in verb.arguments() {
        command = command.arg(positional(argument));
    }
    command
}

fn positional(argument: Argument) -> Arg {
    Arg::new(argument.name)
        .required(!argument.optional)
        .value_hint(hint(argument.name))
        .action(if argument.repeated {
            ArgAction::Append
        } else {
            ArgAction::Set
        })
}

/// What a shell should offer, by the name of the flag or argument.
fn hint(name: &str) -> ValueHint {
    let name = name.to_ascii_lowercase();
    if name.ends_with("dir") || name.ends_with("directory") {
        ValueHint::DirPath
    } else if name.contains("file") || name.ends_with("filter") {
        ValueHint::FilePath
    } else if name.contains("hostname") {
        ValueHint::Hostname
    } else {
        ValueHint::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table::tool("imagetool", "looks at images")
            .flag(Flag::string("imageDir", "/x", "a directory"))
            .flag(Flag::boolean("debug", false, "say more").hidden())
            .flag(Flag::choice(
                "tableType",
                &["gpt", "msdos"],
                "msdos",
                "kind of table",
            ))
            .verb(Verb::new("get", "name directory", "fetch an image"))
            .verb(Verb::new("merge-filters", "filter-file...", "join filters"))
    }

    #[test]
    fn the_table_is_a_sound_clap_command() {
        command(&table()).debug_assert();
    }

    #[test]
    fn completions_know_flags_and_verbs() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = complete(&table(), shell);
            for word in ["imageDir", "image-dir", "merge-filters"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
}
