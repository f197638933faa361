//! Who asks.

use repository::signature::{PublicKey, SignatureError, SigningKey, authorization};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{Agent, AgentError, AgentKey, ClientError};

/// Bytes of a key file, at most.
const MAXIMUM_KEY_FILE: u64 = 64 << 10;

/// Who asks, and how it is proven.
#[derive(Clone)]
pub enum Auth {
    /// Nobody: reading open repositories, and everything where nothing is checked.
    None,
    /// A user with a private key in memory.
    Key {
        /// Name of the user.
        user: String,
        /// The key.
        key: Arc<SigningKey>,
    },
    /// A user whose key an SSH agent has.
    Agent {
        /// Name of the user.
        user: String,
        /// The agent.
        agent: Agent,
        /// Which of its keys.
        key: Arc<AgentKey>,
    },
}

/// Why an identity cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Its file cannot be read.
    #[error("identity {path}: {source}")]
    File {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// What is in the file is no key.
    #[error("identity {path}: {source}")]
    Key {
        /// Which file.
        path: String,
        /// Why.
        source: SignatureError,
    },
    /// The agent does not have it.
    #[error("identity {identity}{}: {source}", if *.is_file { "" } else { " is no file, and no key of an SSH agent" })]
    Agent {
        /// What was given.
        identity: String,
        /// Whether that is a file, whose private half only the agent can have.
        is_file: bool,
        /// Why.
        source: AgentError,
    },
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("nobody"),
            Self::Key { user, key } => write!(f, "{user} with {:?}", key.public()),
            Self::Agent { user, key, .. } => write!(f, "{user} with {:?} of the agent", key.public),
        }
    }
}

impl Auth {
    /// A user with a private key.
    pub fn key(user: impl Into<String>, key: SigningKey) -> Self {
        Self::Key {
            user: user.into(),
            key: Arc::new(key),
        }
    }

    /// A user with a key that is named as people name keys: a file (the private one; of an encrypted or public one the agent
    /// has the private half), or a fingerprint, `SHA256:…` or `aa:bb:…`, of a key of the agent. `agent` is asked where it is
    /// needed; `None` for the one of the environment.
    ///
    /// # Errors
    /// There is no such file or key.
    pub async fn of_identity(
        user: impl Into<String>,
        identity: &str,
        agent: Option<Agent>,
    ) -> Result<Self, IdentityError> {
        let user = user.into();
        let (fingerprint, is_file) = match read_key_file(Path::new(identity))? {
            Some(text) => match parse_key_file(Path::new(identity), &text)? {
                InFile::Private(key) => return Ok(Self::key(user, *key)),
                InFile::Public(key) => (key.fingerprint().to_owned(), true),
            },
            None => (identity.to_owned(), false),
        };
        let failed = |source| IdentityError::Agent {
            identity: identity.to_owned(),
            is_file,
            source,
        };
        let agent = match agent {
            Some(agent) => agent,
            None => Agent::of_environment().map_err(failed)?,
        };
        let key = Arc::new(agent.key(&fingerprint).await.map_err(failed)?);
        Ok(Self::Agent { user, agent, key })
    }

    /// Name of the user.
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Key { user, .. } | Self::Agent { user, .. } => Some(user),
        }
    }

    /// The `Authorization` header over a text that was made of `names`; `None` for nobody.
    pub(crate) async fn authorization(
        &self,
        text: &str,
        names: &[String],
    ) -> Result<Option<String>, ClientError> {
        let (user, algorithm, signature) = match self {
            Self::None => return Ok(None),
            Self::Key { user, key } => (user, key.algorithm(), key.sign(text.as_bytes())?),
            Self::Agent { user, agent, key } => {
                let (algorithm, signature) = agent.sign(key, text.as_bytes()).await?;
                (user, algorithm, signature)
            }
        };
        Ok(Some(authorization(user, algorithm, names, &signature)))
    }
}

enum InFile {
    Private(Box<SigningKey>),
    Public(PublicKey),
}

fn parse_key_file(path: &Path, text: &str) -> Result<InFile, IdentityError> {
    let failed = |source| IdentityError::Key {
        path: path.display().to_string(),
        source,
    };
    if let Ok(key) = PublicKey::parse(text.trim()) {
        return Ok(InFile::Public(key));
    }
    match SigningKey::parse(text) {
        Ok(key) => Ok(InFile::Private(Box::new(key))),
        // Its public half lies beside it, and the agent may have it.
        Err(SignatureError::Encrypted) => {
            let mut beside = path.as_os_str().to_owned();
            beside.push(".pub");
            let public = read_key_file(&PathBuf::from(beside)).ok().flatten();
            let public = public.and_then(|text| PublicKey::parse(text.trim()).ok());
            public
                .map(InFile::Public)
                .ok_or_else(|| failed(SignatureError::Encrypted))
        }
        Err(error) => Err(failed(error)),
    }
}

/// The text of a key file; `None` if there is no such file, and so it may be a fingerprint.
fn read_key_file(path: &Path) -> Result<Option<String>, IdentityError> {
    use std::io::Read;
    let read = || -> std::io::Result<String> {
        let mut text = String::new();
        std::fs::File::open(path)?
            .take(MAXIMUM_KEY_FILE)
            .read_to_string(&mut text)?;
        Ok(text)
    };
    match read() {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(IdentityError::File {
            path: path.display().to_string(),
            source,
        }),
    }
}
