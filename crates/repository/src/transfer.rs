//! Checks of uploads, in the original's order (imgapi.md §12.1, §12.6).

use crate::digest::Digests;
use crate::error::{ApiError, Code, Result};
use crate::http::Parameters;
use crate::manifest::{Compression, MAXIMUM_FILE_BYTES, MAXIMUM_ICON_BYTES};
use crate::uuid::Uuid;

/// Where files can lie: the words of the API.
pub const STORAGES: [&str; 2] = ["local", "manta"];

/// Types an icon may have; nothing may follow, not even a character set.
pub const ICON_TYPES: [&str; 3] = ["image/jpeg", "image/gif", "image/png"];

/// The `compression` of an upload.
///
/// # Errors
/// It is missing or not one there is.
pub fn compression(parameters: &Parameters) -> Result<Compression> {
    let Some(word) = parameters.get_nonempty("compression") else {
        return Err(ApiError::invalid_parameter(
            "compression",
            "Missing",
            "missing \"compression\"",
        ));
    };
    Compression::parse(&word).ok_or_else(|| {
        let message = format!("invalid compression \"{word}\" (must be one of gzip, bzip2, xz, none)");
        ApiError::invalid_parameter("compression", "Invalid", message)
    })
}

/// The `storage` of an upload: where an operator wants it.
///
/// # Errors
/// It is not for accounts, or not one there is.
pub fn storage(parameters: &Parameters, account: Option<Uuid>) -> Result<Option<&'static str>> {
    let Some(word) = parameters.get_nonempty("storage") else {
        return Ok(None);
    };
    if account.is_some() {
        let message = "Parameter cannot be specified by non-operators";
        let error = crate::error::FieldError::new("storage", "NotAllowed", message);
        let message = format!("invalid storage \"{word}\"");
        return Err(ApiError::with_errors(
            Code::InvalidParameter,
            message,
            vec![error],
        ));
    }
    let known = STORAGES.into_iter().find(|known| *known == word);
    known.map(Some).ok_or_else(|| {
        let message = format!("invalid storage \"{word}\" (must be one of local, manta)");
        ApiError::invalid_parameter("storage", "Invalid", message)
    })
}

/// Which store a file goes to (imgapi.md §12.2): the nearer object store first; one across a wide network not for the
/// administrator's images, unless an operator asks for it.
pub fn choose_storage(
    asked: Option<&str>,
    has_manta: bool,
    is_remote: bool,
    is_admins: bool,
) -> &'static str {
    match asked {
        Some("manta") if has_manta => "manta",
        Some(_) => "local",
        None if has_manta && !(is_remote && is_admins) => "manta",
        None => "local",
    }
}

/// What an upload is: a file or an icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// An icon.
    Icon,
}

impl Kind {
    /// Bytes, at most.
    pub fn maximum(self) -> u64 {
        match self {
            Self::File => MAXIMUM_FILE_BYTES,
            Self::Icon => MAXIMUM_ICON_BYTES,
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::File => ("image file", "20 GiB"),
            Self::Icon => ("icon", "128 KiB"),
        }
    }

    /// Makes sure before anything is read that an announced length is not too much.
    ///
    /// # Errors
    /// It is.
    pub fn check_announced(self, content_length: Option<u64>) -> Result<()> {
        let (what, maximum) = self.words();
        match content_length {
            Some(length) if length > self.maximum() => {
                let message = format!(
                    "{what} size {length} (from Content-Length) exceeds the maximum allowed size, {maximum}"
                );
                Err(ApiError::new(Code::Upload, message))
            }
            _ => Ok(()),
        }
    }

    /// Makes sure while it is read that it is not too much.
    ///
    /// # Errors
    /// It is.
    pub fn check_received(self, received: u64) -> Result<()> {
        let (what, maximum) = self.words();
        if received <= self.maximum() {
            return Ok(());
        }
        let message = format!("{what} size exceeds the maximum allowed size, {maximum}");
        Err(ApiError::new(Code::Upload, message))
    }

