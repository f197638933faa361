//! The calls that no crate offers safely, each as small as it can be.

use rustix::process::Pid;
use std::io::{Error, Result};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// Attributes of a mount (`mount_setattr(2)`).
#[repr(C)]
#[derive(Debug, Default)]
pub(crate) struct MountAttributes {
    pub(crate) set: u64,
    pub(crate) clear: u64,
    pub(crate) propagation: u64,
    pub(crate) user_namespace: u64,
}

/// Only reading.
pub(crate) const MOUNT_RDONLY: u64 = 0x1;
/// No rights by a set-user-id bit.
pub(crate) const MOUNT_NOSUID: u64 = 0x2;
/// No device can be opened.
pub(crate) const MOUNT_NODEV: u64 = 0x4;
/// No program can be started.
pub(crate) const MOUNT_NOEXEC: u64 = 0x8;
/// Owners are mapped by the user namespace that is given.
pub(crate) const MOUNT_IDMAP: u64 = 0x0010_0000;

/// Makes a second process. Which of the two this is: the child gets `None`.
///
/// Only for processes with one thread: in the child of one with several, locks may stay locked for ever. The child of a
/// sandbox never starts a thread.
pub(crate) fn fork() -> Result<Option<Pid>> {
    // SAFETY: there is one thread (see above), so the child finds all memory in a usable state.
    let pid = unsafe { libc::fork() };
    if pid < 0 {
        return Err(Error::last_os_error());
    }
    Ok(Pid::from_raw(pid))
}

/// The same, and the child is process 1 of a namespace of its own: with it the kernel ends everything it started.
pub(crate) fn fork_as_first() -> Result<Option<Pid>> {
    // SAFETY: as above; without a stack of its own the child goes on with a copy of this one.
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::CLONE_NEWPID | libc::SIGCHLD, 0, 0, 0, 0) };
    if pid < 0 {
        return Err(Error::last_os_error());
    }
    Ok(Pid::from_raw(i32::try_from(pid).map_err(Error::other)?))
}

/// Leaves namespaces for new ones.
pub(crate) fn unshare(flags: rustix::thread::UnshareFlags) -> Result<()> {
    // SAFETY: what could surprise others are flags by which threads stop sharing their descriptors; there are no others.
    unsafe { rustix::thread::unshare_unsafe(flags) }.map_err(Into::into)
}

/// `mount_setattr(2)` on a mount by its descriptor.
pub(crate) fn set_mount_attributes(
    mount: BorrowedFd<'_>,
    is_recursive: bool,
    attributes: &MountAttributes,
) -> Result<()> {
    let flags = libc::AT_EMPTY_PATH | if is_recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is an empty string with its end; the attributes are of the size that is told and outlive the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            flags,
            std::ptr::from_ref(attributes),
            size_of::<MountAttributes>(),
        )
    };
    if result < 0 {
        Err(Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Takes a filter into effect for this process and all it starts; the descriptor gives what the filter hands on.
pub(crate) fn install_filter(program: &[libc::sock_filter]) -> Result<OwnedFd> {
    let length = u16::try_from(program.len()).map_err(Error::other)?;
    let program = libc::sock_fprog {
        len: length,
        filter: program.as_ptr().cast_mut(),
    };
    // SAFETY: the kernel copies the program, whose length is the one of the slice, and changes nothing in it. What comes
    // back is a new descriptor that nobody else knows.
    unsafe {
        let descriptor = libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            std::ptr::from_ref(&program),
        );
        if descriptor < 0 {
            return Err(Error::last_os_error());
        }
        let descriptor = i32::try_from(descriptor).map_err(Error::other)?;
        Ok(OwnedFd::from_raw_fd(descriptor))
    }
}

const NOTIFICATION_RECEIVE: libc::Ioctl = 0xc050_2100_u32 as libc::Ioctl;
const NOTIFICATION_SEND: libc::Ioctl = 0xc018_2101_u32 as libc::Ioctl;
const NOTIFICATION_IS_VALID: libc::Ioctl = 0x4008_2102_u32 as libc::Ioctl;

/// A system call that waits for an answer. `ENOENT` or `EINTR` where its process died meanwhile.
pub(crate) fn receive_notification(listener: BorrowedFd<'_>) -> Result<libc::seccomp_notif> {
    // SAFETY: all bytes zero is what the kernel asks this structure to be before it fills it.
    let mut notification: libc::seccomp_notif = unsafe { std::mem::zeroed() };
    // SAFETY: the request and the structure belong together, and it outlives the call.
    let result = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            NOTIFICATION_RECEIVE,
            std::ptr::from_mut(&mut notification),
        )
    };
    if result < 0 {
        Err(Error::last_os_error())
    } else {
        Ok(notification)
    }
}

