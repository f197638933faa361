//! Making a failing sequence short.

use super::model::Settings;
use super::run::{self, Failure};
use super::step::Step;

/// A sequence that fails by chance only is tried that often before a shorter one counts as sound.
const TRIES: usize = 5;

/// The shortest sequence found that still fails, and how it fails.
pub async fn shortest(settings: Settings, steps: &[Step], failure: Failure) -> (Vec<Step>, Failure) {
    // What comes after the failure has no part in it.
    let mut best = steps[..steps.len().min(failure.at + 1)].to_vec();
    let mut failure = match fails(settings, &best).await {
        Some(failure) => failure,
        None => return (steps.to_vec(), failure),
    };
    // What a simpler step does not need any more goes in the second round.
    for _ in 0..2 {
        (best, failure) = with_fewer_steps(settings, best, failure).await;
        (best, failure) = with_simpler_steps(settings, best, failure).await;
    }
    (best, failure)
}

async fn with_fewer_steps(
    settings: Settings,
    mut best: Vec<Step>,
    mut failure: Failure,
) -> (Vec<Step>, Failure) {
    let mut size = best.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        let mut helped = false;
        while at < best.len() {
            let mut shorter = best.clone();
            shorter.drain(at..(at + size).min(best.len()));
            match fails(settings, &shorter).await {
                Some(found) => (best, failure, helped) = (shorter, found, true),
                None => at += size,
            }
        }
        if size > 1 || !helped {
            size /= 2;
        }
    }
    (best, failure)
}

async fn with_simpler_steps(
    settings: Settings,
    mut best: Vec<Step>,
    mut failure: Failure,
) -> (Vec<Step>, Failure) {
    for at in 0..best.len() {
        for simpler in simpler(&best[at]) {
            let mut tried = best.clone();
            tried[at] = simpler;
            if let Some(found) = fails(settings, &tried).await {
                (best, failure) = (tried, found);
            }
        }
    }
    (best, failure)
}

async fn fails(settings: Settings, steps: &[Step]) -> Option<Failure> {
    for _ in 0..TRIES {
        if let Err(failure) = run::sequence(settings, steps).await {
            return Some(failure);
        }
    }
    None
}

/// The same step with less in it.
fn simpler(step: &Step) -> Vec<Step> {
    match step {
        Step::Together(steps) => steps.clone(),
        Step::AddObjects(connection, contents) => contents
            .iter()
            .map(|content| Step::AddObjects(*connection, vec![*content]))
            .collect(),
        Step::AddImage(caller, name, spec) => {
            let mut plain = spec.clone();
            (plain.notes, plain.log, plain.tag, plain.commit) = (None, None, 0, 0);
            let mut less = vec![Step::AddImage(*caller, name, plain.clone())];
            plain.files = Vec::new();
            less.push(Step::AddImage(*caller, name, plain));
            less
        }
        _ => Vec::new(),
    }
}

/// As it can be put into `regressions.rs`.
pub fn pasted(settings: Settings, steps: &[Step]) -> String {
    let steps: String = steps
        .iter()
        .map(|step| format!("        {},\n", format!("{step:?}").replace('[', "vec![")))
        .collect();
    format!("    replay(\n        {settings:?},\n        vec![\n{steps}        ],\n    );")
}
