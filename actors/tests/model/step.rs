//! What a sequence is made of. Steps name what they are about by number or name and never by the result of an earlier
//! step, so that any of them may be left out: that is how a failing sequence is made short.

/// Which content of [`content`](super::universe::content).
pub type Content = u8;

/// Which connection: each has one lease and one reader.
pub type Connection = u8;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// The daemon itself.
    Internal,
    /// Has the power for every method, and a name: `joe`.
    Privileged,
    /// `ann`, member of [`GROUP`](super::universe::GROUP).
    Member,
    /// `bob`, member of nothing.
    Ordinary,
    /// No certificate.
    Nobody,
}

/// Whom an image belongs to, beside its creator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Unowned,
    UserBob,
    CreatedForBob,
    Group,
}

/// What is wrong with the tree of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tree {
    Sound,
    /// There is none.
    Nil,
    /// A file name that leaves the directory.
    Hostile,
}

/// An image to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// One file each.
    pub files: Vec<Content>,
    pub notes: Option<Content>,
    pub log: Option<Content>,
    /// Seconds from now.
    pub expires_in: Option<i64>,
    pub tag: u8,
    pub commit: u8,
    pub owner: Owner,
    pub tree: Tree,
    /// By `AddImageTrusted`: keeps creator and time of creation.
    pub trusted: bool,
}

/// How a system ends before the next one starts on its directories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Stopped,
    Dropped,
    /// The next one starts on a copy of the directories made while this one ran.
    Killed,
}

/// One thing that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    AddObjects(Connection, Vec<Content>),
    /// With a connection: what is there is protected for it.
    CheckObjects(Option<Connection>, Vec<Content>),
    ReadObjects(Vec<Content>),
    ReadOne(Content),
    /// Begins to read, and leaves off after the first piece.
    OpenReader(Connection, Vec<Content>),
    FinishReader(Connection),
    /// The connection ends.
    Release(Connection),
    DeleteUnreferenced {
        percentage: u8,
        bytes: u64,
    },
    AddImage(Caller, &'static str, Spec),
    DeleteImage(Caller, &'static str),
    ChangeExpiration(Caller, &'static str, Option<i64>),
    GetImage(&'static str),
    FindLatest {
        directory: &'static str,
        commit: u8,
        ignore_expiring: bool,
        tag: u8,
    },
    List {
        directory: &'static str,
        ignore_expiring: bool,
        tag: u8,
    },
    MakeDirectory {
        caller: Caller,
        name: &'static str,
        all: bool,
    },
    PutDirectory(&'static str, &'static str),
    ChownDirectory(Caller, &'static str, &'static str),
    DeleteDirectory(Caller, &'static str),
    /// Puts an archive of the image aside.
    Archive(&'static str),
    /// Restores what was put aside last; seconds from now.
    Restore(Caller, Option<i64>),
    Subscribe,
    /// Seconds.
    AdvanceClock(i64),
    /// At the same time, in any order.
    Together(Vec<Step>),
    /// The object store's actor.
    PanicObjects,
    /// The image index's.
    PanicImages,
    /// Seconds that pass in between.
    Restart(End, i64),
}
