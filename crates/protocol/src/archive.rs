//! The archive of an image: what `GetImageArchive` gives and `RestoreImageFromArchive` takes (imageserver.md §3.11, §3.12).
//!
//! One gob value, then 64 bytes of HMAC-SHA512 over exactly its bytes under a secret of the server. An archive that was
//! not changed can restore the image as it was; any other makes a new image.

use hash::Hash;
use image::{Image, record};

use crate::limits;

/// The signed part.
#[derive(Clone, Debug, Default, PartialEq, Eq, gob::Gob)]
pub struct ImageArchive {
    /// Name of the image.
    pub image_name: String,
    /// The image.
    pub image: Image,
}

record! {
    /// Heads each object in the file `imagetool save-to-file` writes after the archive (gob.md §14); that many bytes
    /// follow.
    pub struct SavedObject {
        /// Its name.
        pub hash: Hash,
        /// Its bytes.
        pub length: u64,
    }
}

/// Why an archive cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The value is cut short, broken, or too large.
    #[error(transparent)]
    Gob(#[from] gob::Error),
    /// The cryptographic library refuses.
    #[error("error computing HMAC: {0}")]
    Hmac(#[from] openssl::error::ErrorStack),
    /// The archive was changed, or another server made it. The text is the original's.
    #[error("HMAC mismatch: expected: {expected}, provided: {provided}")]
    Mismatch {
        /// What it should be.
        expected: Hash,
        /// What it is, in hex.
        provided: String,
    },
}

/// An archive as received.
#[derive(Debug)]
pub struct Archive<'a> {
    /// What it says.
    pub content: ImageArchive,
    signed: &'a [u8],
    provided: &'a [u8],
}

/// The bytes of an archive, signed with the server's secret.
///
/// # Errors
/// [`ArchiveError::Hmac`].
pub fn encode(content: &ImageArchive, secret: &[u8]) -> Result<Vec<u8>, ArchiveError> {
    let mut bytes = gob::to_vec(content);
    let code = hash::hmac(secret, &bytes)?;
    bytes.extend_from_slice(code.as_bytes());
    Ok(bytes)
}

/// Reads an archive, whoever signed it.
///
/// # Errors
/// [`ArchiveError::Gob`].
pub fn decode(bytes: &[u8]) -> Result<Archive<'_>, ArchiveError> {
    let (content, consumed) = gob::from_slice(bytes, limits::IMAGE)?;
    let (signed, provided) = bytes
        .split_at_checked(consumed)
        .ok_or(gob::Error::UnexpectedEnd)?;
    Ok(Archive {
        content,
        signed,
        provided,
    })
}

impl Archive<'_> {
    /// Makes sure that the archive is as this server made it.
    ///
    /// # Errors
    /// [`ArchiveError::Mismatch`] if not, [`ArchiveError::Hmac`].
    pub fn verify(&self, secret: &[u8]) -> Result<(), ArchiveError> {
        let expected = hash::hmac(secret, self.signed)?;
        if hash::hmac_equal(expected.as_bytes(), self.provided) {
            return Ok(());
        }
        // More than a code is not worth repeating.
        let provided = self
            .provided
            .iter()
            .take(Hash::LENGTH)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Err(ArchiveError::Mismatch { expected, provided })
    }
}
