//! `imgapi config`: the configuration as it is used (imgapi-operations.md §2). Scripts ask this command, never the files.

use std::path::PathBuf;
use std::process::ExitCode;

use actors::repository_settings::read_configuration;
use repository::configuration::Configuration;
use repository::json::Value;

use super::{explain, value};
use crate::flags::configuration;

const USAGE: &str = "\
Print the configuration: defaults, the instance file and what is computed of both, merged.

Usage:
    imgapi config [OPTIONS] [KEY]

Without KEY all of it is printed as JSON. KEY is a key, or a path such as `manta.rootDir`; a text is
printed as it is, other values as JSON. Without such a key nothing is printed, and the status is 1.

Options:
    -h, --help             print this
    -f PATH, --file=PATH   the instance file, JSON or YAML (/etc/imgapi/imgapi.config.json, else
                           /data/imgapi/etc/imgapi.config.json)
    --explain              say of each key where its value comes from, when a change of it takes
                           effect, and what it is for; secrets are starred
";

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    path: PathBuf,
    key: Option<String>,
    is_explained: bool,
    is_help: bool,
}

pub(super) fn run(arguments: &[String]) -> ExitCode {
    let printed = parse(arguments).and_then(|asked| print(&asked));
    match printed {
        Ok(text) => {
            println!("{}", text.trim_end_matches('\n'));
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("imgapi config: error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: &[String]) -> Result<Asked, String> {
    let mut asked = Asked {
        path: configuration(),
        key: None,
        is_explained: false,
        is_help: false,
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "-h" | "--help" => asked.is_help = true,
            "--explain" => asked.is_explained = true,
            option if option.starts_with('-') => {
                let path = value(option, &["-f", "--file"], &mut rest);
                let path = path.ok_or_else(|| format!("unknown option: {option}"))?;
                asked.path = PathBuf::from(path?);
            }
            key if asked.key.is_none() => asked.key = Some(key.to_owned()),
            _ => return Err("more than one KEY".to_owned()),
        }
    }
    Ok(asked)
}

fn print(asked: &Asked) -> Result<String, String> {
    if asked.is_help {
        return Ok(USAGE.to_owned());
    }
    let configured = read_configuration(&asked.path).map_err(|error| error.to_string())?;
    if asked.is_explained {
        return explain::explain(&configured, asked.key.as_deref());
    }
    match &asked.key {
        None => {
            let all = Value::Object(configured.merged().clone());
            Ok(Configuration::printed(&all))
        }
        Some(key) => {
            let found = configured.look_up(key);
            found
                .map(Configuration::printed)
                .ok_or_else(|| format!("no property {key} found"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Asked, String> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&arguments)
    }

    #[test]
    fn the_options_are_those_of_the_original() {
        for line in ["-f /x port", "--file=/x port", "--file /x port", "port -f /x"] {
            let asked = parsed(line).unwrap();
            assert_eq!(asked.path, PathBuf::from("/x"), "{line}");
            assert_eq!(asked.key.as_deref(), Some("port"), "{line}");
        }
        assert_eq!(parsed("").unwrap().path, configuration());
        for line in ["--bogus", "a b", "-f"] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
