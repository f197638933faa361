//! Methods behind one object-safe trait.

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::call::Call;
use crate::conn::{Conn, ConnError};
use crate::method::{Raw, RequestReply};

/// How a permitted call went.
pub(crate) enum Outcome {
    /// All is well; the connection goes on.
    Succeeded,
    /// The error line is in the buffer; the connection goes on.
    Failed(String),
    /// The connection must be closed; the text, if any, is for the log.
    Close(Option<String>),
}

pub(crate) trait Erased: Send + Sync {
    fn limits(&self) -> gob::Limits;
    /// Runs the call after the accepting line has been flushed.
    fn run<'a>(
        &'a self,
        call: &'a Call,
        conn: &'a mut Conn,
        inside: &'a Inside,
    ) -> LocalBoxFuture<'a, Outcome>;
}

/// The time spent inside the method alone, without decoding and encoding (srpc.md §14).
#[derive(Default)]
pub(crate) struct Inside(std::cell::Cell<Option<std::time::Duration>>);

impl Inside {
    pub(crate) fn get(&self) -> Option<std::time::Duration> {
        self.0.get()
    }
}

pub(crate) struct ErasedRequestReply<M>(pub(crate) M);

impl<M: RequestReply> Erased for ErasedRequestReply<M> {
    fn limits(&self) -> gob::Limits {
        self.0.limits()
    }

    fn run<'a>(
        &'a self,
        call: &'a Call,
        conn: &'a mut Conn,
        inside: &'a Inside,
    ) -> LocalBoxFuture<'a, Outcome> {
        async move {
            match self.exchange(call, conn, inside).await {
                Ok(outcome) => outcome,
                Err(error) => Outcome::Close(Some(error.to_string())),
            }
        }
        .boxed_local()
    }
}

impl<M: RequestReply> ErasedRequestReply<M> {
    async fn exchange(&self, call: &Call, conn: &mut Conn, inside: &Inside) -> Result<Outcome, ConnError> {
        let request = match conn.read_prompt_value::<M::Request>().await {
            Ok(request) => request,
            Err(error) if error.is_worth_telling() => {
                let text = error.to_string();
                conn.write_line(&text).await?;
                conn.flush().await?;
                return Ok(if error.keeps_connection() {
                    Outcome::Failed(text)
                } else {
                    Outcome::Close(Some(text))
                });
            }
            Err(error) => return Err(error),
        };
        let start = std::time::Instant::now();
        let result = self.0.call(call, request).await;
        inside.0.set(Some(start.elapsed()));
        match result {
            Ok(reply) => match conn.write_reply(&reply).await? {
                Ok(()) => Ok(Outcome::Succeeded),
                Err(text) => Ok(Outcome::Failed(text)),
            },
            Err(error) => {
                conn.write_line(error.text()).await?;
                Ok(Outcome::Failed(error.text().to_owned()))
            }
        }
    }
}

pub(crate) struct ErasedRaw<M>(pub(crate) M);

impl<M: Raw> Erased for ErasedRaw<M> {
    fn limits(&self) -> gob::Limits {
        self.0.limits()
    }

    fn run<'a>(
        &'a self,
        call: &'a Call,
        conn: &'a mut Conn,
        _inside: &'a Inside,
    ) -> LocalBoxFuture<'a, Outcome> {
        async move {
            match self.0.serve(call, conn).await {
                Ok(()) => Outcome::Succeeded,
                Err(error) => Outcome::Close(error.text().map(str::to_owned)),
            }
        }
        .boxed_local()
    }
}
