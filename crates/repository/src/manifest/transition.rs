//! The life of an image: files, activation, sharing, channels (imgapi.md §6, §8, §10).

use crate::dates;
use crate::error::{ApiError, Result};
use crate::json::{self, Object, Value};
use crate::manifest::{FileEntry, IconEntry, Record, structures};
use crate::uuid::Uuid;
use std::collections::HashSet;
use std::time::SystemTime;

impl Record {
    /// Makes it one that can be used; its files stay from now on.
    ///
    /// # Errors
    /// It is activated already, or has no file.
    pub fn activate(&self, now: SystemTime) -> Result<Record> {
        if self.is_activated() {
            return Err(ApiError::already_activated(self.uuid()));
        }
        if self.file_count() == 0 {
            return Err(ApiError::no_file_to_activate(self.uuid()));
        }
        let mut record = self.clone();
        record.set("activated", true);
        if record.text("published_at").is_empty() {
            record.set("published_at", dates::iso(now));
        }
        record.remove("expires_at");
        let state = record.computed_state();
        record.set("state", state);
        Ok(record)
    }

    /// Enables or disables it. An image that is not activated remembers it.
    #[must_use]
    pub fn with_disabled(&self, is_disabled: bool) -> Record {
        let mut record = self.clone();
        record.set("disabled", is_disabled);
        if record.is_activated() {
            let state = record.computed_state();
            record.set("state", state);
        }
        record
    }

    /// Whether its files may be changed now.
    ///
    /// # Errors
    /// It is activated.
    pub fn check_files_mutable(&self) -> Result<()> {
        if self.is_activated() {
            Err(ApiError::files_immutable(self.uuid()))
        } else {
            Ok(())
        }
    }

    /// Records an uploaded file, in place of the one with that index.
    ///
    /// # Errors
    /// It was activated while the file arrived.
    pub fn with_file(&self, index: usize, file: &FileEntry) -> Result<Record> {
        if self.is_activated() {
            return Err(ApiError::already_activated(self.uuid()));
        }
        let mut entry = Object::new();
        entry.insert("sha1".to_owned(), file.sha1.as_str().into());
        entry.insert("size".to_owned(), file.size.into());
        if let Some(md5) = &file.content_md5 {
            entry.insert("contentMD5".to_owned(), md5.as_str().into());
        }
        if let Some(mtime) = &file.mtime {
            entry.insert("mtime".to_owned(), mtime.as_str().into());
        }
        entry.insert("stor".to_owned(), file.stor.as_str().into());
        entry.insert("compression".to_owned(), file.compression.word().into());
        if let Some(guid) = &file.dataset_guid {
            entry.insert("dataset_guid".to_owned(), guid.as_str().into());
        }
        let mut record = self.clone();
        let mut files = record.list("files");
        if index < files.len() {
            files[index] = Value::Object(entry);
        } else {
            files.push(Value::Object(entry));
        }
        record.set("files", Value::Array(files));
        Ok(record)
    }

    /// What a field lists; nothing if it is no list.
    fn list(&self, field: &str) -> Vec<Value> {
        let listed = self.object().get(field).and_then(Value::as_array);
        listed.cloned().unwrap_or_default()
    }

    /// Records that another store has its files now.
    #[must_use]
    pub fn with_stor(&self, stor: &str) -> Record {
        let mut record = self.clone();
        let mut files = record.list("files");
        for file in files.iter_mut().filter_map(Value::as_object_mut) {
            file.insert("stor".to_owned(), stor.into());
        }
        record.set("files", Value::Array(files));
        record
    }

    /// Records an uploaded icon.
    #[must_use]
    pub fn with_icon(&self, icon: &IconEntry) -> Record {
        let mut entry = Object::new();
        entry.insert("sha1".to_owned(), icon.sha1.as_str().into());
        entry.insert("size".to_owned(), icon.size.into());
        entry.insert("contentType".to_owned(), icon.content_type.as_str().into());
        entry.insert("contentMD5".to_owned(), icon.content_md5.as_str().into());
        entry.insert("mtime".to_owned(), icon.mtime.as_str().into());
        entry.insert("stor".to_owned(), icon.stor.as_str().into());
        let mut record = self.clone();
        record.set("icon", Value::Object(entry));
        record
    }

