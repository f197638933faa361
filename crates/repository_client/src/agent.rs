//! An SSH agent: which keys it has, and their signatures (draft-ietf-sshm-ssh-agent, the two messages that are needed).

use repository::signature::{Algorithm, PublicKey, SignatureError, of_agent};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// How long an agent may take; some ask their user first.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of an agent's answer, at most.
const MAXIMUM_ANSWER: usize = 1 << 20;
/// Keys that are looked at, at most.
const MAXIMUM_KEYS: u32 = 1000;

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// RSA with SHA-256: without it an agent signs with SHA-1.
const RSA_SHA2_256: u32 = 2;

/// What went wrong with an agent.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// `SSH_AUTH_SOCK` is not set.
    #[error("there is no SSH agent: SSH_AUTH_SOCK is not set")]
    None,
    /// It does not answer.
    #[error("SSH agent at {path}: {source}")]
    Connection {
        /// Its socket.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It does not answer in time.
    #[error("the SSH agent does not answer within {} s", PATIENCE.as_secs())]
    TimedOut,
    /// What it answers is not of the protocol.
    #[error("the SSH agent's answer cannot be read")]
    Answer,
    /// It has the key and does not sign.
    #[error("the SSH agent refuses to sign with that key")]
    Refused,
    /// It does not have the key.
    #[error("the SSH agent has no key {0}; see ssh-add -l")]
    NoSuchKey(String),
    /// Its signature is of no use.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// An agent, by its socket.
#[derive(Clone, Debug)]
pub struct Agent {
    socket: PathBuf,
}

/// A key that an agent has.
#[derive(Clone, Debug)]
pub struct AgentKey {
    /// Its public half in the form of SSH.
    blob: Vec<u8>,
    /// What its owner calls it.
    pub comment: String,
    /// Its public half.
    pub public: PublicKey,
}

impl Agent {
    /// The agent behind a socket.
    pub fn at(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
        }
    }

    /// The one that `SSH_AUTH_SOCK` names.
    ///
    /// # Errors
    /// None is named.
    pub fn of_environment() -> Result<Self, AgentError> {
        let socket = std::env::var_os("SSH_AUTH_SOCK").filter(|socket| !socket.is_empty());
        socket.map(Self::at).ok_or(AgentError::None)
    }

    /// The keys it has, without those of kinds that sign nothing here.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn keys(&self) -> Result<Vec<AgentKey>, AgentError> {
        let answer = self.ask(&[REQUEST_IDENTITIES]).await?;
        let Some((&IDENTITIES_ANSWER, mut rest)) = answer.split_first() else {
            return Err(AgentError::Answer);
        };
        let count = take_number(&mut rest)?.min(MAXIMUM_KEYS);
        let mut keys = Vec::new();
        for _ in 0..count {
            let blob = take(&mut rest)?.to_vec();
            let comment = String::from_utf8_lossy(take(&mut rest)?).into_owned();
            let line = ssh_key::PublicKey::from_bytes(&blob).and_then(|key| key.to_openssh());
            if let Some(public) = line.ok().and_then(|line| PublicKey::parse(&line).ok()) {
                keys.push(AgentKey {
                    blob,
                    comment,
                    public,
                });
            }
        }
        Ok(keys)
    }

    /// The key with a fingerprint, in any of the forms of [`PublicKey::has_fingerprint`].
    ///
    /// # Errors
    /// It does not have it, or does not answer.
    pub async fn key(&self, fingerprint: &str) -> Result<AgentKey, AgentError> {
        let keys = self.keys().await?;
        let found = keys
            .into_iter()
            .find(|key| key.public.has_fingerprint(fingerprint));
        found.ok_or_else(|| AgentError::NoSuchKey(fingerprint.to_owned()))
    }

    /// Signs a text; RSA with SHA-256.
    ///
    /// # Errors
    /// It refuses, or does not answer.
    pub async fn sign(&self, key: &AgentKey, text: &[u8]) -> Result<(Algorithm, Vec<u8>), AgentError> {
        let mut message = vec![SIGN_REQUEST];
        put(&mut message, &key.blob);
        put(&mut message, text);
        message.extend_from_slice(&RSA_SHA2_256.to_be_bytes());
        let answer = self.ask(&message).await?;
        let Some((&SIGN_RESPONSE, mut rest)) = answer.split_first() else {
            return Err(AgentError::Refused);
        };
        Ok(of_agent(take(&mut rest)?)?)
    }

    async fn ask(&self, message: &[u8]) -> Result<Vec<u8>, AgentError> {
        match tokio::time::timeout(PATIENCE, exchange(&self.socket, message)).await {
            Err(_) => Err(AgentError::TimedOut),
            Ok(Err(source)) => Err(AgentError::Connection {
                path: self.socket.display().to_string(),
                source,
            }),
            Ok(Ok(None)) => Err(AgentError::Answer),
            Ok(Ok(Some(answer))) => Ok(answer),
        }
    }
}

/// One message, one answer; `None` if that is longer than any.
async fn exchange(socket: &Path, message: &[u8]) -> std::io::Result<Option<Vec<u8>>> {
    let mut stream = UnixStream::connect(socket).await?;
    let mut framed = Vec::new();
    put(&mut framed, message);
    stream.write_all(&framed).await?;
    let length = stream.read_u32().await? as usize;
    if length > MAXIMUM_ANSWER {
        return Ok(None);
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await?;
    Ok(Some(answer))
}

fn put(message: &mut Vec<u8>, part: &[u8]) {
    // Keys and texts that are signed are far shorter than 4 GiB.
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
    message.extend_from_slice(&length.to_be_bytes());
    message.extend_from_slice(part);
}

fn take_number(rest: &mut &[u8]) -> Result<u32, AgentError> {
    let (number, behind) = rest.split_first_chunk::<4>().ok_or(AgentError::Answer)?;
    *rest = behind;
    Ok(u32::from_be_bytes(*number))
}

fn take<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], AgentError> {
    let length = take_number(rest)? as usize;
    let (part, behind) = rest.split_at_checked(length).ok_or(AgentError::Answer)?;
    *rest = behind;
    Ok(part)
}
