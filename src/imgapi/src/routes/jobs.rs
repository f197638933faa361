//! Jobs as clients poll them (imgapi.md §15).

use actors::Jobs;
use repository::job::Job;
use repository::json::{self, Object, Value};
use repository::{ApiError, Code, Result, Uuid};

use crate::answer::Answer;
use crate::request::Asked;

/// `GET /images/UUID/jobs`: those of an image that the caller sees; `task` and `execution` choose.
pub(super) fn of_image(asked: &Asked) -> Result<Answer> {
    let catalogue = asked.state.catalogue();
    let entry = asked.visible(&catalogue)?;
    let jobs = asked.state.jobs();
    let of_image = jobs.list().of_image(entry.uuid());
    let wanted = of_image.iter().filter(|job| job.is_asked_for(&asked.parameters));
    let list: Value = wanted.map(|job| shown(job, jobs)).collect();
    Ok(Answer::json(json::pretty(&list, 2)))
}

/// `GET /jobs/UUID`: what the header `workflow-api` of the answer that started a job leads to.
pub(super) fn one(asked: &Asked) -> Result<Answer> {
    let name = asked.argument.as_deref().unwrap_or_default();
    let jobs = asked.state.jobs();
    let job = Uuid::parse(name).and_then(|uuid| jobs.job(uuid));
    let job = job.ok_or_else(|| ApiError::new(Code::ResourceNotFound, format!("job {name} not found")))?;
    Ok(Answer::json(json::pretty(&shown(&job, jobs), 2)))
}

/// The job; while it is at work with how far it is, which is an addition.
fn shown(job: &Job, jobs: &Jobs) -> Value {
    let mut value = job.to_shown();
    if let (Some(progress), Value::Object(object)) = (jobs.progress(job.uuid), &mut value) {
        let mut of_step = Object::new();
        of_step.insert("step".to_owned(), progress.step.into());
        of_step.insert("done_bytes".to_owned(), progress.done_bytes.into());
        if let Some(total) = progress.total_bytes {
            of_step.insert("total_bytes".to_owned(), total.into());
        }
        object.insert("progress".to_owned(), Value::Object(of_step));
    }
    value
}
