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

    /// Of `Scrub`, which the original does not have.
    pub struct ScrubRequest {
        /// Bytes per second at most; 0 for what the server is configured to.
        pub bytes_per_second: u64,
    }

    /// Of `Scrub`.
    pub struct ScrubResponse {
        /// Number of the pass that has begun, or of the one under way.
        pub number: u64,
    }

    /// Of `ScrubStatus`, which the original does not have.
    pub struct ScrubStatusRequest {}

    /// Of `ScrubStatus`.
    pub struct ScrubStatusResponse {
        /// The pass under way; number 0 if there is none.
        pub running: ScrubPass,
        /// The last one that has ended since the server began; number 0 if there is none.
        pub last: ScrubPass,
        /// When one has last ended well, also before the server began; zero for never.
        pub last_finished_at: Time,
        /// When the next one begins by itself; zero if none does.
        pub next_at: Time,
        /// Servers that repairs come from.
        pub sources: Vec<String>,
        /// What went wrong last; empty if nothing has.
        pub last_error: String,
    }

    /// Everything stored being read again, once.
    pub struct ScrubPass {
        /// Counts from 1 since the server began.
        pub number: u64,
        /// Somebody asked for it.
        pub asked_for: bool,
        /// Bytes per second at most; 0 for no limit.
        pub bytes_per_second: u64,
        /// When it began.
        pub started_at: Time,
        /// When it ended; zero while it is under way.
        pub finished_at: Time,
        /// Image files looked at.
        pub images_checked: u64,
        /// Image files there were when it began.
        pub images_total: u64,
        /// Objects looked at.
        pub objects_checked: u64,
        /// Objects there were when it began.
        pub objects_total: u64,
        /// Bytes of objects read.
        pub bytes_checked: u64,
        /// Bytes of objects there were when it began.
        pub bytes_total: u64,
        /// Images found damaged or incomplete.
        pub damaged_images: u64,
        /// Objects found damaged or missing.
        pub damaged_objects: u64,
        /// Images repaired.
        pub repaired_images: u64,
        /// Objects repaired.
        pub repaired_objects: u64,
        /// Images that cannot be served at its end.
        pub unrepaired_images: u64,
        /// Objects that cannot be served at its end.
        pub unrepaired_objects: u64,
        /// Files that could not be looked at, for reasons that are not theirs.
        pub unchecked: u64,
        /// Why it did not reach its end; empty if it did.
        pub failure: String,
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
