//! Packages, through the packager that is in the image (`imaginator.md §9.2, §13`).

use std::time::Instant;

use image::filter::parse_lines;
use image::{Package, package_list};

use crate::delete::delete_matching;
use crate::filters;
use crate::sandbox_run::{Environment, Room, Run};
use crate::step_error::{At, During, StepError};

/// The program in every image that knows its package manager.
pub(crate) const PACKAGER: &str = "/bin/generic-packager";
/// Patterns that the packager of an image may name: the image may be a stranger's, and each may take megabytes.
const MOST_CLEAN_PATTERNS: usize = 256;
/// Bytes kept of what a command says on standard error, for the error's text.
const ERRORS_MOST_BYTES: usize = 4096;

/// Updates the list of available packages, upgrades everything and installs packages, if there are any to be installed.
///
/// # Errors
/// `error updating: …`, `error installing packages: error installing: exit status 100`.
pub(crate) fn install(room: &Room, packages: &[String], environment: &Environment) -> Result<(), StepError> {
    if packages.is_empty() {
        room.say("\nNo packages to install");
        return Ok(());
    }
    let run = |arguments: &[&str]| {
        let mut argv = vec![PACKAGER];
        argv.extend_from_slice(arguments);
        room.run(Run {
            argv: &argv,
            injected: Some(environment),
            ..Run::default()
        })
    };
    room.say("\nUpdating package database:");
    let began = Instant::now();
    run(&["update"]).during("error updating")?;
    let took = human::duration(began.elapsed());
    room.say(format!(
        "Package database update took: {took}\n\nUpgrading packages:"
    ));
    let began = Instant::now();
    run(&["upgrade"]).during("error installing packages: error upgrading")?;
    let took = human::duration(began.elapsed());
    room.say(format!("Package upgrade took: {took}"));
    room.say(format!("\nInstalling packages: {}", packages.join(" ")));
    let began = Instant::now();
    let mut arguments = vec!["install"];
    arguments.extend(packages.iter().map(String::as_str));
    run(&arguments).during("error installing packages: error installing")?;
    let took = human::duration(began.elapsed());
    room.say(format!("Package install took: {took}"));
    Ok(())
}

/// Removes what installing left behind: first by the package manager, then what the packager's patterns match (`imaginator.md §13.5`).
///
/// # Errors
/// `error cleaning: …`. A packager that knows no patterns is none: old images have such.
pub(crate) fn clean(room: &Room) -> Result<(), StepError> {
    room.say("\nCleaning packages:");
    let began = Instant::now();
    let clean = Run {
        argv: &[PACKAGER, "clean"],
        ..Run::default()
    };
    room.run(clean).during("error cleaning")?;
    let show = Run {
        argv: &[PACKAGER, "show-clean-patterns"],
        ..Run::default()
    };
    match room.output_of(show, |bytes| room.watcher().log(bytes)) {
        Ok(patterns) => {
            let patterns = parse_lines(&patterns);
            let count = patterns.filter_lines.len();
            if count > MOST_CLEAN_PATTERNS {
                let why = format!("{count} clean patterns are more than {MOST_CLEAN_PATTERNS}");
                return Err(StepError::wrong(why)).during("error compiling clean patterns");
            }
            let is_cancelled = || room.watcher().is_cancelled();
            let lines = patterns.filter_lines.iter().map(String::as_str);
            let held = filters::compiled(lines, &is_cancelled).during("error compiling clean patterns")?;
            delete_matching(room.root(), &held.filter, &is_cancelled)
                .at(room.root())
                .during("error deleting what clean patterns match")?;
        }
        Err(StepError::Command(outcome)) => room.say(format!("Deep clean failed: {outcome}")),
        Err(other) => return Err(other),
    }
    let took = human::duration(began.elapsed());
    room.say(format!("Package clean took: {took}"));
    Ok(())
}

/// Lists what is installed (`imaginator.md §9.2`), sorted by name.
///
/// # Errors
/// `error listing packages: …`.
pub fn list(room: &Room) -> Result<Vec<Package>, StepError> {
    list_all(&room.without_binds()).during("error listing packages")
}

fn list_all(room: &Room) -> Result<Vec<Package>, StepError> {
    let multiplier = ask(room, "show-size-multiplier").during("error getting size multiplier")?;
    let lines = ask(room, "list").during("error running package lister")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    package_list::parse(&text(&multiplier), &text(&lines))
        .map_err(|error| StepError::wrong(error.to_string()))
}

/// What the packager prints; what it says on standard error becomes part of an error's text.
fn ask(room: &Room, verb: &str) -> Result<Vec<u8>, StepError> {
    let mut said = Vec::new();
    let run = Run {
        argv: &[PACKAGER, verb],
        ..Run::default()
    };
    let answer = room.output_of(run, |bytes| {
        let room_left = ERRORS_MOST_BYTES.saturating_sub(said.len());
        said.extend_from_slice(&bytes[..bytes.len().min(room_left)]);
    });
    answer.map_err(|error| match (error, String::from_utf8_lossy(&said).trim()) {
        (StepError::Cancelled, _) => StepError::Cancelled,
        (error, "") => error,
        (error, said) => StepError::wrong(format!("{error}: {said}")),
    })
}
