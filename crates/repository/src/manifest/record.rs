//! The stored form.

use crate::dates::Published;
use crate::error::{ApiError, FieldError};
use crate::json::{self, Object, Value};
use crate::manifest::normalise::normalise;
use crate::manifest::{MAXIMUM_MANIFEST_BYTES, Rules, validate};
use crate::uuid::Uuid;
use std::fmt;

/// How a file is compressed. What is said is not checked against the bytes (imgapi.md §12.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// `gzip`
    Gzip,
    /// `bzip2`
    Bzip2,
    /// `xz`
    Xz,
    /// `none`
    None,
}

impl Compression {
    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "gzip" => Some(Self::Gzip),
            "bzip2" => Some(Self::Bzip2),
            "xz" => Some(Self::Xz),
            "none" => Some(Self::None),
            _ => None,
        }
    }

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::None => "none",
        }
    }

    /// What file names end in; nothing for an uncompressed file.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Gzip => ".gz",
            Self::Bzip2 => ".bz2",
            Self::Xz => ".xz",
            Self::None => "",
        }
    }

    /// What a file's name says: `.gz`, `.bz2`, `.xz`, else none.
    pub fn of_name(name: &str) -> Self {
        let known = [Self::Gzip, Self::Bzip2, Self::Xz];
        known
            .into_iter()
            .find(|kind| name.ends_with(kind.suffix()))
            .unwrap_or(Self::None)
    }

    /// What a file's first bytes say, for checks; `None` if they begin no known form.
    pub fn of_content(first: &[u8]) -> Self {
        match first {
            [0x1f, 0x8b, 0x08, ..] => Self::Gzip,
            [b'B', b'Z', b'h', ..] => Self::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            _ => Self::None,
        }
    }
}

/// A file of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// SHA-1 of the bytes, lower-case hex.
    pub sha1: String,
    /// Bytes.
    pub size: u64,
    /// As the uploader said.
    pub compression: Compression,
    /// Opaque; the uploader's.
    pub dataset_guid: Option<String>,
    /// Which store has it: `local`, `manta`.
    pub stor: String,
    /// MD5 of the bytes, base64; records of old fixtures lack it.
    pub content_md5: Option<String>,
    /// When it was uploaded, ISO 8601.
    pub mtime: Option<String>,
}

/// The icon of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IconEntry {
    /// SHA-1 of the bytes, lower-case hex.
    pub sha1: String,
    /// Bytes.
    pub size: u64,
    /// `image/jpeg`, `image/gif`, `image/png`.
    pub content_type: String,
    /// MD5 of the bytes, base64.
    pub content_md5: String,
    /// When it was uploaded, ISO 8601.
    pub mtime: String,
    /// Which store has it.
    pub stor: String,
}

/// A manifest that keeps the rules, in the stored form, whatever else is in it.
#[derive(Clone, PartialEq)]
pub struct Record {
    object: Object,
    uuid: Uuid,
    owner: Uuid,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&json::compact(&Value::Object(self.object.clone())))
    }
}

/// Why a stored text is no record. The image is left out, its file left alone.
#[derive(Debug, thiserror::Error)]
pub enum NotARecord {
    /// No JSON.
    #[error("{0}")]
    NotJson(String),
    /// JSON, but no object.
    #[error("it is no object")]
    NotAnObject,
    /// Belongs under another name.
    #[error("it is about image {0:?}, its file name says another")]
    OtherUuid(String),
    /// Breaks rules of manifests.
    #[error("its fields break rules: {}", fields(.0))]
    Invalid(Vec<FieldError>),
}

fn fields(errors: &[FieldError]) -> String {
    let text = |error: &FieldError| {
        let what = error.message.as_deref().unwrap_or(error.code);
        format!("{}: {what}", error.field)
    };
    let texts: Vec<String> = errors.iter().map(text).collect();
    texts.join("; ")
}

impl Record {
    /// Of a manifest in the stored form, brought in order first.
    ///
    /// # Errors
    /// Which rules it breaks.
    pub fn new(mut object: Object, rules: &Rules) -> Result<Self, Vec<FieldError>> {
        normalise(&mut object);
        let errors = validate(&object, rules);
        if errors.is_empty() {
            Ok(Self::of_valid(object))
        } else {
            Err(errors)
        }
    }

    /// The same for one that a client made or changed, which must not be too long either.
    pub(crate) fn of_client(object: Object, rules: &Rules) -> Result<Self, ApiError> {
        Self::new(object, rules)
            .map_err(ApiError::invalid_data)?
            .checked_length()
    }

    /// Itself, unless it grew too long.
    pub(crate) fn checked_length(self) -> Result<Self, ApiError> {
        let length = json::compact(&Value::Object(self.object.clone())).len();
        if length <= MAXIMUM_MANIFEST_BYTES {
            return Ok(self);
        }
        let message = format!("manifest is too big: {length} bytes (max {MAXIMUM_MANIFEST_BYTES})");
        Err(ApiError::validation_failed("body", "Invalid", message))
    }

