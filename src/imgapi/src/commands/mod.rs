//! What the program does besides serving: `imgapi config`, `imgapi logs`.

mod config;
mod explain;
mod logs;

use std::process::ExitCode;

/// Runs the subcommand that the command line names, if it does.
pub(crate) fn run() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let name = arguments.next()?;
    let arguments: Vec<String> = arguments
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    match name.to_str()? {
        "config" => Some(config::run(&arguments)),
        "logs" => Some(logs::run(&arguments)),
        _ => None,
    }
}

/// The value of an option given as `-f VALUE`, `--file VALUE` or `--file=VALUE`: `argument` is the option, `rest` what follows it.
fn value<'a>(
    argument: &'a str,
    names: &[&str],
    rest: &mut impl Iterator<Item = &'a String>,
) -> Option<Result<&'a str, String>> {
    if names.contains(&argument) {
        let next = rest.next().map(String::as_str);
        return Some(next.ok_or_else(|| format!("{argument} needs a value")));
    }
    let (name, value) = argument.split_once('=')?;
    names.contains(&name).then_some(Ok(value))
}
