//! The image's `/etc/resolv.conf` while it is built (`imaginator.md §12.3`).

use std::path::Path;

use crate::packages::PACKAGER;
use crate::sandbox_run::{Environment, Room, Run};
use crate::step_error::{At, During, StepError};

const HOSTS: &str = "/etc/resolv.conf";
/// Bytes of it that are taken; the resolver's own limits are far below.
const MOST_BYTES: u64 = 64 << 10;

/// Puts the host's into the image, by a program of the image: its own may be a link to somewhere in it.
///
/// # Errors
/// `error copying in /etc/resolv.conf: …`.
pub(crate) fn copy_in(room: &Room, environment: &Environment) -> Result<(), StepError> {
    use std::io::Read;
    let doing = "error copying in /etc/resolv.conf";
    let file = std::fs::File::open(Path::new(HOSTS)).at(HOSTS).during(doing)?;
    let mut hosts = Vec::new();
    file.take(MOST_BYTES)
        .read_to_end(&mut hosts)
        .at(HOSTS)
        .during(doing)?;
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
