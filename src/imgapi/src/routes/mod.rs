//! The endpoints: one file each, named as in `imgapi.md §9`. What is decided is decided by the crate `repository`, whose test
//! model is their pattern; here it is joined with what is stored.

mod add_image_acl;
mod add_image_file;
mod add_image_file_from_source;
mod add_image_file_from_url;
mod add_image_icon;
mod clone_image;
mod content;
mod create_from_vm;
mod create_image;
mod delete_image;
mod delete_image_icon;
mod docker;
mod documents;
mod get_image;
mod get_image_file;
mod get_image_icon;
mod jobs;
mod list_channels;
mod list_images;
mod ping;
mod post_image;
mod publish;
mod redirects;
mod reload_auth_keys;
mod state;
mod take_in;
mod update_state;

use repository::Result;
use repository::http::Endpoint;

use crate::answer::Answer;
use crate::request::Asked;

/// Gives a request to its endpoint.
pub(crate) async fn answer(asked: &mut Asked) -> Result<Answer> {
    match asked.endpoint {
        Endpoint::Ping => ping::answer(asked),
        Endpoint::ListChannels => Ok(list_channels::answer(asked)),
        Endpoint::ListImages => list_images::answer(asked),
        Endpoint::GetImage => get_image::answer(asked),
        Endpoint::GetImageFile => get_image_file::answer(asked).await,
        Endpoint::GetImageIcon => get_image_icon::answer(asked).await,
        Endpoint::ListDatasets => Ok(redirects::list_datasets()),
        Endpoint::GetDataset => Ok(redirects::dataset(asked)),
        Endpoint::PublicDocs if asked.http.uri().path().ends_with("/docs/") => Ok(documents::page()),
        Endpoint::PublicDocs => Ok(redirects::docs()),
        Endpoint::Favicon => Ok(Answer::empty(204)),
        Endpoint::AdminGetState => Ok(state::answer(asked)),
        Endpoint::GetImageJobs => jobs::of_image(asked),
        Endpoint::GetJob => jobs::one(asked),
        Endpoint::AdminPushDockerImage => docker::push(asked),
        Endpoint::AdminUpdateState => update_state::answer(asked),
        Endpoint::AdminReloadAuthKeys => Ok(reload_auth_keys::answer(asked)),
        Endpoint::CreateImage => create_image::answer(asked).await,
        Endpoint::AddImageFile => add_image_file::answer(asked).await,
        Endpoint::AddImageFileFromUrl => add_image_file_from_url::answer(asked).await,
        Endpoint::AddImageIcon => add_image_icon::answer(asked).await,
        Endpoint::DeleteImageIcon => delete_image_icon::answer(asked).await,
        Endpoint::UpdateImage => post_image::answer(asked).await,
        Endpoint::DeleteImage => delete_image::answer(asked).await,
        Endpoint::AddImageAcl => add_image_acl::answer(asked).await,
        Endpoint::CloneImage => clone_image::answer(asked).await,
    }
}
