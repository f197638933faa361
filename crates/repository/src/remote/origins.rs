//! Which images come along with one: those it is based on.

use crate::error::{ApiError, Code, Result};
use crate::json::Value;
use crate::manifest::MAXIMUM_ORIGIN_DEPTH;
use crate::uuid::Uuid;

/// A walk from an image to the first origin that is here. The caller looks at what [`next`](Self::next) names: here
/// first, then at the source, and says what it found.
#[derive(Clone, Debug)]
pub struct OriginWalk {
    next: Option<Uuid>,
    /// Nearest first.
    missing: Vec<Uuid>,
    /// Only this account's images are copied; others must be here.
    owner: Option<Uuid>,
}

impl OriginWalk {
    /// From the manifest of the image that is wanted. With an `owner` only that account's images come along.
    pub fn new(manifest: &Value, owner: Option<Uuid>) -> Self {
        Self {
            next: origin_of(manifest),
            missing: Vec::new(),
            owner,
        }
    }

    /// The origin to look at; `None` when all are known.
    pub fn next(&self) -> Option<Uuid> {
        self.next
    }

    /// It is here, in that state.
    ///
    /// # Errors
    /// It is not active.
    pub fn is_here(&mut self, state: &str) -> Result<()> {
        match self.next.take() {
            Some(origin) if state != "active" => Err(ApiError::origin_not_active(origin)),
            _ => Ok(()),
        }
    }

    /// It is not here; this is its manifest at the source.
    ///
    /// # Errors
    /// It is not active, is another's, or the chain is too long.
    pub fn is_there(&mut self, manifest: &Value) -> Result<()> {
        let Some(origin) = self.next.take() else {
            return Ok(());
        };
        if text(manifest, "state") != "active" {
            return Err(ApiError::origin_not_active(origin));
        }
        if self
            .owner
            .is_some_and(|owner| Uuid::parse(text(manifest, "owner")) != Some(owner))
        {
            let message = format!(
                "Unable to import - origin image {origin} must already exist in the datacenter (as this image is not owned by you)."
            );
            return Err(ApiError::new(Code::ResourceNotFound, message));
        }
        self.missing.push(origin);
        if self.missing.len() > MAXIMUM_ORIGIN_DEPTH {
            let message = format!("Origin chain too long, exceeds {MAXIMUM_ORIGIN_DEPTH} images");
            return Err(ApiError::new(Code::InternalError, message));
        }
        self.next = origin_of(manifest);
        Ok(())
    }

    /// What is to be taken before the image itself: oldest first.
    pub fn into_queue(mut self) -> Vec<Uuid> {
        self.missing.reverse();
        self.missing
    }
}

fn text<'a>(manifest: &'a Value, key: &str) -> &'a str {
    manifest.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn origin_of(manifest: &Value) -> Option<Uuid> {
    Uuid::parse(text(manifest, "origin"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn uuid(number: u8) -> Uuid {
        Uuid::from_random([number; 16])
    }

    fn manifest(origin: Option<u8>, owner: u8) -> Value {
        let mut manifest = json!({"state": "active", "owner": uuid(owner).to_string()});
        if let Some(origin) = origin {
            manifest["origin"] = uuid(origin).to_string().into();
        }
        manifest
    }

    #[test]
    fn what_is_missing_comes_oldest_first_up_to_what_is_here() {
        let mut walk = OriginWalk::new(&manifest(Some(1), 9), None);
        assert_eq!(walk.next(), Some(uuid(1)));
        walk.is_there(&manifest(Some(2), 8)).unwrap();
        walk.is_there(&manifest(Some(3), 9)).unwrap();
        assert_eq!(walk.next(), Some(uuid(3)));
        walk.is_here("active").unwrap();
        assert_eq!((walk.next(), walk.into_queue()), (None, vec![uuid(2), uuid(1)]));
    }

    #[test]
    fn an_origin_must_be_active_and_for_a_copy_the_account_s() {
        let begin = || OriginWalk::new(&manifest(Some(1), 9), Some(uuid(9)));
        assert_eq!(
            begin().is_here("disabled").unwrap_err().word(),
            "OriginIsNotActive"
        );
        assert_eq!(
            begin().is_there(&json!({"state": "failed"})).unwrap_err().word(),
            "OriginIsNotActive"
        );
        let error = begin().is_there(&manifest(None, 8)).unwrap_err();
        assert_eq!(
            (error.status(), error.message().contains("must already exist")),
            (404, true)
        );
        assert!(begin().is_there(&manifest(None, 9)).is_ok());
    }

    #[test]
    fn a_chain_that_leads_back_to_itself_ends() {
        let mut walk = OriginWalk::new(&manifest(Some(1), 9), None);
        let error = (0..200).find_map(|_| walk.is_there(&manifest(Some(1), 9)).err());
        assert!(error.unwrap().message().contains("exceeds 100 images"));
    }
}
