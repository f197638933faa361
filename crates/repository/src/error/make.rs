//! The errors of one place each, with their texts.

use crate::error::{ApiError, Code, FieldError};
use crate::uuid::Uuid;

impl ApiError {
    /// A parameter that is not what it may be; its entry has no message.
    pub fn invalid_parameter(field: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self::with_errors(
            Code::InvalidParameter,
            message,
            vec![FieldError::bare(field, code)],
        )
    }

    /// `ValidationFailed` about one field; its entry has no message.
    pub fn validation_failed(field: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self::with_errors(
            Code::ValidationFailed,
            message,
            vec![FieldError::bare(field, code)],
        )
    }

    /// A manifest that breaks rules.
    pub fn invalid_data(errors: Vec<FieldError>) -> Self {
        let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
        let message = format!("invalid image data: {}", fields.join(", "));
        Self::with_errors(Code::ValidationFailed, message, errors)
    }

    /// A request without the body it needs.
    pub fn missing_body() -> Self {
        Self::validation_failed("body", "MissingParameter", "missing request body")
    }

    /// No such image.
    pub fn image_not_found(uuid: Uuid) -> Self {
        Self::new(Code::ResourceNotFound, format!("image {uuid} not found"))
    }

    /// An image that the caller or the channel does not see.
    pub fn image_hidden() -> Self {
        Self::new(Code::ResourceNotFound, "image not found")
    }

    /// No such path.
    pub fn no_such_path(path: &str) -> Self {
        Self::new(Code::ResourceNotFound, format!("{path} does not exist"))
    }

    /// The path has other methods.
    pub fn method_not_allowed(method: &str) -> Self {
        Self::new(Code::MethodNotAllowed, format!("{method} is not allowed"))
    }

    /// `action` is missing.
    pub fn missing_action() -> Self {
        Self::invalid_parameter("action", "MissingParameter", "no image \"action\" was specified")
    }

    /// `action` is unknown.
    pub fn invalid_action(action: &str) -> Self {
        Self::invalid_parameter("action", "Invalid", format!("\"{action}\" is not a valid action"))
    }

    /// The image has its files for good.
    pub fn files_immutable(uuid: Uuid) -> Self {
        let message = format!("cannot modify files on activated image {uuid}");
        Self::new(Code::ImageFilesImmutable, message)
    }

    /// The image is activated already.
    pub fn already_activated(uuid: Uuid) -> Self {
        Self::new(
            Code::ImageAlreadyActivated,
            format!("image \"{uuid}\" is already activated"),
        )
    }

    /// Nothing to activate.
    pub fn no_file_to_activate(uuid: Uuid) -> Self {
        let message = format!("image \"{uuid}\" cannot be activated: it has no file");
        Self::new(Code::NoActivationNoFile, message)
    }

    /// The image has no file.
    pub fn no_file(uuid: Uuid) -> Self {
        Self::new(Code::ResourceNotFound, format!("image \"{uuid}\" has no file"))
    }

    /// The image has no such file.
    pub fn no_file_at(uuid: Uuid, index: &str) -> Self {
        Self::new(
            Code::ResourceNotFound,
            format!("image \"{uuid}\" has no file at index {index}"),
        )
    }

    /// The image has no icon.
    pub fn no_icon(uuid: Uuid) -> Self {
        Self::new(Code::ResourceNotFound, format!("image \"{uuid}\" has no icon"))
    }

    /// No such owner.
    pub fn no_such_owner(owner: &str) -> Self {
        Self::new(
            Code::OwnerDoesNotExist,
            format!("owner \"{owner}\" does not exist"),
        )
    }

    /// No such account.
    pub fn no_such_account(account: &str) -> Self {
        Self::new(
            Code::AccountDoesNotExist,
            format!("account \"{account}\" does not exist"),
        )
    }

    /// The origin is not here.
    pub fn no_such_origin(origin: &str) -> Self {
        Self::new(
            Code::OriginDoesNotExist,
            format!("origin image \"{origin}\" does not exist"),
        )
    }

