//! Sequences from seeds. A model runs along, so that most steps find something to do.

use super::model::{Model, Settings};
use super::predict;
use super::random::Random;
use super::step::{Caller, Connection, Content, End, Owner, Spec, Step, Tree};
use super::universe::{
    BAD_NAMES, CONNECTIONS, CONTENTS, DIRECTORIES, GROUPS, LARGE, LISTINGS, NAMES, ODD_DIRECTORIES,
};

/// Steps of a sequence.
const STEPS: std::ops::Range<usize> = 30..61;

const HOUR: i64 = 3600;

/// Panics of a sequence that has any: each costs a pause, and the sixth within a minute is one too many.
const PANICS: usize = 3;

/// How many times of a hundred a step is about what there is.
const MEANT: u64 = 75;

struct Generator {
    random: Random,
    model: Model,
    panics: usize,
    large: bool,
}

pub fn sequence(seed: u64) -> (Settings, Vec<Step>) {
    let mut random = Random::new(seed);
    let settings = Settings {
        lingering: random.percent(25),
        replica: random.percent(20),
    };
    let mut generator = Generator {
        panics: if random.percent(8) { PANICS } else { 0 },
        large: random.percent(5),
        model: Model::new(settings),
        random,
    };
    let steps = STEPS.start + generator.random.below(STEPS.len());
    let steps = (0..steps).map(|_| {
        let step = generator.step();
        generator.follow(&step);
        step
    });
    (settings, steps.collect())
}

impl Generator {
    fn follow(&mut self, step: &Step) {
        match step {
            Step::Together(steps) => steps.iter().for_each(|step| self.follow(step)),
            single => drop(predict::apply(&mut self.model, single)),
        }
    }

    fn step(&mut self) -> Step {
        match self.random.below(100) {
            0..10 => self.add_objects(),
            10..15 => Step::CheckObjects(
                self.random.percent(60).then(|| self.connection()),
                self.stored_ones(3),
            ),
            15..18 => Step::ReadObjects(self.stored_ones(4)),
            18..20 => Step::ReadOne(self.stored()),
            20..22 => Step::OpenReader(self.connection(), self.stored_ones(3)),
            22..24 => {
                let open: Vec<_> = self.model.readers.keys().copied().collect();
                match open.is_empty() {
                    true => self.add_objects(),
                    false => Step::FinishReader(self.random.pick(&open)),
                }
            }
            24..29 => Step::Release(self.connection()),
            29..34 => self.delete_unreferenced(),
            34..50 => self.about_images(),
            50..58 => self.about_directories(),
            58..62 => self.look(),
            62..66 => self.advance(),
            66..68 => Step::Subscribe,
            68..72 => Step::Restart(
                self.random
                    .pick(&[End::Stopped, End::Stopped, End::Dropped, End::Killed]),
                self.random.pick(&[0, 0, 60, 2 * HOUR]),
            ),
            72..84 => self.together(),
            84..86 => self.panic(),
            86..88 => Step::Archive(self.present()),
            88..91 => Step::Restore(self.caller(), self.expiration()),
            _ => self.add_image(),
        }
    }

    /// An object that is there.
    fn stored(&mut self) -> Content {
        let stored: Vec<_> = self.model.objects.iter().copied().collect();
        if stored.is_empty() || !self.random.percent(MEANT + 20) {
            return self.content();
        }
        self.random.pick(&stored)
    }

    fn stored_ones(&mut self, most: usize) -> Vec<Content> {
        (0..=self.random.below(most)).map(|_| self.stored()).collect()
    }

