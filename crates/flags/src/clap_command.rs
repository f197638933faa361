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

/// For bash: flags are also written with one hyphen here, which clap does not know. Words get the second hyphen, clap's function answers, and
/// what it offers loses it again.
const ONE_HYPHEN: &str = r#"
_FUNCTION_either_spelling() {
    local typed=${COMP_WORDS[COMP_CWORD]} index
    for index in "${!COMP_WORDS[@]}"; do
        case ${COMP_WORDS[index]} in
            --*) ;;
            -?*) COMP_WORDS[index]=-${COMP_WORDS[index]} ;;
        esac
    done
    _FUNCTION "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    case $typed in
        --*) ;;
        -?*) COMPREPLY=("${COMPREPLY[@]#-}") ;;
    esac
}
complete -F _FUNCTION_either_spelling -o bashdefault -o default PROGRAM
"#;

/// The completion script of a shell.
pub fn complete(table: &Table, shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(table), table.program.clone(), &mut script);
    let mut script = String::from_utf8_lossy(&script).into_owned();
    if shell == Shell::Bash {
        // As clap names its function.
        let function = table.program.replace('-', "__");
        script += &ONE_HYPHEN
            .replace("FUNCTION", &function)
            .replace("PROGRAM", &table.program);
    }
    script
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

    /// What bash offers for the last word of a line, asked of the function that it would ask.
    fn offered(line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        let script = format!(
            "{}\nCOMP_WORDS=({line}); COMP_CWORD={}; function=$(complete -p imagetool | sed 's/.*-F \\([^ ]*\\).*/\\1/')
             $function imagetool '{}' '{}'; echo \"${{COMPREPLY[*]}}\"",
            complete(&table(), Shell::Bash),
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        );
        let output = std::process::Command::new("bash")
            .args(["--norc", "-c", &script])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn bash_completes_flags_of_either_spelling_and_their_values() {
        for (line, expected) in [
            ("imagetool -imageD", "-imageDir"),
            ("imagetool --imageD", "--imageDir"),
            ("imagetool --image-d", "--image-dir"),
            ("imagetool -tableType g", "gpt"),
            ("imagetool -imageDir /x mer", "merge-filters"),
        ] {
            assert_eq!(offered(line), expected, "{line}");
        }
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