    /// The origin cannot be built upon.
    pub fn origin_not_active(origin: Uuid) -> Self {
        Self::new(
            Code::OriginIsNotActive,
            format!("origin image \"{origin}\" is not active"),
        )
    }

    /// The caller is an account.
    pub fn operator_only() -> Self {
        Self::new(
            Code::OperatorOnly,
            "this endpoint may only be called by an operator",
        )
    }

    /// The caller owns another image.
    pub fn not_owner(account: Uuid, uuid: Uuid) -> Self {
        let message = format!("account {account} is not the owner of image {uuid}");
        Self::new(Code::NotImageOwner, message)
    }

    /// The image is not shared with the account. (The original swaps the two.)
    pub fn not_shared(uuid: Uuid, account: Uuid) -> Self {
        let message = format!("Image {uuid} is not shared with account {account}");
        Self::new(Code::ImageNotShared, message)
    }

    /// The name is taken.
    pub fn already_exists(uuid: Uuid) -> Self {
        Self::new(
            Code::ImageUuidAlreadyExists,
            format!("image uuid \"{uuid}\" already exists"),
        )
    }

    /// Images are based on it; `dependents` in a stable order.
    pub fn has_dependents(uuid: Uuid, dependents: &[Uuid]) -> Self {
        const NAMED: usize = 5;
        let count = dependents.len();
        // From ten on the first five are named.
        let named = if count < 2 * NAMED { count } else { NAMED };
        let names: Vec<String> = dependents[..named].iter().map(Uuid::to_string).collect();
        let mut message = format!(
            "image \"{uuid}\" has {count} dependent incremental image(s): {}",
            names.join(", ")
        );
        if named < count {
            message.push_str(&format!(", and {} more...", count - named));
        }
        Self::new(Code::ImageHasDependentImages, message)
    }

    /// Another repository did not give the manifest.
    pub fn no_remote_manifest(uuid: Uuid, remote: &str) -> Self {
        let message = format!("Unable to get manifest for image {uuid}. Error from remote: {remote}");
        Self::new(Code::RemoteSourceError, message)
    }

    /// Another repository did not give the file.
    pub fn no_remote_file(uuid: Uuid, remote: &str) -> Self {
        let message = format!("Unable to get stream for image file {uuid}. Error from remote: {remote}");
        Self::new(Code::RemoteSourceError, message)
    }

    /// No jobs can be started.
    pub fn jobs_down() -> Self {
        Self::new(Code::ServiceUnavailable, "Workflow API is down.")
    }

    /// Nobody, or nobody known.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(Code::Unauthorized, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uuid(number: u8) -> Uuid {
        Uuid::from_random([number; 16])
    }

    #[test]
    fn up_to_nine_dependents_are_named_and_five_of_more() {
        let many: Vec<Uuid> = (0..12).map(uuid).collect();
        let nine = ApiError::has_dependents(uuid(99), &many[..9]);
        assert!(nine.message().ends_with(&many[8].to_string()), "{nine}");
        let twelve = ApiError::has_dependents(uuid(99), &many);
        assert!(twelve.message().contains("has 12 dependent"), "{twelve}");
        assert!(
            twelve.message().ends_with(&format!("{}, and 7 more...", many[4])),
            "{twelve}"
        );
    }

    #[test]
    fn the_body_has_code_message_and_fields_in_that_order() {
        let error = ApiError::invalid_data(vec![
            FieldError::bare("name", "MissingParameter"),
            FieldError::invalid("os", "no"),
        ]);
        assert_eq!(
            crate::json::compact(&error.to_value()),
            r#"{"code":"ValidationFailed","message":"invalid image data: name, os","errors":[{"field":"name","code":"MissingParameter"},{"field":"os","code":"Invalid","message":"no"}]}"#
        );
        assert_eq!(error.status(), 422);
    }
}
