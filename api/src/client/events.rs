//! A stream of server-sent events.

use std::collections::VecDeque;
use std::time::Duration;

use http::Method;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::error::ClientError;
use super::sse::{Event, Parser};
use super::transport::{Client, LIMIT};

/// A stream of the API that sends nothing for this long is lost: it has a comment every few seconds.
pub(super) const SILENCE: Duration = Duration::from_secs(20);

/// Events as they come.
pub struct Events {
    client: Client,
    body: Incoming,
    parser: Parser,
    ready: VecDeque<Event>,
    silence: Duration,
}

impl Client {
    /// Follows a path. The other side says something at least every `silence`, be it a comment; else the stream is lost.
    ///
    /// # Errors
    /// As any request; also when there is no answer within `silence`.
    pub async fn events(&self, path: &str, silence: Duration) -> Result<Events, ClientError> {
        let limit = silence.min(LIMIT);
        let begun = tokio::time::timeout(limit, self.begin(Method::GET, path, None)).await;
        let body = begun.unwrap_or_else(|_| Err(self.silent(limit)))?;
        Ok(Events { client: self.clone(), body, parser: Parser::default(), ready: VecDeque::new(), silence })
    }

    fn silent(&self, limit: Duration) -> ClientError {
        ClientError::TimedOut { address: self.address().to_owned(), seconds: limit.as_secs() }
    }
}

impl Events {
    /// The next event; `None` when the other side has ended the stream. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// When the connection was lost, or nothing came for too long.
    pub async fn next(&mut self) -> Result<Option<Event>, ClientError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(Some(event));
            }
            let frame = tokio::time::timeout(self.silence, self.body.frame()).await;
            let Some(frame) = frame.map_err(|_| self.client.silent(self.silence))? else { return Ok(None) };
            let address = || self.client.address().to_owned();
            let frame = frame.map_err(|source| ClientError::Lost { address: address(), source })?;
            let Ok(bytes) = frame.into_data() else { continue };
            let events = self.parser.take(&bytes);
            self.ready.extend(events.ok_or_else(|| self.client.foreign("a line of its stream does not end"))?);
        }
    }
}
