//! Messages of the `ImageServer` service (gob.md §9).

use std::collections::BTreeMap;
use std::sync::Arc;

use bstr::BString;
use gob::{Duration, Time};
use hash::Hash;
pub use image::tags::TagsToMatch;
use image::{ComputedFile, Directory, Image, InodeTable, record};

record! {
    /// Of `AddImage` and `AddImageTrusted`.
    pub struct AddImageRequest {
        /// Name of the new image.
        pub image_name: String,
        /// The image with its tree; its objects must be present already.
        pub image: Option<Image>,
    }

    /// Of `AddImage` and `AddImageTrusted`.
    pub struct AddImageResponse {}

    /// Of `ChangeImageExpiration`.
    pub struct ChangeImageExpirationRequest {
        /// New time; zero for never.
        pub expires_at: Time,
        /// Name of the image.
        pub image_name: String,
    }

    /// Of `ChangeImageExpiration`.
    pub struct ChangeImageExpirationResponse {
        /// Empty for success.
        pub error: String,
    }

    /// Of `ChownDirectory`.
    pub struct ChangeOwnerRequest {
        /// Name of the directory.
        pub directory_name: String,
        /// New owner group; empty for none.
        pub owner_group: String,
    }

    /// Of `ChownDirectory`.
    pub struct ChangeOwnerResponse {}

    /// Of `CheckDirectory`.
    pub struct CheckDirectoryRequest {
        /// Name of the directory.
        pub directory_name: String,
    }

    /// Of `CheckDirectory`.
    pub struct CheckDirectoryResponse {
        /// Whether it exists.
        pub directory_exists: bool,
    }

    /// Of `CheckImage`.
    pub struct CheckImageRequest {
        /// Name of the image.
        pub image_name: String,
    }

    /// Of `CheckImage`.
    pub struct CheckImageResponse {
        /// Whether it exists.
        pub image_exists: bool,
    }

    /// Of `DeleteDirectory`.
    pub struct DeleteDirectoryRequest {
        /// Name of the directory.
        pub directory_name: String,
    }

    /// Of `DeleteDirectory`.
    pub struct DeleteDirectoryResponse {
        /// Empty for success.
        pub error: String,
    }

    /// Of `DeleteImage`.
    pub struct DeleteImageRequest {
        /// Name of the image.
        pub image_name: String,
    }

    /// Of `DeleteImage`.
    pub struct DeleteImageResponse {}

    /// Of `DeleteUnreferencedObjects`.
    pub struct DeleteUnreferencedObjectsRequest {
        /// Share of the number of unreferenced objects to delete at least, in percent.
        pub percentage: u8,
        /// Bytes to free at least.
        pub bytes: u64,
    }

    /// Of `DeleteUnreferencedObjects`.
    pub struct DeleteUnreferencedObjectsResponse {}

    /// Of `FindLatestImage`.
    pub struct FindLatestImageRequest {
        /// Only images with this commit or branch; empty for any.
        pub build_commit_id: String,
        /// The directory, without its subdirectories.
        pub directory_name: String,
        /// Leave expiring images out.
        pub ignore_expiring_images: bool,
        /// Only images with these tags.
        pub tags_to_match: TagsToMatch,
    }

    /// Of `FindLatestImage`.
    pub struct FindLatestImageResponse {
        /// Empty if there is none.
        pub image_name: String,
        /// Empty for success.
        pub error: String,
    }

    /// Of `GetFilteredImageUpdates`.
    pub struct GetFilteredImageUpdatesRequest {
        /// Leave expiring images out.
        pub ignore_expiring: bool,
    }

    /// Of `GetImageArchive`.
    pub struct GetImageArchiveRequest {
        /// Name of the image.
        pub image_name: String,
    }

    /// Of `GetImageArchive`.
    pub struct GetImageArchiveResponse {
        /// See [`archive`](crate::archive).
        pub archive_data: Vec<u8>,
        /// Empty for success.
        pub error: String,
        /// `HOST:PORT` of the master to ask instead, on a replica.
        pub replication_master: String,
    }

