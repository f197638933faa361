//! One request: its address, its signature, its answer or the error in it.

use repository::dates;
use repository::json::{self, Value};
use repository::signature::{SignedRequest, signing_string};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, Response, Url};
use serde_json::from_slice;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::pulse::Pulse;
use crate::{Auth, Client, ClientError, Image, Refusal};

/// Bytes of an answer that is not a list, at most: a manifest has 4 MiB at most.
pub(crate) const MAXIMUM_ANSWER: usize = 64 << 20;
/// Bytes of an error's body that are read.
const MAXIMUM_ERROR: usize = 1 << 20;

/// What a request carries.
pub(crate) enum Body {
    None,
    Json(String),
    /// A few bytes of a type, such as an icon.
    Bytes(Vec<u8>, String),
    /// A file as it is read; bytes, if they are known before.
    Stream(reqwest::Body, Option<u64>, Arc<Pulse>),
}

/// A request before it is sent.
pub(crate) struct Call<'a> {
    method: Method,
    path: String,
    query: Vec<(&'a str, String)>,
    headers: Vec<(HeaderName, String)>,
    body: Body,
    is_long: bool,
}

impl<'a> Call<'a> {
    fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::None,
            is_long: false,
        }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    pub(crate) fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path)
    }

    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    pub(crate) fn with(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// A parameter that may be absent.
    pub(crate) fn with_some(self, name: &'a str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// A parameter that is there if it is true.
    pub(crate) fn with_flag(self, name: &'a str, is_set: bool) -> Self {
        if is_set { self.with(name, "true") } else { self }
    }

    pub(crate) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn json(mut self, value: &Value) -> Self {
        self.body = Body::Json(json::compact(value));
        self
    }

    pub(crate) fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// The repository fetches, copies or exports before it answers.
    pub(crate) fn long(mut self) -> Self {
        self.is_long = true;
        self
    }
}

impl Client {
    /// Sends a request; an answer that says no is an error. The body of the answer is not read yet.
    pub(crate) async fn send(&self, call: Call<'_>) -> Result<Response, ClientError> {
        let url = self.url_of(&call)?;
        self.send_to(url, call, true).await
    }

    /// The same to any address; a signature goes to this client's own repository only.
    pub(crate) async fn send_to(
        &self,
        url: Url,
        call: Call<'_>,
        is_signed: bool,
    ) -> Result<Response, ClientError> {
        let mut request = reqwest::Request::new(call.method.clone(), url);
        self.set_headers(&mut request, &call)?;
        let (mut pulse, mut patience) = (None, self.options.answer_timeout);
        if call.is_long {
            patience = self.options.long_answer_timeout;
        }
        let headers = request.headers_mut();
        let typed = |text: &str| HeaderValue::from_str(text).map_err(|_| bad_header("content-type", text));
        match call.body {
            Body::None => {
                // Servers want a length with these methods, even if there is nothing.
                if matches!(call.method, Method::POST | Method::PUT) {
                    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
                }
            }
            Body::Json(text) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
                *request.body_mut() = Some(text.into());
            }
            Body::Bytes(bytes, kind) => {
                headers.insert(CONTENT_TYPE, typed(&kind)?);
                *request.body_mut() = Some(bytes.into());
            }
            Body::Stream(body, length, its_pulse) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
                if let Some(length) = length {
                    headers.insert(CONTENT_LENGTH, length.into());
                }
                *request.body_mut() = Some(body);
                pulse = Some(its_pulse);
            }
        }
        if is_signed {
            self.sign(&mut request).await?;
        }
        let sending = self.http.execute(request);
        let answered = match pulse {
            Some(pulse) => pulse.guard(sending, self.options.idle_timeout, patience).await?,
            None => {
                let what = "waiting for the repository's answer";
                let timed_out = |_| ClientError::TimedOut { what, patience };
                tokio::time::timeout(patience, sending).await.map_err(timed_out)?
            }
        };
        self.check(answered.map_err(ClientError::of_connection)?).await
    }

    fn url_of(&self, call: &Call<'_>) -> Result<Url, ClientError> {
        let account = self.options.account.map(|account| account.to_string());
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        // What the call itself says goes before what goes with every call.
        let says = |name: &str| call.query.iter().any(|(known, _)| *known == name);
        if let Some(account) = account.as_deref().filter(|_| !says("account")) {
            pairs.push(("account", account));
        }
        pairs.extend(call.query.iter().map(|(name, value)| (*name, value.as_str())));
        let text = if says("channel") {
            self.on_channel(None).source.url(&call.path, &pairs)
        } else {
            self.source.url(&call.path, &pairs)
        };
        Url::parse(&text).map_err(|error| ClientError::Address(format!("{text}: {error}")))
    }

    fn set_headers(&self, request: &mut reqwest::Request, call: &Call<'_>) -> Result<(), ClientError> {
        let mut headers = vec![
            (reqwest::header::ACCEPT, "application/json, */*"),
            // Without it a repository speaks version 1, which has no channels.
            (HeaderName::from_static("accept-version"), "*"),
        ];
        if let Some(id) = &self.options.request_id {
            headers.push((HeaderName::from_static("x-request-id"), id));
        }
        let own = call
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str()));
        for (name, value) in headers.into_iter().chain(own) {
            let parsed = HeaderValue::from_str(value).map_err(|_| bad_header(name.as_str(), value))?;
            request.headers_mut().insert(name, parsed);
        }
        Ok(())
    }

    /// Signs date and request line, so that nobody who sees a request can make another one of it. Where the repository is
    /// below a path a proxy may have put it there and the line may change on its way: the date alone, as the original's client does.
    async fn sign(&self, request: &mut reqwest::Request) -> Result<(), ClientError> {
        if matches!(self.auth, Auth::None) {
            return Ok(());
        }
        let date = dates::http(SystemTime::now());
        let mut names = vec!["date".to_owned()];
        let is_at_root = Url::parse(&self.source.base).is_ok_and(|url| url.path() == "/");
        if is_at_root {
            names.push("request-line".to_owned());
        }
        let url = request.url();
        let url = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        // In a block of its own: what is borrowed in it may not go from thread to thread, and the agent is waited for.
        let text = {
            let header = |name: &str| (name == "date").then(|| date.clone());
            let signed = SignedRequest {
                method: request.method().as_str(),
                url: &url,
                header: &header,
            };
            signing_string(&signed, &names).map_err(ClientError::Options)?
        };
        let Some(authorization) = self.auth.authorization(&text, &names).await? else {
            return Ok(());
        };
        let mut value = HeaderValue::from_str(&authorization)
            .map_err(|_| bad_header("authorization", self.auth.user().unwrap_or_default()))?;
        value.set_sensitive(true);
        let date = HeaderValue::from_str(&date).map_err(|_| bad_header("date", &date))?;
        request.headers_mut().insert(AUTHORIZATION, value);
        request.headers_mut().insert(DATE, date);
        Ok(())
    }

    async fn check(&self, response: Response) -> Result<Response, ClientError> {
        let status = response.status();
        if status.is_success() || status == reqwest::StatusCode::NOT_MODIFIED {
            return Ok(response);
        }
        let text = |name: &str| {
            let value = response.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        if status.is_redirection() {
            let location = text(LOCATION.as_str()).unwrap_or_default();
            return Err(ClientError::Moved {
                status: status.as_u16(),
                location,
            });
        }
        let (request_id, received) = (text("x-request-id"), text("x-received-bytes"));
        // An error whose body is cut off is still that error.
        let (body, _) = self.read_up_to(response, MAXIMUM_ERROR).await;
        let mut refusal = Refusal::of_body(status.as_u16(), &body);
        refusal.request_id = request_id;
        refusal.received = received.and_then(|received| received.parse().ok());
        Err(ClientError::Refused(refusal))
    }

    /// The body of an answer as JSON.
    pub(crate) async fn json(&self, call: Call<'_>) -> Result<Value, ClientError> {
        let response = self.send(call).await?;
        self.read_json(response, MAXIMUM_ANSWER).await
    }

    pub(crate) async fn read_json(&self, response: Response, most: usize) -> Result<Value, ClientError> {
        let body = self.read(response, most).await?;
        from_slice(&body).map_err(|error| ClientError::Answer(error.to_string()))
    }

    /// An answer that is an image.
    pub(crate) async fn image(&self, call: Call<'_>) -> Result<Image, ClientError> {
        Image::new(self.json(call).await?)
    }

    /// The body of an answer of bounded length.
    pub(crate) async fn read(&self, response: Response, most: usize) -> Result<Vec<u8>, ClientError> {
        match self.read_up_to(response, most).await {
            (_, Some(error)) => Err(error),
            (body, None) => Ok(body),
        }
    }

    async fn read_up_to(&self, mut response: Response, most: usize) -> (Vec<u8>, Option<ClientError>) {
        let mut body = Vec::new();
        loop {
            match next_piece(&mut response, self.options.idle_timeout).await {
                Err(error) => return (body, Some(error)),
                Ok(None) => return (body, None),
                Ok(Some(piece)) if body.len() + piece.len() > most => {
                    let error = ClientError::Answer(format!("more than {most} bytes"));
                    return (body, Some(error));
                }
                Ok(Some(piece)) => body.extend_from_slice(&piece),
            }
        }
    }
}

/// The next bytes of a body, within a time.
pub(crate) async fn next_piece(
    response: &mut Response,
    patience: Duration,
) -> Result<Option<bytes::Bytes>, ClientError> {
    match tokio::time::timeout(patience, response.chunk()).await {
        Ok(piece) => piece.map_err(ClientError::of_connection),
        Err(_) => Err(ClientError::TimedOut {
            what: "receiving",
            patience,
        }),
    }
}

fn bad_header(name: &str, value: &str) -> ClientError {
    ClientError::Options(format!("{value:?} cannot stand in the header {name}"))
}
