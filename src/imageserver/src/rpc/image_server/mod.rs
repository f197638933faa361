//! The service `ImageServer` (`imageserver.md §3`).

mod add_image;
mod add_image_trusted;
mod change_image_expiration;
mod check_directory;
mod check_image;
mod chown_directory;
mod delete_directory;
mod delete_image;
mod delete_unreferenced_objects;
mod find_latest_image;
mod get_filtered_image_updates;
mod get_image;
mod get_image_archive;
mod get_image_computed_files;
mod get_image_expiration;
mod get_image_inodes;
mod get_image_updates;
mod get_image_usage_estimate;
mod get_object_statistics_for_images;
mod get_replication_master;
mod import_tree;
mod list_damaged;
mod list_directories;
mod list_images;
mod list_selected_images;
mod list_unreferenced_objects;
mod make_directory;
mod restore_image_from_archive;
mod scrub;
mod scrub_status;
mod updates;

use crate::state::Shared;
use srpc::ServiceBuilder;

/// All methods of the service.
pub(crate) fn service(shared: &Shared) -> ServiceBuilder {
    let shared = || Shared::clone(shared);
    ServiceBuilder::new("ImageServer")
        .request_reply(add_image::AddImage(shared()))
        .request_reply(add_image_trusted::AddImageTrusted(shared()))
        .request_reply(change_image_expiration::ChangeImageExpiration(shared()))
        .request_reply(check_directory::CheckDirectory(shared()))
        .request_reply(check_image::CheckImage(shared()))
        .request_reply(chown_directory::ChownDirectory(shared()))
        .request_reply(delete_directory::DeleteDirectory(shared()))
        .request_reply(delete_image::DeleteImage(shared()))
        .request_reply(delete_unreferenced_objects::DeleteUnreferencedObjects(shared()))
        .request_reply(find_latest_image::FindLatestImage(shared()))
        .raw(get_filtered_image_updates::GetFilteredImageUpdates(shared()))
        .request_reply(get_image::GetImage(shared()))
        .request_reply(get_image_archive::GetImageArchive(shared()))
        .request_reply(get_image_computed_files::GetImageComputedFiles(shared()))
        .request_reply(get_image_expiration::GetImageExpiration(shared()))
        .request_reply(get_image_inodes::GetImageInodes(shared()))
        .raw(get_image_updates::GetImageUpdates(shared()))
        .request_reply(get_image_usage_estimate::GetImageUsageEstimate(shared()))
        .request_reply(get_object_statistics_for_images::GetObjectStatisticsForImages(
            shared(),
        ))
        .request_reply(get_replication_master::GetReplicationMaster(shared()))
        .request_reply(import_tree::ImportTree(shared()))
        .request_reply(list_damaged::ListDamaged(shared()))
        .raw(list_directories::ListDirectories(shared()))
        .raw(list_images::ListImages(shared()))
        .raw(list_selected_images::ListSelectedImages(shared()))
        .raw(list_unreferenced_objects::ListUnreferencedObjects(shared()))
        .request_reply(make_directory::MakeDirectory(shared()))
        .request_reply(restore_image_from_archive::RestoreImageFromArchive(shared()))
        .request_reply(scrub::Scrub(shared()))
        .request_reply(scrub_status::ScrubStatus(shared()))
}
