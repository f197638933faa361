//! How a failure is told: a line for people on stderr, as the original's client writes it, what would help, an exit code.

use std::io::ErrorKind;
use std::process::ExitCode;

use repository_client::{Auth, ClientError, IdentityError};

use crate::session::Session;

/// The work failed.
const FAILED: u8 = 1;
/// The command line makes no sense; also what its parser exits with.
const WRONG_USE: u8 = 2;
/// What was named is not there.
const NOT_THERE: u8 = 3;
/// Not for this caller.
const NOT_ALLOWED: u8 = 4;
/// As shells show a program that ended by SIGINT.
const INTERRUPTED: u8 = 130;

/// A request that can be refused from its arguments alone.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct WrongUse(pub(crate) String);

/// A failure with the command that would help.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub(crate) struct WithHelp {
    #[source]
    pub(crate) error: anyhow::Error,
    /// Printed behind `try: `.
    pub(crate) help: String,
}

/// Ctrl-C or SIGTERM.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

/// The exit code of a verb.
pub(crate) fn code(result: anyhow::Result<()>, session: Option<&Session>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads our output any more.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => report(&error, session),
    }
}

/// Prints `imgapi-cli: error (CODE): what` and what would help, and picks the exit code.
pub(crate) fn report(error: &anyhow::Error, session: Option<&Session>) -> ExitCode {
    let client = find::<ClientError>(error);
    let said = match find::<WithHelp>(error) {
        Some(with_help) => human::with_causes(with_help.error.as_ref()),
        None => human::with_causes(error.as_ref()),
    };
    let refusal = client.and_then(ClientError::refusal);
    match refusal.filter(|refusal| !refusal.code.is_empty() && said.starts_with(&refusal.message)) {
        Some(refusal) => eprintln!("imgapi-cli: error ({}): {}", refusal.code, refusal.message),
        None => match (client, session) {
            // Who was asked is the first thing to look at.
            (Some(ClientError::Connection(_)), Some(session)) => {
                eprintln!("imgapi-cli: error: {}: {said}", session.client.url());
            }
            _ => eprintln!("imgapi-cli: error: {said}"),
        },
    }
    for problem in refusal
        .map(|refusal| refusal.problems.as_slice())
        .unwrap_or_default()
    {
        eprintln!("  {problem}");
    }
    if let (Some(session), Some(refusal)) = (session.filter(|session| session.is_debugging), refusal) {
        let id = refusal.request_id.as_deref().unwrap_or("unknown");
        eprintln!(
            "  {} answered {}, request {id}",
            session.client.url(),
            refusal.status
        );
    }
    let help = find::<WithHelp>(error).map(|with_help| with_help.help.clone());
    if let Some(help) = help.or_else(|| client.and_then(|client| help_for(client, session))) {
        eprintln!("try: {help}");
    }
    ExitCode::from(code_of(error))
}

fn find<T: std::error::Error + Send + Sync + 'static>(error: &anyhow::Error) -> Option<&T> {
    // A failure with help keeps its own failure as an `anyhow::Error`, whose chain goes on behind it.
    error.chain().find_map(|cause| {
        let direct = cause.downcast_ref::<T>();
        direct.or_else(|| {
            cause
                .downcast_ref::<WithHelp>()
                .and_then(|inner| inner.error.downcast_ref::<T>())
        })
    })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    find::<std::io::Error>(error).is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

fn code_of(error: &anyhow::Error) -> u8 {
    if find::<WrongUse>(error).is_some() {
        return WRONG_USE;
    }
    if find::<Interrupted>(error).is_some() {
        return INTERRUPTED;
    }
    if let Some(IdentityError::Agent { is_file: false, .. }) = find(error) {
        return NOT_THERE;
    }
    if let Some(client) = find::<ClientError>(error) {
        match (client, client.status(), client.code()) {
            (_, Some(401 | 403), _) | (_, _, Some("NotImageOwner" | "NotMantaPathOwner")) => {
                return NOT_ALLOWED;
            }
            (_, Some(404), _) => return NOT_THERE,
            _ => {}
        }
    }
    match find::<std::io::Error>(error).map(std::io::Error::kind) {
        Some(ErrorKind::NotFound) => NOT_THERE,
        Some(ErrorKind::PermissionDenied) => NOT_ALLOWED,
        _ => FAILED,
    }
}

/// What would help, by what the repository says.
fn help_for(error: &ClientError, session: Option<&Session>) -> Option<String> {
    if matches!(error, ClientError::Connection(said) if said.starts_with("cannot connect")) {
        return Some("--url, if the repository is elsewhere".to_owned());
    }
    let user = session.and_then(|session| match session.client.auth() {
        Auth::None => None,
        Auth::Key { user, .. } | Auth::Agent { user, .. } => Some(user),
    });
    let help = match (error, error.code()?) {
        (_, "UnauthorizedError") => match user {
            None => "--user NAME --identity KEY, with the public half of KEY in the repository's NAME.keys"
                .to_owned(),
            Some(user) => {
                format!(
                    "another --user or --identity, if the key is not one of the repository's {user}.keys; or is the clock of this host wrong?"
                )
            }
        },
        // As the repository says it of what there is, only not for this caller.
        (error, "ResourceNotFound") if error.refusal().is_some_and(|refusal| refusal.message == "image not found") => {
            "-C '*', if it may be on another channel; an --account sees what is its own, public or shared with it".to_owned()
        }
        (error, "NotAvailable") if error.refusal().is_some_and(|refusal| refusal.message.contains("image creation")) => {
            "allowLocalCreateImageFromVm, imageServer, imaginator and buildTargets in the repository's configuration".to_owned()
        }
        (_, "StorageUnsupported") => "without the object store: export --to DIRECTORY".to_owned(),
        (_, "NoActivationNoFile") => "imgapi-cli add-file UUID -f FILE, then activate".to_owned(),
        (_, "ImageHasDependentImages") => {
            "imgapi-cli delete of those first, or imgapi-cli disable".to_owned()
        }
        (_, "ImageUuidAlreadyExists") => {
            "imgapi-cli get UUID, which may be on another channel: -C '*'".to_owned()
        }
        (_, "ServiceUnavailableError") => "the same a little later".to_owned(),
        (_, "OperatorOnly") => "without --account".to_owned(),
        _ => return None,
    };
    Some(help)
}