    /// Of `GetImageComputedFiles`.
    pub struct GetImageComputedFilesRequest {
        /// Name of the image.
        pub image_name: String,
    }

    /// Of `GetImageComputedFiles`.
    pub struct GetImageComputedFilesResponse {
        /// In the order of the tree.
        pub computed_files: Vec<ComputedFile>,
        /// Whether the image exists.
        pub image_exists: bool,
    }

    /// Of `GetImageExpiration`.
    pub struct GetImageExpirationRequest {
        /// Name of the image.
        pub image_name: String,
    }

    /// Of `GetImageExpiration`.
    pub struct GetImageExpirationResponse {
        /// Empty for success.
        pub error: String,
        /// Zero for never.
        pub expires_at: Time,
    }

    /// Of `GetImageInodes`.
    pub struct GetImageInodesRequest {
        /// Absolute paths.
        pub filenames: Vec<BString>,
        /// Name of the image.
        pub image_name: String,
    }

    /// Of `GetImageInodes`. The maps are present, though empty, if the image exists.
    pub struct GetImageInodesResponse {
        /// Empty for success.
        pub error: String,
        /// Whether the image exists.
        pub image_exists: bool,
        /// Inode number per path found.
        pub inode_numbers: Option<BTreeMap<BString, u64>>,
        /// The inodes of those numbers.
        pub inodes: Option<InodeTable>,
        /// Number of directory entries of each of them.
        pub num_links: Option<BTreeMap<u64, u64>>,
    }

    /// Of `GetImage`.
    pub struct GetImageRequest {
        /// Name of the image.
        pub image_name: String,
        /// Leave the tree out.
        pub ignore_filesystem: bool,
        /// Leave the tree out if the image expires.
        pub ignore_filesystem_if_expiring: bool,
        /// How long to wait for the image to appear.
        pub timeout: Duration,
    }

    /// Of `GetImage`.
    pub struct GetImageResponse {
        /// The image; `None` if it does not exist. Shared, so that a server need not copy a tree to send it.
        pub image: Option<Arc<Image>>,
        /// Where people find more about it; empty if not configured.
        #[gob(name = "InformationDatabaseURL")]
        #[serde(rename = "InformationDatabaseURL")]
        pub information_database_url: String,
    }

    /// Of `GetImageUsageEstimate`.
    pub struct GetImageUsageEstimateRequest {
        /// Name of the image.
        pub image_name: String,
    }

    /// Of `GetImageUsageEstimate`.
    pub struct GetImageUsageEstimateResponse {
        /// Whether the image exists.
        pub image_exists: bool,
        /// Bytes on a file system.
        pub usage_estimate: u64,
    }

    /// Of `GetObjectStatisticsForImages`.
    pub struct GetObjectStatisticsForImagesRequest {
        /// Skip unknown images instead of failing.
        pub ignore_missing: bool,
        /// Names of the images.
        pub image_names: Vec<String>,
    }

    /// Of `GetObjectStatisticsForImages`.
    pub struct GetObjectStatisticsForImagesResponse {
        /// Processor time spent.
        pub computation_time: Duration,
        /// Empty for success.
        pub error: String,
        /// Regular inodes.
        pub num_file_inodes: u64,
        /// Images counted.
        pub num_images: u64,
        /// Distinct objects.
        pub num_objects: u64,
        /// Bytes of the regular inodes.
        pub total_file_inode_bytes: u64,
        /// Bytes of the distinct objects.
        pub total_object_bytes: u64,
    }

    /// Of `GetReplicationMaster`.
    pub struct GetReplicationMasterRequest {}

    /// Of `GetReplicationMaster`.
    pub struct GetReplicationMasterResponse {
        /// Empty for success.
        pub error: String,
        /// `HOST:PORT`, or empty on a master.
        pub replication_master: String,
    }

    /// One change in the streams of `GetImageUpdates` and `GetFilteredImageUpdates`; the default value ends the
    /// initial list.
    pub struct ImageUpdate {
        /// The image, or the directory that was removed.
        pub name: String,
        /// The directory that was made or changed.
        pub directory: Option<Directory>,
        /// One of the constants of [`operation`].
        pub operation: u64,
    }

