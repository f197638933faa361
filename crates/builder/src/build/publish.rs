//! The image gets its name and is added (`imaginator.md §14.6, §14.7`).

use std::collections::HashMap;
use std::thread;
use std::time::{Duration, Instant};

use image::Image;
use image_client::flows::in_the_future;
use parking_lot::Mutex;
use srpc::CallError;

use super::Build;
use super::failure::Failure;

/// Pause before a name is tried again that another image of the stream took in this second.
const COLLISION_PAUSE: Duration = Duration::from_millis(100);

/// Names tried that others have, before the build fails.
const NAME_ATTEMPTS: u32 = 10;

/// The names given last, so that none is given twice: by stream.
#[derive(Default)]
pub(crate) struct Names(Mutex<HashMap<String, String>>);

impl Names {
    /// A name for an image of the stream: it and the local time. Waits until the clock allows one.
    fn next(&self, stream: &str) -> String {
        loop {
            let time = jiff::Zoned::now().strftime("%Y-%m-%d:%H:%M:%S").to_string();
            {
                let mut last = self.0.lock();
                if last.get(stream) != Some(&time) {
                    last.insert(stream.to_owned(), time.clone());
                    return format!("{stream}/{time}");
                }
            }
            thread::sleep(COLLISION_PAUSE);
        }
    }
}

impl Build<'_> {
    /// Adds the image, unless the build is to end; returns its name. From the request on there is no way back.
    pub(crate) fn publish(&self, mut image: Image) -> Result<String, Published> {
        let mut attempts = 0;
        let began = Instant::now();
        if let Some(life_time) = self.order.expires_in.filter(|time| !time.is_zero()) {
            image.expires_at = in_the_future(life_time);
        }
        let name = loop {
            let name = self.shop.names.next(&self.order.stream);
            self.overseer.check().map_err(Published::Failed)?;
            let copy = image.clone();
            let added = self
                .link
                .commit(async |server| server.add_image(&name, copy).await);
            match added {
                Ok(()) => break name,
                // Another builder, or this one before a restart, took the name in this very second.
                Err(error) if is_taken(&error) && attempts < NAME_ATTEMPTS => attempts += 1,
                Err(error) if error.is_objects_unavailable() => {
                    return Err(Published::ObjectsGone(error.into()));
                }
                Err(error) => return Err(Published::Failed(error.into())),
            }
        };
        self.overseer.say(format!(
            "Uploaded {name} in {}, total build duration: {}",
            human::duration(began.elapsed()),
            human::duration(self.began.elapsed()),
        ));
        Ok(name)
    }
}

fn is_taken(error: &image_client::Error) -> bool {
    matches!(error, image_client::Error::AddImage(CallError::Remote(text)) if text.ends_with("already exists"))
}

/// Why an image was not added.
pub(crate) enum Published {
    /// Objects that the server had when the source image was fetched are not there any more.
    ObjectsGone(Failure),
    /// Anything else.
    Failed(Failure),
}
