//! Bodies of requests.

use crate::error::{ApiError, Code, Result};
use crate::json::{self, Value};
use crate::manifest::MAXIMUM_BODY_BYTES;
use flate2::read::GzDecoder;
use openssl::hash::{MessageDigest, hash};
use std::io::Read as _;

/// A body as far as its kind is known.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Nothing was sent.
    None,
    /// JSON, or a form.
    Value(Value),
    /// Bytes of another kind.
    Raw,
}

impl Body {
    /// The value, if it is one.
    pub fn value(&self) -> Option<&Value> {
        match self {
            Self::Value(value) => Some(value),
            Self::None | Self::Raw => None,
        }
    }
}

/// Makes sure that a body has the digest its header announces; bodies of JSON only, as the original does.
///
/// # Errors
/// It has another.
pub fn check_content_md5(bytes: &[u8], announced: Option<&str>) -> Result<()> {
    let Some(announced) = announced else { return Ok(()) };
    let digest = hash(MessageDigest::md5(), bytes)
        .map_err(|error| ApiError::new(Code::InternalError, format!("cannot compute MD5: {error}")))?;
    let digest = openssl::base64::encode_block(&digest);
    if digest == announced {
        return Ok(());
    }
    let message = format!("Content-MD5 '{announced}' didn't match '{digest}'");
    Err(ApiError::new(Code::BadDigest, message))
}

/// Takes a body apart. `bytes` are what was sent, at most [`MAXIMUM_BODY_BYTES`]; without a content type they are taken for
/// JSON if they are (the original leaves them alone).
///
/// # Errors
/// It is announced as JSON and is none, or is too long once unpacked.
pub fn decode_body(bytes: &[u8], content_type: Option<&str>, is_gzip: bool) -> Result<Body> {
    if bytes.is_empty() {
        return Ok(Body::None);
    }
    let unpacked;
    let bytes = if is_gzip {
        unpacked = unpack(bytes)?;
        &unpacked[..]
    } else {
        bytes
    };
    if bytes.len() > MAXIMUM_BODY_BYTES {
        return Err(too_long());
    }
    let kind = content_type.map(|kind| {
        kind.split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    });
    match kind.as_deref() {
        Some("application/json") => json::parse(bytes)
            .map(Body::Value)
            .map_err(|error| ApiError::new(Code::InvalidContent, format!("Invalid JSON: {error}"))),
        Some("application/x-www-form-urlencoded") => Ok(Body::Value(json::parse_form(bytes))),
        Some(_) => Ok(Body::Raw),
        None => Ok(json::parse(bytes).map_or(Body::Raw, Body::Value)),
    }
}

fn too_long() -> ApiError {
    let message = format!("request body is longer than {MAXIMUM_BODY_BYTES} bytes");
    ApiError::new(Code::RequestEntityTooLarge, message)
}

fn unpack(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    let limit = MAXIMUM_BODY_BYTES as u64 + 1;
    let read = GzDecoder::new(bytes).take(limit).read_to_end(&mut unpacked);
    let invalid = |error| ApiError::new(Code::BadRequest, format!("request body is no gzip: {error}"));
    read.map_err(invalid)?;
    if unpacked.len() > MAXIMUM_BODY_BYTES {
        Err(too_long())
    } else {
        Ok(unpacked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use serde_json::json;
    use std::io::Write as _;

    #[test]
    fn a_body_is_what_its_type_says() {
        let json = Some("application/json; charset=utf-8");
        assert_eq!(decode_body(b"", json, false), Ok(Body::None));
        assert_eq!(
            decode_body(b"{\"a\":1}", json, false),
            Ok(Body::Value(json!({"a": 1})))
        );
        assert_eq!(
            decode_body(b"{\"a\":1}", None, false),
            Ok(Body::Value(json!({"a": 1})))
        );
        assert_eq!(decode_body(b"hello", None, false), Ok(Body::Raw));
        assert_eq!(decode_body(b"{}", Some("text/plain"), false), Ok(Body::Raw));
        let form = Some("application/x-www-form-urlencoded");
        assert_eq!(
            decode_body(b"a=1", form, false),
            Ok(Body::Value(json!({"a": "1"})))
        );
        let error = decode_body(b"{bad", json, false).unwrap_err();
        assert_eq!(
            error.message(),
            "Invalid JSON: Unexpected token b in JSON at position 1"
        );
    }

    #[test]
    fn a_packed_body_that_unpacks_without_end_is_refused() {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(&vec![b' '; MAXIMUM_BODY_BYTES + 1]).unwrap();
        let packed = packer.finish().unwrap();
        assert_eq!(decode_body(&packed, None, true).unwrap_err().status(), 413);
        assert_eq!(decode_body(b"no gzip", None, true).unwrap_err().status(), 400);
    }
}
