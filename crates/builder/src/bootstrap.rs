//! A bootstrap stream: a command that fills an empty directory (`imaginator.md §8.2`).

use std::path::{Path, PathBuf};
use std::time::Instant;

use recipe::{BootstrapStream, expand, packager};

use crate::in_root::Tree;
use crate::sandbox_run::{Environment, Room, Run, read_only};
use crate::step_error::{At, During, StepError};
use crate::{Phase, packages, resolv_conf, trees};

/// Fills the room's tree, which is an empty directory, and makes it ready to be packed. `variables` are those of the request.
///
/// # Errors
/// The command's exit text, such as `exit status 1`, or what failed after it.
pub fn run(room: &Room, stream: &BootstrapStream, variables: &Environment) -> Result<(), StepError> {
    let watcher = room.watcher();
    watcher.phase(Phase::Bootstrap);
    let began = Instant::now();
    let directory = room.root().to_string_lossy().into_owned();
    let lookup = |name: &str| match name {
        "dir" => Some(directory.as_str()),
        name => variables.get(name).map(String::as_str),
    };
    let command: Vec<String> = stream
        .command
        .iter()
        .map(|word| expand::expression(word, lookup))
        .collect();
    let Some((program, arguments)) = command.split_first() else {
        return Err(StepError::wrong("the stream has no bootstrap command"));
    };
    room.say(format!("Running command: {program} with args:"));
    for argument in arguments {
        room.say(format!("    {argument}"));
    }
    let program = find(program, std::env::var_os("PATH").as_deref())?;
    let mut argv = vec![program.as_str()];
    argv.extend(arguments.iter().map(String::as_str));
    let run = Run {
        argv: &argv,
        ..Run::default()
    };
    // As configured: what a request's variables name is not shown.
    room.run_on_host(run, read_only(&stream.bind_mounts), &stream.command)?;
    watcher.phase(Phase::CleanUp);
    write_packager(room, stream)?;
    resolv_conf::empty(room)?;
    let took = human::duration(began.elapsed());
    room.say(format!("\nBuild time: {took}"));
    packages::clean(room)
}

/// Writes the program that later builds and tools use.
fn write_packager(room: &Room, stream: &BootstrapStream) -> Result<(), StepError> {
    let script = packager::script(&stream.packager);
    let tree = Tree::image(room.root()).at(room.root())?;
    let path = Path::new(packages::PACKAGER);
    trees::write_program(&tree, path, script.as_bytes())
        .at(path)
        .during("error writing packager")
}

/// The program as the daemon's `PATH` finds it.
pub(crate) fn find(program: &str, path: Option<&std::ffi::OsStr>) -> Result<String, StepError> {
    if program.contains('/') {
        return Ok(program.to_owned());
    }
    let candidates = path
        .map(std::env::split_paths)
        .into_iter()
        .flatten()
        .filter(|directory| directory.is_absolute())
        .map(|directory: PathBuf| directory.join(program));
    for candidate in candidates {
        if is_program(&candidate) {
            return Ok(candidate.to_string_lossy().into_owned());
        }
    }
    Err(StepError::wrong(format!(
        "{program}: no such program in the PATH of this daemon; install it, or give its full path"
    )))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_the_path_and_otherwise_the_error_says_what_to_do() {
        let path = std::ffi::OsStr::new("relative:/nowhere:/usr/bin:/bin");
        assert!(find("sh", Some(path)).unwrap().ends_with("/bin/sh"));
        assert_eq!(find("/some/thing", Some(path)).unwrap(), "/some/thing");
        let error = find("no-such-program-here", Some(path)).unwrap_err().to_string();
        assert!(error.contains("install it"), "{error}");
    }
}
