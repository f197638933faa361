//! Every seed, and everything that ever failed, through the targets: no fuzzer needed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use fuzzing::TARGETS;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

/// The files of a target, by name.
fn corpus(target: &str) -> Vec<PathBuf> {
    let directory = fuzz().join("corpus").join(target);
    let entries = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn seeds_and_former_failures_keep_every_promise() {
    for (name, target) in TARGETS {
        let files = corpus(name);
        assert!(files.len() >= 5, "hardly any seeds for {name}");
        for file in files {
            let data = fs::read(&file).unwrap();
            let result = catch_unwind(AssertUnwindSafe(|| target(&data)));
            assert!(result.is_ok(), "{} fails", file.display());
        }
    }
}

#[test]
fn cut_and_changed_seeds_keep_every_promise() {
    for (name, target) in TARGETS {
        for file in corpus(name) {
            let data = fs::read(&file).unwrap();
            for step in 1..8 {
                let mut changed = data.clone();
                let at = data.len() * step / 8;
                if let Some(byte) = changed.get_mut(at) {
                    *byte ^= 1 << step;
                }
                for data in [&data[..at], &changed] {
                    let result = catch_unwind(AssertUnwindSafe(|| target(data)));
                    assert!(result.is_ok(), "{} fails, changed at {at}", file.display());
                }
            }
        }
    }
}

#[test]
fn every_target_has_its_file_for_the_fuzzer() {
    let mut files: Vec<String> = fs::read_dir(fuzz().join("fuzz_targets"))
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    files.sort();
    let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(files, names);
}
