//! Who may do what (`imageserver.md §2.2, §2.3`). Pure.

use super::{ImageEntry, IndexError, IndexSnapshot, Requester};
use crate::ExpirationLimits;
use gob::Time;
use std::time::{Duration, SystemTime};

/// The permission rule for adding, deleting and changing the expiration of an image; `entry` is the image if it exists.
pub(super) fn check_image_access(
    snapshot: &IndexSnapshot,
    name: &str,
    entry: Option<&ImageEntry>,
    requester: &Requester,
) -> Result<(), IndexError> {
    if requester.method_access {
        return Ok(());
    }
    if !requester.authenticated {
        return Err(IndexError::NoAuthentication);
    }
    if let Some(entry) = entry
        && !requester.username.is_empty()
        && owns(entry, requester)
    {
        return Ok(());
    }
    let directory = image::name::parent(name);
    let directory = snapshot
        .directories
        .get(directory)
        .ok_or_else(|| IndexError::NoMetadata(directory.to_owned()))?;
    if !directory.owner_group.is_empty() && requester.is_member(&directory.owner_group) {
        return Ok(());
    }
    Err(IndexError::NoAccess)
}

/// The owners come from the image itself; the original forgets them when it restarts.
fn owns(entry: &ImageEntry, requester: &Requester) -> bool {
    let (image, user) = (&entry.metadata, &requester.username);
    image.created_by == *user
        || image.created_for == *user
        || image.owner_users.contains(user)
        || image.owner_groups.iter().any(|group| requester.is_member(group))
}

/// Whether the caller may have an image expire then; zero for never.
pub(super) fn check_expiration_limit(
    limits: &ExpirationLimits,
    expires_at: Time,
    requester: &Requester,
    now: SystemTime,
) -> Result<(), IndexError> {
    let named = !requester.username.is_empty();
    if requester.method_access && !named {
        return Ok(());
    }
    if expires_at.is_zero() {
        return if requester.method_access || !named {
            Ok(())
        } else {
            Err(IndexError::NotPermittedNonExpiring)
        };
    }
    let is_beyond = |limit: Duration| {
        now.checked_add(limit)
            .is_some_and(|last| expires_at > Time::from(last))
    };
    if requester.method_access {
        let limit = limits.privileged.max(limits.ordinary);
        return match is_beyond(limit) {
            true => Err(IndexError::MaximumExpirationPrivileged(human::duration(limit))),
            false => Ok(()),
        };
    }
    match is_beyond(limits.ordinary) {
        true => Err(IndexError::MaximumExpiration(human::duration(limits.ordinary))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(username: &str, method_access: bool) -> Requester {
        Requester {
            username: username.into(),
            method_access,
            authenticated: true,
            groups: Vec::new(),
        }
    }

    fn verdict(caller: &Requester, ahead: Option<u64>) -> String {
        let now = SystemTime::now();
        let limits = ExpirationLimits::default();
        let at = ahead.map_or(Time::ZERO, |seconds| {
            Time::from(now + Duration::from_secs(seconds))
        });
        check_expiration_limit(&limits, at, caller, now)
            .map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn expiration_limits_are_those_of_the_table() {
        const HOUR: u64 = 3600;
        let internal = caller("", true);
        assert_eq!(verdict(&internal, None), "");
        assert_eq!(verdict(&internal, Some(10_000 * HOUR)), "");
        let privileged = caller("joe", true);
        assert_eq!(verdict(&privileged, None), "");
        assert_eq!(verdict(&privileged, Some(730 * HOUR)), "");
        assert_eq!(
            verdict(&privileged, Some(731 * HOUR)),
            "maximum expiration time is 4w2d10h0m0s for you"
        );
        let ordinary = caller("joe", false);
        assert_eq!(
            verdict(&ordinary, None),
            "not permitted to make image non-expiring"
        );
        assert_eq!(verdict(&ordinary, Some(24 * HOUR)), "");
        assert_eq!(
            verdict(&ordinary, Some(25 * HOUR)),
            "maximum expiration time is 1d0s"
        );
        assert_eq!(verdict(&caller("", false), None), "");
    }

    #[test]
    fn a_privileged_limit_below_the_ordinary_one_is_raised_to_it() {
        let now = SystemTime::now();
        let limits = ExpirationLimits {
            ordinary: Duration::from_secs(7200),
            privileged: Duration::from_secs(60),
        };
        let at = Time::from(now + Duration::from_secs(3600));
        assert!(check_expiration_limit(&limits, at, &caller("joe", true), now).is_ok());
    }
}
