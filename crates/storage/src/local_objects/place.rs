//! The place of an object: its hash in hex, split 2/2/124 (`imageserver.md §6.4`).

use hash::Hash;

/// `aa/bb/REST`.
pub fn place_of(hash: &Hash) -> String {
    let mut place = hash.to_string();
    place.insert(4, '/');
    place.insert(2, '/');
    place
}

/// Directory of a place: `aa/bb`.
pub(super) fn directory_of(place: &str) -> &str {
    &place[..5]
}

/// Top directory of a place: `aa`.
pub(super) fn top_of(place: &str) -> &str {
    &place[..2]
}

/// The hash whose place this is, if it is one. The original takes the hex digits of any relative path; a file
/// elsewhere than at its place it registers and then cannot open, so such files are none to us.
pub(super) fn hash_at(place: &str) -> Option<Hash> {
    let hash: Hash = place.replace('/', "").parse().ok()?;
    (place_of(&hash) == place).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_leads_back_to_its_hash_and_nothing_else_does() {
        let hash = hash::of(b"x");
        let place = place_of(&hash);
        assert_eq!(place.len(), 130);
        assert_eq!(hash_at(&place), Some(hash));
        assert_eq!(hash_at(&hash.to_string()), None);
        assert_eq!(hash_at(&format!("{}x", &place[..129])), None);
        assert_eq!(hash_at("README"), None);
        assert_eq!(format!("{}/{}", directory_of(&place), &place[6..]), place);
        assert_eq!(top_of(&place), &hash.to_string()[..2]);
    }
}
