//! What requests say besides their bodies' meaning: version, conditions, ranges, parameters, which endpoint they are for.
//! Plain texts in, plain values out; no web framework's type is known here.

mod body;
mod conditional;
mod endpoint;
mod parameters;
mod range;
mod version;

pub use body::{Body, check_content_md5, decode_body};
pub use conditional::{Conditions, Outcome, Tagged};
pub use endpoint::{Authentication, Endpoint, ROUTES, Route, Routed, Unrouted, route};
pub use parameters::{MAXIMUM_PARAMETERS, Parameters};
pub use range::{ByteRange, ContentRange, RangeAnswer, UploadRange};
pub use version::{ApiVersion, api_version};
