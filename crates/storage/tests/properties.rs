//! Whatever is staged, committed and deleted in whatever order, the directory holds exactly what was reported.

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Mutex;
use storage::{LocalObjects, ObjectBackend};

#[derive(Debug, Clone)]
enum Step {
    /// A group of contents, by seed.
    Commit(Vec<u8>),
    Delete(u8),
    Damage(u8),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(0_u8..20, 1..12).prop_map(Step::Commit),
        2 => (0_u8..20).prop_map(Step::Delete),
        1 => (0_u8..20).prop_map(Step::Damage),
        1 => Just(Step::Reopen),
    ]
}

fn content(seed: u8) -> Vec<u8> {
    vec![seed; usize::from(seed) * 37 + 1]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_directory_holds_what_was_reported(steps in prop::collection::vec(step(), 1..25)) {
        let directory = tempfile::tempdir().unwrap();
        let mut objects = Some(LocalObjects::open(directory.path()).unwrap());
        // Seed to "its file is damaged".
        let mut model: BTreeMap<u8, bool> = BTreeMap::new();
        for step in steps {
            let store = objects.as_ref().unwrap();
            match step {
                Step::Commit(seeds) => {
                    let staged = seeds.iter().map(|seed| store.stage_bytes(&content(*seed)).unwrap()).collect();
                    for (seed, result) in seeds.iter().zip(store.commit(staged)) {
                        let committed = result.unwrap();
                        let before = model.insert(*seed, false);
                        prop_assert_eq!(committed.newly_added, before != Some(false));
                        prop_assert_eq!(committed.repaired, before == Some(true));
                    }
                }
                Step::Delete(seed) => {
                    store.delete(&hash::of(&content(seed))).unwrap();
                    model.remove(&seed);
                }
                Step::Damage(seed) => {
                    if let Some(damaged) = model.get_mut(&seed) {
                        let hex = hash::of(&content(seed)).to_string();
                        let path = directory.path().join(&hex[..2]).join(&hex[2..4]).join(&hex[4..]);
                        let mut wrong = content(seed);
                        wrong[0] ^= 1;
                        std::fs::write(path, wrong).unwrap();
                        *damaged = true;
                    }
                }
                Step::Reopen => {
                    objects = None;
                    objects = objects.or_else(|| LocalObjects::open(directory.path()).ok());
                    prop_assert!(objects.is_some());
                }
            }
        }
        let store = objects.as_ref().unwrap();
        let found = Mutex::new(Vec::new());
        let report = store.scan(&|hash, size| found.lock().unwrap().push((hash, size))).unwrap();
        let mut found = found.into_inner().unwrap();
        found.sort();
        let mut expected: Vec<_> = model
            .keys()
            .map(|seed| (hash::of(&content(*seed)), content(*seed).len() as u64))
            .collect();
        expected.sort();
        prop_assert_eq!(found, expected);
        prop_assert!(report.failed.is_empty() && report.misnamed.is_empty());
        for (seed, damaged) in model {
            let mut read = Vec::new();
            store.open(&hash::of(&content(seed))).unwrap().file.read_to_end(&mut read).unwrap();
            prop_assert_eq!(read == content(seed), !damaged);
        }
    }
}
