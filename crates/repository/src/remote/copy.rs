//! ImportImageFromDatacenter: an account's copy of its image in another datacenter (imgapi.md §13.4).

use crate::error::{ApiError, Code, Result};
use crate::http::Parameters;
use crate::json::Value;
use crate::uuid::Uuid;
use std::collections::BTreeMap;

/// Who copies from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyRequest {
    /// Whose image.
    pub account: Uuid,
    /// Address of the other datacenter's repository.
    pub url: String,
}

/// Checks the parameters: `datacenters` are the known ones with their addresses, `own` is the name of this one.
///
/// # Errors
/// In the original's order: account, datacenter missing, own one, unknown one.
pub fn copy_request(
    parameters: &Parameters,
    datacenters: &BTreeMap<String, String>,
    own: Option<&str>,
) -> Result<CopyRequest> {
    let given = parameters.get_nonempty("account");
    let Some(account) = given.as_deref().and_then(Uuid::parse) else {
        let given = given.unwrap_or_else(|| "undefined".to_owned());
        let message = format!("invalid image \"account\" (not a UUID): {given}");
        return Err(ApiError::validation_failed("account", "Invalid", message));
    };
    let Some(name) = parameters.get_nonempty("datacenter") else {
        return Err(ApiError::validation_failed(
            "datacenter",
            "MissingParameter",
            "missing datacenter parameter",
        ));
    };
    let others = datacenters
        .keys()
        .map(String::as_str)
        .filter(|name| Some(*name) != own);
    let others = others.collect::<Vec<_>>().join(", ");
    let invalid = |what: String| {
        let message = format!("{what}, valid datacenters names are: {others}");
        Err(ApiError::validation_failed("datacenter", "Invalid", message))
    };
    if Some(name.as_str()) == own {
        return invalid("cannot import into the same datacenter".to_owned());
    }
    match datacenters.get(&name) {
        Some(url) => Ok(CopyRequest {
            account,
            url: url.clone(),
        }),
        None => invalid(format!("datacenter \"{name}\" is not supported")),
    }
}

/// Checks the other datacenter's manifest.
///
/// # Errors
/// The image is not active there, or not the account's. Only then may be told whether it is here already.
pub fn check_copied(manifest: &Value, uuid: Uuid, account: Uuid, is_here: bool) -> Result<()> {
    let text = |key: &str| manifest.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("state") != "active" {
        let message = format!("Cannot import image {uuid} - image is not active.");
        return Err(ApiError::with_errors(Code::ValidationFailed, message, Vec::new()));
    }
    if Uuid::parse(text("owner")) != Some(account) {
        let message = format!("Cannot import image {uuid} - you are not the owner.");
        return Err(ApiError::unauthorized(message));
    }
    if is_here {
        Err(ApiError::already_exists(uuid))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const VADER: &str = "86055c40-2547-11e2-8a6b-4bb37edc84ba";

    #[test]
    fn parameters_are_checked_in_the_original_s_order() {
        let datacenters = BTreeMap::from([
            ("TestDc".to_owned(), "http://t".to_owned()),
            ("lab-dc".to_owned(), "http://l".to_owned()),
        ]);
        let message = |query: String| {
            copy_request(&Parameters::parse(&query), &datacenters, Some("lab-dc"))
                .unwrap_err()
                .message()
                .to_owned()
        };
        assert_eq!(
            message("datacenter=TestDc".to_owned()),
            "invalid image \"account\" (not a UUID): undefined"
        );
        assert_eq!(
            message(format!("account={VADER}")),
            "missing datacenter parameter"
        );
        assert_eq!(
            message(format!("account={VADER}&datacenter=nope")),
            "datacenter \"nope\" is not supported, valid datacenters names are: TestDc"
        );
        assert_eq!(
            message(format!("account={VADER}&datacenter=lab-dc")),
            "cannot import into the same datacenter, valid datacenters names are: TestDc"
        );
        let good = Parameters::parse(&format!("account={VADER}&datacenter=TestDc"));
        assert_eq!(
            copy_request(&good, &datacenters, Some("lab-dc")).unwrap().url,
            "http://t"
        );
    }

    #[test]
    fn nobody_learns_of_images_here_that_are_not_theirs_there() {
        let (vader, uuid) = (Uuid::parse(VADER).unwrap(), Uuid::NIL);
        let check = |manifest| check_copied(&manifest, uuid, vader, true).unwrap_err().status();
        assert_eq!(check(json!({"state": "disabled", "owner": VADER})), 422);
        assert_eq!(check(json!({"state": "active", "owner": uuid.to_string()})), 401);
        assert_eq!(check(json!({"state": "active", "owner": VADER})), 409);
    }
}
