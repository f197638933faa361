//! What a stream is built from, what is built from it, its newest image, and when it is built next.

use crate::pages::context::{Context, time};
use crate::pages::{links, streams};
use actors::stream_scheduler::Snapshot;
use front::page::escape;
use recipe::Found;

/// Streams built from this one that are shown.
const DEPENDENTS_SHOWN: usize = 50;

pub(super) fn facts(context: &Context<'_>, snapshot: &Snapshot, name: &str, found: &Found) -> String {
    let mut html = String::from("<dl class=\"facts\">");
    let mut fact = |name: &str, value: String| html += &format!("<dt>{name}</dt><dd>{value}</dd>");
    fact(
        "Kind",
        match found {
            Found::Bootstrap(_) => "bootstrap: filled by a command".to_owned(),
            Found::User(_) => "built from another stream and a manifest".to_owned(),
        },
    );
    if let Found::User(_) = found {
        fact(
            "Built from",
            match snapshot.dependencies.stream_to_source.get(name) {
                Some(source) => links::anchor(&links::stream(source), source),
                None => "not known yet: see the <a href=\"/showDirectedGraph\">graph</a>".to_owned(),
            },
        );
    }
    fact("Built from it", dependents(snapshot, name));
    fact("Rebuilt by itself", rebuilt(snapshot, name));
    let server = &context.shared.options.presentation_image_server;
    let images = good_images(snapshot, name);
    match images.as_slice() {
        [newest, ..] => fact(
            "Newest image",
            links::anchor(&links::image(server, newest), newest),
        ),
        [] => fact(
            "Newest image",
            "none since this image builder keeps records".to_owned(),
        ),
    }
    if let [newest, before, ..] = images.as_slice() {
        let link = links::anchor(
            &links::compare(server, before, newest),
            "compare it with the one before",
        );
        fact("What changed", link);
    }
    html + "</dl>"
}

fn dependents(snapshot: &Snapshot, name: &str) -> String {
    let all: Vec<&str> = snapshot.dependencies.dependents(name).collect();
    if all.is_empty() {
        return "nothing".to_owned();
    }
    let shown: Vec<String> = all
        .iter()
        .take(DEPENDENTS_SHOWN)
        .map(|dependent| links::anchor(&links::stream(dependent), dependent))
        .collect();
    let more = match all.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more: see the <a href=\"/showDirectedGraph\">graph</a>"),
    };
    shown.join(", ") + &more
}

fn rebuilt(snapshot: &Snapshot, name: &str) -> String {
    if !streams::is_auto_rebuilt(snapshot, name) {
        return "no, only when somebody asks".to_owned();
    }
    let next = match streams::next_rebuild(snapshot, name) {
        Some(next) => format!("yes, next {}", time(next)),
        None => "yes, when somebody starts it".to_owned(),
    };
    let pause = snapshot.auto.backing_off.get(name).map(|pause| {
        format!(
            "; pauses until {} after {} failures",
            time(pause.until),
            pause.failures
        )
    });
    let interval = snapshot
        .auto
        .interval
        .map(|every| format!(", every {}", escape(&human::duration(every))));
    next + &interval.unwrap_or_default() + &pause.unwrap_or_default()
}

/// The images of builds that went well, the newest first.
fn good_images<'a>(snapshot: &'a Snapshot, name: &str) -> Vec<&'a str> {
    let history = snapshot.histories.get(name);
    let good = history.into_iter().flat_map(|history| history.iter().rev());
    good.filter(|entry| entry.error.is_none() && !entry.name.is_empty())
        .map(|entry| entry.name.as_str())
        .collect()
}
