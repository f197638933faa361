//! Work that goes on after the answer (imgapi.md §15).

use crate::call::{Call, MAXIMUM_ANSWER};
use crate::{Client, ClientError};
use repository::Uuid;
use repository::job::Execution;
use repository::json::{self, Value};
use reqwest::Url;
use std::time::Duration;
use tokio::time::Instant;

/// Between two looks at a job: at first, and later.
const FIRST_LOOK: Duration = Duration::from_millis(200);
const LAST_LOOK: Duration = Duration::from_secs(5);
/// Looks in a row that may fail while the repository restarts.
const FAILED_LOOKS: u32 = 5;

/// A job that a call has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartedJob {
    /// The image it is about.
    pub image: Uuid,
    /// Its name.
    pub job: Uuid,
    /// Where it is asked after; `None` for the repository itself.
    pub workflow_api: Option<String>,
}

/// A job as it was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct JobStatus(Value);

impl JobStatus {
    /// The whole answer.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// How far it is; `None` for a word that is not known.
    pub fn execution(&self) -> Option<Execution> {
        Execution::parse(self.word())
    }

    /// The same as the word that was answered.
    pub fn word(&self) -> &str {
        self.0
            .get("execution")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Names of the steps that ended, and whether they went well.
    pub fn steps(&self) -> Vec<(&str, bool)> {
        let steps = self.results().iter();
        let went_well = |step: &Value| !step.get("error").is_some_and(json::is_truthy);
        steps
            .filter_map(|step| Some((step.get("name")?.as_str()?, went_well(step))))
            .collect()
    }

    /// What went wrong, by the last step as clients have always told it: message and code.
    pub fn error(&self) -> Option<(String, Option<String>)> {
        let error = self.results().last()?.get("error")?;
        if !json::is_truthy(error) {
            return None;
        }
        let text = |key: &str| error.get(key).and_then(Value::as_str).map(str::to_owned);
        let message = text("message").unwrap_or_else(|| json::to_text(error));
        Some((message, text("code")))
    }

    fn results(&self) -> &[Value] {
        let results = self.0.get("chain_results").and_then(Value::as_array);
        results.map(Vec::as_slice).unwrap_or_default()
    }

    /// The outcome of a job that is over; `None` while it is not.
    fn outcome(&self, job: Uuid) -> Option<Result<(), ClientError>> {
        let execution = self.execution().filter(|execution| execution.is_over())?;
        let error = self.error();
        if execution == Execution::Succeeded && error.is_none() {
            return Some(Ok(()));
        }
        let (message, code) = error.unwrap_or_else(|| ("it says no reason".to_owned(), None));
        Some(Err(ClientError::Job {
            job: job.to_string(),
            execution: if execution == Execution::Succeeded {
                "failed"
            } else {
                execution.word()
            }
            .to_owned(),
            message,
            code,
        }))
    }
}

impl Client {
    pub(crate) async fn start_job(&self, call: Call<'_>) -> Result<StartedJob, ClientError> {
        let response = self.send(call).await?;
        let workflow_api = response.headers().get("workflow-api");
        let workflow_api = workflow_api.and_then(|url| url.to_str().ok()).map(str::to_owned);
        let value = self.read_json(response, MAXIMUM_ANSWER).await?;
        let uuid = |key: &str| {
            let found = value.get(key).and_then(Value::as_str).and_then(Uuid::parse);
            found.ok_or_else(|| ClientError::Answer(format!("the start of a job without {key:?}")))
        };
        Ok(StartedJob {
            image: uuid("image_uuid")?,
            job: uuid("job_uuid")?,
            workflow_api,
        })
    }

    /// A job, by its name.
    ///
    /// # Errors
    /// There is none, or nobody answers.
    pub async fn job(&self, job: Uuid, workflow_api: Option<&str>) -> Result<JobStatus, ClientError> {
        let call = Call::get(format!("/jobs/{job}"));
        let Some(base) = workflow_api else {
            return self.json(call).await.map(JobStatus);
        };
        let text = format!("{}/jobs/{job}", base.trim_end_matches('/'));
        let url = Url::parse(&text).map_err(|error| ClientError::Address(format!("{text}: {error}")))?;
        // Whoever it is: our signature is for the repository.
        let response = self.send_to(url, call, false).await?;
        self.read_json(response, MAXIMUM_ANSWER).await.map(JobStatus)
    }

    /// The jobs of an image; `task` is `import-remote-image` or `create-from-vm`, `execution` such as `running`.
    ///
    /// # Errors
    /// The image is not there, or nobody answers.
    pub async fn jobs(
        &self,
        image: Uuid,
        task: Option<&str>,
        execution: Option<&str>,
    ) -> Result<Vec<JobStatus>, ClientError> {
        let call = Call::get(format!("/images/{image}/jobs"))
            .with_some("task", task)
            .with_some("execution", execution);
        match self.json(call).await? {
            Value::Array(jobs) => Ok(jobs.into_iter().map(JobStatus).collect()),
            _ => Err(ClientError::Answer("jobs that are no list".to_owned())),
        }
    }

    /// Waits until a job is over, and shows it at each look.
    ///
    /// # Errors
    /// It ended without success, did not end in time, or nobody answers any more.
    pub async fn wait_for_job(
        &self,
        started: &StartedJob,
        patience: Duration,
        mut show: impl FnMut(&JobStatus),
    ) -> Result<JobStatus, ClientError> {
        let deadline = Instant::now() + patience;
        let (mut pause, mut failed) = (FIRST_LOOK, 0);
        loop {
            match self.job(started.job, started.workflow_api.as_deref()).await {
                Ok(status) => {
                    failed = 0;
                    show(&status);
                    match status.outcome(started.job) {
                        Some(Ok(())) => return Ok(status),
                        Some(Err(error)) => return Err(error),
                        None => {}
                    }
                }
                Err(error) if error.is_passing() && failed < FAILED_LOOKS => failed += 1,
                Err(error) => return Err(error),
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let job = started.job.to_string();
                return Err(ClientError::NotOver { job, patience });
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(LAST_LOOK);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn outcome(value: Value) -> Option<Result<(), String>> {
        let outcome = JobStatus(value).outcome(Uuid::NIL)?;
        Some(outcome.map_err(|error| error.to_string()))
    }

    #[test]
    fn the_last_step_says_how_a_job_ended_as_clients_have_always_read_it() {
        assert_eq!(outcome(json!({"execution": "running"})), None);
        let went_well = json!({"execution": "succeeded", "chain_results": [{"name": "a", "error": ""}]});
        assert_eq!(outcome(went_well), Some(Ok(())));
        let failed = json!({"execution": "failed", "chain_results": [{"error": ""}, {"error": {"message": "no disk", "code": "X"}}]});
        assert!(
            outcome(failed)
                .is_some_and(|outcome| outcome.is_err_and(|text| text.ends_with("failed: no disk")))
        );
        let half = json!({"execution": "succeeded", "chain_results": [{"error": "odd"}]});
        assert!(outcome(half).is_some_and(|outcome| outcome.is_err()));
    }
}
