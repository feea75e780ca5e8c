//! The admin API's client: one request, one connection.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::{Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// How long a request may take.
const LIMIT: Duration = Duration::from_secs(30);
/// The largest answer.
const LARGEST: usize = 64 * 1024 * 1024;

/// The admin API's client.
pub struct AdminClient {
    address: SocketAddr,
    token: Option<String>,
}

/// What the admin API refused.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// For people.
    pub detail: String,
    /// The whole answer.
    pub body: Value,
}

impl AdminClient {
    /// A client of the API at an address; `token` is shown to it.
    pub fn new(address: SocketAddr, token: Option<String>) -> AdminClient {
        AdminClient { address, token }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(Method::GET, path, None).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// PUT with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> anyhow::Result<Value> {
        self.send(Method::DELETE, path, None).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        tokio::time::timeout(LIMIT, self.exchange(method, path, body))
            .await
            .with_context(|| format!("the admin API at {} did not answer within {} s", self.address, LIMIT.as_secs()))?
    }

    async fn exchange(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let stream = TcpStream::connect(self.address).await.with_context(|| {
            format!("nothing answers at {}: is `flotilla up` or `flotilla gateway` running? See --admin", self.address)
        })?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // Ends with the connection, when the sender is dropped.
        tokio::spawn(connection);
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.to_string())
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(bytes))?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        #[allow(clippy::disallowed_methods, reason = "bounded by Limited")]
        let read = Limited::new(response.into_body(), LARGEST).collect().await;
        let bytes = read.map_err(|error| anyhow::anyhow!("the answer cannot be read: {error}"))?.to_bytes();
        let body: Value = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).context("what answers there is not Flotilla's admin API; see --admin")?
        };
        if status.is_success() {
            return Ok(body);
        }
        let field = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        Err(ApiError { status: status.as_u16(), code: field("code"), detail: field("detail"), body }.into())
    }
}
