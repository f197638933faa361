//! The last steps, as process 1 inside: into the tree, what every system has mounted, limits, rights, the filter, exec.

use super::mounts::new_root;
use super::{During, Step, keeper};
use crate::spec::{Limits, Spec};
use crate::{cgroup::Hierarchies, filter, syscalls};
use rustix::fs::{MemfdFlags, Mode, OFlags};
use rustix::mount::{MountFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags};
use rustix::process::{Resource, Rlimit};
use rustix::thread::{CapabilitySet, CapabilitySets};
use std::convert::Infallible;
use std::io::{Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;

/// Devices that every program expects, by name below /dev.
const DEVICES: [&str; 6] = ["full", "null", "random", "tty", "urandom", "zero"];
/// Names below /dev and where they lead.
const LINKS: [(&str, &str); 5] = [
    ("fd", "/proc/self/fd"),
    ("ptmx", "pts/ptmx"),
    ("stderr", "/proc/self/fd/2"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
];
/// What building an image takes, all of it in the user namespace only: owners and modes, users, packages' set-up, device nodes,
/// mounts in trees that are made.
const RIGHTS: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::DAC_READ_SEARCH)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::MKNOD)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SYS_ADMIN)
    .union(CapabilitySet::SYS_CHROOT);

/// Becomes the command.
pub(super) fn exec(spec: &Spec, root: &OwnedFd, channel: BorrowedFd<'_>) -> Step<Infallible> {
    // Out of the process group of the keeper, which has the command's identity: `kill -STOP 0` would stop it as well.
    rustix::process::setsid().during("a session of its own")?;
    rustix::system::sethostname(spec.host_name.as_bytes()).during("the host name")?;
    if spec.network.is_own() {
        syscalls::bring_loopback_up().during("the loopback interface")?;
    }
    let host = enter(root)?;
    mount_system(spec, &host)?;
    leave(&host)?;
    set_limits(&spec.limits)?;
    give_input(&spec.input)?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    rustix::process::chdir(&spec.directory).during(format!("the directory {}", spec.directory.display()))?;
    syscalls::leave_keyring().during("a key ring of its own")?;
    keep_rights()?;
    syscalls::close_at_exec_from(3).during("closing what is the supervisor's")?;
    let program = filter::program(spec.foreign_programs);
    let listener = syscalls::install_filter(&program).during("the filter of system calls")?;
    keeper::send(channel, &keeper::Word::Filter, Some(listener.as_fd())).during("handing on the filter")?;
    drop(listener);
    let Some((program, arguments)) = spec.argv.split_first() else {
        return Err("no program to run".to_owned());
    };
    let mut command = std::process::Command::new(program);
    command.args(arguments).env_clear();
    for (name, value) in &spec.environment {
        command.env(name, value);
    }
    Err(format!("{program}: {}", command.exec()))
}

/// What becomes the root. To be called while directories above it are not closed to us.
pub(super) fn open_root(spec: &Spec) -> Step<OwnedFd> {
    let root = new_root(spec);
    let directory = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(root, directory, Mode::empty()).during(root.display())
}

/// Into the new root. What was the root is still mounted, and known by the descriptor only.
fn enter(root: &OwnedFd) -> Step<OwnedFd> {
    let directory = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let host = rustix::fs::open("/", directory, Mode::empty()).during("/")?;
    // Mounts that came from the host's namespace are locked; one of our own can become the root.
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE
        | OpenTreeFlags::AT_EMPTY_PATH;
    let tree = rustix::mount::open_tree(root, "", flags).during("the tree")?;
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(&tree, "", root, "", flags).during("the tree")?;
    rustix::process::fchdir(&tree).during("the tree")?;
    rustix::process::pivot_root(".", ".").during("making the tree the root")?;
    rustix::process::chdir("/").during("/")?;
    Ok(host)
}

