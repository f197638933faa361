//! A manifest as a repository answered it.

use repository::Uuid;
use repository::json::{self, Object, Value};

use crate::ClientError;

/// An image: the JSON object as it came, with the fields that programs ask for.
#[derive(Clone, Debug, PartialEq)]
pub struct Image(Value);

/// An image's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFile {
    /// SHA-1, lower-case hex.
    pub sha1: String,
    /// Bytes.
    pub size: u64,
    /// `gzip`, `bzip2`, `xz` or `none`.
    pub compression: String,
    /// Opaque; of file systems that send differences.
    pub dataset_guid: Option<String>,
}

impl Image {
    /// Of an answer.
    ///
    /// # Errors
    /// It is no manifest: no object, or without `uuid`.
    pub fn new(value: Value) -> Result<Self, ClientError> {
        let uuid = value.get("uuid").and_then(Value::as_str).and_then(Uuid::parse);
        if uuid.is_none() {
            return Err(ClientError::Answer("a manifest without \"uuid\"".to_owned()));
        }
        Ok(Self(value))
    }

    /// Its name in the repository.
    pub fn uuid(&self) -> Uuid {
        // Made sure of by `new`.
        self.text("uuid").and_then(Uuid::parse).unwrap_or_default()
    }

    /// A field that is a text.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field).and_then(Value::as_str)
    }

    /// A field.
    pub fn field(&self, field: &str) -> Option<&Value> {
        self.0.get(field)
    }

    /// `state`.
    pub fn state(&self) -> &str {
        self.text("state").unwrap_or_default()
    }

    /// `name`; repositories take numbers as well, and keep them.
    pub fn name(&self) -> String {
        self.0.get("name").map(json::to_text).unwrap_or_default()
    }

    /// `version`, in the same way.
    pub fn version(&self) -> String {
        self.0.get("version").map(json::to_text).unwrap_or_default()
    }

    /// What it is based on.
    pub fn origin(&self) -> Option<Uuid> {
        self.text("origin").and_then(Uuid::parse)
    }

    /// Whether it has an icon.
    pub fn has_icon(&self) -> bool {
        self.0.get("icon").is_some_and(|icon| icon == &Value::Bool(true))
    }

    /// Its files; one that lacks a field is left out.
    pub fn files(&self) -> Vec<ImageFile> {
        let files = self.0.get("files").and_then(Value::as_array);
        let files = files.map(Vec::as_slice).unwrap_or_default().iter();
        let read = |file: &Value| {
            let text = |key: &str| file.get(key).and_then(Value::as_str).map(str::to_owned);
            Some(ImageFile {
                sha1: text("sha1")?,
                size: file.get("size")?.as_u64()?,
                compression: text("compression")?,
                dataset_guid: text("dataset_guid"),
            })
        };
        files.filter_map(read).collect()
    }

    /// The whole object.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// Its fields.
    pub fn into_object(self) -> Object {
        match self.0 {
            Value::Object(object) => object,
            // `new` has found a field in it.
            _ => Object::new(),
        }
    }
}
