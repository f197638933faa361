//! Control groups, version 2, version 1, or none: the limits of all processes of a command together.

use crate::{Limits, SandboxError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Directory of our groups below the root of each hierarchy.
const OURS: &str = "imagewright-sandboxes";
/// A group whose processes were killed is still busy for a moment.
const REMOVAL_ATTEMPTS: u32 = 100;
const REMOVAL_PAUSE: Duration = Duration::from_millis(10);

/// Where groups with certain limits are made on this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hierarchies {
    /// The root that limits memory.
    memory: Option<Root>,
    /// The root that limits the number of processes.
    processes: Option<Root>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Root {
    path: PathBuf,
    version: Version,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Hierarchies {
    /// Looks what is mounted. What is not there is left out; its limits then hold for single processes only.
    pub fn of_this_machine() -> Self {
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        Self::of_mounts(&mounts, |root| {
            std::fs::read_to_string(root.join("cgroup.controllers")).unwrap_or_default()
        })
    }

    fn of_mounts(mounts: &str, controllers: impl Fn(&Path) -> String) -> Self {
        let mut found = Self::default();
        for line in mounts.lines() {
            let mut fields = line.split(' ').skip(1);
            let (Some(path), Some(kind), Some(options)) = (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            let path = PathBuf::from(path);
            let (version, has): (_, Vec<String>) = match kind {
                "cgroup" => (Version::One, options.split(',').map(str::to_owned).collect()),
                "cgroup2" => (
                    Version::Two,
                    controllers(&path).split_whitespace().map(str::to_owned).collect(),
                ),
                _ => continue,
            };
            let root = Root { path, version };
            for (name, place) in [("memory", &mut found.memory), ("pids", &mut found.processes)] {
                if place.is_none() && has.iter().any(|one| one == name) {
                    *place = Some(root.clone());
                }
            }
        }
        found
    }

    /// Whether memory of all processes together can be limited.
    pub fn limit_memory(&self) -> bool {
        self.memory.is_some()
    }

    /// Whether the number of processes can be limited.
    pub fn limit_processes(&self) -> bool {
        self.processes.is_some()
    }
}

/// The groups of one command; removed when dropped.
#[derive(Debug)]
pub(crate) struct Group {
    directories: Vec<PathBuf>,
    /// What they share with the groups of others; goes with the last.
    above: Vec<PathBuf>,
    memory: Option<(PathBuf, Version)>,
}

impl Group {
    /// Makes them, with the limits. A group of that name that was left behind is used again, if nothing runs in it. Of a name of two parts,
    /// the first is a group that has the same limits for all groups in it together.
    pub(crate) fn make(hierarchies: &Hierarchies, name: &str, limits: &Limits) -> Result<Self, SandboxError> {
        let mut attempts = REMOVAL_ATTEMPTS;
        loop {
            match Self::try_make(hierarchies, name, limits) {
                // The last of the others took the shared group with it at this moment.
                Err(SandboxError::Group { source, .. })
                    if source.kind() == std::io::ErrorKind::NotFound && attempts > 0 =>
                {
                    attempts -= 1;
                }
                made => return made,
            }
        }
    }

    fn try_make(hierarchies: &Hierarchies, name: &str, limits: &Limits) -> Result<Self, SandboxError> {
        let mut group = Self {
            directories: Vec::new(),
            above: Vec::new(),
            memory: None,
        };
        if let (Some(root), Some(bytes)) = (&hierarchies.memory, limits.memory_bytes) {
            let levels = group.directory(root, name, "memory")?;
            let file = match root.version {
                Version::One => "memory.limit_in_bytes",
                Version::Two => "memory.max",
            };
            for directory in &levels {
                write(&directory.join(file), &bytes.to_string())?;
                if root.version == Version::Two {
                    // Swap is no way around it. Not every kernel has the file.
                    let _ = write(&directory.join("memory.swap.max"), "0");
                }
            }
            group.memory = levels.into_iter().last().map(|own| (own, root.version));
        }
        if let (Some(root), Some(processes)) = (&hierarchies.processes, limits.processes) {
            for directory in group.directory(root, name, "pids")? {
                write(&directory.join("pids.max"), &processes.to_string())?;
            }
        }
        Ok(group)
    }

    /// Makes the directory of each part of the name; the last is the command's own. Those above cannot vanish once it is there.
    fn directory(&mut self, root: &Root, name: &str, controller: &str) -> Result<Vec<PathBuf>, SandboxError> {
        let enable = |directory: &Path| match root.version {
            Version::One => Ok(()),
            Version::Two => write(
                &directory.join("cgroup.subtree_control"),
                &format!("+{controller}"),
            ),
        };
        let mut directory = root.path.join(OURS);
        make_directory(&directory)?;
        enable(&root.path)?;
        let mut levels = Vec::new();
        for part in name.split('/') {
            enable(&directory)?;
            directory.push(part);
            make_directory(&directory)?;
            levels.push(directory.clone());
        }
        if let Some((own, above)) = levels.split_last()
            && !self.directories.contains(own)
        {
            self.directories.push(own.clone());
            self.above.extend(above.iter().cloned());
        }
        Ok(levels)
    }

    /// Puts a process in; what it starts from then on is in it too.
    pub(crate) fn take(&self, process: rustix::process::Pid) -> Result<(), SandboxError> {
        for directory in &self.directories {
            write(
                &directory.join("cgroup.procs"),
                &process.as_raw_nonzero().to_string(),
            )?;
        }
        Ok(())
    }

    /// Whether something was killed because the memory was not enough.
    pub(crate) fn ran_out_of_memory(&self) -> bool {
        let Some((directory, version)) = &self.memory else {
            return false;
        };
        let file = match version {
            Version::One => "memory.oom_control",
            Version::Two => "memory.events",
        };
        let text = std::fs::read_to_string(directory.join(file)).unwrap_or_default();
        let kills = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        kills.is_some_and(|number| number.trim() != "0")
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for directory in &self.directories {
            for _ in 0..REMOVAL_ATTEMPTS {
                if std::fs::remove_dir(directory).is_ok() || !directory.exists() {
                    break;
                }
                std::thread::sleep(REMOVAL_PAUSE);
            }
        }
        for directory in &self.above {
            // Others may still be in it.
            let _ = std::fs::remove_dir(directory);
        }
    }
}

/// Removes groups that a machine's earlier run left behind, those whose name begins so. Groups in which something runs stay.
pub fn remove_stale_groups(hierarchies: &Hierarchies, prefix: &str) {
    for root in [&hierarchies.memory, &hierarchies.processes]
        .into_iter()
        .flatten()
    {
        let Ok(entries) = std::fs::read_dir(root.path.join(OURS)) else {
            continue;
        };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(prefix) {
                for inner in std::fs::read_dir(entry.path()).into_iter().flatten().flatten() {
                    // Its files cannot be removed, and need not.
                    let _ = std::fs::remove_dir(inner.path());
                }
                let _ = std::fs::remove_dir(entry.path());
            }
        }
    }
}

fn make_directory(path: &Path) -> Result<(), SandboxError> {
    match std::fs::create_dir(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(failed(path, error)),
        _ => Ok(()),
    }
}

fn write(path: &Path, value: &str) -> Result<(), SandboxError> {
    std::fs::write(path, value).map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: std::io::Error) -> SandboxError {
    SandboxError::Group {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,nosuid 0 0
cgroup /sys/fs/cgroup/pids cgroup rw,nosuid,pids 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,nosuid,memory 0 0
";

    #[test]
    fn a_hierarchy_is_used_for_what_it_can_limit() {
        let hybrid = Hierarchies::of_mounts(HYBRID, |_| "hugetlb\n".to_owned());
        let root = |path: &str, version| {
            Some(Root {
                path: PathBuf::from(path),
                version,
            })
        };
        assert_eq!(hybrid.memory, root("/sys/fs/cgroup/memory", Version::One));
        assert_eq!(hybrid.processes, root("/sys/fs/cgroup/pids", Version::One));
        let unified = Hierarchies::of_mounts("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0", |_| {
            "cpuset cpu io memory pids\n".to_owned()
        });
        assert_eq!(unified.memory, root("/sys/fs/cgroup", Version::Two));
        assert_eq!(unified.processes, unified.memory);
        let none = Hierarchies::of_mounts("proc /proc proc rw 0 0", |_| String::new());
        assert!(!none.limit_memory() && !none.limit_processes());
    }
}
