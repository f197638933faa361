//! A tree like that of a minimal Debian, the same every time: its numbers of files, directories and links, and the
//! sizes of files as counted in one (bookworm, minbase).

use super::load::Random;
use anyhow::Context;
use std::io::Write;
use std::path::Path;

/// Regular files with content.
const FILES: usize = 5_309;
/// Regular files without.
const EMPTY_FILES: usize = 20;
/// Directories below the usual ones.
const DIRECTORIES: usize = 770;
/// Symbolic links.
const LINKS: usize = 646;
/// Sizes in bytes, ascending, at equal shares of all files: of 20 files one is smaller than the second size.
const SIZES: [u64; 21] = [
    1, 133, 290, 530, 633, 758, 966, 1_210, 1_519, 1_821, 2_176, 2_595, 3_459, 5_131, 8_709, 14_648, 18_680,
    29_407, 52_112, 110_728, 430_000,
];
/// The few that make up half of all bytes.
const LARGE_SIZES: [u64; 8] = [
    50_060_337, 3_804_464, 3_804_464, 2_896_560, 2_400_000, 2_000_000, 1_792_040, 1_400_000,
];
/// Files of a small tree, beside `/etc/passwd`.
const SMALL_FILES: usize = 10;
/// Directories that every system has; the first ones are what adding insists on.
const USUAL: [&str; 12] = [
    "etc",
    "usr/bin",
    "usr/sbin",
    "usr/lib",
    "usr/share/doc",
    "usr/share/locale",
    "var/lib/dpkg/info",
    "var/cache",
    "dev",
    "proc",
    "root",
    "tmp",
];

/// Makes it at `root`, which must not exist.
pub(crate) fn make(root: &Path) -> anyhow::Result<()> {
    let mut random = Random::new(1);
    for directory in USUAL {
        std::fs::create_dir_all(root.join(directory))?;
    }
    std::fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")?;
    for number in 0..DIRECTORIES {
        std::fs::create_dir_all(root.join(directory(number)))?;
    }
    for number in 0..FILES {
        let size = match LARGE_SIZES.get(number) {
            Some(size) => *size,
            None => size(&mut random),
        };
        let path = root.join(directory(number)).join(format!("file-{number:05}"));
        write(&path, size, &mut random).with_context(|| path.display().to_string())?;
    }
    for number in 0..EMPTY_FILES {
        std::fs::write(root.join(directory(number)).join("empty"), b"")?;
    }
    for number in 0..LINKS {
        let link = root.join(directory(number)).join(format!("link-{number:04}"));
        std::os::unix::fs::symlink(format!("file-{number:05}"), link)?;
    }
    Ok(())
}

/// A tree of a few files at `root`, which must not exist.
pub(crate) fn make_small(root: &Path) -> anyhow::Result<()> {
    for directory in ["etc", "usr/bin"] {
        std::fs::create_dir_all(root.join(directory))?;
    }
    std::fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n")?;
    for number in 0..SMALL_FILES {
        std::fs::write(
            root.join(format!("usr/bin/program-{number}")),
            format!("{number}\n"),
        )?;
    }
    Ok(())
}

/// Spread over the places where packages put files.
fn directory(number: usize) -> String {
    let places = [
        "usr/share/doc",
        "usr/share/locale",
        "usr/lib",
        "var/lib/dpkg/info",
    ];
    let number = number % DIRECTORIES;
    format!("{}/package-{number:03}", places[number % places.len()])
}

/// As the share of files has it: evenly between two neighbouring sizes.
fn size(random: &mut Random) -> u64 {
    let step = random.below(SIZES.len() as u64 - 1) as usize;
    let (low, high) = (SIZES[step], SIZES[step + 1]);
    low + random.below(high - low)
}

fn write(path: &Path, size: u64, random: &mut Random) -> std::io::Result<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let mut left = size;
    while left > 0 {
        let bytes = random.next().to_le_bytes();
        let some = left.min(bytes.len() as u64) as usize;
        file.write_all(&bytes[..some])?;
        left -= some as u64;
    }
    file.flush()
}
