//! A directory that the builds of a stream keep from one to the next (`imaginator.md §11.8`).
//!
//! Builds write in it as its root, so it is hostile: no stream's directory lies inside another's, nothing in it is ever followed, and
//! all of them lie below a directory that is closed to others of the host, who would find programs in it that run as root.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use recipe::Cache;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, mkdirat, openat, unlinkat};
use rustix::io::Errno;
use sandbox::Bind;

use crate::cursor::walk;
use crate::delete::delete_below;
use crate::in_root::{DIRECTORY, names};

/// Bytes that are kept where the configuration sets no limit: as many as objects are by default.
const USUAL_LIMIT_BYTES: u64 = 10 << 30;

/// Below `BaseDirectory`, closed to others; in it is a directory per stream.
const CLOSED: &str = "streams";

/// Bytes of an escaped name, at most; longer ones are hashed.
const MOST_NAME_BYTES: usize = 200;

/// Entries that are looked at one by one; if there are more, all go.
const MOST_ENTRIES: usize = 1 << 20;

/// What an entry takes beside its blocks.
const ENTRY_BYTES: u64 = 512;

/// What `st_blocks` counts.
const BLOCK_BYTES: u64 = 512;

/// The directory of one stream. It has its size at the start and, whatever comes of the build, when this is dropped.
pub(crate) struct KeptDirectory {
    path: PathBuf,
    mount_point: PathBuf,
    size_limit: u64,
}

/// Time of change of an entry that is no directory, and its bytes.
type Entry = ((i64, u64), u64);