    /// Of `ImportTree`.
    pub struct ImportTreeRequest {
        /// Where to put the image.
        pub directory_name: String,
        /// When it expires; zero for never.
        pub expires_at: Time,
        /// `BASE/tree/HASH`.
        pub tree_url: String,
    }

    /// Of `ImportTree`.
    pub struct ImportTreeResponse {
        /// Bytes of new file objects.
        pub file_bytes_added: u64,
        /// New file objects.
        pub file_objects_added: u64,
        /// Time spent on fetching files.
        pub files_download_time: Duration,
        /// Empty for success.
        pub error: String,
        /// Name of the new image.
        pub image_name: String,
        /// Bytes of new tree objects.
        pub tree_bytes_added: u64,
        /// New tree objects.
        pub tree_objects_added: u64,
        /// Time spent on fetching trees.
        pub trees_download_time: Duration,
    }

    /// Of `ListDamaged`, which the original does not have.
    pub struct ListDamagedRequest {}

    /// Of `ListDamaged`.
    pub struct ListDamagedResponse {
        /// Empty for success.
        pub error: String,
        /// Quarantined images by name.
        pub images: Vec<DamagedImage>,
        /// Damaged and missing objects by hash.
        pub objects: Vec<DamagedObject>,
    }

    /// An image that keeps its name and is not served.
    pub struct DamagedImage {
        /// Its name, and where its file is below the image directory.
        pub name: String,
        /// What is wrong with it.
        pub cause: String,
        /// Since when the server's process knows.
        pub known_since: Time,
        /// What to do about it.
        pub remedy: String,
    }

    /// An object that is not served.
    pub struct DamagedObject {
        /// Its name.
        pub hash: Hash,
        /// Where its file is below the object directory.
        pub file: String,
        /// What is wrong with it.
        pub cause: String,
        /// Since when the server's process knows.
        pub known_since: Time,
        /// How many images need it.
        pub affected_images: u64,
        /// The first hundred of them by name.
        pub image_names: Vec<String>,
        /// What to do about it.
        pub remedy: String,
    }

    /// Of `ListSelectedImages`.
    pub struct ListSelectedImagesRequest {
        /// See [`image::select`].
        pub directory_name: String,
        /// Leave expiring images out.
        pub ignore_expiring_images: bool,
        /// Only images with these tags.
        pub tags_to_match: TagsToMatch,
    }

    /// One object in the stream of `ListUnreferencedObjects`; the default value ends it.
    pub struct Object {
        /// Its name.
        pub hash: Hash,
        /// Bytes.
        pub size: u64,
    }

    /// Of `MakeDirectory`.
    pub struct MakeDirectoryRequest {
        /// Name of the directory.
        pub directory_name: String,
        /// Make missing parents too, and accept one that exists.
        pub make_all: bool,
    }

    /// Of `MakeDirectory`.
    pub struct MakeDirectoryResponse {}

    /// Of `RestoreImageFromArchive`.
    pub struct RestoreImageFromArchiveRequest {
        /// When the restored image expires; zero for never.
        pub expires_at: Time,
        /// See [`archive`](crate::archive).
        pub archive_data: Vec<u8>,
    }

    /// Of `RestoreImageFromArchive`.
    pub struct RestoreImageFromArchiveResponse {
        /// Empty for success.
        pub error: String,
        /// `HOST:PORT` of the master to ask instead, on a replica.
        pub replication_master: String,
    }
}

/// Values of [`ImageUpdate::operation`].
pub mod operation {
    /// An image was added, or its expiration changed.
    pub const ADD_IMAGE: u64 = 0;
    /// An image was deleted.
    pub const DELETE_IMAGE: u64 = 1;
    /// A directory was made or changed.
    pub const MAKE_DIRECTORY: u64 = 2;
    /// A directory was removed; its name is in [`name`](super::ImageUpdate::name).
    pub const DELETE_DIRECTORY: u64 = 3;
}
