//! Images of Docker and LXD: their parameters are checked as the original checks them, and then they are refused (imgapi.md §16).

use repository::access::{check_operator, check_owner};
use repository::error::FieldError;
use repository::{ApiError, Code, Result};

use crate::answer::Answer;
use crate::request::Asked;

/// `POST /images?action=import-docker-image`.
pub(super) fn import_docker(asked: &Asked) -> Result<Answer> {
    check_operator(asked.parameters.account()?)?;
    let given = |name| asked.parameters.get_nonempty(name).is_some();
    let mut problems = Vec::new();
    if !given("repo") {
        problems.push(FieldError::bare("repo", "MissingParameter"));
    }
    match (given("tag"), given("digest")) {
        (false, false) => {
            let message = "one of \"tag\" or \"digest\" is required";
            problems.push(FieldError::new("tag", "MissingParameter", message));
        }
        (true, true) => {
            problems.push(FieldError::invalid(
                "digest",
                "cannot specify both \"tag\" and \"digest\"",
            ));
        }
        _ => {}
    }
    asked.parameters.boolean("public")?;
    refused(problems, "Docker")
}

/// `POST /images?action=import-lxd-image`.
pub(super) fn import_lxd(asked: &Asked) -> Result<Answer> {
    check_operator(asked.parameters.account()?)?;
    let alias = asked.parameters.get_nonempty("alias");
    if alias.as_ref().is_some_and(|alias| !alias.contains(':')) {
        let message = "alias must be in the format \"registry:image\"";
        return Err(ApiError::invalid_parameter("alias", "Invalid", message));
    }
    let missing = || FieldError::bare("alias", "MissingParameter");
    refused(alias.is_none().then(missing).into_iter().collect(), "LXD")
}

/// `POST /images/UUID/push`.
pub(super) fn push(asked: &Asked) -> Result<Answer> {
    let catalogue = asked.state.catalogue();
    let entry = asked.visible_in(&catalogue, false)?;
    check_owner(entry.as_ref(), asked.parameters.account()?)?;
    if entry.kind() != Some("docker") {
        return Err(ApiError::validation_failed(
            "type",
            "Invalid",
            "image is not a docker image",
        ));
    }
    refused(Vec::new(), "Docker")
}

fn refused(problems: Vec<FieldError>, what: &str) -> Result<Answer> {
    if !problems.is_empty() {
        return Err(ApiError::with_errors(
            Code::ValidationFailed,
            "missing parameters",
            problems,
        ));
    }
    let message = format!("this server neither takes images from {what} registries nor sends them there");
    Err(ApiError::new(Code::NotSupported, message))
}
