//! `BASE/tree/HASH`.

use super::ImportError;
use hash::Hash;

/// Where a tree is.
#[derive(Debug, PartialEq)]
pub(crate) struct TreeUrl {
    /// What `/tree/HASH` and `/blob/HASH` are appended to.
    pub(crate) base: String,
    /// The tree's name.
    pub(crate) hash: Hash,
}

impl TreeUrl {
    /// Takes a URL apart.
    pub(crate) fn parse(url: &str) -> Result<Self, ImportError> {
        let (front, hash) = url.rsplit_once('/').ok_or(ImportError::NotATree)?;
        let (base, kind) = front.rsplit_once('/').ok_or(ImportError::NotATree)?;
        if kind != "tree" {
            return Err(ImportError::NotATree);
        }
        let hash = hash
            .parse()
            .map_err(|error| ImportError::BadHash(format!("{error}")))?;
        Ok(Self {
            base: base.to_owned(),
            hash,
        })
    }

    /// Where another tree of the same server is.
    pub(crate) fn tree(&self, hash: Hash) -> String {
        format!("{}/tree/{hash}", self.base)
    }

    /// Where a file's or link's content is.
    pub(crate) fn blob(&self, hash: Hash) -> String {
        format!("{}/blob/{hash}", self.base)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_base_tree_hash_is_a_tree() {
        let hash = hash::of(b"x");
        let url = TreeUrl::parse(&format!("http://h:1/base/tree/{hash}")).unwrap();
        assert_eq!(url.blob(hash), format!("http://h:1/base/blob/{hash}"));
        assert_eq!(
            TreeUrl::parse("http://127.0.0.1:1/x").unwrap_err().to_string(),
            "not a tree"
        );
        assert!(TreeUrl::parse("http://h/tree/xyz").is_err());
        assert!(TreeUrl::parse("").is_err());
    }
}
