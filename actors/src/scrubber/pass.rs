//! One pass: all image files, then all objects, then what is left to be repaired.

use super::pace::Pace;
use super::shared::Position;
use super::{Shared, repair};
use crate::image_index::ImageFile;
use crate::object_store::{Place, Recheck};
use crate::pool::PoolError;
use crate::task::AbortOnDrop;
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two rounds of repairs while damage is being found, so that many finds are fetched together and none waits for
/// the end of a pass of days.
const REPAIR_PAUSE: Duration = Duration::from_secs(30);

/// Runs the pass under way to its end, from where it has got to.
pub(super) async fn run(shared: Arc<Shared>) {
    // A task of its own: a panic over what lies on the disk breaks the pass off, and does not use up the actor's restarts.
    let work = AbortOnDrop::spawn(all(shared.clone()));
    let failure = match work.await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(panic) => Some(format!("internal error: {panic}")),
    };
    let (images, objects) = damage(&shared);
    shared.end(images, objects, failure).write(&shared).await;
}

async fn all(shared: Arc<Shared>) -> Result<(), PoolError> {
    let mut pace = Pace::default();
    let place = match shared.position() {
        Some(Position::Objects(place)) => place,
        Some(Position::Images(after)) => {
            images(&shared, after, &mut pace).await;
            repair::round(&shared).await;
            Place::default()
        }
        None => return Ok(()),
    };
    objects(&shared, place, &mut pace).await?;
    repair::round(&shared).await;
    Ok(())
}

async fn images(shared: &Shared, mut after: Option<Arc<str>>, pace: &mut Pace) {
    loop {
        let snapshot = shared.images.snapshot();
        let start = after.clone().map_or(Bound::Unbounded, Bound::Excluded);
        let next = snapshot.images.range((start, Bound::Unbounded)).next();
        let Some((name, bytes)) = next.map(|(name, entry)| (name.clone(), entry.stamp.size)) else {
            return;
        };
        drop(snapshot);
        let checked = shared.images.recheck(&name).await;
        shared.count(|pass| {
            pass.images_checked += 1;
            pass.unchecked += u64::from(checked.is_err());
        });
        metrics::counter!("imageserver_scrub_checked_total", "kind" => "image").increment(1);
        if checked.as_ref().is_ok_and(|file| *file == ImageFile::Damaged) {
            shared.found_image(&name);
        }
        if let Err(error) = checked {
            unchecked(shared, 1, format!("image {name}: {error}"));
        }
        shared.reached(Position::Images(Some(name.clone())));
        after = Some(name);
        pace.pay(bytes, || shared.rate_bytes()).await;
    }
}

async fn objects(shared: &Arc<Shared>, place: Place, pace: &mut Pace) -> Result<(), PoolError> {
    let mut recheck = Recheck::from(place);
    let mut repaired_at = Instant::now();
    let mut to_repair = false;
    loop {
        let objects = shared.objects.shared.clone();
        let (returned, step) = objects
            .clone()
            .read_pool
            .run(move || {
                let step = recheck.step(&objects);
                (recheck, step)
            })
            .await?;
        recheck = returned;
        let Some(step) = step else { return Ok(()) };
        shared.count(|pass| {
            pass.objects_checked += step.objects;
            pass.bytes_checked += step.bytes;
            pass.unchecked += step.unchecked;
        });
        metrics::counter!("imageserver_scrub_checked_total", "kind" => "object").increment(step.objects);
        metrics::counter!("imageserver_scrub_checked_bytes_total").increment(step.bytes);
        shared.found_objects(&step.damaged);
        if let Some(error) = step.error {
            unchecked(shared, step.unchecked, error.to_string());
        }
        if let Some(record) = shared.reached(Position::Objects(recheck.place())) {
            record.write(shared).await;
        }
        to_repair |= !step.damaged.is_empty();
        if to_repair && repaired_at.elapsed() >= REPAIR_PAUSE {
            repair::round(shared).await;
            (to_repair, repaired_at) = (false, Instant::now());
        }
        pace.pay(step.bytes, || shared.rate_bytes()).await;
    }
}

fn unchecked(shared: &Shared, count: u64, text: String) {
    tracing::warn!("Scrub: not read: {text}");
    metrics::counter!("imageserver_scrub_unchecked_total").increment(count);
    shared.failed(text);
}

/// Images and objects that cannot be served now.
pub(super) fn damage(shared: &Shared) -> (u64, u64) {
    let images = shared.images.snapshot().quarantined.len() as u64;
    (images, repair::wanted_objects(shared).len() as u64)
}
