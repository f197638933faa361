//! Flag files: `flags.default` and `flags.extra` (`imageserver.md §8`, `imagetool.md §1`).

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::{Exit, Origin, Table, Values};

/// Longest flag file that is read, in bytes: a larger one is not a flag file.
const LONGEST_FILE_BYTES: u64 = 1 << 20;

/// What a problem in a flag file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnProblem {
    /// `Warning: ...` on standard error; the rest of the file counts.
    Warn,
    /// The message on standard error, exit 1.
    Exit,
}

/// A file with lines `name=value`. It need not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagFile {
    /// Where it is.
    pub path: PathBuf,
    /// What a problem in it does.
    pub on_problem: OnProblem,
}

impl FlagFile {
    /// The two files of a daemon below `/etc/PROGRAM`.
    pub fn of_daemon(program: &str) -> Vec<Self> {
        Self::pair(&Path::new("/etc").join(program), OnProblem::Exit)
    }

    /// The four files of a tool: below `/etc/config/PROGRAM`, then below `$HOME/.config/PROGRAM`.
    pub fn of_tool(program: &str, home: Option<&Path>) -> Vec<Self> {
        let mut files = Self::pair(&Path::new("/etc/config").join(program), OnProblem::Warn);
        if let Some(home) = home {
            files.extend(Self::pair(&home.join(".config").join(program), OnProblem::Exit));
        }
        files
    }

    /// `flags.default` and `flags.extra` of a directory.
    pub fn pair(directory: &Path, on_problem: OnProblem) -> Vec<Self> {
        ["flags.default", "flags.extra"]
            .map(|name| Self {
                path: directory.join(name),
                on_problem,
            })
            .to_vec()
    }
}

/// Reads a flag file into `values`.
pub(crate) fn preload(table: &Table, file: &FlagFile, values: &mut Values) -> Result<(), Exit> {
    let text = match read(&file.path) {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(()),
        Err(problem) => return report(file, &problem),
    };
    for (index, line) in text.lines().enumerate() {
        if let Err(problem) = one_line(table, line.trim(), values) {
            report(
                file,
                &format!("{problem} ({} line {})", file.path.display(), index + 1),
            )?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<Option<String>, String> {
    let length = match std::fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        // A tool's home may hold a file where the directory would be.
        Err(error) if error.kind() == ErrorKind::NotADirectory => return Ok(None),
        Err(error) => return Err(format!("open {}: {error}", path.display())),
    };
    if length > LONGEST_FILE_BYTES {
        return Err(format!(
            "{}: longer than {LONGEST_FILE_BYTES} bytes",
            path.display()
        ));
    }
    std::fs::read_to_string(path)
        .map(Some)
        .map_err(|error| format!("read {}: {error}", path.display()))
}

fn one_line(table: &Table, line: &str, values: &mut Values) -> Result<(), String> {
    if line.is_empty() || line.starts_with(['#', ';']) {
        return Ok(());
    }
    let (name, text) = line
        .split_once('=')
        .ok_or_else(|| format!("bad line, cannot split name from value: {line}"))?;
    let (name, text) = (name.trim(), text.trim());
    let flag = table.find(name).ok_or_else(|| format!("no such flag -{name}"))?;
    let value = flag
        .read(text)
        .map_err(|error| format!("invalid value {text:?} for flag -{name}: {error}"))?;
    values.set(flag, value, Origin::File);
    Ok(())
}

fn report(file: &FlagFile, problem: &str) -> Result<(), Exit> {
    match file.on_problem {
        OnProblem::Exit => Err(Exit {
            code: 1,
            text: format!("{problem}\n"),
        }),
        OnProblem::Warn => {
            eprintln!("Warning: {problem}");
            Ok(())
        }
    }
}

#[cfg(test)]
#[path = "tests/files.rs"]
mod tests;
