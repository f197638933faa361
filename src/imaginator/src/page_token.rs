//! Short-lived tokens that let a page change something, in the place of a client certificate, which a page never sees.
//!
//! A token says who got it, until when it is good and for which methods, and is sealed with a key that lives as long as the
//! process. Who has it may do on the pages what the methods do.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::memcmp;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;

/// How long a token is good unless asked otherwise.
pub(crate) const USUAL_LIFE: Duration = Duration::from_secs(3600);
/// The longest life of a token: it is a secret that goes unencrypted, so no longer than it takes to do something.
pub(crate) const LONGEST_LIFE: Duration = Duration::from_secs(3600);
/// Tokens taken back that are remembered until they expire; beyond that, those that expire first are not.
const REVOKED_MOST: usize = 10_000;
/// Longest token that is looked at, in bytes.
const TOKEN_BYTES_MOST: usize = 4096;
/// Bytes of the key.
const KEY_BYTES: usize = 32;
/// Hexadecimal digits of the seal: SHA-256.
const SEAL_DIGITS: usize = 64;

/// Makes tokens and looks at them.
pub(crate) struct PageTokens {
    key: PKey<Private>,
    /// Taken back: when each expires, and its seal.
    revoked: Mutex<BTreeSet<(u64, String)>>,
}

/// What a token of ours says.
struct Opened<'t> {
    username: &'t str,
    expires_at: u64,
    methods: &'t str,
    seal: &'t str,
}

/// Why a token is not good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    /// Not one of ours, changed, or of an earlier run.
    #[error("this token is not one of this process: get one with builder-tool get-page-token")]
    Unknown,
    /// Its time is over.
    #[error("this token has expired: get another with builder-tool get-page-token")]
    Expired,
    /// Somebody pressed *forget the token*.
    #[error("this token was taken back: get another with builder-tool get-page-token")]
    Revoked,
    /// Good for other methods.
    #[error("this token is not good for {0}")]
    OtherMethod(String),
}

impl PageTokens {
    /// With a new key.
    pub(crate) fn new() -> Result<Self, ErrorStack> {
        let mut key = [0; KEY_BYTES];
        openssl::rand::rand_bytes(&mut key)?;
        Ok(Self {
            key: PKey::hmac(&key)?,
            revoked: Mutex::default(),
        })
    }

    /// A token for these methods of the service `Imaginator`, without its name.
    pub(crate) fn issue(
        &self,
        username: &str,
        methods: &[String],
        expires_at: SystemTime,
    ) -> Result<String, ErrorStack> {
        let seconds = unix_seconds(expires_at);
        let body = format!("{}.{seconds}.{}", hex::encode(username), methods.join("+"));
        let seal = self.seal(&body)?;
        Ok(format!("{body}.{seal}"))
    }

    /// The name of whoever got this token, if it is good for `method` at `now`.
    pub(crate) fn check(&self, token: &str, method: &str, now: SystemTime) -> Result<String, TokenError> {
        let opened = self.open(token)?;
        if unix_seconds(now) >= opened.expires_at {
            return Err(TokenError::Expired);
        }
        let sealed = (opened.expires_at, opened.seal.to_owned());
        // Whoever panicked there left a set that is whole.
        let revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        if revoked.contains(&sealed) {
            return Err(TokenError::Revoked);
        }
        drop(revoked);
        if !opened.methods.split('+').any(|known| known == method) {
            return Err(TokenError::OtherMethod(method.to_owned()));
        }
        let username = hex::decode(opened.username).map_err(|_| TokenError::Unknown)?;
        String::from_utf8(username).map_err(|_| TokenError::Unknown)
    }

    /// A token is good for nothing any more, wherever else it is. One that is not ours never was.
    pub(crate) fn revoke(&self, token: &str, now: SystemTime) {
        let Ok(opened) = self.open(token) else { return };
        let now = unix_seconds(now);
        let mut revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        revoked.retain(|(expires_at, _)| *expires_at > now);
        revoked.insert((opened.expires_at, opened.seal.to_owned()));
        if revoked.len() > REVOKED_MOST {
            revoked.pop_first();
        }
    }

