//! Where the manifest of a stream is (`imaginator.md §5, §6.2`).

use std::collections::BTreeMap;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use crate::{Secrets, UserStream, environment, expand};

/// A repository or tree, and a directory in it, with nothing left to expand.
#[derive(Clone, PartialEq, Eq)]
pub struct ManifestLocation {
    /// Repository, or `dir://` and an absolute path. **May hold secrets**: never to be printed.
    pub url: String,
    /// Directory in it; empty for its top. May hold secrets.
    pub directory: String,
}

impl ManifestLocation {
    /// For fetching: variables are those of the stream, then secrets, then those of the request; the first that has a name wins. Not the
    /// order of the specification, in which whoever may ask for a build could have the secrets sent to a host of his own.
    ///
    /// # Errors
    /// The request's variables choose more than a place on the host that the stream names.
    pub fn with_secrets(
        stream_name: &str,
        stream: &UserStream,
        request_variables: &BTreeMap<String, String>,
        secrets: &Secrets,
    ) -> Result<Self, LocationError> {
        let own = environment::of_stream(stream_name, stream);
        let fixed = |name: &str| own.get(name).map(String::as_str).or_else(|| secrets.get(name));
        let asked = |name: &str| fixed(name).or_else(|| request_variables.get(name).map(String::as_str));
        let location = Self::expanded(stream, asked);
        let names = expand::names(&stream.manifest_url).into_iter();
        let mut names = names.chain(expand::names(&stream.manifest_directory));
        let leads_up = |name: &String| {
            fixed(name).is_none()
                && asked(name).is_some_and(|value| value.split('/').any(|part| part == ".."))
        };
        if names.any(|name| leads_up(&name)) {
            return Err(LocationError::LeadsUp);
        }
        if host(&location.url) != host(&Self::expanded(stream, fixed).url) {
            return Err(LocationError::OtherHost);
        }
        Ok(location)
    }

    /// For fetching what nobody asked for: variables are those of the stream, then secrets.
    pub fn without_request(stream_name: &str, stream: &UserStream, secrets: &Secrets) -> Self {
        let own = environment::of_stream(stream_name, stream);
        Self::expanded(stream, |name| {
            own.get(name).map(String::as_str).or_else(|| secrets.get(name))
        })
    }

    /// For pages: variables of the stream alone. What is secret is left out, so the result may lead nowhere.
    pub fn without_secrets(stream_name: &str, stream: &UserStream) -> Self {
        let own = environment::of_stream(stream_name, stream);
        Self::expanded(stream, |name| own.get(name).map(String::as_str))
    }

    fn expanded<'a>(stream: &UserStream, lookup: impl Fn(&str) -> Option<&'a str>) -> Self {
        Self {
            url: expand::expression(&stream.manifest_url, &lookup),
            directory: expand::expression(&stream.manifest_directory, &lookup),
        }
    }

    /// The local tree, if it is one: the path of a `dir://` URL, unescaped. The directory is not yet joined to it.
    ///
    /// # Errors
    /// It is such a URL, but has no absolute path.
    pub fn local_tree(&self) -> Result<Option<PathBuf>, LocationError> {
        let Some(("dir", rest)) = self.url.split_once(':') else {
            return Ok(None);
        };
        // What stands between two slashes and the third would be a host, which means nothing here.
        let path = match rest.strip_prefix("//") {
            Some(rest) => rest.find('/').map_or("", |at| &rest[at..]),
            None => rest,
        };
        if !path.starts_with('/') {
            return Err(LocationError::NotAbsolute);
        }
        let path = path.split(['?', '#']).next().unwrap_or_default();
        Ok(Some(unescape_path(path)))
    }
}

/// What says where a repository is, before the path on that host: scheme, user, password, host, port.
fn host(url: &str) -> &str {
    let from = url.find("://").map_or(0, |at| at + 3);
    // Without a scheme: `user@host:path`, or a path on this host.
    let ends: &[char] = if from == 0 { &['/', ':'] } else { &['/', '?', '#'] };
    let end = url[from..].find(ends).map_or(url.len(), |at| from + at);
    &url[..end]
}

/// Why a location leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// `dir://` and something that is no absolute path.
    #[error("missing leading slash: a manifest tree needs an absolute path, as in dir:///srv/manifests")]
    NotAbsolute,
    /// A variable of the request with `..` in it.
    #[error("a variable of the request leads to a directory above the one that the stream names")]
    LeadsUp,
    /// A variable of the request that is the host, or a part of what comes before it.
    #[error(
        "a variable of the request may not choose the host, scheme or user of the manifest: the stream must name them"
    )]
    OtherHost,
}

