//! `GET /ping` (imgapi.md §17).

use repository::Result;
use repository::error::sample;
use repository::json::{self, Object, Value};
use repository::manifest::Mode;

use crate::answer::Answer;
use crate::request::Asked;
use crate::state::INTERFACE_VERSION;

/// What this is and who asks; `error` asks for a sample of an error.
pub(super) fn answer(asked: &Asked) -> Result<Answer> {
    if let Some(name) = asked.parameters.get("error") {
        return Err(sample(&name));
    }
    let mut body = Object::new();
    body.insert("ping".to_owned(), "pong".into());
    body.insert("version".to_owned(), INTERFACE_VERSION.into());
    body.insert("imgapi".to_owned(), true.into());
    if asked.settings.mode == Mode::Datacenter || asked.caller.is_some() {
        body.insert("pid".to_owned(), std::process::id().into());
    }
    if let Some(caller) = &asked.caller {
        body.insert("user".to_owned(), caller.name.as_str().into());
    }
    Ok(Answer::json(json::pretty(&Value::Object(body), 2)))
}
