//! Jobs as clients see them: in the form of the original's job service, which they ask by `workflow-api` (imgapi.md §15).

mod kind;

pub use kind::{JobKind, Step};

use crate::dates;
use crate::http::Parameters;
use crate::json::{self, Object, Value};
use crate::remote::without_secrets;
use crate::uuid::Uuid;
use std::time::SystemTime;

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// Waits for its turn.
    Queued,
    /// At work.
    Running,
    /// Done.
    Succeeded,
    /// Given up.
    Failed,
    /// Stopped by somebody.
    Canceled,
}

const WORDS: [(Execution, &str); 5] = [
    (Execution::Queued, "queued"),
    (Execution::Running, "running"),
    (Execution::Succeeded, "succeeded"),
    (Execution::Failed, "failed"),
    (Execution::Canceled, "canceled"),
];

impl Execution {
    /// The word.
    pub fn word(self) -> &'static str {
        WORDS
            .iter()
            .find(|(execution, _)| *execution == self)
            .map_or("", |(_, word)| word)
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        WORDS
            .iter()
            .find(|(_, known)| *known == word)
            .map(|(execution, _)| *execution)
    }

    /// Whether nothing more will happen.
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// What came of one step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepResult {
    /// Name of the step.
    pub name: String,
    /// What was done; empty if it failed.
    pub result: String,
    /// Why it failed: an object with `message`, perhaps `code`; `None` if it did not.
    pub error: Option<Value>,
    /// When it began, ISO 8601.
    pub started_at: String,
    /// When it ended.
    pub finished_at: String,
}

/// A job. Its JSON form is answered and stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its name.
    pub uuid: Uuid,
    /// What it does.
    pub kind: JobKind,
    /// The image it is about.
    pub image: Uuid,
    /// What it was told besides.
    pub parameters: Object,
    /// How far it is.
    pub execution: Execution,
    /// Steps that ended; clients take the last one for the outcome.
    pub results: Vec<StepResult>,
    /// When it was asked for, ISO 8601.
    pub created_at: String,
}

impl Job {
    /// What two jobs that do the same have in common.
    pub fn target(&self) -> String {
        self.kind.target(self.image)
    }

    /// The JSON form.
    pub fn to_value(&self) -> Value {
        let mut params = Object::new();
        params.insert("image_uuid".to_owned(), self.image.to_string().into());
        params.extend(self.parameters.clone());
        params.insert("task".to_owned(), self.kind.task().into());
        params.insert("target".to_owned(), self.target().into());
        let mut job = Object::new();
        job.insert("uuid".to_owned(), self.uuid.to_string().into());
        job.insert("execution".to_owned(), self.execution.word().into());
        job.insert("params".to_owned(), Value::Object(params));
        job.insert("target".to_owned(), self.target().into());
        job.insert("name".to_owned(), self.kind.name().into());
        job.insert(
            "chain_results".to_owned(),
            self.results.iter().map(result_value).collect(),
        );
        job.insert("created_at".to_owned(), self.created_at.as_str().into());
        Value::Object(job)
    }

    /// The form for clients: who polls a job says nothing about himself (imgapi.md §15), so that a password in the address of another
    /// repository is shown to nobody.
    pub fn to_shown(&self) -> Value {
        let mut job = self.to_value();
        if let Some(Value::String(source)) = job.get_mut("params").and_then(|params| params.get_mut("source"))
        {
            *source = without_secrets(source);
        }
        job
    }

    /// Reads the stored form; `None` if it is none.
    pub fn from_value(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let mut parameters = value.get("params")?.as_object()?.clone();
        let image = parameters.shift_remove("image_uuid")?;
        let kind = JobKind::of_task(parameters.shift_remove("task")?.as_str()?)?;
        parameters.shift_remove("target");
        let results = value.get("chain_results")?.as_array()?;
        Some(Self {
            uuid: Uuid::parse(text("uuid")?)?,
            kind,
            image: Uuid::parse(image.as_str()?)?,
            parameters,
            execution: Execution::parse(text("execution")?)?,
            results: results.iter().map(result_of).collect::<Option<_>>()?,
            created_at: text("created_at")?.to_owned(),
        })
    }