    /// Forgets the icon.
    ///
    /// # Errors
    /// It has none.
    pub fn without_icon(&self) -> Result<Record> {
        if self.icon().is_none() {
            return Err(ApiError::no_icon(self.uuid()));
        }
        let mut record = self.clone();
        record.remove("icon");
        Ok(record)
    }

    /// Shares it with the accounts of a request's body, or no longer (`action` `add`, the default, or `remove`).
    ///
    /// # Errors
    /// The body is no list of accounts, or the action is another.
    pub fn with_acl(&self, action: Option<&str>, body: Option<&Value>) -> Result<Record> {
        let is_removal = match action {
            None | Some("" | "add") => false,
            Some("remove") => true,
            Some(other) => return Err(ApiError::invalid_action(other)),
        };
        let invalid = |what: &str| {
            let message = format!("invalid image \"acl\" {what}");
            Err(ApiError::invalid_parameter("acl", "Invalid", message))
        };
        let Some(Value::Array(accounts)) = body else {
            return invalid("(not an array)");
        };
        if let Some((index, item)) = structures::bad_account(accounts) {
            return invalid(&format!("(item {index} is not a UUID): {item}"));
        }
        let mut acl = self.list("acl");
        // Sets, since lists of accounts may be long on both sides.
        let text = |account: &Value| json::to_text(account);
        if is_removal {
            let removed: HashSet<String> = accounts.iter().map(text).collect();
            acl.retain(|account| !removed.contains(&json::to_text(account)));
        } else {
            let mut known: HashSet<String> = acl.iter().map(text).collect();
            let new = accounts
                .iter()
                .filter(|account| known.insert(json::to_text(account)));
            acl.extend(new.cloned());
        }
        let mut record = self.clone();
        record.set("acl", Value::Array(acl));
        record.checked_length()
    }

    /// Whether it is in a channel.
    pub fn is_in_channel(&self, channel: &str) -> bool {
        self.channels().any(|name| name == channel)
    }

    /// Adds it to a channel; one it is in already changes nothing.
    #[must_use]
    pub fn with_channel(&self, channel: &str) -> Record {
        let mut record = self.clone();
        if !self.is_in_channel(channel) {
            let channels = self.channels().chain([channel]).map(Value::from).collect();
            record.set("channels", Value::Array(channels));
        }
        record
    }

    /// Takes it out of a channel.
    #[must_use]
    pub fn without_channel(&self, channel: &str) -> Record {
        let channels = self
            .channels()
            .filter(|name| *name != channel)
            .map(Value::from)
            .collect();
        let mut record = self.clone();
        record.set("channels", Value::Array(channels));
        record
    }

    /// Records that its making failed; the message is cut at 20,000 characters (imgapi.md §14).
    #[must_use]
    pub fn with_failure(&self, code: &str, message: &str) -> Record {
        const MAXIMUM_MESSAGE: usize = 20_000;
        let message: String = message.chars().take(MAXIMUM_MESSAGE).collect();
        let mut error = Object::new();
        error.insert("message".to_owned(), message.into());
        error.insert("code".to_owned(), code.into());
        let mut record = self.clone();
        record.set("state", "failed");
        record.set("error", Value::Object(error));
        record
    }

    /// Whether it is a placeholder whose time is over.
    pub fn is_expired(&self, now: SystemTime) -> bool {
        let now = dates::Published::parse(&dates::iso(now)).unwrap_or_default();
        matches!(self.state(), "creating" | "failed") && self.expires().is_some_and(|end| end <= now)
    }

    /// Takes out of a record what another account's copy must not have; see [`crate::manifest::clone_of`].
    pub(crate) fn into_copy(self, uuid: Uuid, owner: Uuid) -> Record {
        let mut object = self.into_object();
        object.shift_remove("acl");
        object.shift_remove("icon");
        object.insert("uuid".to_owned(), uuid.to_string().into());
        object.insert("owner".to_owned(), owner.to_string().into());
        Record::of_valid(object)
    }
}

/// The channel that `channel-add` names in its body.
pub(crate) fn channel_of(body: Option<&Value>) -> String {
    body.and_then(|body| body.get("channel"))
        .map_or_else(|| "undefined".to_owned(), json::to_text)
}