    /// An image that is there.
    fn present(&mut self) -> &'static str {
        let present: Vec<_> = self.model.images.keys().copied().collect();
        if present.is_empty() || !self.random.percent(MEANT) {
            return self.name();
        }
        self.random.pick(&present)
    }

    /// A name an image could get.
    fn free(&mut self) -> &'static str {
        let model = &self.model;
        let is_free = |name: &&str| {
            !model.images.contains_key(name)
                && !model.tombstones.contains_key(name)
                && !model.directories.contains_key(*name)
                && model.directories.contains_key(image::name::parent(name))
        };
        let free: Vec<_> = NAMES.iter().copied().filter(is_free).collect();
        if free.is_empty() || !self.random.percent(MEANT) {
            return self.name();
        }
        self.random.pick(&free)
    }

    /// A directory that is there.
    fn known_directory(&mut self) -> &'static str {
        let is_known = |name: &&str| self.model.directories.contains_key(*name);
        let known: Vec<_> = DIRECTORIES.iter().copied().filter(is_known).collect();
        if known.is_empty() || !self.random.percent(MEANT) {
            return self.directory();
        }
        self.random.pick(&known)
    }

    fn content(&mut self) -> Content {
        if self.large && self.random.percent(10) {
            return LARGE;
        }
        // Half of the time one of a few, so that images share objects.
        let end = if self.random.percent(50) { 4 } else { LARGE };
        debug_assert!(end < CONTENTS);
        self.random.below(usize::from(end)) as Content
    }

    fn contents(&mut self, most: usize) -> Vec<Content> {
        (0..=self.random.below(most)).map(|_| self.content()).collect()
    }

    fn connection(&mut self) -> Connection {
        self.random.below(usize::from(CONNECTIONS)) as Connection
    }

    fn caller(&mut self) -> Caller {
        use Caller::*;
        self.random.pick(&[
            Internal, Internal, Privileged, Privileged, Privileged, Member, Ordinary, Nobody,
        ])
    }

    fn name(&mut self) -> &'static str {
        if self.random.percent(3) {
            return self.random.pick(BAD_NAMES);
        }
        self.random.pick(NAMES)
    }

    fn directory(&mut self) -> &'static str {
        if self.random.percent(10) {
            return self.random.pick(ODD_DIRECTORIES);
        }
        self.random.pick(DIRECTORIES)
    }

    /// Seconds from now.
    fn expiration(&mut self) -> Option<i64> {
        self.random.pick(&[
            None,
            Some(60),
            Some(HOUR),
            Some(5 * HOUR),
            Some(48 * HOUR),
            Some(800 * HOUR),
        ])
    }

    fn add_objects(&mut self) -> Step {
        Step::AddObjects(self.connection(), self.contents(6))
    }

    fn delete_unreferenced(&mut self) -> Step {
        let percentage = self.random.pick(&[0, 0, 0, 0, 30, 30, 100, 150]);
        let bytes = self.random.pick(&[0, 1, 1, 20, 20, 1_000_000_000]);
        Step::DeleteUnreferenced { percentage, bytes }
    }

    fn spec(&mut self) -> Spec {
        let expires_in = match self.random.below(10) {
            0 => Some(0),
            1 => Some(60),
            2 => Some(HOUR),
            3 => Some(3 * HOUR),
            _ => None,
        };
        Spec {
            files: if self.random.percent(10) {
                Vec::new()
            } else {
                self.stored_ones(4)
            },
            notes: self.random.percent(15).then(|| self.stored()),
            log: self.random.percent(15).then(|| self.stored()),
            expires_in,
            tag: self.random.below(3) as u8,
            commit: self.random.below(3) as u8,
            owner: self.random.pick(&[
                Owner::Unowned,
                Owner::Unowned,
                Owner::UserBob,
                Owner::CreatedForBob,
                Owner::Group,
            ]),
            tree: match self.random.below(40) {
                0 => Tree::Nil,
                1 => Tree::Hostile,
                _ => Tree::Sound,
            },
            trusted: self.random.percent(30),
        }
    }

    fn add_image(&mut self) -> Step {
        Step::AddImage(self.caller(), self.free(), self.spec())
    }

    fn about_images(&mut self) -> Step {
        match self.random.below(10) {
            0..5 => self.add_image(),
            5..8 => Step::DeleteImage(self.caller(), self.present()),
            _ => self.change_expiration(),
        }
    }

    fn change_expiration(&mut self) -> Step {
        let images = self.model.images.iter();
        let expiring: Vec<_> = images
            .filter(|(_, image)| !image.image.expires_at.is_zero())
            .map(|(name, _)| *name)
            .collect();
        let name = match expiring.is_empty() {
            true => self.present(),
            false => self.random.pick(&expiring),
        };
        Step::ChangeExpiration(self.caller(), name, self.expiration())
    }

    fn about_directories(&mut self) -> Step {
        match self.random.below(10) {
            0..5 => Step::MakeDirectory {
                caller: self.caller(),
                name: self.directory(),
                all: self.random.percent(40),
            },
            5 => Step::PutDirectory(self.directory(), self.random.pick(GROUPS)),
            6..8 => Step::ChownDirectory(self.caller(), self.known_directory(), self.random.pick(GROUPS)),
            _ => Step::DeleteDirectory(self.caller(), self.known_directory()),
        }
    }

    fn look(&mut self) -> Step {
        let (ignore_expiring, tag) = (self.random.percent(40), self.random.below(3) as u8);
        let directory = self.random.pick(LISTINGS);
        match self.random.below(3) {
            0 => Step::GetImage(self.present()),
            1 => Step::FindLatest {
                directory,
                commit: self.random.below(3) as u8,
                ignore_expiring,
                tag,
            },
            _ => Step::List {
                directory,
                ignore_expiring,
                tag,
            },
        }
    }

    fn advance(&mut self) -> Step {
        Step::AdvanceClock(self.random.pick(&[1, 60, 60, HOUR, HOUR, 2 * HOUR, 30 * HOUR]))
    }

    fn panic(&mut self) -> Step {
        if self.panics == 0 {
            return self.add_image();
        }
        self.panics -= 1;
        match self.random.percent(50) {
            true => Step::PanicObjects,
            false => Step::PanicImages,
        }
    }

    /// Steps whose order can be told from their answers. Deletions of objects are not among those with images: what they
    /// find depends on how far each of the others has got.
    fn together(&mut self) -> Step {
        let of_objects = self.random.percent(35);
        let mut steps: Vec<_> = (0..2 + self.random.below(2))
            .map(|_| {
                if of_objects {
                    self.about_one_object()
                } else {
                    self.about_something()
                }
            })
            .collect();
        let deletes = |step: &Step| matches!(step, Step::DeleteUnreferenced { .. });
        if self.panics > 0 && steps.len() < 3 && !steps.iter().any(deletes) {
            let panic = self.panic();
            let at = self.random.below(steps.len() + 1);
            steps.insert(at, panic);
        }
        Step::Together(steps)
    }

    fn about_one_object(&mut self) -> Step {
        match self.random.below(4) {
            0 => Step::AddObjects(self.connection(), self.contents(1)),
            1 => Step::CheckObjects(Some(self.connection()), self.contents(1)),
            2 => Step::ReadOne(self.stored()),
            _ => Step::DeleteUnreferenced {
                percentage: 0,
                bytes: self.random.pick(&[1, 20, 1_000_000_000]),
            },
        }
    }

    fn about_something(&mut self) -> Step {
        match self.random.below(10) {
            0 => self.about_directories(),
            1 => self.look(),
            2 => self.add_objects(),
            _ => self.about_images(),
        }
    }
}