    /// Makes sure of what was received: not empty, as long as announced, with the digest asked for (compared as it was
    /// given: lower-case hex).
    ///
    /// # Errors
    /// It is not.
    pub fn check_whole(
        self,
        digests: &Digests,
        content_length: Option<u64>,
        sha1: Option<&str>,
    ) -> Result<()> {
        let code = match self {
            Self::File => Code::Download,
            Self::Icon => Code::Upload,
        };
        let size = digests.size;
        if size == 0 {
            let message = match self {
                Self::File => "image file size is 0 bytes, empty files are not allowed",
                // The original takes it, and then takes the image for broken.
                Self::Icon => "icon size is 0 bytes, empty icons are not allowed",
            };
            return Err(ApiError::new(code, message));
        }
        if let Some(announced) = content_length.filter(|&announced| announced != size) {
            let message =
                format!("\"Content-Length\" header, {announced}, does not match uploaded size, {size}");
            return Err(ApiError::new(code, message));
        }
        if let Some(wanted) = sha1.filter(|wanted| !wanted.is_empty() && *wanted != digests.sha1) {
            let what = if self == Self::File { "file" } else { "icon file" };
            let message = format!(
                "\"sha1\" hash, {wanted}, does not match the uploaded {what} sha1 hash, {}",
                digests.sha1
            );
            return Err(ApiError::new(code, message));
        }
        Ok(())
    }
}

/// Makes sure that an icon is a picture by its type; its content is not looked at.
///
/// # Errors
/// It is of another type.
pub fn icon_type(content_type: Option<&str>) -> Result<&'static str> {
    let given = content_type.unwrap_or("undefined");
    ICON_TYPES
        .into_iter()
        .find(|known| *known == given)
        .ok_or_else(|| {
            let message = format!(
                "invalid content-type, {given}, must be one of {}",
                ICON_TYPES.join(", ")
            );
            ApiError::new(Code::Upload, message)
        })
}

/// The `index` of a download: what is no number is the first file.
///
/// # Errors
/// The image has no such file.
pub fn file_index(parameters: &Parameters, uuid: Uuid, files: usize) -> Result<usize> {
    if files == 0 {
        return Err(ApiError::no_file(uuid));
    }
    let text = parameters.get_nonempty("index").unwrap_or_default();
    let digits = text.strip_prefix('-').unwrap_or(&text);
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    if length == 0 {
        return Ok(0);
    }
    let number = &text[..text.len() - digits.len() + length];
    let index = number.parse::<usize>().ok().filter(|&index| index < files);
    index.ok_or_else(|| ApiError::no_file_at(uuid, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_is_chosen_as_the_guide_says() {
        assert_eq!(choose_storage(None, false, false, false), "local");
        assert_eq!(choose_storage(Some("manta"), false, false, false), "local");
        assert_eq!(choose_storage(None, true, false, true), "manta");
        assert_eq!(choose_storage(None, true, true, true), "local");
        assert_eq!(choose_storage(None, true, true, false), "manta");
        assert_eq!(choose_storage(Some("manta"), true, true, true), "manta");
        assert_eq!(choose_storage(Some("local"), true, false, false), "local");
    }

    #[test]
    fn a_file_index_that_is_no_number_is_the_first() {
        let index = |query: &str, files| file_index(&Parameters::parse(query), Uuid::NIL, files);
        assert_eq!(
            (index("", 1), index("index=abc", 1), index("index=1x", 2)),
            (Ok(0), Ok(0), Ok(1))
        );
        assert!(
            index("index=-1", 1)
                .unwrap_err()
                .message()
                .ends_with("has no file at index -1")
        );
        assert!(
            index("index=0", 0)
                .unwrap_err()
                .message()
                .ends_with("has no file")
        );
    }

    #[test]
    fn an_empty_icon_is_refused_before_it_spoils_its_image() {
        let digests = Digests {
            sha1: String::new(),
            md5: String::new(),
            size: 0,
        };
        assert_eq!(
            Kind::Icon.check_whole(&digests, None, None).unwrap_err().status(),
            400
        );
    }
}
