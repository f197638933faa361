//! Random sequences of steps, done by the real actors on real directories and by a model of plain maps and sets; the
//! answers are compared after each step, and so is the whole state.
//!
//! `IMAGEWRIGHT_MODEL_SEQUENCES` says how many sequences (10,000 for the long form), `IMAGEWRIGHT_MODEL_SEED` the seed of
//! the first one; the others count on from it. A sequence that fails is printed with its seed, made short, in a form that
//! can be put into [`regressions`].
//!
//! | module | what |
//! | --- | --- |
//! | [`step`], [`universe`] | what can be done, and the few names and contents it is done with |
//! | [`generate`], [`random`] | sequences from seeds |
//! | [`model`], [`predict`], [`predict_directories`], [`rules`] | what should be |
//! | [`real`], [`subscriber`] | what is |
//! | [`compare`], [`run`] | both side by side |
//! | [`tally`] | which answers were met: printed after the long form |
//! | [`shrink`], [`regressions`] | what failed, short |

// Helpers of tests are tests.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

#[path = "../common/mod.rs"]
mod common;
mod compare;
mod generate;
mod model;
mod predict;
mod predict_directories;
mod random;
mod real;
mod regressions;
mod rules;
mod run;
mod shrink;
mod step;
mod subscriber;
mod tally;
mod universe;

use std::time::{Instant, SystemTime};

/// Enough to meet a gross defect, few enough for every run of the tests.
const SEQUENCES: u64 = 150;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is not a number: {text}")),
    )
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(future)
}

#[test]
fn store_and_index_do_what_plain_maps_and_sets_do() {
    let sequences = number("IMAGEWRIGHT_MODEL_SEQUENCES").unwrap_or(SEQUENCES);
    let of_the_clock = || {
        SystemTime::UNIX_EPOCH
            .elapsed()
            .map_or(0, |since| since.as_millis() as u64)
    };
    let first = number("IMAGEWRIGHT_MODEL_SEED").unwrap_or_else(of_the_clock);
    eprintln!("model: {sequences} sequences from seed {first}");
    let begin = Instant::now();
    for seed in first..first + sequences {
        let (settings, steps) = generate::sequence(seed);
        block_on(async {
            let Err(failure) = run::sequence(settings, &steps).await else {
                return;
            };
            eprintln!("seed {seed}, step {}: {}", failure.at, failure.text);
            let (steps, failure) = shrink::shortest(settings, &steps, failure).await;
            panic!(
                "seed {seed}, made short: step {}: {}\n{}",
                failure.at,
                failure.text,
                shrink::pasted(settings, &steps)
            );
        });
        let done = seed - first + 1;
        if done.is_multiple_of(1000) {
            eprintln!("model: {done} sequences in {:?}", begin.elapsed());
        }
    }
    if sequences > SEQUENCES {
        tally::print();
    }
}
