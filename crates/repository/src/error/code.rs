//! The catalogue.

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $status:literal;)*) => {
        /// Which error it is; the name is the code word unless the catalogue says otherwise.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// All of them.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The `code` of the body.
            pub fn word(self) -> &'static str {
                match self {
                    $(Code::$name => $word,)*
                }
            }

            /// The status of the answer.
            pub fn status(self) -> u16 {
                match self {
                    $(Code::$name => $status,)*
                }
            }
        }
    };
}

codes! {
    /// A manifest, a body or a parameter breaks a rule.
    ValidationFailed = "ValidationFailed", 422;
    /// A parameter is not what it may be.
    InvalidParameter = "InvalidParameter", 422;
    /// The image is activated: its files stay.
    ImageFilesImmutable = "ImageFilesImmutable", 422;
    /// Activation of an activated image.
    ImageAlreadyActivated = "ImageAlreadyActivated", 422;
    /// Activation of an image without a file.
    NoActivationNoFile = "NoActivationNoFile", 422;
    /// No such owner in the directory of users.
    OwnerDoesNotExist = "OwnerDoesNotExist", 422;
    /// No such account in the directory of users.
    AccountDoesNotExist = "AccountDoesNotExist", 422;
    /// The account owns another image.
    NotImageOwner = "NotImageOwner", 422;
    /// The account is not in the image's list of accounts.
    ImageNotShared = "ImageNotShared", 422;
    /// The path of an export is somebody else's.
    NotMantaPathOwner = "NotMantaPathOwner", 422;
    /// The origin is not here.
    OriginDoesNotExist = "OriginDoesNotExist", 422;
    /// The origin is not active.
    OriginIsNotActive = "OriginIsNotActive", 422;
    /// The host of a machine is too old to make an image of it.
    InsufficientServerVersion = "InsufficientServerVersion", 422;
    /// Other images are based on it.
    ImageHasDependentImages = "ImageHasDependentImages", 422;
    /// Not for accounts.
    OperatorOnly = "OperatorOnly", 403;
    /// The name is taken.
    ImageUuidAlreadyExists = "ImageUuidAlreadyExists", 409;
    /// What was sent is too big or of a wrong kind.
    Upload = "Upload", 400;
    /// What arrived is not what was announced.
    Download = "Download", 400;
    /// A file is too big.
    ImageFileTooBig = "ImageFileTooBig", 400;
    /// Not for images of several files.
    NotImplemented = "NotImplemented", 400;
    /// The store of files does not answer.
    StorageIsDown = "StorageIsDown", 503;
    /// No such store of files.
    StorageUnsupported = "StorageUnsupported", 503;
    /// Another repository failed.
    RemoteSourceError = "RemoteSourceError", 503;
    /// Images of machines cannot be made here.
    NotAvailable = "NotAvailable", 501;
    /// It is this server's fault.
    InternalError = "InternalError", 500;
    /// Nothing there, or nothing for this caller.
    ResourceNotFound = "ResourceNotFound", 404;
    /// A part of the server does not answer.
    ServiceUnavailable = "ServiceUnavailableError", 503;
    /// Who asks is not known.
    Unauthorized = "UnauthorizedError", 401;
    /// Not understood.
    BadRequest = "BadRequestError", 400;
    /// A header is wrong.
    InvalidHeader = "InvalidHeader", 400;
    /// A condition of the request does not hold.
    PreconditionFailed = "PreconditionFailed", 412;
    /// No such version of the interface.
    InvalidVersion = "InvalidVersion", 400;
    /// The body is no JSON.
    InvalidContent = "InvalidContent", 400;
    /// The body has another digest than announced.
    BadDigest = "BadDigest", 400;
    /// The path has other methods.
    MethodNotAllowed = "MethodNotAllowedError", 405;
    /// Of `/state` only.
    InvalidArgument = "InvalidArgument", 409;
    /// Of `/state` only.
    MissingParameter = "MissingParameter", 409;
    /// The body is longer than this server reads; an addition.
    RequestEntityTooLarge = "RequestEntityTooLarge", 413;
    /// A range that the file or the upload does not have; an addition.
    RangeNotSatisfiable = "RangeNotSatisfiable", 416;
    /// A kind of image that this server does not import; an addition.
    NotSupported = "NotSupported", 501;
}
