//! `imgapi logs`: the log of the running server, also finer than it is kept (imgapi-operations.md §14.9, statement 54).

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use actors::repository_settings::read_configuration;

use super::value;
use crate::flags::configuration;
use crate::log_socket::{Wanted, path};

const USAGE: &str = "\
Show the log of the running server, as records of JSON, one a line.

Usage:
    imgapi logs [OPTIONS]

Without --follow the last records are shown, with it those that come, also across a restart of the
server. A finer level than the server keeps shows finer records as they come, for this reader alone.

Options:
    -h, --help             print this
    --follow               go on until interrupted
    --level LEVEL          trace, debug, info, warn, error or fatal (info)
    -f PATH, --file=PATH   the instance file of the server (/etc/imgapi/imgapi.config.json, else
                           /data/imgapi/etc/imgapi.config.json)
";

const LEVELS: [&str; 6] = ["trace", "debug", "info", "warn", "error", "fatal"];

/// Between two tries to find a server that is being started again.
const AGAIN: Duration = Duration::from_millis(200);

/// Tries to find it, at most.
const TRIES_MOST: usize = 150;

struct Asked {
    path: PathBuf,
    level: u64,
    is_followed: bool,
    is_help: bool,
}

pub(super) fn run(arguments: &[String]) -> ExitCode {
    let shown = parse(arguments).and_then(|asked| show(&asked));
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("imgapi logs: error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: &[String]) -> Result<Asked, String> {
    let mut asked = Asked {
        path: configuration(),
        level: 30,
        is_followed: false,
        is_help: false,
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "-h" | "--help" => asked.is_help = true,
            "--follow" => asked.is_followed = true,
            option => {
                if let Some(level) = value(option, &["--level"], &mut rest) {
                    asked.level = number(level?)?;
                } else if let Some(path) = value(option, &["-f", "--file"], &mut rest) {
                    asked.path = PathBuf::from(path?);
                } else {
                    return Err(format!("unknown option: {option}"));
                }
            }
        }
    }
    Ok(asked)
}

fn number(level: &str) -> Result<u64, String> {
    let index = LEVELS.iter().position(|known| *known == level);
    let index = index.ok_or_else(|| format!("--level must be one of {}, not {level}", LEVELS.join(", ")))?;
    Ok(10 * (index as u64 + 1))
}

fn show(asked: &Asked) -> Result<(), String> {
    if asked.is_help {
        print!("{USAGE}");
        return Ok(());
    }
    let configured = read_configuration(&asked.path).map_err(|error| error.to_string())?;
    let path = path(configured.settings().own.base.as_ref());
    let failed = |error: std::io::Error| {
        format!(
            "no server that runs as you is found at {}: {error}",
            path.display()
        )
    };
    let mut stream = UnixStream::connect(&path).map_err(failed)?;
    let mut is_recent = true;
    loop {
        // A reader that has gone ends this, too.
        let is_read = copy(stream, asked, is_recent).map_err(|error| error.to_string())?;
        if !asked.is_followed || !is_read {
            return Ok(());
        }
        eprintln!("imgapi logs: the server closed its log; looking for it again");
        is_recent = false;
        let mut tries = 0;
        stream = loop {
            match UnixStream::connect(&path) {
                Ok(stream) => break stream,
                Err(error) if tries == TRIES_MOST => return Err(failed(error)),
                Err(_) => tries += 1,
            }
            std::thread::sleep(AGAIN);
        };
    }
}

/// Copies until the server closes. False: nobody reads what is printed.
fn copy(mut stream: UnixStream, asked: &Asked, is_recent: bool) -> std::io::Result<bool> {
    let wanted = Wanted {
        level: asked.level,
        recent: is_recent,
        follow: asked.is_followed,
    };
    stream.write_all(format!("{}\n", serde_json::to_string(&wanted)?).as_bytes())?;
    let mut lines = BufReader::new(stream);
    let mut out = std::io::stdout().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(true);
        }
        if out.write_all(&line).and_then(|()| out.flush()).is_err() {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_words_and_other_options_are_refused() {
        let parsed = |line: &str| {
            let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            parse(&arguments).map(|asked| (asked.level, asked.is_followed, asked.path))
        };
        let default = configuration();
        assert_eq!(parsed(""), Ok((30, false, default.clone())));
        assert_eq!(parsed("--follow --level trace"), Ok((10, true, default)));
        assert_eq!(parsed("--level=warn -f /x"), Ok((40, false, PathBuf::from("/x"))));
        assert!(parsed("--level loud").is_err() && parsed("--bogus").is_err());
    }
}
