//! CloneImage: a copy for an account the image is shared with (imgapi.md §13.5).

use crate::dates;
use crate::manifest::Record;
use crate::uuid::Uuid;
use std::time::SystemTime;

/// The record of one copy: new name and owner, shared with nobody, published now, based on `origin`. All copies of a
/// chain but the last are disabled. Its files are to be copied before it is stored.
#[must_use]
pub fn clone_of(
    record: &Record,
    uuid: Uuid,
    owner: Uuid,
    origin: Option<Uuid>,
    is_last: bool,
    now: SystemTime,
) -> Record {
    let mut copy = record.clone().into_copy(uuid, owner);
    copy.set("published_at", dates::iso(now));
    if let Some(origin) = origin {
        copy.set("origin", origin.to_string());
    }
    copy.set("activated", true);
    copy.with_disabled(!is_last || record.is_disabled())
}
