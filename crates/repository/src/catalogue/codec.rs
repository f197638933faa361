//! Entries as bytes, for an index that makes a start quick: reading one costs a tenth of making one of its record.

use crate::catalogue::entry::{Entry, State};
use crate::catalogue::form::Form;
use crate::dates::Published;
use crate::manifest::{Compression, FileEntry, IconEntry};
use crate::uuid::Uuid;

/// Goes up with every change of what an entry holds, of the public form, or of how records are read: bytes of another version
/// are not believed. A test holds it to that.
pub const ENTRY_VERSION: u32 = 1;

impl Entry {
    /// Appends it.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        let mut writer = Writer(bytes);
        writer.uuid(self.uuid);
        writer.uuid(self.owner);
        writer.option(self.origin.as_ref(), |writer, origin| writer.uuid(*origin));
        writer
            .0
            .extend_from_slice(&self.published.as_number().to_le_bytes());
        let flags = [self.is_activated, self.is_disabled, self.is_public];
        writer.0.push(self.state as u8);
        writer.0.extend(flags.map(u8::from));
        writer.0.push(self.kind.unwrap_or(u8::MAX));
        writer.0.push(self.system.unwrap_or(u8::MAX));
        writer.text(&self.name);
        writer.text(&self.version);
        writer.list(&self.acl, |writer, account| writer.uuid(*account));
        writer.list(&self.tags, |writer, text| writer.text(text));
        writer.list(&self.billing_tags, |writer, text| writer.text(text));
        writer.list(&self.channels, |writer, text| writer.text(text));
        writer.list(&self.files, Writer::file);
        writer.option(self.icon.as_deref(), Writer::icon);
        writer.text(self.form.text());
    }

    /// Reads one that was appended; `None` if the bytes are none. What is left of them comes after it.
    pub fn decode(bytes: &mut &[u8]) -> Option<Self> {
        let reader = &mut Reader(bytes);
        Some(Self {
            uuid: reader.uuid()?,
            owner: reader.uuid()?,
            origin: reader.option(Reader::uuid)?,
            published: Published::of_number(u64::from_le_bytes(reader.array()?)),
            state: State::of_number(reader.byte()?)?,
            is_activated: reader.flag()?,
            is_disabled: reader.flag()?,
            is_public: reader.flag()?,
            kind: reader.byte().map(|byte| (byte != u8::MAX).then_some(byte))?,
            system: reader.byte().map(|byte| (byte != u8::MAX).then_some(byte))?,
            name: reader.text()?,
            version: reader.text()?,
            acl: reader.list(Reader::uuid)?,
            tags: reader.list(Reader::text)?,
            billing_tags: reader.list(Reader::text)?,
            channels: reader.list(Reader::text)?,
            files: reader.list(Reader::file)?,
            icon: reader.option(Reader::icon)?,
            form: Form::of_text(reader.text()?),
        })
    }
}

struct Writer<'a>(&'a mut Vec<u8>);

impl Writer<'_> {
    fn uuid(&mut self, uuid: Uuid) {
        self.0.extend_from_slice(&uuid.as_u128().to_le_bytes());
    }

    fn length(&mut self, length: usize) {
        // A manifest has at most a few megabytes.
        self.0
            .extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn list<T>(&mut self, list: &[T], mut item: impl FnMut(&mut Self, &T)) {
        self.length(list.len());
        for value in list {
            item(self, value);
        }
    }

    fn option<T>(&mut self, value: Option<&T>, item: impl FnOnce(&mut Self, &T)) {
        self.0.push(u8::from(value.is_some()));
        if let Some(value) = value {
            item(self, value);
        }
    }

    fn file(&mut self, file: &FileEntry) {
        self.text(&file.sha1);
        self.0.extend_from_slice(&file.size.to_le_bytes());
        self.text(file.compression.word());
        for text in [&file.dataset_guid, &file.content_md5, &file.mtime] {
            self.option(text.as_ref(), |writer, text| writer.text(text));
        }
        self.text(&file.stor);
    }

    fn icon(&mut self, icon: &IconEntry) {
        self.0.extend_from_slice(&icon.size.to_le_bytes());
        for text in [
            &icon.sha1,
            &icon.content_type,
            &icon.content_md5,
            &icon.mtime,
            &icon.stor,
        ] {
            self.text(text);
        }
    }
}

struct Reader<'a, 'b>(&'a mut &'b [u8]);

impl Reader<'_, '_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        *self.0 = rest;
        Some(*first)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn uuid(&mut self) -> Option<Uuid> {
        self.array()
            .map(|bytes| Uuid::of_number(u128::from_le_bytes(bytes)))
    }

    fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn length(&mut self) -> Option<usize> {
        self.array().map(|bytes| u32::from_le_bytes(bytes) as usize)
    }

    fn text(&mut self) -> Option<Box<str>> {
        let length = self.length()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        *self.0 = rest;
        std::str::from_utf8(text).ok().map(Box::from)
    }

    fn string(&mut self) -> Option<String> {
        self.text().map(String::from)
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Box<[T]>> {
        let length = self.length()?;
        // Grows with what is really there, whatever the length says.
        (0..length).map(|_| item(self)).collect()
    }

    fn option<T>(&mut self, item: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? {
            item(self).map(Some)
        } else {
            Some(None)
        }
    }

    fn file(&mut self) -> Option<FileEntry> {
        Some(FileEntry {
            sha1: self.string()?,
            size: self.number()?,
            compression: Compression::parse(&self.text()?)?,
            dataset_guid: self.option(Self::string)?,
            content_md5: self.option(Self::string)?,
            mtime: self.option(Self::string)?,
            stor: self.string()?,
        })
    }

    fn icon(&mut self) -> Option<Box<IconEntry>> {
        Some(Box::new(IconEntry {
            size: self.number()?,
            sha1: self.string()?,
            content_type: self.string()?,
            content_md5: self.string()?,
            mtime: self.string()?,
            stor: self.string()?,
        }))
    }
}
