//! Jobs of the image repository: what clients poll, what survives what.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test: what cannot go on has failed"
)]

use actors::jobs::{MAXIMUM_FINISHED_JOBS, MAXIMUM_QUEUED_JOBS, MAXIMUM_RUNNING_JOBS, MAXIMUM_STARTS};
use actors::{JobBody, JobFailure, JobRun, JobsError, RepositoryConfig, RepositorySystem, start_repository};
use futures_util::future::BoxFuture;
use repository::Uuid;
use repository::configuration::Configuration;
use repository::job::{Execution, Job, JobKind};
use repository::json::Object;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

const KIND: JobKind = JobKind::ImportRemote;

/// How long something may take that takes milliseconds.
const LIMIT: Duration = Duration::from_secs(60);

type Work = dyn Fn(JobRun) -> BoxFuture<'static, Result<(), JobFailure>> + Send + Sync;

struct Body {
    work: Box<Work>,
    is_run_again: bool,
}

impl JobBody for Body {
    fn run(&self, run: JobRun) -> BoxFuture<'static, Result<(), JobFailure>> {
        (self.work)(run)
    }

    fn is_run_again(&self) -> bool {
        self.is_run_again
    }
}

fn start(base: &Path) -> RepositorySystem {
    let settings = Configuration::read("{}").unwrap().settings().clone();
    let mut config = RepositoryConfig::new(base.to_owned(), settings);
    config.allow_debug_panic = true;
    start_repository(config).unwrap()
}

async fn begin<F, W>(system: &RepositorySystem, is_run_again: bool, work: W)
where
    W: Fn(JobRun) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), JobFailure>> + Send + 'static,
{
    let body = Body {
        work: Box::new(move |run| Box::pin(work(run))),
        is_run_again,
    };
    let bodies: Vec<(JobKind, Arc<dyn JobBody>)> = vec![(KIND, Arc::new(body))];
    system.jobs.begin(bodies).await.unwrap();
}

fn image(number: u8) -> Uuid {
    Uuid::from_random([number; 16])
}

async fn submit(system: &RepositorySystem, number: u8) -> Uuid {
    let mut parameters = Object::new();
    parameters.insert("source".to_owned(), "http://images.example.com".into());
    system
        .jobs
        .submit(KIND, image(number), parameters)
        .await
        .unwrap()
        .uuid
}

async fn ended(system: &RepositorySystem, job: Uuid) -> Arc<Job> {
    tokio::time::timeout(LIMIT, system.jobs.wait(job))
        .await
        .expect("it does not end")
        .unwrap()
}

