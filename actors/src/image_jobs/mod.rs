//! What takes longer than a request in an image repository: images taken from other repositories and from image builds,
//! and the two ways between it and an image server (imgapi.md §12–§14, §22).
//!
//! What a request does before it submits one of these jobs (imgapi.md §13.3: the walk along the origins) is its route's.
//!
//! Promises:
//! * No file is in memory, none is used before its digests are those announced, and what the other side sends is bounded.
//! * A job that fails or is cancelled leaves no image that it made; one that the end of the process cut off goes on with what
//!   is there when it is run again.
//! * No file is fetched twice because a connection broke.
//!
//! | module | what |
//! | --- | --- |
//! | `remote`, `fetch` | another repository: its manifests, its files |
//! | `receive`, `render` | bytes on their way to an image, hashed on another thread |
//! | `change` | changes of an image that others change too |
//! | `import_remote`, `create_from_vm`, `publish`, `take_in` | the jobs |
//! | `clean_up` | images that a job made and must not leave |

mod change;
mod clean_up;
mod create_from_vm;
mod facts;
mod fetch;
mod import_remote;
mod publish;
mod receive;
mod remote;
mod render;
mod take_in;
mod workroom;

pub use create_from_vm::{build_target, check_can_build};
pub use publish::{IMAGE_PARAMETER, PublishRequested};
pub use workroom::Workroom;

use crate::jobs::JobBody;
use repository::job::JobKind;
use std::sync::Arc;

/// Who does the work of which kind of job, for [`Jobs::begin`](crate::Jobs::begin).
pub fn bodies(room: &Workroom) -> Vec<(JobKind, Arc<dyn JobBody>)> {
    Vec::from([
        (
            JobKind::ImportRemote,
            Arc::new(import_remote::ImportRemote::new(room.clone())) as Arc<dyn JobBody>,
        ),
        (
            JobKind::CreateFromVm,
            Arc::new(create_from_vm::CreateFromVm::new(room.clone())),
        ),
        (JobKind::Publish, Arc::new(publish::Publish::new(room.clone()))),
        (JobKind::TakeIn, Arc::new(take_in::TakeIn::new(room.clone()))),
    ])
}
