//! The watcher dies, and is started again.

use crate::place::{Place, block_on, has, streams, until};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

#[test]
fn killed_under_load_it_comes_back_and_nobody_ever_sees_nothing() {
    const ROUNDS: u64 = 3;
    let (place, system) = Place::running(&["a"]);
    let watcher = system.watcher();
    let (is_over, reloaded) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        // Who asks for everything to be read again, and who looks; and files that change all the time.
        for _ in 0..4 {
            scope.spawn(|| {
                while !is_over.load(Ordering::SeqCst) {
                    // What was in its hands when it died is answered with an error.
                    if block_on(watcher.reload()).is_ok() {
                        reloaded.fetch_add(1, Ordering::SeqCst);
                    }
                    let current = watcher.current();
                    assert!(current.is_streams_loaded && current.streams.iter().count() == 1);
                }
            });
        }
        scope.spawn(|| {
            for names in [["b"], ["c"], ["d"]].iter().cycle() {
                if is_over.load(Ordering::SeqCst) {
                    break;
                }
                place.replace("etc/streams.json", &streams(names));
            }
        });
        for round in 1..=ROUNDS {
            let before = reloaded.load(Ordering::SeqCst);
            assert!(block_on(watcher.debug_panic()).is_err());
            until(watcher, "serving again", |_| {
                watcher.health().restarts == round && reloaded.load(Ordering::SeqCst) > before + 4
            });
        }
        is_over.store(true, Ordering::SeqCst);
    });
    place.replace("etc/streams.json", &streams(&["last"]));
    until(watcher, "watching still", has(&["last"]));
    assert_eq!(*system.given_up().borrow(), None);
}

#[test]
fn killed_it_comes_back_and_goes_on_watching() {
    let (place, system) = Place::running(&["a"]);
    let watcher = system.watcher();
    for (round, names) in [&["b"][..], &["c"], &["d"]].into_iter().enumerate() {
        assert!(block_on(watcher.debug_panic()).is_err());
        // What is in force is there while it is away.
        assert!(watcher.current().is_streams_loaded);
        place.replace("etc/streams.json", &streams(names));
        until(watcher, "watching again", |current| {
            current.streams.find(names[0]).unwrap().is_some()
        });
        assert_eq!(watcher.health().restarts, round as u64 + 1);
    }
    assert!(block_on(watcher.reload()).is_ok());
    assert_eq!(*system.given_up().borrow(), None);
}