async fn until(mut is_so: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(LIMIT, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    waited.await.expect("it does not come to be so");
}

#[tokio::test]
async fn a_job_is_answered_as_the_original_s_job_service_answers() {
    let base = tempfile::tempdir().unwrap();
    let system = start(base.path());
    begin(&system, true, |run: JobRun| async move {
        let tries = AtomicUsize::new(0);
        run.step("origin_import_images", async || Ok(((), "no origins".to_owned())))
            .await?;
        run.step("import_image", async || {
            match tries.fetch_add(1, Ordering::Relaxed) {
                0 => Err(JobFailure::new("at first not")),
                _ => Ok(((), "imported".to_owned())),
            }
        })
        .await
    })
    .await;
    let uuid = submit(&system, 1).await;
    let value = ended(&system, uuid).await.to_value();
    assert_eq!(value["execution"], "succeeded");
    assert_eq!(value["params"]["source"], "http://images.example.com");
    assert_eq!(value["params"]["image_uuid"], image(1).to_string());
    assert_eq!(value["target"], format!("/import-remote-{}", image(1)));
    let results = value["chain_results"].as_array().unwrap();
    let told: Vec<_> = results
        .iter()
        .map(|result| (&result["name"], &result["result"], &result["error"]))
        .collect();
    assert_eq!(
        told,
        [
            (&"origin_import_images".into(), &"no origins".into(), &"".into()),
            // Each step is tried once more.
            (&"import_image".into(), &"imported".into(), &"".into()),
        ]
    );
    let of_image = system.jobs.list().of_image(image(1));
    assert_eq!(of_image.iter().map(|job| job.uuid).collect::<Vec<_>>(), [uuid]);
}

#[tokio::test]
async fn what_fails_tells_why_at_the_step_it_failed() {
    let base = tempfile::tempdir().unwrap();
    let system = start(base.path());
    begin(&system, true, |run: JobRun| async move {
        if run.image() == image(9) {
            return Err(JobFailure::new("before any step"));
        }
        let step = run.step("import_image", async || {
            let failure = JobFailure::with_code("RemoteSourceError", "no such image there");
            Err::<((), String), _>(failure.finally())
        });
        step.await
    })
    .await;
    let job = submit(&system, 1).await;
    let value = ended(&system, job).await.to_value();
    assert_eq!(value["execution"], "failed");
    let results = value["chain_results"].as_array().unwrap();
    assert_eq!(results.len(), 1);
    assert_eq!(results[0]["error"]["code"], "RemoteSourceError");
    assert_eq!(results[0]["error"]["message"], "no such image there");
    let job = submit(&system, 9).await;
    let value = ended(&system, job).await.to_value();
    assert_eq!(value["chain_results"][0]["error"]["message"], "before any step");
    assert_eq!(value["chain_results"][0]["name"], "origin_import_images");
}

#[tokio::test]
async fn a_job_is_found_after_a_restart_however_much_another_server_said_of_its_failure() {
    let base = tempfile::tempdir().unwrap();
    let system = start(base.path());
    begin(&system, true, |run: JobRun| async move {
        let said = || "\u{1}".repeat(1 << 20);
        run.step("origin_import_images", async || {
            Err::<((), String), _>(JobFailure::with_code(said(), said()))
        })
        .await
    })
    .await;
    let uuid = submit(&system, 1).await;
    assert_eq!(ended(&system, uuid).await.execution, Execution::Failed);
    tokio::task::spawn_blocking(|| system.stop()).await.unwrap();
    let system = start(base.path());
    assert_eq!(system.jobs.job(uuid).unwrap().execution, Execution::Failed);
}

#[tokio::test]
async fn jobs_go_on_after_the_end_of_the_process_and_are_given_up_after_some_starts() {
    let base = tempfile::tempdir().unwrap();
    let mut job = None;
    for start_number in 1..=MAXIMUM_STARTS {
        let system = start(base.path());
        let is_at_work = Arc::new(AtomicUsize::new(0));
        let at_work = is_at_work.clone();
        begin(&system, true, move |run: JobRun| {
            let at_work = at_work.clone();
            async move {
                run.step("import_image", async || Ok(((), "done".to_owned())))
                    .await?;
                assert_eq!(run.is_again(), start_number > 1);
                at_work.store(1, Ordering::Relaxed);
                std::future::pending().await
            }
        })
        .await;
        let uuid = match job {
            Some(uuid) => uuid,
            None => submit(&system, 1).await,
        };
        job = Some(uuid);
        until(|| is_at_work.load(Ordering::Relaxed) == 1).await;
        // What an earlier run did is not told twice.
        assert_eq!(system.jobs.job(uuid).unwrap().results.len(), 1);
        tokio::task::spawn_blocking(|| system.stop()).await.unwrap();
    }
    let system = start(base.path());
    let told = system.jobs.job(job.unwrap()).unwrap().to_value();
    assert_eq!(told["execution"], "failed");
    let last = told["chain_results"].as_array().unwrap().last().unwrap();
    let message = last["error"]["message"].as_str().unwrap();
    assert!(message.contains("restarted"), "{message}");
}

#[tokio::test]
async fn a_job_that_cannot_be_run_again_has_failed_after_a_restart_and_those_that_waited_are_done() {
    let base = tempfile::tempdir().unwrap();
    let system = start(base.path());
    begin(&system, false, |_| std::future::pending()).await;
    let mut jobs = Vec::new();
    for number in 0..=MAXIMUM_RUNNING_JOBS {
        jobs.push(submit(&system, number as u8).await);
    }
    let execution = |system: &RepositorySystem, job: &Uuid| system.jobs.job(*job).unwrap().execution;
    let at_work = &jobs[..MAXIMUM_RUNNING_JOBS];
    until(|| {
        at_work
            .iter()
            .all(|job| execution(&system, job) == Execution::Running)
    })
    .await;
    tokio::task::spawn_blocking(|| system.stop()).await.unwrap();
    let system = start(base.path());
    begin(&system, false, |_| async { Ok(()) }).await;
    let (waited, cut_off) = jobs.split_last().unwrap();
    assert_eq!(ended(&system, *waited).await.execution, Execution::Succeeded);
    for job in cut_off {
        assert_eq!(execution(&system, job), Execution::Failed);
    }
}

#[tokio::test]
async fn a_panic_in_a_job_fails_that_job_and_one_of_the_actor_none() {
    let base = tempfile::tempdir().unwrap();
    let system = start(base.path());
    let gate = Arc::new(Semaphore::new(0));
    let held = gate.clone();
    begin(&system, true, move |run: JobRun| {
        let held = held.clone();
        async move {
            assert!(run.image() != image(1), "on purpose");
            held.acquire().await.unwrap().forget();
            Ok(())
        }
    })
    .await;
    let (bad, good) = (submit(&system, 1).await, submit(&system, 2).await);
    let value = ended(&system, bad).await.to_value();
    let message = value["chain_results"][0]["error"]["message"].as_str().unwrap();
    assert!(message.contains("on purpose"), "{message}");
    until(|| system.jobs.job(good).unwrap().execution == Execution::Running).await;
    system.jobs.debug_panic().await.unwrap_err();
    until(|| system.jobs.health().restarts == 1).await;
    let later = submit(&system, 3).await;
    until(|| system.jobs.job(later).unwrap().execution == Execution::Running).await;
    gate.add_permits(2);
    for job in [good, later] {
        assert_eq!(ended(&system, job).await.execution, Execution::Succeeded);
    }
}

#[tokio::test]
async fn a_few_run_at_once_and_two_do_not_do_the_same() {
    let base = tempfile::tempdir().unwrap();
    let system = start(base.path());
    let gate = Arc::new(Semaphore::new(0));
    let (held, most) = (gate.clone(), Arc::new(AtomicUsize::new(0)));
    let (at_work, seen) = (Arc::new(AtomicUsize::new(0)), most.clone());
    begin(&system, true, move |_| {
        let (held, at_work, seen) = (held.clone(), at_work.clone(), seen.clone());
        async move {
            let now = at_work.fetch_add(1, Ordering::Relaxed) + 1;
            seen.fetch_max(now, Ordering::Relaxed);
            held.acquire().await.unwrap().forget();
            at_work.fetch_sub(1, Ordering::Relaxed);
            Ok(())
        }
    })
    .await;
    let mut jobs = Vec::new();
    for number in 0..10 {
        jobs.push(submit(&system, number).await);
    }
    let again = system.jobs.submit(KIND, image(3), Object::new()).await;
    assert_eq!(again.unwrap_err(), JobsError::Same(jobs[3]));
    until(|| most.load(Ordering::Relaxed) == MAXIMUM_RUNNING_JOBS).await;
    gate.add_permits(jobs.len());
    for job in &jobs {
        assert_eq!(ended(&system, *job).await.execution, Execution::Succeeded);
    }
    assert_eq!(most.load(Ordering::Relaxed), MAXIMUM_RUNNING_JOBS);
    // One that is over is in nobody's way.
    gate.add_permits(1);
    submit(&system, 3).await;
}

#[tokio::test]
async fn a_job_is_canceled_while_it_waits_and_while_it_works() {
    let base = tempfile::tempdir().unwrap();
    let system = start(base.path());
    let waiting = submit(&system, 1).await;
    let canceled = system.jobs.cancel(waiting).await.unwrap();
    assert_eq!(canceled.execution, Execution::Canceled);
    begin(&system, true, |run: JobRun| async move {
        run.progress(5, Some(10));
        std::future::pending().await
    })
    .await;
    let working = submit(&system, 2).await;
    until(|| {
        system
            .jobs
            .progress(working)
            .is_some_and(|progress| progress.done_bytes == 5)
    })
    .await;
    system.jobs.cancel(working).await.unwrap();
    let job = ended(&system, working).await;
    assert_eq!(job.execution, Execution::Canceled);
    assert!(job.results.last().unwrap().error.is_some());
    let unknown = system.jobs.cancel(image(77)).await;
    assert_eq!(unknown.unwrap_err(), JobsError::Unknown(image(77)));
}

#[tokio::test]
async fn a_job_that_cannot_be_kept_is_not_taken_and_later_ones_are() {
    let base = tempfile::tempdir().unwrap();
    let system = start(base.path());
    let directory = base.path().join("run/jobs");
    std::fs::remove_dir_all(&directory).unwrap();
    let refused = system.jobs.submit(KIND, image(1), Object::new()).await;
    assert!(matches!(refused, Err(JobsError::Storage(_))), "{refused:?}");
    assert!(system.jobs.health().trouble.is_some());
    std::fs::create_dir(&directory).unwrap();
    begin(&system, true, |_| async { Ok(()) }).await;
    let job = submit(&system, 1).await;
    assert_eq!(ended(&system, job).await.execution, Execution::Succeeded);
    assert_eq!(system.jobs.health().trouble, None);
    assert!(directory.join(format!("{job}.json")).is_file());
}

#[tokio::test]
async fn what_is_no_job_is_left_alone_and_what_was_never_written_whole_is_removed() {
    let base = tempfile::tempdir().unwrap();
    let directory = base.path().join("run/jobs");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("notes.json"), "{}").unwrap();
    std::fs::write(directory.join(".job-abc"), "{").unwrap();
    let system = start(base.path());
    assert!(system.jobs.list().is_empty());
    assert!(directory.join("notes.json").is_file());
    assert!(!directory.join(".job-abc").exists());
}

