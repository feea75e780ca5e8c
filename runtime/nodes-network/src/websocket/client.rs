//! Connecting to a WebSocket server, and connecting again.

use std::sync::Arc;
use std::time::Duration;

use flotilla_sockets::Patient;
use http::{HeaderName, HeaderValue, header};
use rustls::ClientConfig;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::dial::{Stream, encrypt, tcp};
use crate::link::Link;
use crate::tls_config::{TlsConfig, client_without_config};
use flotilla_engine::message::generate_id;
use flotilla_engine::props;
use flotilla_engine::{NodeCx, NodeError};
use flotilla_value::{Str, Value};

use super::hub::{Event, Hub};
use super::socket;

/// The pause before a lost connection is made again.
const RECONNECT: Duration = Duration::from_secs(3);

/// How long a closing node waits for the closing handshake.
const GOODBYE: Duration = Duration::from_secs(1);

/// A connection that is kept up.
pub(super) struct Client {
    /// All nodes of the deploy are built: it may begin.
    started: CancellationToken,
    closing: CancellationToken,
}

/// What it takes to connect.
struct Target {
    url: Url,
    request: Request,
    tls: Option<Arc<ClientConfig>>,
    servername: Option<String>,
    heartbeat: Option<Duration>,
}

/// The headers of the edit dialog.
fn headers(cx: &NodeCx) -> Vec<(String, String)> {
    let Value::Array(rows) = props::value(cx.config(), "headers") else { return Vec::new() };
    let rows = rows.iter().map(|row| {
        let text = |name: &str| row.get(name).to_text().to_string();
        let name = if text("keyType") == "other" { text("keyValue") } else { text("keyType") };
        let value = match text("valueType").as_str() {
            "other" => text("valueValue"),
            "env" => cx.env(&text("valueValue")).map(|value| value.to_text().to_string()).unwrap_or_default(),
            known => known.to_owned(),
        };
        (name, value)
    });
    rows.filter(|(name, value)| !name.is_empty() && !value.is_empty()).collect()
}

impl Target {
    fn of(cx: &NodeCx) -> Result<Target, NodeError> {
        let config = cx.config();
        let path = config.str("path");
        let invalid = |error: &dyn std::fmt::Display| {
            NodeError::new(format!("URL \"{}\" cannot be used: {error}", flotilla_flows::shown_url(path)))
        };
        let url = Url::parse(path).map_err(|error| invalid(&error))?;
        let mut request = url.as_str().into_client_request().map_err(|error| invalid(&error))?;
        let protocols: Vec<&str> = config.str("subprotocol").split(',').map(str::trim).collect();
        let mut headers = headers(cx);
        if protocols.iter().any(|protocol| !protocol.is_empty()) {
            headers.push((header::SEC_WEBSOCKET_PROTOCOL.as_str().to_owned(), protocols.join(", ")));
        }
        for (name, value) in headers {
            let header = HeaderName::try_from(&name).ok().zip(HeaderValue::try_from(&value).ok());
            let (key, value) = header.ok_or_else(|| NodeError::new(format!("header \"{name}\" cannot be sent")))?;
            request.headers_mut().insert(key, value);
        }
        let node = cx.config_node::<TlsConfig>(config.str("tls"));
        let tls = match &node {
            _ if url.scheme() != "wss" => None,
            Some(node) => Some(node.client()),
            None => {
                let strict = cx.settings().env_var("NODE_TLS_REJECT_UNAUTHORIZED").as_deref() != Some("0");
                Some(client_without_config(strict))
            }
        };
        let tls = tls.transpose().map_err(|error| NodeError::new(error.to_string()))?;
        let servername = node.and_then(|node| node.servername().map(str::to_owned));
        let heartbeat = props::parse_int(&props::value(config, "hb"));
        let heartbeat =
            heartbeat.filter(|seconds| *seconds > 0).map(|seconds| flotilla_value::wait_seconds(seconds as f64));
        Ok(Target { url, request, tls, servername, heartbeat })
    }

    async fn open(&self) -> Result<tokio_tungstenite::WebSocketStream<Box<dyn Stream>>, String> {
        let host = self.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = self.url.port_or_known_default().unwrap_or(80);
        let mut stream: Box<dyn Stream> = Box::new(tcp(host, port).await.map_err(|error| error.to_string())?);
        if let Some(tls) = &self.tls {
            let name = self.servername.as_deref().unwrap_or(host);
            stream = encrypt(stream, name, tls.clone()).await.map_err(|error| error.to_string())?;
        }
        let stream: Box<dyn Stream> = Box::new(Patient::new(stream));
        let made = client_async_with_config(self.request.clone(), stream, Some(socket::limits())).await;
        made.map(|(socket, _)| socket).map_err(|error| error.to_string())
    }
}

impl Client {
    /// Keeps a connection up from when it is started and a node uses it until it is closed.
    pub(super) fn open(cx: &NodeCx, hub: &Arc<Hub>) -> Result<Client, NodeError> {
        let target = Target::of(cx)?;
        let client = Client { started: CancellationToken::new(), closing: CancellationToken::new() };
        let (started, closing, hub) = (client.started.clone(), client.closing.clone(), hub.clone());
        cx.work().spawn(async move {
            started.cancelled().await;
            // Node-RED 5 connects when a node uses it; before, the editor's unused config nodes connected too.
            tokio::select! {
                () = closing.cancelled() => {}
                () = hub.used.cancelled() => {}
            }
            while !closing.is_cancelled() {
                let session = generate_id();
                if let Err(error) = connection(&target, &hub, &session).await {
                    tracing::debug!(url = flotilla_flows::shown_url(target.url.as_str()), %error, "the WebSocket broke");
                    hub.show(Event::Failed, &session, None);
                }
                hub.remove(&session);
                hub.show(Event::Closed, &session, None);
                tokio::select! {
                    () = closing.cancelled() => {}
                    () = tokio::time::sleep(RECONNECT) => {}
                }
            }
        });
        Ok(client)
    }

    pub(super) fn start(&self) {
        self.started.cancel();
    }

    /// Closes the connection; none is made again.
    pub(super) fn close(&self, hub: Arc<Hub>) -> impl Future<Output = ()> + Send + 'static {
        self.closing.cancel();
        async move {
            let _ = tokio::time::timeout(GOODBYE, hub.close_all()).await;
        }
    }
}

async fn connection(target: &Target, hub: &Hub, session: &Str) -> Result<(), String> {
    let stream = target.open().await?;
    let (link, orders) = Link::new();
    hub.enter(session, link);
    hub.show(Event::Opened, session, None);
    socket::run(stream, orders, target.heartbeat, async |data| hub.receive(data, session).await).await
}
