//! One sequence on both, compared after each step.

use super::compare;
use super::model::{Model, Settings};
use super::predict;
use super::real::Real;
use super::step::{Connection, Content, Step};
use super::universe::{CONNECTIONS, NAMES};
use std::collections::BTreeMap;

/// Where the real thing and the model part.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Which step, from 0.
    pub at: usize,
    pub text: String,
}

/// Runs a sequence from empty directories.
pub async fn sequence(settings: Settings, steps: &[Step]) -> Result<(), Failure> {
    let mut real = Real::new(settings).await;
    // Several as long as it is not known in which order things happened.
    let mut models = vec![Model::new(settings)];
    for (at, step) in steps.iter().enumerate() {
        let failed = |text: String| Failure {
            at,
            text: format!("{step:?}: {text}"),
        };
        if matches!(step, Step::Restart(..)) {
            on_disk(&models, &real).map_err(failed)?;
        }
        models = one(models, &mut real, step).await.map_err(failed)?;
        models = agreeing(models, &real).await.map_err(failed)?;
        subscribers(&mut real).map_err(failed)?;
    }
    let at = steps.len();
    let failed = |text: String| Failure {
        at,
        text: format!("at the end: {text}"),
    };
    on_disk(&models, &real).map_err(failed)?;
    // All images still read as they were added.
    for name in NAMES {
        models = one(models, &mut real, &Step::GetImage(name))
            .await
            .map_err(failed)?;
    }
    Ok(())
}

async fn one(models: Vec<Model>, real: &mut Real, step: &Step) -> Result<Vec<Model>, String> {
    let (steps, answers) = match step {
        Step::Together(steps) => (steps.as_slice(), real.together(steps).await),
        single => (std::slice::from_ref(single), vec![real.apply(single).await]),
    };
    steps
        .iter()
        .zip(&answers)
        .for_each(|(step, answer)| super::tally::count(step, answer));
    let mut next = Vec::new();
    for model in &models {
        orders(model, steps, &answers, &mut vec![false; steps.len()], &mut next);
    }
    if steps.len() > 1 {
        for model in &mut next {
            // Within a group the order in which references went is anybody's guess.
            model.queue.sort_unstable();
            model.unsure = model.queue.iter().copied().collect();
        }
    }
    let mut distinct: Vec<Model> = Vec::new();
    for model in next {
        if !distinct.contains(&model) {
            distinct.push(model);
        }
    }
    if distinct.is_empty() {
        let expected = match steps {
            [single] => predict::apply(&mut models[0].clone(), single),
            _ => "what some order of these steps gives".to_owned(),
        };
        return Err(format!("answered {answers:?}, should be {expected:?}"));
    }
    Ok(distinct)
}

/// Tries all orders of steps that give these answers; the states they lead to.
fn orders(model: &Model, steps: &[Step], answers: &[String], done: &mut Vec<bool>, ends: &mut Vec<Model>) {
    if done.iter().all(|done| *done) {
        ends.push(model.clone());
        return;
    }
    for at in 0..steps.len() {
        if done[at] {
            continue;
        }
        done[at] = true;
        let unanswered = answers[at].contains("was restarted while");
        for read_meanwhile in read_meanwhile(&steps[at], steps) {
            let mut applied = model.clone();
            applied.readers.extend(read_meanwhile.clone());
            let predicted = predict::apply(&mut applied, &steps[at]);
            read_meanwhile
                .keys()
                .for_each(|reader| drop(applied.readers.remove(reader)));
            if predicted == answers[at] || unanswered || came_meanwhile(&predicted, &answers[at], steps) {
                orders(&applied, steps, answers, done, ends);
            }
        }
        if unanswered || is_busy(&answers[at], at, steps) {
            orders(model, steps, answers, done, ends);
        }
        done[at] = false;
    }
}

/// What may be read while objects are deleted, which then leaves it out.
fn read_meanwhile(step: &Step, steps: &[Step]) -> Vec<BTreeMap<Connection, Vec<Content>>> {
    let mut cases = vec![BTreeMap::new()];
    if !matches!(step, Step::DeleteUnreferenced { .. }) {
        return cases;
    }
    for (at, other) in (0..).zip(steps) {
        if let Step::ReadOne(content) = other {
            let mut with = cases.clone();
            for case in &mut with {
                case.insert(CONNECTIONS + at, vec![*content]);
            }
            cases.extend(with);
        }
    }
    cases
}

/// Both say that objects are lacking, while some of them are being added one after the other: how many is anybody's guess.
fn came_meanwhile(predicted: &str, answer: &str, steps: &[Step]) -> bool {
    let lacks =
        |text: &str| text.starts_with("error: object: ") || text.ends_with(" objects are not available");
    let adds = |step: &Step| matches!(step, Step::AddObjects(..));
    lacks(predicted)
        && predicted.ends_with(" not available")
        && lacks(answer)
        && answer.ends_with(" not available")
        && steps.iter().any(adds)
}

/// Refused since another step has the same image in hand.
fn is_busy(answer: &str, at: usize, steps: &[Step]) -> bool {
    let name = name_of(&steps[at]);
    let others = steps.iter().enumerate().filter(|(other, _)| *other != at);
    let is_shared = name.is_some() && others.into_iter().any(|(_, other)| name_of(other) == name);
    is_shared
        && [
            "already being written",
            "is being written",
            "image being modified",
        ]
        .iter()
        .any(|end| answer.ends_with(end))
}

fn name_of(step: &Step) -> Option<&'static str> {
    match step {
        Step::AddImage(_, name, _) | Step::DeleteImage(_, name) | Step::ChangeExpiration(_, name, _) => {
            Some(name)
        }
        _ => None,
    }
}

/// The models that agree with the real thing.
async fn agreeing(models: Vec<Model>, real: &Real) -> Result<Vec<Model>, String> {
    let (mut agreeing, mut first) = (Vec::new(), None);
    for mut model in models {
        match compare::state(&mut model, real).await {
            Ok(()) => agreeing.push(model),
            Err(difference) => first = first.or(Some(difference)),
        }
    }
    match first {
        Some(difference) if agreeing.is_empty() => Err(difference),
        _ => Ok(agreeing),
    }
}

fn on_disk(models: &[Model], real: &Real) -> Result<(), String> {
    let differences: Vec<_> = models.iter().map(|model| compare::disk(model, real)).collect();
    match differences.iter().any(Result::is_ok) {
        true => Ok(()),
        false => differences.into_iter().next().unwrap_or(Ok(())),
    }
}

fn subscribers(real: &mut Real) -> Result<(), String> {
    let (snapshot, now) = (real.system().images.snapshot(), real.now());
    real.subscribers
        .iter_mut()
        .try_for_each(|subscriber| subscriber.compare(&snapshot, now))
}
