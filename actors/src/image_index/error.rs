//! Errors about images and directories. The texts are seen by peers; those the original has are the original's.

use crate::handle::CallError;
use crate::object_store::ObjectError;
use crate::pool::PoolError;
use image::name::NameError;
use image::verify::VerifyError;
use storage::StorageError;

/// What can go wrong with images and directories.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IndexError {
    // Adding, imageserver.md §2.4 and §3.2.
    /// The name is taken.
    #[error("image already exists")]
    AlreadyExists,
    /// The name was taken between the first look and the writing.
    #[error("image: {0} already exists")]
    NameTaken(String),
    /// Somebody else is adding an image of that name.
    #[error("image: {0} already being written")]
    AlreadyBeingWritten(String),
    /// An image without a tree.
    #[error("nil file-system")]
    NilFileSystem,
    /// A name that cannot be one.
    #[error("bad name {name:?}: {source}")]
    Name {
        /// As given.
        name: String,
        /// What is wrong with it.
        source: NameError,
    },
    /// Larger than what would be read back.
    #[error("image takes {0} bytes, {limit} at most are stored", limit = storage::image_dir::IMAGE_FILE_LIMIT_BYTES)]
    TooLarge(usize),
    /// A tree that is none.
    #[error(transparent)]
    Tree(#[from] VerifyError),

    // Access, imageserver.md §2.2.
    /// The caller may not.
    #[error("no access to image")]
    NoAccess,
    /// There is no such directory.
    #[error("no metadata for: {0:?}")]
    NoMetadata(String),
    /// The caller is nobody.
    #[error("no authentication information")]
    NoAuthentication,

    // Deleting, imageserver.md §3.7.
    /// There is no such image.
    #[error("image does not exist")]
    DoesNotExist,
    /// It is not there yet.
    #[error("image: {0} is being written")]
    IsBeingWritten(String),

    // Repairing.
    /// A copy that is not of the damaged image.
    #[error("the copy of image {name} is not the same image: {what} differ")]
    OtherImage {
        /// Name of both.
        name: String,
        /// In what they differ.
        what: &'static str,
    },

    // Expiration, imageserver.md §2.3.
    /// There is no such image.
    #[error("image not found")]
    NotFound,
    /// The image stays for ever already.
    #[error("image does not expire")]
    DoesNotExpire,
    /// Another change of this image is under way.
    #[error("image being modified")]
    BeingModified,
    /// Earlier than now set.
    #[error("cannot shorten expiration time")]
    CannotShorten,
    /// Needs method access.
    #[error("not permitted to make image non-expiring")]
    NotPermittedNonExpiring,
    /// Too far ahead.
    #[error("maximum expiration time is {0}")]
    MaximumExpiration(String),
    /// Too far ahead even for this caller.
    #[error("maximum expiration time is {0} for you")]
    MaximumExpirationPrivileged(String),

    // Directories, imageserver.md §3.5, §3.6, §3.20.
    /// The directory is there.
    #[error("directory: {0} already exists")]
    DirectoryExists(String),
    /// There is no such directory.
    #[error("directory: {0} does not exist")]
    DirectoryDoesNotExist(String),
    /// Its parent is missing.
    #[error("no metadata for: {0}")]
    NoParent(String),
    /// The root is always there.
    #[error("cannot create root directory")]
    CannotCreateRoot,
    /// The root stays.
    #[error("cannot remove root directory")]
    CannotRemoveRoot,
    /// A caller without a name cannot own.
    #[error("no username: unauthenticated connection")]
    NoUsername,
    /// This host does not know the group.
    #[error("group: unknown group {0}")]
    UnknownGroup(String),
    /// The group database could not be asked.
    #[error("cannot look up group {group}: {cause}")]
    GroupLookup {
        /// The group.
        group: String,
        /// Why.
        cause: String,
    },
    /// One may only give to a group one is in.
    #[error("no membership of {0} group")]
    NoMembership(String),

    // Archives, imageserver.md §3.12.
    /// Not an archive.
    #[error("cannot read image archive: {0}")]
    BadArchive(String),
    /// The image has not expired yet.
    #[error("cannot restore for: {0}")]
    CannotRestoreYet(String),
    /// Sealed elsewhere, and the name was deleted here.
    /// (The right seal is not told: it would make a forgery of the archive.)
    #[error("HMAC mismatch: expected: another than this, provided: {provided}")]
    HmacMismatch {
        /// Hex.
        provided: String,
    },

    /// The image is on disk and cannot be used.
    #[error("image: {name} is quarantined: {cause}; to repair it: {remedy}")]
    Quarantined {
        /// Image name.
        name: String,
        /// What is wrong with it.
        cause: String,
        /// What to do about it.
        remedy: String,
    },
    /// Only quarantined images are reloaded and discarded.
    #[error("image: {0} is not quarantined")]
    NotQuarantined(String),
    /// The file holds something else than it should.
    #[error("image: {name} cannot be read: {cause}")]
    Damaged {
        /// Image name.
        name: String,
        /// What is wrong with it.
        cause: String,
    },
    /// Objects.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The disk.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The actor.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Work on a pool panicked.
    #[error("{0}")]
    Internal(String),
}

impl From<PoolError> for IndexError {
    fn from(error: PoolError) -> Self {
        IndexError::Internal(error.to_string())
    }
}
