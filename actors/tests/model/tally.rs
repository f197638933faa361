//! Which answers were met how often: a generator that never reaches something would make the model blind for it.

use super::step::Step;
use std::collections::BTreeMap;
use std::sync::Mutex;

static TALLY: Mutex<BTreeMap<(String, String), u64>> = Mutex::new(BTreeMap::new());

pub fn count(step: &Step, answer: &str) {
    let kind: String = format!("{step:?}")
        .chars()
        .take_while(|c| c.is_alphanumeric())
        .collect();
    // Without names and numbers.
    let words = answer
        .split_whitespace()
        .filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == ':'));
    let words = words.filter(|word| !matches!(*word, "new" | "known" | "one" | "two" | "a" | "c"));
    let answer = words.take(7).collect::<Vec<_>>().join(" ");
    let mut tally = TALLY.lock().unwrap();
    *tally.entry((kind, answer)).or_default() += 1;
}

pub fn print() {
    for ((kind, answer), count) in TALLY.lock().unwrap().iter() {
        eprintln!("model: {count:8} {kind}: {answer}");
    }
}
