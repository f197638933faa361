//! AdminImportImage (imgapi.md §13.1, §13.2).

use crate::error::{ApiError, Result};
use crate::json::{Object, Value};
use crate::manifest::create::{build, check_fields, check_origin, check_owner};
use crate::manifest::fields::IMPORT;
use crate::manifest::{Known, Mode, Record, Rules, upgrade};
use crate::uuid::Uuid;

/// What an import depends on besides its manifest.
#[derive(Clone, Copy, Debug)]
pub struct ImportRequest<'a> {
    /// Name of the image in the path.
    pub uuid: Uuid,
    /// Who calls: imports are for operators.
    pub account: Option<Uuid>,
    /// The effective channel, if the repository has channels.
    pub channel: Option<&'a str>,
    /// Whether owners that the directory of users lacks are taken.
    pub skip_owner_check: bool,
    /// Account of the administrator: owner of what has none, in datacenter mode.
    pub admin: Option<Uuid>,
    /// State of the image of that name, if there is one: placeholders are replaced.
    pub existing_state: Option<&'a str>,
    /// What the manifest comes from.
    pub from: Import,
}

/// Where a manifest comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Import {
    /// The request's body.
    Body,
    /// Another repository: its origin is not looked up, no placeholder is replaced.
    Source,
}

/// Makes the record of an imported image: not activated, its date of publication kept.
///
/// # Errors
/// The first of the checks of imgapi.md §13.1 that fails.
pub fn import(
    body: Option<&Value>,
    request: &ImportRequest<'_>,
    rules: &Rules,
    known: &dyn Known,
) -> Result<Record> {
    if request.account.is_some() {
        return Err(ApiError::operator_only());
    }
    let Some(Value::Object(body)) = body else {
        return Err(ApiError::missing_body());
    };
    check_uuid(body, request.uuid)?;
    let may_replace = request.from == Import::Body;
    match request.existing_state {
        Some("creating") if may_replace => {}
        Some(_) => return Err(ApiError::already_exists(request.uuid)),
        None => {}
    }
    let mut body = body.clone();
    if rules.mode == Mode::Datacenter {
        // Elsewhere the owner is set first, and then the original no longer takes it for an old manifest.
        upgrade::upgrade(&mut body);
    }
    if request.from == Import::Body {
        check_origin(&body, known)?;
    }
    if !set_owner(&mut body, request, rules) && !request.skip_owner_check {
        check_owner(&body, rules, known)?;
    }
    if body.get("published_at").is_some_and(|date| !date.is_string()) {
        return Err(ApiError::invalid_parameter(
            "published_at",
            "Invalid",
            "invalid \"published_at\"",
        ));
    }
    check_fields(&body, IMPORT)?;
    // Not the original's: a manifest as it is answered by a repository can be imported as it is.
    body.shift_remove("icon");
    body.shift_remove("state");
    build(body, request.channel, rules)
}

fn check_uuid(body: &Object, uuid: Uuid) -> Result<()> {
    let Some(given) = body.get("uuid").filter(|given| !given.is_null()) else {
        return Err(ApiError::invalid_parameter(
            "uuid",
            "MissingParameter",
            "missing \"uuid\"",
        ));
    };
    if given.as_str().and_then(Uuid::parse) == Some(uuid) {
        return Ok(());
    }
    let given = crate::json::to_text(given);
    let message = format!("URL UUID, \"{uuid}\" and body UUID, \"{given}\" do not match");
    Err(ApiError::invalid_parameter("uuid", "Invalid", message))
}

/// Gives it the owner that imports have here; true if that was done.
fn set_owner(body: &mut Object, request: &ImportRequest<'_>, rules: &Rules) -> bool {
    let is_nil = body.get("owner").and_then(Value::as_str).and_then(Uuid::parse) == Some(Uuid::NIL);
    let owner = match (rules.mode, request.admin) {
        (Mode::Public | Mode::Private, _) => Uuid::NIL,
        (Mode::Datacenter, Some(admin)) if is_nil => admin,
        (Mode::Datacenter, _) => return false,
    };
    body.insert("owner".to_owned(), owner.to_string().into());
    true
}
