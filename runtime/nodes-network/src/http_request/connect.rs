//! A connection to a server: TCP, through a proxy, with TLS.

use std::sync::Arc;

use bytes::Bytes;
use flotilla_tasks::Task;
use http::{Request, Response};
use http_body_util::{Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use url::Url;

use crate::dial::{Stream, encrypt, tcp};

use super::auth;
use super::error::RequestError;
use super::wire::{NextHead, Wire};
use crate::proxy::Proxy;

/// A connection that takes requests.
pub(super) struct Sender {
    requests: SendRequest<Full<Bytes>>,
    next: NextHead,
}

/// A request without a response.
pub(super) struct Unanswered {
    pub(super) error: hyper::Error,
    /// Nothing of it was written: the server cannot have seen it.
    pub(super) unsent: bool,
}

impl Sender {
    /// True when it can take no more requests.
    pub(super) fn is_closed(&self) -> bool {
        self.requests.is_closed()
    }

    /// Waits until it can take a request.
    pub(super) async fn ready(&mut self) -> hyper::Result<()> {
        self.requests.ready().await
    }

    /// Sends a request, with header names in the case of `names`.
    pub(super) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
        names: Vec<String>,
    ) -> Result<Response<Incoming>, Unanswered> {
        self.next.announce(names);
        self.requests.try_send_request(request).await.map_err(|mut failed| {
            let unsent = failed.take_message().is_some();
            Unanswered { error: failed.into_error(), unsent }
        })
    }
}

/// Drives a connection: what it sends and receives is held by whoever waits for the response.
fn connection_task(host: &str) -> Task {
    Task {
        name: "http request connection",
        owner: host.into(),
        ends: "either side closes it",
        failure: "the request on it fails",
    }
}

/// How to reach a server.
pub(super) struct Route<'a> {
    pub(super) url: &'a Url,
    pub(super) proxy: Option<&'a Proxy>,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) servername: Option<&'a str>,
    pub(super) lenient: bool,
}

/// Asks a proxy for a tunnel.
async fn tunnel(
    proxy: &Proxy,
    host: &str,
    port: u16,
    tls: &Arc<ClientConfig>,
) -> Result<Box<dyn Stream>, RequestError> {
    let mut stream: Box<dyn Stream> = Box::new(tcp(&proxy.host, proxy.port).await?);
    if proxy.tls {
        stream = encrypt(stream, &proxy.host, tls.clone()).await?;
    }
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| RequestError::exchange(&error))?;
    connection_task(host).spawn_local(async move {
        let _ = connection.with_upgrades().await;
    });
    let authority = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let mut request = Request::connect(&authority).header("host", &authority);
    if let Some((user, password)) = proxy.credentials.as_deref().and_then(|pair| pair.split_once(':')) {
        request = request.header("proxy-authorization", auth::basic(user, password));
    }
    let request = request.body(Empty::<Bytes>::new());
    let request = request.map_err(|error| RequestError::new("ERR_INVALID_URL", error.to_string()))?;
    let response = sender.send_request(request).await.map_err(|error| RequestError::exchange(&error))?;
    if response.status() != http::StatusCode::OK {
        return Err(RequestError::new("ECONNRESET", format!("Bad response: {}", response.status().as_u16())));
    }
    let upgraded = hyper::upgrade::on(response).await.map_err(|error| RequestError::exchange(&error))?;
    Ok(Box::new(TokioIo::new(upgraded)))
}

/// Connects. The connection's task runs on this worker until either side closes.
pub(super) async fn open(route: Route<'_>) -> Result<Sender, RequestError> {
    let bad = || {
        RequestError::new("ERR_INVALID_URL", format!("Invalid URL: {}", flotilla_flows::shown_url(route.url.as_str())))
    };
    let host = route.url.host_str().ok_or_else(bad)?.trim_matches(['[', ']']);
    let port = route.url.port_or_known_default().ok_or_else(bad)?;
    let mut stream: Box<dyn Stream> = match route.proxy {
        Some(proxy) => tunnel(proxy, host, port, &route.tls).await?,
        None => Box::new(tcp(host, port).await?),
    };
    if route.url.scheme() == "https" {
        stream = encrypt(stream, route.servername.unwrap_or(host), route.tls.clone()).await?;
    }
    let mut builder = Builder::new();
    builder.title_case_headers(true);
    if route.lenient {
        builder.ignore_invalid_headers_in_responses(true).allow_spaces_after_header_name_in_responses(true);
    }
    let next = NextHead::default();
    let handshake = builder.handshake(TokioIo::new(Wire::new(stream, route.lenient, next.clone()))).await;
    let (requests, connection) = handshake.map_err(|error| RequestError::exchange(&error))?;
    connection_task(host).spawn_local(async move {
        let _ = connection.await;
    });
    Ok(Sender { requests, next })
}
