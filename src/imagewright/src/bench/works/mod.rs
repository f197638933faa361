//! The kinds of work, one file each.

mod add;
mod add_objects;
mod builds;
mod calls;
mod commands;
mod fleet;
mod get;
mod get_objects;
mod homes;
mod many;
mod repository;
mod start;
mod tar;
mod uploads;

use super::stage::Stage;
use clap::ValueEnum;

/// A kind of work; the names are those of `--only`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Work {
    Add,
    Get,
    Tar,
    Commands,
    Calls,
    GetObjects,
    AddObjects,
    Fleet,
    Start,
    Many,
    Builds,
    Repository,
}

impl Work {
    /// As on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Get => "get",
            Self::Tar => "tar",
            Self::Commands => "commands",
            Self::Calls => "calls",
            Self::GetObjects => "get-objects",
            Self::AddObjects => "add-objects",
            Self::Fleet => "fleet",
            Self::Start => "start",
            Self::Many => "many",
            Self::Builds => "builds",
            Self::Repository => "repository",
        }
    }

    /// One line.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Add => {
                "imagetool adds the tree to an empty server, and once more when all objects are there"
            }
            Self::Get => "imagetool gets the image into a new directory",
            Self::Tar => "imagetool writes the image as an archive",
            Self::Commands => "imagetool list, show and diff",
            Self::Calls => "small calls per second, on 1 and on 16 connections",
            Self::GetObjects => "all objects of the image, to 1 client and to 8 at once",
            Self::AddObjects => "new objects, from 1 client and from 8 at once",
            Self::Fleet => "many machines that each fetch an update of 1 MB, 64 at once",
            Self::Start => "start-up until serving, by the number of images; listing them; peak memory",
            Self::Builds => {
                "an image builder makes a bootstrap image of the tree, and trivial images from it"
            }
            Self::Repository => {
                "an image repository with a REST API: lists, single images, signed requests, downloads, uploads"
            }
            Self::Many => "very many small images, 100 in a directory: start-up, memory, lists and pages",
        }
    }

    /// Whether an image server does it, or is beside it; an image repository needs none.
    pub(crate) fn needs_image_server(self) -> bool {
        self != Self::Repository
    }

    /// Whether it is done with the tree.
    pub(crate) fn needs_tree(self) -> bool {
        !matches!(self, Self::Repository | Self::Many)
    }

    /// Does it, round after round, and records what it took.
    pub(crate) fn run(self, stage: &mut Stage) -> anyhow::Result<()> {
        let work = match self {
            Self::Add => add::run,
            Self::Get => get::run,
            Self::Tar => tar::run,
            Self::Commands => commands::run,
            Self::Calls => calls::run,
            Self::GetObjects => get_objects::run,
            Self::AddObjects => add_objects::run,
            Self::Fleet => fleet::run,
            Self::Start => start::run,
            Self::Many => many::run,
            Self::Builds => builds::run,
            Self::Repository => repository::run,
        };
        work(self.name(), stage)
    }
}
