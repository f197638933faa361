//! Where things lie below the base directory (imgapi-operations.md §5.1). Names are made of UUIDs and fixed words only, so no
//! path leaves the directory.

use crate::uuid::Uuid;

/// Directory of the stored records.
pub const MANIFESTS: &str = "manifests";
/// Directory of the files and icons.
pub const IMAGES: &str = "images";
/// Directory of the public forms, which are kept when an image goes.
pub const ARCHIVE: &str = "archive";
/// Directory of the keys of users that were put here by hand.
pub const LOCAL_KEYS: &str = "etc/authkeys/local";
/// Directory of the keys of users that were copied from a remote store.
pub const REMOTE_KEYS: &str = "etc/authkeys/manta";
/// The configuration of this instance.
pub const CONFIGURATION: &str = "etc/imgapi.config.json";

/// Longest name of an upload that is kept as part of a file name, bytes.
const MAXIMUM_UPLOAD_NAME: usize = 64;

/// The stored record: `manifests/UUID.raw`.
pub fn record(uuid: Uuid) -> String {
    format!("{MANIFESTS}/{uuid}.raw")
}

/// The image a name in `manifests` is about; nothing for other files.
pub fn record_uuid(file_name: &str) -> Option<Uuid> {
    Uuid::parse(file_name.strip_suffix(".raw")?)
}

/// The directory of an image's files: `images/UUI/UUID`.
pub fn image(uuid: Uuid) -> String {
    format!("{IMAGES}/{}/{uuid}", prefix(uuid))
}

/// A file: `images/UUI/UUID/file0`.
pub fn file(uuid: Uuid, index: usize) -> String {
    format!("{}/file{index}", image(uuid))
}

/// Directory of the files and icons that arrive: one for all, so that a start finds what earlier runs left without looking into
/// every image's directory.
pub const UPLOADS: &str = "images/.uploads";

/// A file while it arrives: `images/.uploads/UUID.file0.UPLOAD`. What is not a letter, digit or dash in the upload's name, which
/// may be a client's, is left out.
pub fn upload(uuid: Uuid, index: usize, upload: &str) -> String {
    format!("{UPLOADS}/{uuid}.file{index}.{}", harmless(upload))
}

/// The icon.
pub fn icon(uuid: Uuid) -> String {
    format!("{}/icon", image(uuid))
}

/// The icon while it arrives.
pub fn icon_upload(uuid: Uuid, upload: &str) -> String {
    format!("{UPLOADS}/{uuid}.icon.{}", harmless(upload))
}

/// The image and the upload's name, of a name in [`UPLOADS`].
pub fn upload_of(file_name: &str) -> Option<(Uuid, &str)> {
    let (uuid, rest) = file_name.split_once('.')?;
    let (_, upload) = rest.split_once('.')?;
    Some((Uuid::parse(uuid)?, upload))
}

/// Whether a name in an image's directory is that of an upload to the original that ended without success.
pub fn is_leftover(file_name: &str) -> bool {
    let is_index = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    file_name
        .split_once('.')
        .is_some_and(|(name, _)| name == "icon" || name.strip_prefix("file").is_some_and(is_index))
}

/// The public form of the newest record: `archive/UUI/UUID.json`.
pub fn archive(uuid: Uuid) -> String {
    format!("{ARCHIVE}/{}/{uuid}.json", prefix(uuid))
}

/// The user whose keys a file has: its name up to the last dot, if it ends in `.keys`.
pub fn keys_user(file_name: &str) -> Option<&str> {
    file_name.strip_suffix(".keys").filter(|user| !user.is_empty())
}

fn prefix(uuid: Uuid) -> String {
    let mut text = uuid.to_string();
    text.truncate(3);
    text
}

fn harmless(name: &str) -> String {
    let kept = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-');
    kept.take(MAXIMUM_UPLOAD_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_layout_is_that_of_the_original() {
        let uuid = Uuid::parse("c58161c0-2547-11e2-a75e-9fdca1940570").unwrap();
        assert_eq!(record(uuid), format!("manifests/{uuid}.raw"));
        assert_eq!(file(uuid, 0), format!("images/c58/{uuid}/file0"));
        assert_eq!(
            upload(uuid, 1, "r-1"),
            format!("images/.uploads/{uuid}.file1.r-1")
        );
        assert_eq!(upload_of(&format!("{uuid}.file1.r-1")), Some((uuid, "r-1")));
        assert_eq!(archive(uuid), format!("archive/c58/{uuid}.json"));
        assert_eq!(record_uuid(&format!("{uuid}.raw")), Some(uuid));
        assert_eq!(record_uuid("x.raw"), None);
        assert_eq!(keys_user("a.b.keys"), Some("a.b"));
    }

    #[test]
    fn leftovers_are_told_from_files() {
        assert!(is_leftover("file0.x") && is_leftover("icon.x") && is_leftover("file12.a.b"));
        assert!(
            !is_leftover("file0")
                && !is_leftover("icon")
                && !is_leftover("file.x")
                && !is_leftover("filex.y")
        );
    }

    proptest! {
        #[test]
        fn no_name_of_an_upload_leaves_the_directory(name in ".*") {
            let uuid = Uuid::NIL;
            let path = upload(uuid, 0, &name);
            let rest = path.strip_prefix(&format!("{UPLOADS}/{uuid}.file0.")).unwrap();
            prop_assert!(!rest.contains(['/', '\0', '.']) && path.len() < 255);
        }
    }
}
