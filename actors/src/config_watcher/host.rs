//! What a configuration needs of this host.

use recipe::{Configuration, Problem};
use std::path::Path;

/// What is missing here. A cache without its directory is refused, as the original does; the rest fails in builds, one by one.
pub(super) fn problems(configuration: &Configuration) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(cache) = &configuration.cache
        && !Path::new(&cache.base_directory).is_dir()
    {
        let what = format!("{} is not a directory", cache.base_directory);
        problems.push(Problem::error(0, "Cache.BaseDirectory", what));
    }
    for (index, path) in configuration.bind_mounts.iter().enumerate() {
        if !Path::new(path).is_dir() {
            let what = format!("{path} is not a directory of this host: builds of user streams will fail");
            problems.push(Problem::warning(0, format!("BindMounts[{index}]"), what));
        }
    }
    for (name, stream) in &configuration.bootstrap_streams {
        if let Some(program) = stream.command.first()
            && !program.contains('$')
            && !is_there(program)
        {
            let field = format!("BootstrapStreams.{name:?}.BootstrapCommand");
            problems.push(Problem::warning(
                0,
                field,
                format!("there is no program {program} in $PATH"),
            ));
        }
    }
    problems
}

fn is_there(program: &str) -> bool {
    if program.contains('/') {
        return Path::new(program).is_file();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}
