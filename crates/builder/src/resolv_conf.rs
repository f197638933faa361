//! The image's `/etc/resolv.conf` while it is built (`imaginator.md §12.3`).

use crate::packages::PACKAGER;
use crate::sandbox_run::{Environment, Room, Run};
use crate::step_error::{During, StepError};

const HOSTS: &str = "/etc/resolv.conf";

/// Puts the host's into the image, by a program of the image: its own may be a link to somewhere in it. Name servers that the
/// network of the build does not reach are left out.
///
/// # Errors
/// `error copying in /etc/resolv.conf: …`.
pub(crate) fn copy_in(room: &Room, environment: &Environment) -> Result<(), StepError> {
    let doing = "error copying in /etc/resolv.conf";
    let hosts = sandbox::resolver_configuration(room.network()).unwrap_or_default();
    let run = Run {
        argv: &[PACKAGER, "copy-in", HOSTS],
        injected: Some(environment),
        input: &hosts,
    };
    room.run(run).during(doing)
}

/// Empties it: images have an empty one.
///
/// # Errors
/// `error emptying /etc/resolv.conf: …`.
pub(crate) fn empty(room: &Room) -> Result<(), StepError> {
    let run = Run {
        argv: &["/bin/cp", "/dev/null", HOSTS],
        ..Run::default()
    };
    room.run(run).during("error emptying /etc/resolv.conf")
}
