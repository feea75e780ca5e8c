//! One request, one connection.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flotilla_tasks::Task;
use http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, HOST, IF_MATCH, USER_AGENT};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;

use super::error::ClientError;
use super::tls::{ClientTls, connector};
use crate::problem::Problem;

/// What the `User-Agent` of this client begins with.
pub const AGENT: &str = "flotilla/";
/// How long a request may take.
pub(super) const LIMIT: Duration = Duration::from_secs(30);
/// The largest answer, in bytes.
const LARGEST: usize = 64 * 1024 * 1024;

/// The client of one admin API. Cloning it is cheap; each request has a connection of its own.
#[derive(Clone, Debug)]
pub struct Client {
    address: Arc<str>,
    token: Option<Arc<str>>,
    tls: Option<Arc<ClientTls>>,
    largest: usize,
}

/// What is kept at the API, and the version that it was of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned<T> {
    /// What it is.
    pub value: T,
    /// Its ETag, for a change that is to be of this version; none where it has no versions.
    pub tag: Option<String>,
}

impl Client {
    /// A client of the API at `HOST:PORT`, a name or an IP address; `token` is shown to it.
    pub fn new(address: impl Into<Arc<str>>, token: Option<&str>) -> Client {
        Client { address: address.into(), token: token.map(Arc::from), tls: None, largest: LARGEST }
    }

    /// The same over TLS.
    pub fn with_tls(self, tls: ClientTls) -> Client {
        Client { tls: Some(Arc::new(tls)), ..self }
    }

    /// The same that takes answers of so many bytes at most; without it 64 MiB.
    pub fn with_largest(self, bytes: usize) -> Client {
        Client { largest: bytes, ..self }
    }

    /// Where it connects.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// GET on a path.
    ///
    /// # Errors
    /// When there is no answer, or it is no success, or not JSON of this shape.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.answer(&self.send(Method::GET, path, None).await?)
    }

    /// GET on a path, with the version of what is there.
    pub(super) async fn get_versioned<T: DeserializeOwned>(&self, path: &str) -> Result<Versioned<T>, ClientError> {
        let asked = async {
            let response = self.respond(Method::GET, path, None, None).await?;
            let tag = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
            Ok::<_, ClientError>((self.whole(response.into_body()).await?, tag))
        };
        let (body, tag) = self.in_time(asked).await?;
        Ok(Versioned { value: self.answer(&body)?, tag })
    }

    /// PUT on a path, of the version with this ETag; without one of whatever is there.
    pub(super) async fn put_version<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        tag: Option<&str>,
    ) -> Result<T, ClientError> {
        let body = json(body)?;
        let sent = async { self.whole(self.respond(Method::PUT, path, Some(body), tag).await?.into_body()).await };
        self.answer(&self.in_time(sent).await?)
    }

    /// POST on a path.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ClientError> {
        self.answer(&self.send(Method::POST, path, Some(json(body)?)).await?)
    }

    pub(super) async fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ClientError> {
        self.answer(&self.send(Method::PUT, path, Some(json(body)?)).await?)
    }

    pub(super) async fn delete(&self, path: &str) -> Result<(), ClientError> {
        self.send(Method::DELETE, path, None).await.map(drop)
    }

    /// DELETE that answers with what became of it.
    pub(super) async fn delete_for<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.answer(&self.send(Method::DELETE, path, None).await?)
    }

    /// Reads an answer; nothing (204) is `null`.
    fn answer<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, ClientError> {
        let body = if body.is_empty() { b"null" } else { body };
        serde_json::from_slice(body).map_err(|error| self.foreign(error))
    }

    pub(super) fn foreign(&self, reason: impl ToString) -> ClientError {
        ClientError::Foreign { address: self.address.to_string(), reason: reason.to_string() }
    }

    async fn send(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Bytes, ClientError> {
        self.in_time(self.exchange(method, path, body)).await
    }

    async fn in_time<T>(&self, asked: impl Future<Output = Result<T, ClientError>>) -> Result<T, ClientError> {
        tokio::time::timeout(LIMIT, asked).await.unwrap_or_else(|_| {
            Err(ClientError::TimedOut { address: self.address.to_string(), seconds: LIMIT.as_secs() })
        })
    }

    async fn exchange(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Bytes, ClientError> {
        let body = self.begin(method, path, body).await?;
        self.whole(body).await
    }

    /// The body of a successful answer, which is still on its way.
    pub(super) async fn begin(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Incoming, ClientError> {
        Ok(self.respond(method, path, body, None).await?.into_body())
    }

    /// A successful answer, whose body is still on its way. `tag`: the version that a change is to be of.
    async fn respond(
        &self,
        method: Method,
        path: &str,
        body: Option<Bytes>,
        tag: Option<&str>,
    ) -> Result<Response<Incoming>, ClientError> {
        let address = || self.address.to_string();
        let unreachable = |source| ClientError::Unreachable { address: address(), source };
        let stream = TcpStream::connect(&*self.address).await.map_err(unreachable)?;
        let mut request = self.request(method, path, body.unwrap_or_default())?;
        if let Some(tag) = tag {
            let value = HeaderValue::from_str(tag);
            let value =
                value.map_err(|error| ClientError::BadRequest { field: "the ETag", reason: error.to_string() })?;
            request.headers_mut().insert(IF_MATCH, value);
        }
        let Some(tls) = &self.tls else { return self.talk(stream, request).await };
        let host = self.address.rsplit_once(':').map_or(&*self.address, |(host, _)| host).trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|error| ClientError::BadRequest { field: "the address", reason: error.to_string() })?;
        let stream = connector(tls)?.connect(name, stream).await.map_err(unreachable)?;
        self.talk(stream, request).await
    }

    async fn talk<S>(&self, stream: S, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, ClientError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let lost = |source| ClientError::Lost { address: self.address.to_string(), source };
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
        let task = Task {
            name: "admin API connection",
            owner: self.address.as_ref().into(),
            ends: "the sender is dropped",
            failure: "the request fails",
        };
        task.spawn(connection);
        let response = sender.send_request(request).await.map_err(lost)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        Err(self.refusal(status, &self.whole(response.into_body()).await?))
    }

    async fn whole(&self, body: Incoming) -> Result<Bytes, ClientError> {
        #[allow(clippy::disallowed_methods, reason = "bounded by Limited")]
        let read = Limited::new(body, self.largest).collect().await;
        Ok(read.map_err(|error| self.foreign(error))?.to_bytes())
    }

    fn request(&self, method: Method, path: &str, body: Bytes) -> Result<Request<Full<Bytes>>, ClientError> {
        let bad = |field, reason: String| ClientError::BadRequest { field, reason };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &*self.address)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, format!("{AGENT}{}", env!("CARGO_PKG_VERSION")))
            .body(Full::new(body))
            .map_err(|error| bad("the address", error.to_string()))?;
        if let Some(token) = &self.token {
            let value = HeaderValue::from_str(&format!("Bearer {token}"));
            let mut value = value.map_err(|error| bad("the admin token", error.to_string()))?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        Ok(request)
    }

    fn refusal(&self, status: StatusCode, body: &[u8]) -> ClientError {
        match serde_json::from_slice::<Problem>(body) {
            Ok(problem) => ClientError::Refused(problem),
            Err(_) => self.foreign(format!("it answered {status}")),
        }
    }
}

fn json(body: &impl Serialize) -> Result<Bytes, ClientError> {
    let text = serde_json::to_vec(body);
    text.map(Bytes::from).map_err(|error| ClientError::BadRequest { field: "the body", reason: error.to_string() })
}
