//! The few device nodes that may be made.
//!
//! Inside a user namespace no device node can be made at all, but packages and bootstrap programs make the usual ones.

use super::caller::Caller;
use super::refused;
use crate::syscalls;
use rustix::thread::CapabilitySet;
use std::io::Result;

/// Character devices by major and minor number: null, zero, full, random, urandom; tty, console, ptmx.
const USUAL: [(u32, u32); 8] = [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), CONSOLE, (5, 2)];
/// The one of these that is somebody's: the terminal of the machine.
const CONSOLE: (u32, u32) = (5, 1);
/// No device has this number; what a command makes with it cannot be opened by anybody.
pub(crate) const STAND_IN: u64 = 0;

/// The number of the console's node.
pub(crate) fn console() -> u64 {
    libc::makedev(CONSOLE.0, CONSOLE.1)
}

/// Makes a node. Where it could be opened, one takes the console's place that cannot: true then. It gets its number when the command has
/// ended (`child::stand_ins`). Those may be copied.
pub(super) fn make(caller: &Caller<'_>, are_devices_open: bool, has_stand_ins: bool) -> Result<bool> {
    let arguments = caller.arguments();
    let (directory, rest) = if i64::from(caller.call.data.nr) == libc::SYS_mknodat {
        (arguments[0] as i32, &arguments[1..])
    } else {
        (libc::AT_FDCWD, &arguments[..])
    };
    let (path, mode, device) = (rest[0], rest[1] as u32, rest[2]);
    let number = (libc::major(device), libc::minor(device));
    let is_copy = has_stand_ins && device == STAND_IN;
    if !USUAL.contains(&number) && !is_copy {
        return Err(refused());
    }
    let is_stand_in = is_copy || are_devices_open && number == CONSOLE;
    let device = if is_stand_in { STAND_IN } else { device };
    let path = caller.text(path)?;
    caller.inside(directory, CapabilitySet::MKNOD, |who| {
        // Changing the identity took this away. It is the right to make nodes, and not that to go anywhere.
        let mut sets = rustix::thread::capabilities(None)?;
        sets.effective = CapabilitySet::MKNOD;
        rustix::thread::set_capabilities(None, sets)?;
        syscalls::make_node(&path, mode & !who.mask, device)
    })?;
    Ok(is_stand_in)
}