/// Whether the call is still waiting: else its process number may be another's by now.
pub(crate) fn notification_is_valid(listener: BorrowedFd<'_>, id: u64) -> bool {
    // SAFETY: the request takes a pointer to a 64-bit number.
    unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            NOTIFICATION_IS_VALID,
            std::ptr::from_ref(&id),
        ) == 0
    }
}

/// Answers it: 0, or an error number.
pub(crate) fn answer_notification(listener: BorrowedFd<'_>, id: u64, error: i32) -> Result<()> {
    send_answer(listener, id, error, 0)
}

/// Lets the kernel do it. Never a decision about what is allowed: the caller may have changed what its arguments point to.
pub(crate) fn let_notification_go_on(listener: BorrowedFd<'_>, id: u64) -> Result<()> {
    send_answer(listener, id, 0, libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32)
}

fn send_answer(listener: BorrowedFd<'_>, id: u64, error: i32, flags: u32) -> Result<()> {
    let answer = libc::seccomp_notif_resp {
        id,
        val: 0,
        error: -error,
        flags,
    };
    // SAFETY: the request and the structure belong together, and it outlives the call.
    let result = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            NOTIFICATION_SEND,
            std::ptr::from_ref(&answer),
        )
    };
    if result < 0 {
        Err(Error::last_os_error())
    } else {
        Ok(())
    }
}

/// The identity by which this thread makes and opens files.
pub(crate) fn set_file_identity(user: u32, group: u32) {
    // SAFETY: both take numbers, and tell the one before.
    unsafe {
        libc::setfsgid(group);
        libc::setfsuid(user);
    }
}

/// Makes a device node by a path of the process's own root and directory.
pub(crate) fn make_node(path: &std::ffi::CStr, mode: u32, device: u64) -> Result<()> {
    // SAFETY: the path has its end.
    let result = unsafe { libc::mknod(path.as_ptr(), mode, device) };
    if result < 0 {
        Err(Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Takes the loopback interface of this network namespace into use.
pub(crate) fn bring_loopback_up() -> Result<()> {
    let socket = rustix::net::socket(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::DGRAM,
        None,
    )?;
    // SAFETY: all bytes zero is a request without a name.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = *from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the request and the structure belong together, and it outlives the call.
    let result = unsafe {
        libc::ioctl(
            socket.as_raw_fd(),
            libc::SIOCSIFFLAGS as libc::Ioctl,
            std::ptr::from_ref(&request),
        )
    };
    if result < 0 {
        Err(Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Every descriptor from `first` on is closed at the next exec.
pub(crate) fn close_at_exec_from(first: u32) -> Result<()> {
    // SAFETY: it takes numbers.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if result < 0 {
        Err(Error::last_os_error())
    } else {
        Ok(())
    }
}

/// A session key ring of its own, empty. Kernels without key rings have nothing to leave.
pub(crate) fn leave_keyring() -> Result<()> {
    const JOIN_SESSION_KEYRING: libc::c_int = 1;
    // SAFETY: no name is read where there is none.
    let result = unsafe {
        libc::syscall(
            libc::SYS_keyctl,
            JOIN_SESSION_KEYRING,
            std::ptr::null::<libc::c_char>(),
        )
    };
    match Error::last_os_error() {
        error if result < 0 && error.raw_os_error() != Some(libc::ENOSYS) => Err(error),
        _ => Ok(()),
    }
}

/// Groups beside the own one: none.
pub(crate) fn drop_groups() -> Result<()> {
    // SAFETY: no list is read where its length is 0.
    let result = unsafe { libc::setgroups(0, std::ptr::null()) };
    if result < 0 {
        Err(Error::last_os_error())
    } else {
        Ok(())
    }
}

/// User and group of the whole (single-threaded) process: real, effective and saved.
pub(crate) fn become_user(user: u32, group: u32) -> Result<()> {
    // SAFETY: both take numbers.
    let failed =
        unsafe { libc::setresgid(group, group, group) != 0 || libc::setresuid(user, user, user) != 0 };
    if failed {
        Err(Error::last_os_error())
    } else {
        Ok(())
    }
}

/// Ends this process at once, without running what is registered for the end: that belongs to the process it was
/// forked from.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: it does not return and touches no memory.
    unsafe { libc::_exit(code) }
}
