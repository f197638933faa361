//! Sequences that have failed once, made short. Each is named after the promise it showed broken.

use super::model::Settings;
use super::run;
use super::step::Caller::*;
use super::step::Step::{self, *};
use super::step::{Owner, Spec, Tree};

fn replay(settings: Settings, steps: Vec<Step>) {
    if let Err(failure) = super::block_on(run::sequence(settings, &steps)) {
        panic!("step {}: {}", failure.at, failure.text);
    }
}

const PLAIN: Settings = Settings {
    lingering: false,
    replica: false,
};

fn empty(expires_in: Option<i64>) -> Spec {
    Spec {
        files: vec![],
        notes: None,
        log: None,
        expires_in,
        tag: 0,
        commit: 0,
        owner: Owner::Unowned,
        tree: Tree::Sound,
        trusted: false,
    }
}

/// An expiration of the first image of a name says nothing about the second one's tombstone.
#[test]
fn a_tombstone_outlives_the_expiration_of_an_earlier_image_of_its_name() {
    replay(
        PLAIN,
        vec![
            AddImage(Internal, "one", empty(Some(60))),
            ChangeExpiration(Internal, "one", Some(3600)),
            DeleteImage(Internal, "one"),
            AdvanceClock(60),
            AddImage(Internal, "one", empty(None)),
            DeleteImage(Internal, "one"),
            AdvanceClock(3600),
        ],
    );
}
