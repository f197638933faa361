//! Typed image names (`imagetool.md §3`): `X:NAME`, or just a name on the server.

use anyhow::bail;

/// Where an image comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// On the server.
    Image,
    /// The latest of a directory on the server.
    Latest,
    /// A local directory tree.
    Directory,
    /// A file with a gob tree.
    TreeFile,
    /// A file with a gob image.
    ImageFile,
}

/// What a command was given as an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TypedName {
    pub(crate) source: Source,
    pub(crate) name: String,
}

/// For the usage text.
pub(crate) const HELP: &[&str] = &[
    "d: name of directory tree to scan",
    "f: name of file containing a file-system",
    "i: name of an image on the imageserver (the default)",
    "I: name of an image stream (directory) on the imageserver (the latest image)",
    "l: name of file containing an image",
    "s: name of a sub to poll (not in this build yet)",
    "v: hostname/IP of a SmallStack VM to scan (not in this build yet)",
];

impl TypedName {
    pub(crate) fn parse(text: &str) -> anyhow::Result<TypedName> {
        let typed = text.len() >= 3 && text.as_bytes()[1] == b':';
        if !typed {
            return Ok(TypedName {
                source: Source::Image,
                name: text.to_owned(),
            });
        }
        let source = match text.as_bytes()[0] {
            b'i' => Source::Image,
            b'I' => Source::Latest,
            b'd' => Source::Directory,
            b'f' => Source::TreeFile,
            b'l' => Source::ImageFile,
            letter @ (b's' | b'v') => {
                bail!("image type {}: is not in this build yet", char::from(letter))
            }
            letter => bail!("unknown image type: {}", char::from(letter)),
        };
        Ok(TypedName {
            source,
            name: text[2..].to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Source, String) {
        let name = TypedName::parse(text).unwrap();
        (name.source, name.name)
    }

    #[test]
    fn the_second_character_decides() {
        assert_eq!(parsed("base/1"), (Source::Image, "base/1".to_owned()));
        assert_eq!(parsed("i:base/1"), (Source::Image, "base/1".to_owned()));
        assert_eq!(parsed("I:base"), (Source::Latest, "base".to_owned()));
        assert_eq!(parsed("d:/"), (Source::Directory, "/".to_owned()));
        assert_eq!(
            parsed("d:"),
            (Source::Image, "d:".to_owned()),
            "too short to be typed"
        );
        assert_eq!(
            TypedName::parse("x:abc").unwrap_err().to_string(),
            "unknown image type: x"
        );
        // A letter of several bytes has its colon elsewhere.
        assert_eq!(parsed("é:x"), (Source::Image, "é:x".to_owned()));
    }
}
