//! `get-image-expiration name`: when an image expires.

use flags::Verb;

use crate::local_time;

use super::Verdict;
use crate::session::Session;

pub(super) const NAME: &str = "get-image-expiration";
pub(super) const DOING: &str = "error getting image expiration";

pub(super) fn verb() -> Verb {
    Verb::new(NAME, "name", "print when an image expires").group("look")
}

pub(super) async fn run(session: &mut Session, arguments: &[String]) -> anyhow::Result<Verdict> {
    let expires_at = session.server().await?.get_image_expiration(&arguments[0]).await?;
    if session.is_json() {
        session.out.json(&serde_json::json!({ "Name": arguments[0], "ExpiresAt": expires_at }))?;
        return Ok(Verdict::Done);
    }
    session.out.line(match expires_at {
        None => "image does not expire".to_owned(),
        Some(time) => {
            let (shown, left) = (local_time::precise(&time), local_time::until(&time));
            if left < 0 {
                format!("image expired at {shown} ({} ago)", human::duration_ns(left.saturating_neg()))
            } else {
                format!("image expires at {shown} (in {})", human::duration_ns(left))
            }
        }
    })?;
    Ok(Verdict::Done)
}
