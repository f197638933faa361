//! `list-damaged`: what is damaged on the server, and what to do about it. Our own addition; the original's server cannot
//! tell.

use anyhow::bail;
use flags::Verb;
use protocol::image_server::{DamagedImage, DamagedObject, ListDamagedResponse};

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "list-damaged";
pub(super) const DOING: &str = "error listing damaged images and objects";

/// Affected images that are named for an object.
const NAMES_SHOWN: usize = 5;

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "", "list what is damaged on the server and how to repair it; exit code 1 if anything is")
        .group("housekeeping")
        .examples(&[
            "imagetool list-damaged # what is wrong, which images that affects, what to do",
            "imagetool --json list-damaged | jq -r 'select(.Kind==\"image\").Name' # the names of damaged images",
        ])
}

pub(super) async fn run(session: &mut Session, _arguments: &[String]) -> anyhow::Result<Verdict> {
    let Some(damage) = session.server().await?.list_damaged().await? else {
        bail!("this server cannot tell: it does not have the method ImageServer.ListDamaged");
    };
    let sound = damage.images.is_empty() && damage.objects.is_empty();
    if session.is_json() {
        json(session, &damage)?;
        return Ok(Verdict::of(sound));
    }
    for image in &damage.images {
        lines(session, &format!("image {}", image.name), &of_image(image))?;
    }
    for object in &damage.objects {
        lines(session, &format!("object {}", object.hash), &of_object(object))?;
    }
    Ok(Verdict::of(sound))
}

fn of_image(image: &DamagedImage) -> [(&'static str, String); 3] {
    [
        ("cause", image.cause.clone()),
        ("known since", image.known_since.to_string()),
        ("to repair it", image.remedy.clone()),
    ]
}

fn of_object(object: &DamagedObject) -> [(&'static str, String); 5] {
    [
        ("cause", object.cause.clone()),
        ("known since", object.known_since.to_string()),
        ("file", object.file.clone()),
        ("affects", affects(object)),
        ("to repair it", object.remedy.clone()),
    ]
}

fn affects(object: &DamagedObject) -> String {
    let named: Vec<&str> = object.image_names.iter().take(NAMES_SHOWN).map(String::as_str).collect();
    let more = object.affected_images.saturating_sub(named.len() as u64);
    match (named.is_empty(), more) {
        (true, _) => "no image".to_owned(),
        (false, 0) => named.join(", "),
        (false, more) => format!("{} and {more} more", named.join(", ")),
    }
}

fn lines(session: &mut Session, heading: &str, facts: &[(&str, String)]) -> anyhow::Result<()> {
    session.out.line(heading)?;
    for (fact, value) in facts {
        session.out.line(format!("  {fact:<13} {value}"))?;
    }
    Ok(())
}

/// One object a line, images first.
fn json(session: &mut Session, damage: &ListDamagedResponse) -> anyhow::Result<()> {
    for image in &damage.images {
        session.out.json(&serde_json::json!({
            "Kind": "image",
            "Name": image.name,
            "Cause": image.cause,
            "KnownSince": image.known_since,
            "Remedy": image.remedy,
        }))?;
    }
    for object in &damage.objects {
        session.out.json(&serde_json::json!({
            "Kind": "object",
            "Name": object.hash.to_string(),
            "File": object.file,
            "Cause": object.cause,
            "KnownSince": object.known_since,
            "AffectedImages": object.affected_images,
            "ImageNames": object.image_names,
            "Remedy": object.remedy,
        }))?;
    }
    Ok(())
}
