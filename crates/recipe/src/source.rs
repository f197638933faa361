//! Forms of URLs that configurations come from (`imaginator.md §4, §7`).

use std::fmt;
use std::path::PathBuf;

use crate::location::unescape_path;

/// Where a text comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// A file of this host: an absolute path, or `file://` and one.
    File(PathBuf),
    /// `http://` or `https://`. May hold credentials.
    Http(String),
    /// A file in a repository, on its default branch.
    Git {
        /// What git is told. May hold credentials.
        repository: String,
        /// Path in the repository.
        path: String,
    },
}

/// Why a URL is none of these. Tells nothing of what may be secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Nothing we know.
    #[error(
        "unknown scheme: {0}: write an absolute path, or a URL with file:, http:, https:, ssh: or git@host:"
    )]
    Scheme(String),
    /// `git@host:` without a repository whose name ends in `.git`.
    #[error("missing .git/ in Git URL")]
    Repository,
    /// A repository, but no path in it.
    #[error("missing path in repository")]
    Path,
    /// `file:` without an absolute path.
    #[error("file: needs an absolute path")]
    NotAbsolute,
}

impl Source {
    /// Recognises a URL:
    ///
    /// | form | what |
    /// | --- | --- |
    /// | `/path`, `file:///path` | file |
    /// | `http(s)://host/path` | HTTP |
    /// | `git@host:owner/repo.git/path` | git over SSH |
    /// | `http(s)://host/repo.git?path`, `ssh://host/repo.git?path`, `file:///repo.git?path` | git |
    ///
    /// # Errors
    /// It is none of these.
    pub fn parse(url: &str) -> Result<Self, SourceError> {
        if url.starts_with("git@") {
            let (repository, path) = url.split_once(".git/").ok_or(SourceError::Repository)?;
            return Self::git(format!("{repository}.git"), path);
        }
        if url.starts_with('/') {
            return Ok(Self::File(url.into()));
        }
        let (scheme, rest) = url.split_once(':').unwrap_or(("", url));
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let scheme = scheme.to_ascii_lowercase();
        match scheme.as_str() {
            "http" | "https" | "file" | "ssh" if place.ends_with(".git") => {
                Self::git(format!("{scheme}:{place}"), query)
            }
            "http" | "https" => Ok(Self::Http(url.to_owned())),
            "file" => {
                let path = place
                    .strip_prefix("//")
                    .map_or(place, |rest| match rest.find('/') {
                        Some(at) => &rest[at..],
                        None => "",
                    });
                if !path.starts_with('/') {
                    return Err(SourceError::NotAbsolute);
                }
                Ok(Self::File(unescape_path(path)))
            }
            "ssh" => Err(SourceError::Repository),
            // Before the colon there is no secret; without one it could be anything.
            _ => Err(SourceError::Scheme(scheme)),
        }
    }

    fn git(repository: String, path: &str) -> Result<Self, SourceError> {
        if path.is_empty() {
            return Err(SourceError::Path);
        }
        Ok(Self::Git {
            repository,
            path: path.to_owned(),
        })
    }

    /// Whether it is looked at only from time to time, since looking costs others something.
    pub fn is_remote(&self) -> bool {
        !matches!(self, Self::File(_))
    }
}

/// Tells the form alone, since it may hold credentials.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Http(_) => f.write_str("Http(…)"),
            Self::Git { path, .. } => f.debug_struct("Git").field("path", path).finish_non_exhaustive(),
        }
    }
}

/// A URL without the password that may stand in it: `https://user:***@host/…`.
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let Some((user, _)) = authority.rsplit_once('@') else {
        return url.to_owned();
    };
    let tail = &rest[user.len()..];
    match user.split_once(':') {
        Some((name, _)) => format!("{scheme}://{name}:{}{tail}", crate::secrets::REDACTED),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(repository: &str, path: &str) -> Result<Source, SourceError> {
        Ok(Source::Git {
            repository: repository.into(),
            path: path.into(),
        })
    }

    #[test]
    fn every_form_is_recognised() {
        let https = "https://user:password@host/owner/repo.git";
        for (url, expected) in [
            ("/etc/conf.json", Ok(Source::File("/etc/conf.json".into()))),
            ("file:///etc/a%20b", Ok(Source::File("/etc/a b".into()))),
            ("file:/etc/x", Ok(Source::File("/etc/x".into()))),
            ("http://host/a?b", Ok(Source::Http("http://host/a?b".into()))),
            (
                "HTTPS://host/x.git/y",
                Ok(Source::Http("HTTPS://host/x.git/y".into())),
            ),
            (
                "git@host:owner/repo.git/a/b",
                git("git@host:owner/repo.git", "a/b"),
            ),
            (&format!("{https}?a/b"), git(https, "a/b")),
            ("ssh://git@host/x.git?a", git("ssh://git@host/x.git", "a")),
            ("file:///srv/x.git?a", git("file:///srv/x.git", "a")),
            ("git@host:owner/repo.git", Err(SourceError::Repository)),
            ("git@host:owner/repo.git/", Err(SourceError::Path)),
            ("http://host/x.git", Err(SourceError::Path)),
            ("http://host/x.git?", Err(SourceError::Path)),
            ("ssh://host/x", Err(SourceError::Repository)),
            ("file://x", Err(SourceError::NotAbsolute)),
            ("ftp://host/x", Err(SourceError::Scheme("ftp".into()))),
            ("relative/path", Err(SourceError::Scheme(String::new()))),
            ("", Err(SourceError::Scheme(String::new()))),
        ] {
            assert_eq!(Source::parse(url), expected, "{url}");
        }
    }

    #[test]
    fn a_source_does_not_print_its_credentials() {
        for url in ["https://me:hunter22@host/x.git?a", "https://me:hunter22@host/x"] {
            assert!(!format!("{:?}", Source::parse(url)).contains("hunter22"));
        }
    }

    #[test]
    fn passwords_are_left_out_of_urls() {
        for (url, expected) in [
            ("https://me:hunter22@host/x", "https://me:***@host/x"),
            ("https://me:a:b@c@host/x", "https://me:***@host/x"),
            ("https://me@host/x", "https://me@host/x"),
            ("https://host/a:b@c", "https://host/a:b@c"),
            ("git@host:x.git/a", "git@host:x.git/a"),
            ("/path", "/path"),
        ] {
            assert_eq!(without_password(url), expected);
        }
    }
}
