//! Who looks at a page, as far as a cookie tells.

use std::time::SystemTime;

use crate::state::Shared;
use actix_web::HttpRequest;
use actix_web::http::header;

/// The cookie with the token. Cookies know no ports: other daemons of this host get it too, and nobody else.
const COOKIE: &str = "imaginator-page-token";
/// Characters of a cookie that is looked at.
const COOKIE_MOST: usize = 4_096;

/// See the module's text.
#[derive(Clone, Default)]
pub(in crate::pages) struct Visitor {
    /// Empty if none was given.
    token: String,
}

impl Visitor {
    pub(in crate::pages) fn of(request: &HttpRequest) -> Self {
        let cookies = request.headers().get_all(header::COOKIE);
        let mut pairs = cookies
            .filter_map(|cookies| cookies.to_str().ok())
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|pair| pair.trim().split_once('='));
        let token = pairs.find(|(name, value)| *name == COOKIE && value.len() <= COOKIE_MOST);
        Self {
            token: token.map(|(_, value)| value.to_owned()).unwrap_or_default(),
        }
    }

    /// Somebody with a token.
    pub(super) fn with(token: &str) -> Self {
        Self {
            token: token.to_owned(),
        }
    }

    /// The name of whoever got the token, if it is good for a method.
    pub(super) fn may(&self, shared: &Shared, method: &str) -> Option<String> {
        if self.token.is_empty() {
            return None;
        }
        shared.tokens.check(&self.token, method, SystemTime::now()).ok()
    }

    /// What a form of our own pages has in its body, and nobody can have who cannot read our pages or the cookie.
    pub(super) fn proof(&self) -> String {
        let text = format!("a form of the image builder, {}", self.token);
        hex::encode(openssl::sha::sha256(text.as_bytes()))
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// The header that keeps the token: no script reads it, no other site sends it, and it goes when the browser ends.
    pub(super) fn cookie(&self) -> String {
        format!("{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict", self.token)
    }

    /// The header that takes it away.
    pub(super) fn no_cookie() -> String {
        format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0")
    }
}
