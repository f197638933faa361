//! The system calls that are refused or handed to the supervisor.
//!
//! What keeps a command inside are its namespaces and its identity; this only takes away what no build needs and where kernels
//! had their errors, and hands on the making of character devices, which a user namespace may not, and mounts (`served`).

use libc::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_RET, BPF_W,
    sock_filter,
};

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xC000_00B7;

/// Numbers from here on are x32's, a second way to most calls on x86-64.
#[cfg(target_arch = "x86_64")]
const X32: u32 = 0x4000_0000;

/// Offsets in `seccomp_data`.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const ARGUMENTS: u32 = 16;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const HAND_ON: u32 = libc::SECCOMP_RET_USER_NOTIF;

/// Not permitted, as if a right were lacking.
const REFUSED: &[libc::c_long] = &[
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_init_module,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_perf_event_open,
    libc::SYS_request_key,
    libc::SYS_userfaultfd,
];

/// Not there: callers have another way.
const ABSENT: &[libc::c_long] = &[libc::SYS_clone3, libc::SYS_fsopen, libc::SYS_io_uring_setup];

/// `fallocate(2)` that takes space instead of giving it back: the whole disk in no time.
const PUNCH_HOLE: u32 = libc::FALLOC_FL_PUNCH_HOLE as u32;

/// Kinds of `ioctl(2)` (the second byte of its request) that no build needs: of xfs, which all file systems know (one takes space without
/// writing), and of btrfs (subvolumes cannot be removed like directories).
const REFUSED_KINDS: [u32; 2] = [(b'X' as u32) << 8, 0x94 << 8];
/// What has that kind and only copies: `FICLONE`, `FICLONERANGE`, `FIDEDUPERANGE`.
const COPYING: [u32; 3] = [0x4004_9409, 0x4020_940d, 0xc018_9436];
/// The second byte of a request.
const KIND: u32 = 0xff00;

/// The number of a limit; of another type in every C library.
const CORE: u32 = 4;

/// Sockets of other families reach beyond the network namespace (`AF_VSOCK`: the machine that this one runs on) or are rarely used parts of
/// the kernel.
const SOCKET_FAMILIES: [libc::c_int; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

fn refuse(error: i32) -> u32 {
    libc::SECCOMP_RET_ERRNO | error as u32
}

fn statement(code: u32, k: u32) -> sock_filter {
    sock_filter {
        code: code as u16,
        jt: 0,
        jf: 0,
        k,
    }
}

/// Skips `otherwise` instructions if the comparison fails, none if it holds.
fn unless(comparison: u32, k: u32, otherwise: u8) -> sock_filter {
    sock_filter {
        code: (BPF_JMP | comparison | BPF_K) as u16,
        jt: 0,
        jf: otherwise,
        k,
    }
}

fn load(offset: u32) -> sock_filter {
    statement(BPF_LD | BPF_W | BPF_ABS, offset)
}

fn answer(with: u32) -> sock_filter {
    statement(BPF_RET | BPF_K, with)
}

/// The lower half of an argument.
fn argument(number: u32) -> u32 {
    ARGUMENTS + 8 * number
}

/// The program. Programs of another architecture (i386 on amd64), whose calls have other numbers, cannot call the system at all unless
/// they are wanted; then they run without a filter, and only the namespaces hold them.
pub(crate) fn program(foreign_programs: bool) -> Vec<sock_filter> {
    let foreign = if foreign_programs {
        ALLOW
    } else {
        refuse(libc::ENOSYS)
    };
    let mut program = vec![
        load(ARCH),
        unless(BPF_JEQ, ARCHITECTURE, 1),
        sock_filter {
            code: (BPF_JMP | libc::BPF_JA) as u16,
            jt: 0,
            jf: 0,
            k: 1,
        },
        answer(foreign),
        load(NUMBER),
    ];
    #[cfg(target_arch = "x86_64")]
    program.extend([unless(BPF_JGE, X32, 1), answer(refuse(libc::ENOSYS))]);
    for (calls, error) in [(REFUSED, libc::EPERM), (ABSENT, libc::ENOSYS)] {
        for call in calls {
            program.extend([unless(BPF_JEQ, *call as u32, 1), answer(refuse(error))]);
        }
    }
    // Another user namespace inside is the way to many errors of kernels.
    for call in [libc::SYS_clone, libc::SYS_unshare] {
        program.extend([
            unless(BPF_JEQ, call as u32, 3),
            load(argument(0)),
            unless(BPF_JSET, libc::CLONE_NEWUSER as u32, 1),
            answer(refuse(libc::EPERM)),
            load(NUMBER),
        ]);
    }
    program.extend([
        unless(BPF_JEQ, libc::SYS_fallocate as u32, 4),
        load(argument(1)),
        unless(BPF_JSET, PUNCH_HOLE, 1),
        answer(ALLOW),
        // Programs write then.
        answer(refuse(libc::EOPNOTSUPP)),
        unless(BPF_JEQ, libc::SYS_mount as u32, 1),
        answer(HAND_ON),
    ]);
    program.extend(when(libc::SYS_ioctl, &controls()));
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        program.extend(when(call, &sockets()));
    }
    #[cfg(target_arch = "x86_64")]
    program.extend(when(libc::SYS_setrlimit, &core_limit(0, 1)));
    program.extend(when(libc::SYS_prlimit64, &core_limit(1, 2)));
    #[cfg(target_arch = "x86_64")]
    program.extend(character_devices(libc::SYS_mknod, 1));
    program.extend(character_devices(libc::SYS_mknodat, 2));
    program.push(answer(ALLOW));
    program
}