fn leave(host: &OwnedFd) -> Step<()> {
    rustix::process::fchdir(host).during("the host's root")?;
    rustix::mount::unmount(".", UnmountFlags::DETACH).during("leaving the host")?;
    rustix::process::chdir("/").during("/")
}

fn mount_system(spec: &Spec, host: &OwnedFd) -> Step<()> {
    let plain = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    rustix::mount::mount("proc", "/proc", "proc", plain, None).during("/proc")?;
    if spec.network.is_own() {
        // For writing as well: read-only, no other could be mounted, and old packager scripts do. Nothing in it is the command's.
        rustix::mount::mount("sysfs", "/sys", "sysfs", plain, None).during("/sys")?;
    }
    let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
    rustix::mount::mount("tmpfs", "/dev", "tmpfs", flags, Some(c"mode=755,size=1m")).during("/dev")?;
    for device in DEVICES {
        let place = Path::new("/dev").join(device);
        std::fs::File::create(&place).during(place.display())?;
        let source = Path::new("dev").join(device);
        let node = rustix::mount::open_tree(host, &source, OpenTreeFlags::OPEN_TREE_CLONE)
            .during(place.display())?;
        let move_it = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
        rustix::mount::move_mount(&node, "", rustix::fs::CWD, &place, move_it).during(place.display())?;
    }
    for (name, target) in LINKS {
        std::os::unix::fs::symlink(target, Path::new("/dev").join(name)).during(name)?;
    }
    for (place, kind, options) in [
        ("/dev/pts", "devpts", c"newinstance,ptmxmode=0666,mode=620"),
        ("/dev/shm", "tmpfs", c"mode=1777"),
    ] {
        std::fs::create_dir(place).during(place)?;
        rustix::mount::mount(kind, place, kind, flags, Some(options)).during(place)?;
    }
    Ok(())
}

/// Those that hold for each process; those of all together are the control group's, where there is one.
fn set_limits(limits: &Limits) -> Step<()> {
    let hierarchies = Hierarchies::of_this_machine();
    let set = |resource, limit: Option<u64>| -> Step<()> {
        let limit = Rlimit {
            current: limit,
            maximum: limit,
        };
        rustix::process::setrlimit(resource, limit).during("limits")
    };
    // Where the host hands core files to a program, 0 does not keep it from starting that, with the rights of its root; 1 does.
    set(Resource::Core, Some(1))?;
    if let Some(bytes) = limits.file_bytes {
        set(Resource::Fsize, Some(bytes))?;
    }
    if let (Some(bytes), false) = (limits.memory_bytes, hierarchies.limit_memory()) {
        set(Resource::As, Some(bytes))?;
    }
    if let (Some(processes), false) = (limits.processes, hierarchies.limit_processes()) {
        set(Resource::Nproc, Some(processes))?;
    }
    Ok(())
}

/// In memory: it is small, and a pipe would need somebody to fill it.
fn give_input(input: &[u8]) -> Step<()> {
    if input.is_empty() {
        return Ok(());
    }
    let file = rustix::fs::memfd_create("input", MemfdFlags::CLOEXEC).during("the input")?;
    let mut file = std::fs::File::from(file);
    file.write_all(input).during("the input")?;
    file.rewind().during("the input")?;
    rustix::stdio::dup2_stdin(&file).during("the input")
}

fn keep_rights() -> Step<()> {
    for capability in CapabilitySet::all().iter() {
        if RIGHTS.contains(capability) {
            continue;
        }
        match rustix::thread::remove_capability_from_bounding_set(capability) {
            // The kernel does not know it.
            Ok(()) | Err(rustix::io::Errno::INVAL) => {}
            Err(error) => return Err(format!("giving up rights: {error}")),
        }
    }
    let sets = CapabilitySets {
        effective: RIGHTS,
        permitted: RIGHTS,
        inheritable: CapabilitySet::empty(),
    };
    rustix::thread::set_capabilities(None, sets).during("giving up rights")
}
