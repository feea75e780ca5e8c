//! TCP and TLS to a server.

use std::sync::Arc;
use std::time::Duration;

use flotilla_sockets::show_progress;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::error::NetError;

/// As Node-RED sets it up: a silent peer is asked after this time.
const KEEP_ALIVE: Duration = Duration::from_secs(120);

/// A byte stream, plain or encrypted.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Connects to the first address of a host that answers.
pub(crate) async fn tcp(host: &str, port: u16) -> Result<TcpStream, NetError> {
    let mut last = None;
    let not_found = || NetError::new("ENOTFOUND", format!("getaddrinfo ENOTFOUND {host}"));
    for address in tokio::net::lookup_host((host, port)).await.map_err(|_| not_found())? {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                let _ = stream.set_nodelay(true);
                show_progress(&stream);
                return Ok(stream);
            }
            Err(error) => last = Some(NetError::io("connect", &error, &address.to_string())),
        }
    }
    Err(last.unwrap_or_else(not_found))
}

/// Asks silent peers for a sign of life, so that a connection whose other end is gone is noticed.
pub(crate) fn keep_alive(stream: &TcpStream) {
    // A connection without it works all the same.
    let _ = SockRef::from(stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEP_ALIVE));
}

/// TLS over a stream, to the server of this name.
pub(crate) async fn encrypt(
    stream: Box<dyn Stream>,
    name: &str,
    tls: Arc<ClientConfig>,
) -> Result<Box<dyn Stream>, NetError> {
    let server = ServerName::try_from(name.to_owned());
    let server = server.map_err(|_| NetError::new("ERR_INVALID_URL", format!("{name} is no server name")))?;
    let stream = TlsConnector::from(tls).connect(server, stream).await.map_err(|error| {
        let text = error.to_string();
        let code = match () {
            () if text.contains("UnknownIssuer") => "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
            () if text.contains("CaUsedAsEndEntity") => "DEPTH_ZERO_SELF_SIGNED_CERT",
            () if text.contains("Expired") => "CERT_HAS_EXPIRED",
            () if text.contains("not valid for name") => "ERR_TLS_CERT_ALTNAME_INVALID",
            () => "EPROTO",
        };
        NetError::new(code, text)
    })?;
    Ok(Box::new(stream))
}
