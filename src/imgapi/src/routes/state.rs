//! `GET /state` (imgapi.md §17).

use repository::json::{self, Object, Value};

use crate::answer::Answer;
use crate::request::Asked;

/// What test scripts read of it. The two caches of the original have names and nothing in them: the snapshot answers faster. The
/// original shows every record here; a hundred thousand of them would be no answer, so their number is shown.
pub(super) fn answer(asked: &Asked) -> Answer {
    let object = |entries: Vec<(&str, Value)>| {
        let entries = entries.into_iter().map(|(key, value)| (key.to_owned(), value));
        Value::Object(entries.collect::<Object>())
    };
    let cache = |name: &str| object(vec![("name", name.into()), ("items", object(Vec::new()))]);
    let storages: Vec<Value> = if asked.settings.stores_in_manta {
        vec!["manta".into(), "local".into()]
    } else {
        vec!["local".into()]
    };
    let mut entries = vec![
        (
            "cache",
            object(vec![
                ("ImageGet", cache("ImageGet")),
                ("ImageList", cache("ImageList")),
            ]),
        ),
        ("log", object(vec![("level", asked.settings.log_level.into())])),
        ("storageTypes", Value::Array(storages)),
        (
            "db",
            object(vec![("images", asked.state.catalogue().len().into())]),
        ),
    ];
    // An addition, there only when there is something to be told.
    let problems = asked.state.problems();
    if !problems.is_empty() {
        entries.push(("problems", problems.into()));
    }
    Answer::json(json::pretty(&object(entries), 2))
}