/// What is done at one call, which has to end in an answer.
fn when(call: libc::c_long, instructions: &[sock_filter]) -> Vec<sock_filter> {
    // Far less than what a jump reaches; a test checks the jumps.
    let mut program = vec![unless(BPF_JEQ, call as u32, instructions.len() as u8)];
    program.extend(instructions);
    program
}

/// `ioctl(2)`.
fn controls() -> Vec<sock_filter> {
    let mut program = vec![load(argument(1))];
    for request in COPYING {
        program.extend([unless(BPF_JEQ, request, 1), answer(ALLOW)]);
    }
    program.push(statement(BPF_ALU | BPF_AND | BPF_K, KIND));
    for kind in REFUSED_KINDS {
        // As from a file system that does not have it.
        program.extend([unless(BPF_JEQ, kind, 1), answer(refuse(libc::ENOTTY))]);
    }
    program.push(answer(ALLOW));
    program
}

/// `socket(2)` and `socketpair(2)`.
fn sockets() -> Vec<sock_filter> {
    let mut program = vec![load(argument(0))];
    for family in SOCKET_FAMILIES {
        program.extend([unless(BPF_JEQ, family as u32, 1), answer(ALLOW)]);
    }
    program.push(answer(refuse(libc::EAFNOSUPPORT)));
    program
}

/// Setting the limit of core files does nothing: with any but the one it has (`child::enter`), the host's root may be asked to run its program
/// for core files. Not an error: programs that keep secrets end when they cannot switch core files off.
fn core_limit(resource: u32, limit: u32) -> Vec<sock_filter> {
    vec![
        load(argument(resource)),
        unless(BPF_JEQ, CORE, 4),
        // No address in either half: it is read.
        load(argument(limit)),
        unless(BPF_JEQ, 0, 3),
        load(argument(limit) + 4),
        unless(BPF_JEQ, 0, 1),
        answer(ALLOW),
        answer(refuse(0)),
    ]
}

/// Hands on a call that makes a character device; `mode` is the number of its argument.
fn character_devices(call: libc::c_long, mode: u32) -> [sock_filter; 6] {
    [
        unless(BPF_JEQ, call as u32, 5),
        load(argument(mode)),
        statement(BPF_ALU | BPF_AND | BPF_K, libc::S_IFMT),
        unless(BPF_JEQ, libc::S_IFCHR, 1),
        answer(HAND_ON),
        load(NUMBER),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_jump_stays_inside_and_the_end_is_an_answer() {
        let program = program(false);
        for (at, instruction) in program.iter().enumerate() {
            let is_jump = instruction.code & 0x07 == BPF_JMP as u16;
            if is_jump {
                let far = usize::from(instruction.jt.max(instruction.jf)).max(
                    if instruction.code == (BPF_JMP | libc::BPF_JA) as u16 {
                        instruction.k as usize
                    } else {
                        0
                    },
                );
                assert!(at + 1 + far < program.len());
            }
        }
        assert_eq!(program.last().unwrap().code, (BPF_RET | BPF_K) as u16);
    }
}
