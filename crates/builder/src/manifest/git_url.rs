//! The URL of a repository, and who asks for it, taken apart.
//!
//! git gives a URL to the programs it starts among their arguments, which every user of the host can read. What stands before the host of
//! an HTTP URL is therefore taken out of it. git asks for it when a server does, and is answered by a line of shell that says what is in
//! two variables of its environment, which only this user can read. Nothing of it is in any file.

use std::collections::BTreeMap;
use std::process::Command;

use recipe::Secrets;

use crate::step_error::StepError;

/// Environment variables of git with what its helper says.
const USER: &str = "IMAGEWRIGHT_GIT_USER";
/// See [`USER`].
const PASSWORD: &str = "IMAGEWRIGHT_GIT_PASSWORD";
/// What git runs when it needs a password. `printf` is a part of the shell, so that what it prints is no argument of a program.
const HELPER: &str = "!f() { if [ \"$1\" = get ]; then printf 'username=%s\\npassword=%s\\n' \"$IMAGEWRIGHT_GIT_USER\" \
                      \"$IMAGEWRIGHT_GIT_PASSWORD\"; fi; }; f";

/// Where a repository is, and as whom it is asked for.
pub(super) struct GitUrl {
    /// Without what was before the host, if it is an HTTP URL.
    pub(super) bare: String,
    login: Option<Login>,
    /// What must not be said of it.
    hidden: Secrets,
}

/// User and password.
struct Login {
    user: String,
    password: String,
    /// Scheme and host: nobody else is given the password, wherever a server sends us.
    server: String,
}

impl GitUrl {
    /// # Errors
    /// It cannot be a URL, or has a password which its way to the server has no place for.
    pub(super) fn parse(url: &str) -> Result<Self, StepError> {
        if url.is_empty() || url.chars().any(char::is_control) {
            return Err(StepError::wrong("the URL of the manifest is empty, or no URL"));
        }
        let whole = |bare: &str| Self {
            bare: bare.to_owned(),
            login: None,
            hidden: Secrets::default(),
        };
        let Some((scheme, rest)) = url.split_once("://") else {
            return Ok(whole(url));
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let Some((login, host)) = authority.rsplit_once('@') else {
            return Ok(whole(url));
        };
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        if !["http", "https"].contains(&scheme) {
            if password.is_empty() {
                return Ok(whole(url));
            }
            return Err(StepError::wrong(format!(
                "a URL with a password has to begin with https:// or http://: {scheme}:// has no use for one"
            )));
        }
        // A token may stand in the place of the user.
        let secret = if password.is_empty() { user } else { password };
        let decoded = [user, password].map(decode);
        if decoded.iter().flat_map(|text| text.chars()).any(char::is_control) {
            return Err(StepError::wrong(
                "the user or password in the URL has control characters",
            ));
        }
        let hidden = [("as written", secret.to_owned()), ("as sent", decode(secret))];
        let hidden = hidden.map(|(name, value)| (name.to_owned(), value));
        let [user, password] = decoded;
        let server = format!("{scheme}://{host}");
        Ok(Self {
            bare: format!("{server}{path}"),
            login: Some(Login {
                user,
                password,
                server,
            }),
            hidden: Secrets::new(BTreeMap::from(hidden)),
        })
    }

    /// Whether the repository is a directory of this host.
    pub(super) fn is_local(&self) -> bool {
        self.bare.starts_with('/') || self.bare.starts_with("file:")
    }

    /// Without the password, whether it came from a variable or not.
    pub(super) fn redact(&self, text: &[u8]) -> Vec<u8> {
        self.hidden.redact(text).into_owned()
    }

    /// Settings that name the repository `origin` and say how to get a password for it. Settings of the system that keep passwords, or
    /// know others, do not count then.
    pub(super) fn settings(&self) -> Vec<(String, String)> {
        let mut settings = vec![("remote.origin.url".to_owned(), self.bare.clone())];
        if let Some(login) = &self.login {
            settings.push(("credential.helper".to_owned(), String::new()));
            settings.push((format!("credential.{}.helper", login.server), HELPER.to_owned()));
        }
        settings
    }

    /// Gives git what its helper will say.
    pub(super) fn give_login(&self, command: &mut Command) {
        if let Some(login) = &self.login {
            command.env(USER, &login.user).env(PASSWORD, &login.password);
        }
    }
}

/// With the bytes that `%XX` stands for, as git does it: what is no such escape stays.
fn decode(text: &str) -> String {
    let mut decoded = Vec::new();
    let mut left = text.as_bytes();
    while let Some((&byte, rest)) = left.split_first() {
        let digits = rest
            .get(..2)
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let escaped = digits
            .filter(|_| byte == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(escaped.unwrap_or(byte));
        left = if escaped.is_some() { &rest[2..] } else { rest };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> (String, Option<(String, String, String)>) {
        let url = GitUrl::parse(url).unwrap();
        let login = url.login.map(|login| (login.user, login.password, login.server));
        (url.bare, login)
    }

    fn login(user: &str, password: &str, server: &str) -> Option<(String, String, String)> {
        Some((user.to_owned(), password.to_owned(), server.to_owned()))
    }

    #[test]
    fn user_and_password_are_taken_out_of_http_urls_and_nothing_of_others() {
        assert_eq!(
            parsed("https://me:p%40ss%zz@wo:rd@host:8443/a@b?c"),
            (
                "https://host:8443/a@b?c".to_owned(),
                login("me", "p@ss%zz@wo:rd", "https://host:8443")
            )
        );
        assert_eq!(
            parsed("http://token@[::1]:80"),
            (
                "http://[::1]:80".to_owned(),
                login("token", "", "http://[::1]:80")
            )
        );
        for url in [
            "https://host/a@b",
            "ssh://someone@host/x",
            "someone@host:x/y",
            "/a/b@c",
            "file:///a:b@c",
        ] {
            assert_eq!(parsed(url), (url.to_owned(), None));
        }
    }

    #[test]
    fn a_password_that_nobody_asks_for_or_that_is_two_lines_is_refused() {
        for url in [
            "ssh://me:secret@host/x",
            "https://me:a%0ab@host/x",
            "",
            "http://a\nb",
        ] {
            let error = GitUrl::parse(url).err().unwrap().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_password_of_a_url_is_found_wherever_it_came_from() {
        let redacted = |url: &str| {
            let text = GitUrl::parse(url).unwrap().redact(url.as_bytes());
            String::from_utf8(text).unwrap()
        };
        assert_eq!(
            redacted("https://me:pass-word@host/a@b"),
            "https://me:***@host/a@b"
        );
        assert_eq!(redacted("https://me:pass%21word@host/"), "https://me:***@host/");
        assert_eq!(redacted("https://some-token@host/x"), "https://***@host/x");
        assert_eq!(redacted("https://some-token:@host/x"), "https://***:@host/x");
        assert_eq!(
            redacted("ssh://someone@host/x"),
            "ssh://someone@host/x",
            "a name is no secret"
        );
        assert_eq!(redacted("someone@host:x/y"), "someone@host:x/y");
    }
}