    /// The job after a restart: what was not over has failed. (The original's jobs live on in another service.)
    #[must_use]
    pub fn interrupted(mut self, now: SystemTime) -> Self {
        if self.execution.is_over() {
            return self;
        }
        let mut error = Object::new();
        error.insert(
            "message".to_owned(),
            "the repository was restarted meanwhile; ask again".into(),
        );
        let now = dates::iso(now);
        let name = self
            .kind
            .steps()
            .get(self.results.len())
            .map_or("restart", |step| step.name);
        self.results.push(StepResult {
            name: name.to_owned(),
            result: String::new(),
            error: Some(Value::Object(error)),
            started_at: now.clone(),
            finished_at: now,
        });
        self.execution = Execution::Failed;
        self
    }

    /// Whether the parameters `task` and `execution` of a request ask for it.
    pub fn is_asked_for(&self, parameters: &Parameters) -> bool {
        let is = |name: &str, word: &str| parameters.get_nonempty(name).is_none_or(|wanted| wanted == word);
        is("task", self.kind.task()) && is("execution", self.execution.word())
    }
}

fn result_value(result: &StepResult) -> Value {
    let mut value = Object::new();
    value.insert("result".to_owned(), result.result.as_str().into());
    // What is no error is an empty text.
    value.insert(
        "error".to_owned(),
        result.error.clone().unwrap_or_else(|| "".into()),
    );
    value.insert("name".to_owned(), result.name.as_str().into());
    value.insert("started_at".to_owned(), result.started_at.as_str().into());
    value.insert("finished_at".to_owned(), result.finished_at.as_str().into());
    Value::Object(value)
}

fn result_of(value: &Value) -> Option<StepResult> {
    let text = |key: &str| value.get(key).map(json::to_text);
    Some(StepResult {
        name: text("name")?,
        result: text("result")?,
        error: value.get("error").filter(|error| json::is_truthy(error)).cloned(),
        started_at: text("started_at").unwrap_or_default(),
        finished_at: text("finished_at").unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job(execution: Execution) -> Job {
        Job {
            uuid: Uuid::from_random([1; 16]),
            kind: JobKind::ImportRemote,
            image: Uuid::from_random([2; 16]),
            parameters: json!({"source": "http://x", "channel": "dev"})
                .as_object()
                .cloned()
                .unwrap(),
            execution,
            results: vec![StepResult {
                name: "origin_import_images".to_owned(),
                result: "No origins (skipping import of origins)".to_owned(),
                error: None,
                started_at: "a".to_owned(),
                finished_at: "b".to_owned(),
            }],
            created_at: "2026-11-22T04:51:35.337Z".to_owned(),
        }
    }

    #[test]
    fn the_form_is_what_clients_poll_and_is_read_again() {
        let job = job(Execution::Succeeded);
        let value = job.to_value();
        assert_eq!(value["execution"], "succeeded");
        assert_eq!(value["params"]["task"], "import-remote-image");
        assert_eq!(value["target"], format!("/import-remote-{}", job.image));
        assert_eq!(value["chain_results"][0]["error"], "");
        assert_eq!(Job::from_value(&value), Some(job));
        assert_eq!(Job::from_value(&json!({})), None);
    }

    #[test]
    fn what_is_shown_of_a_job_has_no_password_of_another_repository() {
        let mut job = job(Execution::Queued);
        let source = "https://me:secret@h/?channel=dev";
        job.parameters.insert("source".to_owned(), source.into());
        assert_eq!(job.to_shown()["params"]["source"], "https://h/?channel=dev");
        // The job itself needs it, also after a restart.
        let kept = Job::from_value(&job.to_value()).unwrap();
        assert_eq!(kept.parameters["source"], source);
    }

    #[test]
    fn a_job_that_a_restart_cut_off_has_failed_at_the_step_it_was_at() {
        let now = dates::parse("2026-11-22").unwrap();
        let interrupted = job(Execution::Running).interrupted(now);
        assert_eq!(interrupted.execution, Execution::Failed);
        let last = interrupted.results.last().unwrap();
        assert_eq!(last.name, "import_image");
        assert!(last.error.as_ref().is_some_and(json::is_truthy));
        assert_eq!(
            job(Execution::Succeeded).interrupted(now),
            job(Execution::Succeeded)
        );
    }

    #[test]
    fn jobs_are_asked_for_by_task_and_state() {
        let job = job(Execution::Failed);
        let is_asked_for = |query: &str| job.is_asked_for(&Parameters::parse(query));
        assert!(is_asked_for("") && is_asked_for("task=import-remote-image&execution=failed"));
        assert!(!is_asked_for("task=create-from-vm") && !is_asked_for("execution=running"));
    }
}
