//! What the process itself needs before it starts: the right user, a mount tree of its own, a umask (`imaginator.md §2`).

use anyhow::bail;
use rustix::fs::Mode;
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{geteuid, umask};
use rustix::thread::{UnshareFlags, unshare_unsafe};

/// The umask images are built with: modes of files in them depend on it.
const UMASK: Mode = Mode::from_raw_mode(0o022);

/// Ends the process unless it is root's.
pub(crate) fn require_root() {
    if !geteuid().is_root() {
        end("Must run the Image Builder as root");
    }
}

/// Gives the process a mount namespace of its own, which ends with it, and lets nothing that is mounted in it reach the host.
/// Mounts the host makes later do come in, so that they can be bound into builds. Ends the process if the kernel refuses.
pub(crate) fn own_mount_namespace() {
    // SAFETY: the call is unsafe because of namespaces and tables that change what file descriptors mean to other threads
    // (`FILES`). This asks for a mount namespace only, and is called before there are other threads.
    let unshared = unsafe { unshare_unsafe(UnshareFlags::NEWNS) };
    let made = unshared.and_then(|()| {
        mount_change(
            "/",
            MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC,
        )
    });
    if let Err(error) = made {
        end(&format!(
            "cannot have a mount namespace of my own: {error}: the image builder needs CAP_SYS_ADMIN"
        ));
    }
}

/// Refuses another umask than 022.
pub(crate) fn check_umask() -> anyhow::Result<()> {
    // The umask can only be asked for by setting it.
    let found = umask(UMASK);
    if found != UMASK {
        bail!("Umask must be 022, not 0{:o}", found.as_raw_mode());
    }
    Ok(())
}

/// Where memory lacks, the kernel ends commands of builds first and what watches them last; this daemon, which many wait for, stands
/// with the latter. Where that is not permitted, it stays as it is.
pub(crate) fn protect_from_lack_of_memory() {
    const FILE: &str = "/proc/self/oom_score_adj";
    const OUR_SCORE: i32 = -900;
    let now = std::fs::read_to_string(FILE).unwrap_or_default();
    // Who set it lower had a reason.
    if now.trim().parse().is_ok_and(|now: i32| now > OUR_SCORE) {
        let _ = std::fs::write(FILE, OUR_SCORE.to_string());
    }
}

fn end(sentence: &str) -> ! {
    eprintln!("{sentence}");
    std::process::exit(1)
}