/// The path in a URL, with `%XX` replaced by the byte it stands for.
pub(crate) fn unescape_path(text: &str) -> PathBuf {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = || {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            u8::from_str_radix(digits, 16).ok()
        };
        match escaped().filter(|_| first == b'%') {
            Some(byte) => {
                out.push(byte);
                rest = &after[2..];
            }
            None => {
                out.push(first);
                rest = after;
            }
        }
    }
    std::ffi::OsString::from_vec(out).into()
}

/// Tells nothing, since it may hold secrets.
impl fmt::Debug for ManifestLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ManifestLocation(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn the_stream_wins_over_secrets_and_those_over_the_request() {
        let stream = UserStream {
            manifest_url: "https://$USER:$PASSWORD@git.example/$A/$B.git".into(),
            manifest_directory: "${IMAGE_STREAM[/1:]}".into(),
            variables: table(&[("A", "stream")]),
            ..UserStream::default()
        };
        let secrets = Secrets::new(table(&[("USER", "me"), ("PASSWORD", "hunter22"), ("A", "no")]));
        let request = table(&[("A", "no"), ("B", "request"), ("PASSWORD", "no")]);
        let with = |request| ManifestLocation::with_secrets("base/x/y", &stream, request, &secrets);
        let location = with(&request).unwrap();
        assert_eq!(location.url, "https://me:hunter22@git.example/stream/request.git");
        assert_eq!(location.directory, "x/y");
        assert_eq!(location.local_tree(), Ok(None));
        assert!(!format!("{location:?}").contains("hunter22"));
        let shown = ManifestLocation::without_secrets("base/x/y", &stream);
        assert_eq!(shown.url, "https://:@git.example/stream/.git");
    }

    #[test]
    fn a_request_chooses_neither_the_host_nor_a_directory_above() {
        let secrets = Secrets::new(table(&[("PASSWORD", "hunter22")]));
        let of = |url: &str, value: &str| {
            let stream = UserStream {
                manifest_url: url.into(),
                ..UserStream::default()
            };
            let request = table(&[("ASKED", value)]);
            ManifestLocation::with_secrets("x", &stream, &request, &secrets).map(|location| location.url)
        };
        for (url, value, expected) in [
            (
                "https://$ASKED:$PASSWORD@git.example/r.git",
                "x:y@evil.example/",
                Err(LocationError::OtherHost),
            ),
            (
                "https://me:$PASSWORD@$ASKED/r.git",
                "evil.example",
                Err(LocationError::OtherHost),
            ),
            ("$ASKED", "dir:///etc", Err(LocationError::OtherHost)),
            ("git@$ASKED:r.git", "evil.example", Err(LocationError::OtherHost)),
            (
                "dir:///srv/manifests/$ASKED",
                "../../etc",
                Err(LocationError::LeadsUp),
            ),
            (
                "dir:///srv/manifests/$ASKED",
                "one/two",
                Ok("dir:///srv/manifests/one/two".to_owned()),
            ),
            (
                "git@git.example:$ASKED.git",
                "mine",
                Ok("git@git.example:mine.git".to_owned()),
            ),
            (
                "https://me:$PASSWORD@git.example/$ASKED.git",
                "mine",
                Ok("https://me:hunter22@git.example/mine.git".to_owned()),
            ),
        ] {
            assert_eq!(of(url, value), expected, "{url} {value}");
        }
    }

    #[test]
    fn trees_of_this_host_are_recognised() {
        let tree = |url: &str| {
            let stream = UserStream {
                manifest_url: url.into(),
                ..UserStream::default()
            };
            ManifestLocation::without_secrets("x", &stream).local_tree()
        };
        for (url, expected) in [
            ("dir:///srv/manifests", Ok(Some("/srv/manifests"))),
            ("dir:///srv/a%20b", Ok(Some("/srv/a b"))),
            ("dir:///srv/100%", Ok(Some("/srv/100%"))),
            ("dir:/srv", Ok(Some("/srv"))),
            ("dir://host/srv", Ok(Some("/srv"))),
            ("dir://srv", Err(LocationError::NotAbsolute)),
            ("dir:", Err(LocationError::NotAbsolute)),
            ("/srv/repo.git", Ok(None)),
            ("file:///srv/repo.git", Ok(None)),
            ("git@host:x.git", Ok(None)),
            ("", Ok(None)),
        ] {
            assert_eq!(tree(url), expected.map(|path| path.map(PathBuf::from)), "{url}");
        }
    }
}