impl KeptDirectory {
    /// Makes it if it is not there, trims it if it is.
    pub(crate) fn make(cache: &Cache, stream: &str) -> io::Result<KeptDirectory> {
        let base = Path::new(&cache.base_directory);
        fs::create_dir_all(base)?;
        let closed = fs::canonicalize(base)?.join(CLOSED);
        match DirBuilder::new().mode(0o700).create(&closed) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let metadata = fs::symlink_metadata(&closed)?;
        if !metadata.is_dir() || metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(io::Error::other("is not a directory of ours"));
        }
        fs::set_permissions(&closed, Permissions::from_mode(0o700))?;
        let name = component(stream);
        let above = rustix::fs::open(&closed, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())?;
        // Open to all that run in the build.
        match mkdirat(&above, &name, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        openat(&above, &name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())?;
        let kept = KeptDirectory {
            path: closed.join(name),
            mount_point: PathBuf::from(&cache.mount_point),
            size_limit: match cache.size_limit {
                0 => USUAL_LIMIT_BYTES,
                limit => limit,
            },
        };
        kept.trimmed();
        Ok(kept)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// As builds see it.
    pub(crate) fn bind(&self) -> Bind {
        Bind {
            source: self.path.clone(),
            target: self.mount_point.clone(),
            writable: true,
        }
    }

    fn trimmed(&self) {
        // The next build tries again; that the disk gets full is watched.
        if let Err(error) = self.trim() {
            tracing::warn!("cannot trim {}: {error}", self.path.display());
        }
    }

    /// Deletes what was changed longest ago, until there is less than may be kept. Another build of the stream may be at
    /// work in it: what it takes away or puts in meanwhile is no error.
    fn trim(&self) -> io::Result<()> {
        let (mut total, mut entries) = self.look()?;
        if total < self.size_limit {
            return Ok(());
        }
        if entries.len() > MOST_ENTRIES {
            return self.empty();
        }
        entries.sort_unstable();
        let (mut left, mut until) = (total, (i64::MIN, 0));
        for (changed, bytes) in &entries {
            if left < self.size_limit {
                break;
            }
            until = *changed;
            left = left.saturating_sub(*bytes);
        }
        walk(&self.path, &mut |directory, name, kind, stat| {
            let is_old = kind != FileType::Directory && changed(stat) <= until;
            if is_old && total >= self.size_limit && unlinkat(directory, name, AtFlags::empty()).is_ok() {
                total = total.saturating_sub(bytes(stat));
            }
        })?;
        // Of directories, or of names for the same files, there may be any number.
        if self.look()?.0 >= self.size_limit {
            return self.empty();
        }
        Ok(())
    }

    /// Bytes of everything, and all that is no directory, up to one more than [`MOST_ENTRIES`].
    fn look(&self) -> io::Result<(u64, Vec<Entry>)> {
        let (mut total, mut entries) = (0_u64, Vec::new());
        walk(&self.path, &mut |_, _, kind, stat| {
            total = total.saturating_add(bytes(stat));
            if kind != FileType::Directory && entries.len() <= MOST_ENTRIES {
                entries.push((changed(stat), bytes(stat)));
            }
        })?;
        Ok((total, entries))
    }

    fn empty(&self) -> io::Result<()> {
        let top = rustix::fs::open(&self.path, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())?;
        for name in names(&top)? {
            delete_below(&top, &name)?;
        }
        Ok(())
    }
}

impl Drop for KeptDirectory {
    fn drop(&mut self) {
        self.trimmed();
    }
}

fn changed(stat: &Stat) -> (i64, u64) {
    (stat.st_mtime, stat.st_mtime_nsec)
}

fn bytes(stat: &Stat) -> u64 {
    let blocks = u64::try_from(stat.st_blocks).unwrap_or(0);
    blocks.saturating_mul(BLOCK_BYTES).saturating_add(ENTRY_BYTES)
}

/// One name that is no other stream's, whatever the stream is called: never a path, never hidden.
fn component(stream: &str) -> String {
    let mut name = String::with_capacity(stream.len());
    for (at, byte) in stream.bytes().enumerate() {
        match byte {
            b'.' if at == 0 => name.push_str("%2E"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => name.push(char::from(byte)),
            other => name.push_str(&format!("%{other:02X}")),
        }
    }
    match name.len() {
        1..=MOST_NAME_BYTES => name,
        // No escaped name begins like this.
        _ => format!("={}", hash::of(stream.as_bytes())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn cache(base: &Path, size_limit: u64) -> Cache {
        Cache {
            base_directory: base.to_str().unwrap().to_owned(),
            mount_point: "/cache".to_owned(),
            size_limit,
        }
    }

    fn in_it(kept: &KeptDirectory) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(kept.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn no_stream_has_its_directory_inside_another_ones_or_outside_the_base() {
        let base = tempfile::tempdir().unwrap();
        let closed = fs::canonicalize(base.path()).unwrap().join(CLOSED);
        let long = "x/".repeat(500);
        for stream in ["a", "a/b", "a%2Fb", "../../etc", "..", ".", "", "/etc", &long] {
            let kept = KeptDirectory::make(&cache(base.path(), 0), stream).unwrap();
            assert_eq!(kept.path().parent(), Some(closed.as_path()), "{stream}");
            assert_eq!(kept.size_limit, 10 << 30, "without a limit there is one");
        }
        assert_eq!(fs::read_dir(&closed).unwrap().count(), 9);
        assert_eq!(fs::metadata(&closed).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_link_in_the_place_of_a_directory_is_never_bound_nor_trimmed() {
        let (base, victim) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(victim.path().join("file"), "x".repeat(9000)).unwrap();
        let a = KeptDirectory::make(&cache(base.path(), 1), "a").unwrap();
        // What scripts of `a` may do.
        symlink(victim.path(), a.path().join("b")).unwrap();
        let b = KeptDirectory::make(&cache(base.path(), 1), "a/b").unwrap();
        assert!(fs::symlink_metadata(b.path()).unwrap().is_dir());
        assert!(!fs::canonicalize(b.path()).unwrap().starts_with(victim.path()));
        symlink(victim.path(), a.path().parent().unwrap().join("c")).unwrap();
        assert!(KeptDirectory::make(&cache(base.path(), 1), "c").is_err());
        drop((a, b));
        assert!(victim.path().join("file").exists());
    }

    #[test]
    fn what_was_changed_longest_ago_goes_before_a_build_and_whatever_its_end() {
        let base = tempfile::tempdir().unwrap();
        let limit = cache(base.path(), 3 * (8192 + ENTRY_BYTES));
        let kept = KeptDirectory::make(&limit, "a").unwrap();
        let put = |name: &str, second: i64| {
            let path = kept.path().join(name);
            fs::write(&path, "x".repeat(8192)).unwrap();
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(second.unsigned_abs());
            fs::File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_modified(time)
                .unwrap();
        };
        put("old", 1);
        put("newer", 2);
        put("newest", 3);
        // The daemon was killed: nothing was dropped.
        let path = kept.path().to_owned();
        let again = KeptDirectory::make(&limit, "a").unwrap();
        assert_eq!(in_it(&again), ["newer", "newest"]);
        put("later", 4);
        drop(again);
        assert_eq!(in_it(&kept), ["later", "newest"]);
        assert_eq!(path, kept.path());
    }

    #[test]
    fn empty_files_and_directories_of_any_depth_count_and_go() {
        let base = tempfile::tempdir().unwrap();
        let kept = KeptDirectory::make(&cache(base.path(), 300 * 4096), "a").unwrap();
        for number in 0..4000 {
            fs::write(kept.path().join(number.to_string()), "").unwrap();
        }
        kept.trim().unwrap();
        assert!(in_it(&kept).len() < 2400, "{}", in_it(&kept).len());
        // 300 times 4096 bytes of directories, a large file in the last.
        let mut here = rustix::fs::open(kept.path(), DIRECTORY, Mode::empty()).unwrap();
        for _ in 0..400 {
            mkdirat(&here, "d", Mode::RWXU).unwrap();
            here = openat(&here, "d", DIRECTORY, Mode::empty()).unwrap();
        }
        kept.trim().unwrap();
        assert!(kept.look().unwrap().0 < 300 * 4096);
        assert!(!in_it(&kept).contains(&"d".to_owned()));
    }
}
