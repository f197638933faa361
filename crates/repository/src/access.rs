//! Who sees an image, who may change it (imgapi.md §7). `account` names the end user on whose behalf a trusted caller
//! acts; without one the caller is an operator and may do everything.

use crate::channels::Scope;
use crate::error::{ApiError, Result};
use crate::manifest::Record;
use crate::uuid::Uuid;

/// What access depends on: a record has it, and an entry of the catalogue.
pub trait Guarded {
    /// Its name.
    fn uuid(&self) -> Uuid;
    /// Who owns it.
    fn owner(&self) -> Uuid;
    /// Whether it was activated.
    fn is_activated(&self) -> bool;
    /// Whether everybody may see it.
    fn is_public(&self) -> bool;
    /// Whether it is shared with an account.
    fn is_shared_with(&self, account: Uuid) -> bool;
    /// Whether it is in a channel.
    fn is_in_channel(&self, channel: &str) -> bool;
}

impl Guarded for Record {
    fn uuid(&self) -> Uuid {
        Record::uuid(self)
    }

    fn owner(&self) -> Uuid {
        Record::owner(self)
    }

    fn is_activated(&self) -> bool {
        Record::is_activated(self)
    }

    fn is_public(&self) -> bool {
        Record::is_public(self)
    }

    fn is_shared_with(&self, account: Uuid) -> bool {
        self.acl().any(|shared| shared == account)
    }

    fn is_in_channel(&self, channel: &str) -> bool {
        Record::is_in_channel(self, channel)
    }
}

/// Whether the caller sees it. That it is disabled does not matter.
pub fn is_visible(image: &dyn Guarded, account: Option<Uuid>) -> bool {
    let Some(account) = account else { return true };
    image.owner() == account || (image.is_activated() && (image.is_public() || image.is_shared_with(account)))
}

/// Makes sure that the caller sees it, in the channel asked for.
///
/// # Errors
/// It is not for the caller: 404.
pub fn check_visible(image: &dyn Guarded, account: Option<Uuid>, scope: &Scope) -> Result<()> {
    let is_in_scope = match scope {
        Scope::Unused | Scope::All => true,
        Scope::One(channel) => image.is_in_channel(channel),
    };
    if is_in_scope && is_visible(image, account) {
        Ok(())
    } else {
        Err(ApiError::image_hidden())
    }
}

/// Makes sure that the caller may change it; visibility was checked.
///
/// # Errors
/// It is another's.
pub fn check_owner(image: &dyn Guarded, account: Option<Uuid>) -> Result<()> {
    match account {
        Some(account) if account != image.owner() => Err(ApiError::not_owner(account, image.uuid())),
        _ => Ok(()),
    }
}

/// Makes sure that the caller is an operator.
///
/// # Errors
/// An account is given.
pub fn check_operator(account: Option<Uuid>) -> Result<()> {
    if account.is_some() {
        Err(ApiError::operator_only())
    } else {
        Ok(())
    }
}