    /// What a token says, if it is ours.
    fn open<'t>(&self, token: &'t str) -> Result<Opened<'t>, TokenError> {
        let token = token.trim();
        if token.len() > TOKEN_BYTES_MOST {
            return Err(TokenError::Unknown);
        }
        let (body, seal) = token.rsplit_once('.').ok_or(TokenError::Unknown)?;
        let ours = self.seal(body).map_err(|_| TokenError::Unknown)?;
        // In a time that does not depend on where they differ; it panics where lengths do.
        if seal.len() != SEAL_DIGITS || !memcmp::eq(seal.as_bytes(), ours.as_bytes()) {
            return Err(TokenError::Unknown);
        }
        let parts: Vec<&str> = body.split('.').collect();
        let [username, seconds, methods] = parts.as_slice() else {
            return Err(TokenError::Unknown);
        };
        Ok(Opened {
            username,
            expires_at: seconds.parse().map_err(|_| TokenError::Unknown)?,
            methods,
            seal,
        })
    }

    fn seal(&self, body: &str) -> Result<String, ErrorStack> {
        let mut signer = Signer::new(MessageDigest::sha256(), &self.key)?;
        Ok(hex::encode(signer.sign_oneshot_to_vec(body.as_bytes())?))
    }
}

fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn token(tokens: &PageTokens) -> String {
        let methods = ["BuildImage".to_owned(), "CancelBuild".to_owned()];
        tokens.issue("zoë.b", &methods, at(100)).unwrap()
    }

    #[test]
    fn a_token_is_good_for_its_methods_until_its_time_is_over() {
        let tokens = PageTokens::new().unwrap();
        let token = token(&tokens);
        assert_eq!(tokens.check(&token, "BuildImage", at(99)).unwrap(), "zoë.b");
        assert_eq!(
            tokens
                .check(&format!(" {token}\n"), "CancelBuild", at(0))
                .unwrap(),
            "zoë.b"
        );
        assert_eq!(
            tokens.check(&token, "BuildImage", at(100)),
            Err(TokenError::Expired)
        );
        assert_eq!(
            tokens.check(&token, "StartAutoBuilds", at(0)),
            Err(TokenError::OtherMethod("StartAutoBuilds".to_owned()))
        );
    }

    #[test]
    fn a_token_that_was_taken_back_is_good_for_nothing_and_others_stay_good() {
        let tokens = PageTokens::new().unwrap();
        let token = token(&tokens);
        let methods = ["BuildImage".to_owned()];
        let other = tokens.issue("fred", &methods, at(100)).unwrap();
        tokens.revoke(&format!("{token} "), at(50));
        tokens.revoke("nonsense", at(50));
        assert_eq!(
            tokens.check(&token, "BuildImage", at(60)),
            Err(TokenError::Revoked)
        );
        assert_eq!(tokens.check(&other, "BuildImage", at(60)).unwrap(), "fred");
        // What has expired is not remembered.
        tokens.revoke(&tokens.issue("fred", &methods, at(300)).unwrap(), at(200));
        assert_eq!(tokens.revoked.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_token_that_was_changed_or_is_of_another_process_is_unknown() {
        let tokens = PageTokens::new().unwrap();
        let good = token(&tokens);
        for at_byte in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[at_byte] ^= 1;
            let changed = String::from_utf8(bytes).unwrap();
            assert!(tokens.check(&changed, "BuildImage", at(0)).is_err(), "{changed}");
        }
        let other = PageTokens::new().unwrap();
        assert_eq!(other.check(&good, "BuildImage", at(0)), Err(TokenError::Unknown));
        let long = "x".repeat(TOKEN_BYTES_MOST + 1);
        for nonsense in ["", ".", "...", "a.1.BuildImage.", &long] {
            assert_eq!(
                tokens.check(nonsense, "BuildImage", at(0)),
                Err(TokenError::Unknown)
            );
        }
    }
}
