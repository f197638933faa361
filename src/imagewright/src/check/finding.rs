//! What may be found, and what to do about it (docs/operating.md explains each).

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) kind: Kind,
    /// File or directory relative to its root, or name of an object.
    pub(super) name: String,
    /// What is wrong.
    pub(super) cause: String,
    /// Images that need it, the first of them by name.
    pub(super) images: Vec<String>,
    /// How many need it.
    pub(super) affected_images: u64,
}

/// Kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    DamagedImage,
    DamagedObject,
    MissingObject,
    DamagedMetadata,
    DamagedSecret,
    Unreadable,
    DamagedIndex,
    Temporary,
    Stray,
}

impl Kind {
    /// Word in the output, for people and programs.
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::DamagedImage => "damaged-image",
            Kind::DamagedObject => "damaged-object",
            Kind::MissingObject => "missing-object",
            Kind::DamagedMetadata => "damaged-metadata",
            Kind::DamagedSecret => "damaged-secret",
            Kind::Unreadable => "unreadable",
            Kind::DamagedIndex => "damaged-index",
            Kind::Temporary => "temporary",
            Kind::Stray => "stray",
        }
    }

    /// Something is lost or cannot be served. Else it only should be known.
    pub(super) fn is_damage(self) -> bool {
        !matches!(self, Kind::DamagedIndex | Kind::Temporary | Kind::Stray)
    }
}

impl Finding {
    pub(super) fn new(kind: Kind, name: impl Into<String>, cause: impl Into<String>) -> Finding {
        Finding {
            kind,
            name: name.into(),
            cause: cause.into(),
            images: Vec::new(),
            affected_images: 0,
        }
    }

    /// What to do about it.
    pub(super) fn remedy(&self) -> String {
        let text = match self.kind {
            Kind::DamagedImage => {
                "copy the file of this name from a backup, or start the server with -repairFrom or as a replica and let `imagetool scrub` fetch it; \
                 if nobody has it, delete the image with `imagetool delete`"
            }
            Kind::DamagedObject if self.affected_images == 0 => "no image needs it: delete the file",
            Kind::DamagedObject | Kind::MissingObject => {
                return format!(
                    "copy {} from a backup or from another server's object directory, or start the server with -repairFrom or as a replica and \
                     let `imagetool scrub` fetch it, or add the same content again",
                    place(&self.name)
                );
            }
            Kind::DamagedMetadata => {
                "give the directory to its group again: `imagetool chown DIRECTORY GROUP`"
            }
            Kind::DamagedSecret => {
                "restore it from a backup; without it archives made so far cannot be restored under their names"
            }
            Kind::Unreadable => {
                "look at owner and mode of the file, and at the disk (`smartctl -a`, the kernel's log)"
            }
            Kind::DamagedIndex => "nothing: the next start reads all files instead and writes it anew",
            Kind::Temporary => "nothing: the rest of a write that never ended, which the next start removes",
            Kind::Stray => "nothing of the server's: move it elsewhere",
        };
        text.to_owned()
    }
}

/// Where an object belongs.
fn place(name: &str) -> String {
    name.parse()
        .map_or_else(|_| name.to_owned(), |hash| storage::object_place(&hash))
}
