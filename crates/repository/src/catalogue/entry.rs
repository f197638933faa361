//! One image in memory.

use crate::access::Guarded;
use crate::catalogue::Form;
use crate::dates::Published;
use crate::json;
use crate::manifest::{FileEntry, IconEntry, Mode, Record, SYSTEMS, TYPES};
use crate::uuid::Uuid;

/// The state that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// `active`
    Active,
    /// `unactivated`
    Unactivated,
    /// `disabled`
    Disabled,
    /// `creating`
    Creating,
    /// `failed`
    Failed,
}

impl State {
    pub(crate) fn of_number(number: u8) -> Option<Self> {
        let all = [
            Self::Active,
            Self::Unactivated,
            Self::Disabled,
            Self::Creating,
            Self::Failed,
        ];
        all.get(usize::from(number)).copied()
    }
}

/// What filters, access and answers need of a record.
#[derive(Debug)]
pub struct Entry {
    pub(crate) uuid: Uuid,
    pub(crate) owner: Uuid,
    pub(crate) origin: Option<Uuid>,
    pub(crate) published: Published,
    pub(crate) state: State,
    pub(crate) is_activated: bool,
    pub(crate) is_disabled: bool,
    pub(crate) is_public: bool,
    pub(crate) name: Box<str>,
    pub(crate) version: Box<str>,
    /// Which of the known types; none for placeholders.
    pub(crate) kind: Option<u8>,
    /// Which of the known systems; none for placeholders.
    pub(crate) system: Option<u8>,
    pub(crate) acl: Box<[Uuid]>,
    pub(crate) tags: Box<[Box<str>]>,
    pub(crate) billing_tags: Box<[Box<str>]>,
    pub(crate) channels: Box<[Box<str>]>,
    pub(crate) files: Box<[FileEntry]>,
    pub(crate) icon: Option<Box<IconEntry>>,
    pub(crate) form: Form,
}

impl Entry {
    /// Of a record, for answers of a repository of that mode.
    pub fn new(record: &Record, mode: Mode) -> Self {
        let list = |texts: &mut dyn Iterator<Item = &str>| texts.map(Box::from).collect();
        let text = |key: &str| record.object().get(key).map(json::to_text).unwrap_or_default();
        let position = |known: &[&str], key: &str| {
            known
                .iter()
                .position(|word| *word == record.text(key))
                .and_then(|index| u8::try_from(index).ok())
        };
        Self {
            uuid: record.uuid(),
            owner: record.owner(),
            origin: record.origin(),
            published: record.published(),
            state: match record.state() {
                "active" => State::Active,
                "disabled" => State::Disabled,
                "creating" => State::Creating,
                "failed" => State::Failed,
                _ => State::Unactivated,
            },
            is_activated: record.is_activated(),
            is_disabled: record.is_disabled(),
            is_public: record.is_public(),
            name: text("name").into(),
            version: text("version").into(),
            kind: position(&TYPES, "type"),
            system: position(&SYSTEMS, "os"),
            acl: record.acl().collect(),
            tags: list(&mut record.search_tags()),
            billing_tags: list(&mut record.billing_tags()),
            channels: list(&mut record.channels()),
            files: (0..record.file_count())
                .filter_map(|index| record.file(index))
                .collect(),
            icon: record.icon().map(Box::new),
            form: Form::new(record, mode),
        }
    }

    /// Whether it has a tag of that key.
    pub fn has_tag(&self, key: &str) -> bool {
        let is_it = |tag: &str| tag.strip_prefix(key).is_some_and(|rest| rest.starts_with('='));
        self.tags.iter().any(|tag| is_it(tag))
    }

    /// Its name.
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// Who owns it.
    pub fn owner(&self) -> Uuid {
        self.owner
    }

    /// The image it is based on.
    pub fn origin(&self) -> Option<Uuid> {
        self.origin
    }

    /// When it was published.
    pub fn published(&self) -> Published {
        self.published
    }

    /// The state that is stored.
    pub fn state(&self) -> State {
        self.state
    }

    /// Name, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Type, as its word; nothing for placeholders.
    pub fn kind(&self) -> Option<&'static str> {
        self.kind.and_then(|kind| TYPES.get(usize::from(kind)).copied())
    }

    /// The channels it is in.
    pub fn channels(&self) -> impl Iterator<Item = &str> {
        self.channels.iter().map(AsRef::as_ref)
    }

    /// Its files, by index.
    pub fn files(&self) -> &[FileEntry] {
        &self.files
    }

    /// Its icon.
    pub fn icon(&self) -> Option<&IconEntry> {
        self.icon.as_deref()
    }

    /// Its public form.
    pub fn form(&self) -> &Form {
        &self.form
    }
}

impl Guarded for Entry {
    fn uuid(&self) -> Uuid {
        self.uuid
    }

    fn owner(&self) -> Uuid {
        self.owner
    }

    fn is_activated(&self) -> bool {
        self.is_activated
    }

    fn is_public(&self) -> bool {
        self.is_public
    }

    fn is_shared_with(&self, account: Uuid) -> bool {
        self.acl.contains(&account)
    }

    fn is_in_channel(&self, channel: &str) -> bool {
        self.channels().any(|name| name == channel)
    }
}
