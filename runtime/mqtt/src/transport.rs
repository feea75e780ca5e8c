//! Opening a connection: TCP, TLS, WebSocket.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use flotilla_sockets::show_progress;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::websocket;

/// Where a broker is.
#[derive(Clone, Debug)]
pub struct Address {
    /// Its host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// TLS, with this configuration.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// The name that the broker's certificate must have, when it is not the host's.
    pub servername: Option<String>,
    /// MQTT over WebSocket: the URL for the handshake.
    pub websocket: Option<String>,
}

/// A byte stream to a broker.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Address {
    /// Connects. The descriptor is the same connection, to be shut from another thread.
    pub(super) async fn open(&self) -> io::Result<(Box<dyn Stream>, Option<std::net::TcpStream>)> {
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await?;
        // Small packets both ways: with Nagle's algorithm an acknowledgement waits for the next one's (40 ms).
        tcp.set_nodelay(true)?;
        show_progress(&tcp);
        let descriptor = tcp.as_fd().try_clone_to_owned().ok().map(std::net::TcpStream::from);
        let stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(tcp),
            Some(config) => {
                let name = self.servername.clone().unwrap_or_else(|| self.host.clone());
                let name = ServerName::try_from(name).map_err(io::Error::other)?;
                Box::new(tokio_rustls::TlsConnector::from(config.clone()).connect(name, tcp).await?)
            }
        };
        match &self.websocket {
            None => Ok((stream, descriptor)),
            Some(url) => Ok((Box::new(websocket::connect(url, stream).await?), descriptor)),
        }
    }
}
