//! Named sets of powers, so that nobody has to remember which methods a role calls (imageserver.md §1.1, §1.2).

use clap::ValueEnum;

/// A role. Methods that need only a name are left out: every certificate may call them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Preset {
    /// Everything on every server
    Admin,
    /// Look at images and fetch them: people, subd, hypervisors
    Reader,
    /// Add images and what they are made of
    Uploader,
    /// An image builder: as uploader, makes directories and extends the life of images
    Builder,
    /// An image server that copies from this one and passes additions on to it
    Replica,
    /// An image server that only copies from this one
    ReadOnlyReplica,
    /// An image repository: follows an image server, puts images there, has images built
    Repository,
}

impl Preset {
    /// The method patterns of the role.
    pub(crate) fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Admin => &["*.*"],
            Self::Reader => &["ObjectServer.CheckObjects", "ObjectServer.GetObjects"],
            Self::Uploader => &[
                "ImageServer.AddImage",
                "ObjectServer.AddObjects",
                "ObjectServer.CheckObjects",
                "ObjectServer.GetObjects",
            ],
            // ChangeImageExpiration needs only a name, but the power raises the longest life from a day to a month
            // (imageserver.md §2.3), which rebuilding streams rely on.
            Self::Builder => &[
                "Imaginator.BuildImage",
                "ImageServer.AddImage",
                "ImageServer.ChangeImageExpiration",
                "ImageServer.GetImage",
                "ImageServer.ListDirectories",
                "ImageServer.ListImages",
                "ImageServer.MakeDirectory",
                "ObjectServer.AddObjects",
                "ObjectServer.CheckObjects",
                "ObjectServer.GetObjects",
            ],
            Self::Replica => &[
                "ImageServer.AddImageTrusted",
                "ImageServer.GetFilteredImageUpdates",
                "ImageServer.GetImage",
                "ImageServer.GetImageUpdates",
                "ObjectServer.AddObjects",
                "ObjectServer.CheckObjects",
                "ObjectServer.GetObjects",
            ],
            Self::ReadOnlyReplica => &[
                "ImageServer.GetFilteredImageUpdates",
                "ImageServer.GetImage",
                "ImageServer.GetImageUpdates",
                "ObjectServer.CheckObjects",
                "ObjectServer.GetObjects",
            ],
            Self::Repository => &[
                "Imaginator.BuildImage",
                "ImageServer.AddImage",
                "ImageServer.GetFilteredImageUpdates",
                "ImageServer.GetImage",
                "ImageServer.GetImageUpdates",
                "ImageServer.ListImages",
                "ImageServer.MakeDirectory",
                "ObjectServer.AddObjects",
                "ObjectServer.CheckObjects",
                "ObjectServer.GetObjects",
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certs::{methods, powers};

    #[test]
    fn every_preset_names_methods_that_exist() {
        for preset in Preset::value_variants() {
            for entry in preset.methods() {
                assert!(powers::check_method(entry).is_ok());
                // The image builder's own service is no image server's.
                assert!(
                    methods::grants_anything(entry) || entry.starts_with("Imaginator."),
                    "{entry}"
                );
            }
        }
    }
}