/// Puts a job into a repository's directory that no process uses, as an earlier one left it.
fn put(base: &Path, number: usize, execution: Execution) -> Uuid {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&(number as u32).to_be_bytes());
    let uuid = Uuid::from_random(bytes);
    let job = Job {
        uuid,
        kind: KIND,
        image: uuid,
        parameters: Object::new(),
        execution,
        results: Vec::new(),
        // Of the same moment, by number.
        created_at: format!("2026-11-22T00:00:00.{number:06}Z"),
    };
    let directory = base.join("run/jobs");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join(format!("{uuid}.json")), job.to_value().to_string()).unwrap();
    uuid
}

#[tokio::test]
async fn so_many_wait_and_no_more_and_each_that_leaves_makes_room() {
    let base = tempfile::tempdir().unwrap();
    let waiting: Vec<Uuid> = (0..MAXIMUM_QUEUED_JOBS)
        .map(|number| put(base.path(), number, Execution::Queued))
        .collect();
    let system = start(base.path());
    let is_full = |outcome: Result<Arc<Job>, JobsError>| {
        let waiting = MAXIMUM_QUEUED_JOBS;
        assert_eq!(outcome.unwrap_err(), JobsError::Full { waiting });
    };
    is_full(system.jobs.submit(KIND, image(1), Object::new()).await);
    // What was refused is nowhere.
    assert_eq!(system.jobs.list().len(), MAXIMUM_QUEUED_JOBS);
    assert!(system.jobs.list().of_image(image(1)).is_empty());
    let canceled = system.jobs.cancel(waiting[500]).await.unwrap();
    assert_eq!(canceled.execution, Execution::Canceled);
    let taken = submit(&system, 1).await;
    is_full(system.jobs.submit(KIND, image(2), Object::new()).await);

    // So does each that is begun.
    begin(&system, true, |_| std::future::pending()).await;
    let (jobs, first) = (system.jobs.clone(), waiting[0]);
    let later = tokio::time::timeout(LIMIT, async {
        loop {
            match jobs.submit(KIND, image(2), Object::new()).await {
                Err(JobsError::Full { .. }) => tokio::task::yield_now().await,
                taken => return taken.unwrap().uuid,
            }
        }
    });
    let later = later.await.expect("there is no room");
    // In the order in which they were asked for.
    assert_ne!(system.jobs.job(first).unwrap().execution, Execution::Queued);
    for job in [taken, later] {
        assert_eq!(system.jobs.job(job).unwrap().execution, Execution::Queued);
    }
}