    /// Of the text of a stored file that is named for `uuid`.
    ///
    /// # Errors
    /// It is no record of that image.
    pub fn load(text: &[u8], uuid: Uuid, rules: &Rules) -> Result<Self, NotARecord> {
        let value = json::parse(text).map_err(NotARecord::NotJson)?;
        let Value::Object(object) = value else {
            return Err(NotARecord::NotAnObject);
        };
        let record = Self::new(object, rules).map_err(NotARecord::Invalid)?;
        if record.uuid != uuid {
            return Err(NotARecord::OtherUuid(record.uuid.to_string()));
        }
        Ok(record)
    }

    /// Of a manifest whose rules were checked.
    pub(crate) fn of_valid(object: Object) -> Self {
        let uuid = |key: &str| object.get(key).and_then(Value::as_str).and_then(Uuid::parse);
        Self {
            // The rules have made sure of the one; placeholders may lack the other.
            uuid: uuid("uuid").unwrap_or(Uuid::NIL),
            owner: uuid("owner").unwrap_or(Uuid::NIL),
            object,
        }
    }

    /// The text of its file: JSON indented by two, no line feed at the end.
    pub fn to_stored(&self) -> String {
        json::pretty(&Value::Object(self.object.clone()), 2)
    }

    /// All fields.
    pub fn object(&self) -> &Object {
        &self.object
    }

    pub(crate) fn into_object(self) -> Object {
        self.object
    }

    pub(crate) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.object.insert(key.to_owned(), value.into());
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.object.shift_remove(key);
    }

    /// The image's name.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// Who owns it.
    pub fn owner(&self) -> Uuid {
        self.owner
    }

    /// A field that is a text; empty if it is not there.
    pub fn text(&self, key: &str) -> &str {
        self.object.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    fn is_true(&self, key: &str) -> bool {
        self.object.get(key).and_then(json::boolean).unwrap_or(false)
    }

    /// Whether it was activated: its files stay.
    pub fn is_activated(&self) -> bool {
        self.is_true("activated")
    }

    /// Whether it was disabled.
    pub fn is_disabled(&self) -> bool {
        self.is_true("disabled")
    }

    /// Whether everybody may see it.
    pub fn is_public(&self) -> bool {
        self.is_true("public")
    }

    /// The state that is stored; computed for records of old releases that have none.
    pub fn state(&self) -> &str {
        match self.text("state") {
            "" => self.computed_state(),
            state => state,
        }
    }

    pub(crate) fn computed_state(&self) -> &'static str {
        match (self.is_activated(), self.is_disabled()) {
            (false, _) => "unactivated",
            (true, true) => "disabled",
            (true, false) => "active",
        }
    }

    /// When it was published.
    pub fn published(&self) -> Published {
        Published::parse(self.text("published_at")).unwrap_or(Published::NEVER)
    }

    /// The image it is based on.
    pub fn origin(&self) -> Option<Uuid> {
        Uuid::parse(self.text("origin"))
    }

    fn texts(&self, key: &str) -> impl Iterator<Item = &str> {
        let list = self.object.get(key).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str)
    }

    /// The accounts it is shared with.
    pub fn acl(&self) -> impl Iterator<Item = Uuid> + '_ {
        self.texts("acl").filter_map(Uuid::parse)
    }

    /// The channels it is in.
    pub fn channels(&self) -> impl Iterator<Item = &str> {
        self.texts("channels")
    }

    /// The tags as they are searched: `key=value`.
    pub fn search_tags(&self) -> impl Iterator<Item = &str> {
        self.texts("tags")
    }

    /// The billing tags.
    pub fn billing_tags(&self) -> impl Iterator<Item = &str> {
        self.texts("billing_tags")
    }

    /// How many files it has.
    pub fn file_count(&self) -> usize {
        self.object
            .get("files")
            .and_then(Value::as_array)
            .map_or(0, Vec::len)
    }

    /// One of its files.
    pub fn file(&self, index: usize) -> Option<FileEntry> {
        let entry = self.object.get("files")?.as_array()?.get(index)?;
        let text = |key: &str| entry.get(key).map(json::to_text);
        Some(FileEntry {
            sha1: text("sha1")?,
            size: entry.get("size")?.as_u64()?,
            compression: Compression::parse(&text("compression")?)?,
            dataset_guid: text("dataset_guid"),
            stor: text("stor").unwrap_or_else(|| "local".to_owned()),
            content_md5: text("contentMD5"),
            mtime: text("mtime"),
        })
    }

    /// Its icon.
    pub fn icon(&self) -> Option<IconEntry> {
        let icon = self.object.get("icon")?;
        let text = |key: &str| icon.get(key).map(json::to_text);
        Some(IconEntry {
            sha1: text("sha1").unwrap_or_default(),
            size: icon.get("size")?.as_u64()?,
            content_type: text("contentType")?,
            content_md5: text("contentMD5")?,
            mtime: text("mtime").unwrap_or_default(),
            stor: text("stor").unwrap_or_else(|| "local".to_owned()),
        })
    }

    /// When a placeholder ends; `None` for what does not.
    pub fn expires(&self) -> Option<Published> {
        Published::parse(self.text("expires_at"))
    }
}
