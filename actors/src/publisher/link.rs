//! One session with the image server after the other, with pauses between.

use super::status::PublisherLink;
use super::{Shared, gone};
use crate::backoff::Backoff;
use crate::task::AbortOnDrop;
use image_client::updates::Update;
use image_client::{Connections, Error};
use repository::configuration::{JoinSettings, PublishRule};
use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;

/// Follows the image server until the task is ended.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut backoff = Backoff::new(shared.config.first_pause, shared.config.longest_pause);
    shared.with_queue(super::queue::Queue::clear);
    loop {
        shared.set_link(PublisherLink::Connecting);
        // A task of its own: a panic over what the server sent is a failure of the link.
        let session = AbortOnDrop::spawn(session(shared.clone()));
        let (error, had_list) = match session.await {
            Ok((Err(error), had_list)) => (error.to_string(), had_list),
            Ok((Ok(never), _)) => match never {},
            Err(panic) => (panic.to_string(), false),
        };
        shared.set_link(PublisherLink::Waiting);
        if had_list {
            backoff.reset();
        }
        let pause = backoff.pause();
        let upstream = &shared.config.upstream;
        tracing::warn!(
            "image server {upstream}: {error}; connecting again in {} ms",
            pause.as_millis()
        );
        shared.link_failed(format!("image server {upstream}: {error}"));
        tokio::time::sleep(pause).await;
    }
}

/// Ends with an error only; the flag says whether the list had come.
async fn session(shared: Arc<Shared>) -> (Result<Infallible, Error>, bool) {
    let mut had_list = false;
    let ended = follow(&shared, &mut had_list).await;
    (ended, had_list)
}

async fn follow(shared: &Arc<Shared>, had_list: &mut bool) -> Result<Infallible, Error> {
    let connections = Connections::new(shared.config.connect.clone());
    let mut server = connections.connect().await?;
    let settings = shared.config.room.settings();
    let join = &settings.join;
    shared.set_link(PublisherLink::Listing);
    let takes_all = join.rules.iter().any(|rule| rule.includes_expiring);
    let mut updates = if takes_all {
        server.updates().await?
    } else {
        server.lasting_updates().await?
    };
    let mut names = Vec::new();
    loop {
        match updates.next().await? {
            Update::Image(name) if join.rule_about(&name).is_some() => names.push(name),
            Update::InitialListEnds => break,
            _ => {}
        }
    }
    *had_list = true;
    shared.set_link(PublisherLink::Following);
    // Without expiring images a list does not tell what is there no more.
    if takes_all {
        let present: HashSet<&str> = names.iter().map(String::as_str).collect();
        gone::compare(shared, &present).await;
    }
    for name in chosen(names, join) {
        announce(shared, name);
    }
    loop {
        match updates.next().await? {
            Update::Image(name) if join.rule_about(&name).is_some() => announce(shared, name),
            Update::ImageDeleted(name) => {
                shared.with_queue(|queue| queue.forget(&name));
                gone::gone(shared, &name).await;
            }
            _ => {}
        }
    }
}

fn announce(shared: &Shared, name: String) {
    if shared.with_queue(|queue| queue.add(name)) {
        shared.bell.notify_one();
    }
}

/// Of those that are there at the start as many of each stream as its rule says, the newest, oldest first: names end in
/// times, and sort as those do.
fn chosen(names: Vec<String>, join: &JoinSettings) -> Vec<String> {
    let mut streams: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in names {
        let stream = name.rsplit_once('/').map_or("", |(stream, _)| stream).to_owned();
        streams.entry(stream).or_default().push(name);
    }
    let newest = |rule: Option<&PublishRule>| rule.and_then(|rule| rule.newest).unwrap_or(usize::MAX);
    let mut chosen = Vec::new();
    for mut names in streams.into_values() {
        names.sort_by(|one, other| human::version_cmp(one, other));
        let count = newest(names.first().and_then(|name| join.rule_about(name)));
        let first = names.len().saturating_sub(count);
        chosen.extend(names.drain(first..));
    }
    chosen
}