#[tokio::test]
async fn of_jobs_that_are_over_the_last_ones_are_known_and_the_oldest_is_forgotten_for_a_new_one() {
    let base = tempfile::tempdir().unwrap();
    let over: Vec<Uuid> = (0..MAXIMUM_FINISHED_JOBS)
        .map(|number| put(base.path(), number, Execution::Succeeded))
        .collect();
    let system = start(base.path());
    begin(&system, true, |_| async { Ok(()) }).await;
    assert_eq!(system.jobs.list().len(), MAXIMUM_FINISHED_JOBS);
    let file = |job: Uuid| base.path().join(format!("run/jobs/{job}.json"));
    for (number, forgotten) in [(1, over[0]), (2, over[1])] {
        let new = submit(&system, number).await;
        ended(&system, new).await;
        until(|| system.jobs.job(forgotten).is_none()).await;
        assert_eq!(system.jobs.list().len(), MAXIMUM_FINISHED_JOBS);
        assert!(!file(forgotten).exists() && file(new).is_file());
        let unknown = system.jobs.wait(forgotten).await;
        assert_eq!(unknown.unwrap_err(), JobsError::Unknown(forgotten));
    }
    // And stays so.
    tokio::task::spawn_blocking(|| system.stop()).await.unwrap();
    let system = start(base.path());
    assert_eq!(system.jobs.list().len(), MAXIMUM_FINISHED_JOBS);
    assert!(system.jobs.job(over[1]).is_none() && system.jobs.job(over[2]).is_some());
}

#[tokio::test]
async fn a_job_that_was_canceled_stays_so_over_a_restart_and_one_that_is_over_cannot_be() {
    let base = tempfile::tempdir().unwrap();
    let system = start(base.path());
    let waiting = submit(&system, 1).await;
    system.jobs.cancel(waiting).await.unwrap();
    begin(&system, true, |_| async { Ok(()) }).await;
    let done = submit(&system, 2).await;
    ended(&system, done).await;
    // Too late: it is what it is.
    let told = system.jobs.cancel(done).await.unwrap();
    assert_eq!(told.execution, Execution::Succeeded);
    tokio::task::spawn_blocking(|| system.stop()).await.unwrap();
    let system = start(base.path());
    begin(&system, true, |_| async { Ok(()) }).await;
    // Nobody begins it although its turn never came: the next one that is asked for is done, and it is not.
    let next = submit(&system, 3).await;
    ended(&system, next).await;
    assert_eq!(system.jobs.job(waiting).unwrap().execution, Execution::Canceled);
    assert_eq!(system.jobs.job(done).unwrap().execution, Execution::Succeeded);
}
