//! What `GET /ping?error=NAME` answers: clients test with it what they do with errors (imgapi.md §17).

use crate::error::{ApiError, Code, FieldError};
use crate::uuid::Uuid;

/// Classes of errors that the original knows and has no sample of.
const KNOWN: &[&str] = &[
    "ResourceNotFoundError",
    "InvalidHeaderError",
    "ServiceUnavailableError",
    "UnauthorizedError",
    "BadRequestError",
    "UploadError",
    "DownloadError",
    "OwnerDoesNotExistError",
    "AccountDoesNotExistError",
    "NotImageOwnerError",
    "ImageNotSharedError",
    "NotMantaPathOwnerError",
    "OriginDoesNotExistError",
    "OriginIsNotActiveError",
    "InsufficientServerVersionError",
    "ImageHasDependentImagesError",
    "NotImplementedError",
    "NotAvailableError",
];

/// The error asked for.
pub fn sample(name: &str) -> ApiError {
    let name = match name {
        "" => "InternalError".to_owned(),
        name if name.ends_with("Error") => name.to_owned(),
        name => format!("{name}Error"),
    };
    match name.as_str() {
        "InternalError" => ApiError::new(Code::InternalError, "boom"),
        "ValidationFailedError" => ApiError::with_errors(Code::ValidationFailed, "boom", Vec::new()),
        "InvalidParameterError" => ApiError::with_errors(
            Code::InvalidParameter,
            "invalid \"foo\"",
            vec![FieldError::bare("foo", "Invalid")],
        ),
        "ImageFilesImmutableError" => ApiError::files_immutable(of("82ce32a2-9cb4-9a4c-a303-7a63254bacf4")),
        "ImageAlreadyActivatedError" => {
            ApiError::already_activated(of("ed8cd007-2065-0140-8d41-e32247b71748"))
        }
        "NoActivationNoFileError" => {
            ApiError::no_file_to_activate(of("ed8cd007-2065-0140-8d41-e32247b71748"))
        }
        "OperatorOnlyError" => ApiError::operator_only(),
        "ImageUuidAlreadyExistsError" => ApiError::new(
            Code::ImageUuidAlreadyExists,
            "image uuid \"undefined\" already exists",
        ),
        "StorageIsDownError" => ApiError::new(Code::StorageIsDown, "storage is down at the moment"),
        "StorageUnsupportedError" => ApiError::new(Code::StorageUnsupported, "storage type is unsupported"),
        "RemoteSourceError" => ApiError::new(Code::RemoteSourceError, ""),
        name if KNOWN.contains(&name) => ApiError::new(
            Code::InternalError,
            format!("do not have a sample \"{name}\" error"),
        ),
        name => ApiError::invalid_parameter("error", "Missing", format!("unknown error: {name}")),
    }
}

fn of(text: &str) -> Uuid {
    Uuid::parse(text).unwrap_or(Uuid::NIL)
}
