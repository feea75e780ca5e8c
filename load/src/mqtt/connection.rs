//! A connection to a broker: TCP or TLS, CONNECT to CONNACK, whole packets.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use flotilla_codec::client::{self, ConnAck, Incoming};
use flotilla_codec::{Connect, Version, WireError, frame_len};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::scenario::Target;

/// How long connecting may take, to CONNACK.
const CONNECT: Duration = Duration::from_secs(10);
/// The largest packet that is read.
const LARGEST: usize = 256 << 20;
/// Read at once.
const CHUNK: usize = 256 << 10;

/// Why a connection could not be made or ended.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The network.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Nothing answered in time.
    #[error("no answer within {} s", CONNECT.as_secs())]
    Silent,
    /// Bytes that are not MQTT.
    #[error("the broker sent invalid MQTT: {0}")]
    Wire(#[from] WireError),
    /// CONNACK with a reason.
    #[error("the broker refused the connection: {0}")]
    Refused(String),
    /// It sent DISCONNECT.
    #[error("the broker ended the connection: reason 0x{0:02x} {1}")]
    Disconnected(u8, String),
    /// It closed without a word.
    #[error("the broker closed the connection")]
    Closed,
    /// A name that no certificate can have.
    #[error("\"{0}\" is not a valid host name for a certificate")]
    Name(String),
    /// SUBACK with a failure.
    #[error("the broker refused the subscription to \"{0}\": reason 0x{1:02x}")]
    Subscription(String, u8),
}

/// Reads and writes; boxed, as TCP and TLS differ. A batch of packets passes through each call.
pub type Reader = Box<dyn AsyncRead + Unpin>;
/// See [`Reader`].
pub type Writer = Box<dyn AsyncWrite + Unpin>;

/// An open connection.
pub struct Connection {
    /// What comes.
    pub reader: Reader,
    /// What goes.
    pub writer: Writer,
    /// Bytes read and not yet decoded.
    pub buffer: BytesMut,
    /// Protocol.
    pub version: Version,
    /// The broker's answer.
    pub connack: ConnAck,
}

/// Opens a socket, with TLS if the target says so.
pub async fn open(
    host: &str,
    port: u16,
    tls: Option<&Arc<rustls::ClientConfig>>,
) -> Result<(Reader, Writer), ConnectionError> {
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    let Some(config) = tls else {
        let (reader, writer) = stream.into_split();
        return Ok((Box::new(reader), Box::new(writer)));
    };
    let name = ServerName::try_from(host.to_owned()).map_err(|_| ConnectionError::Name(host.to_owned()))?;
    let stream = tokio_rustls::TlsConnector::from(config.clone()).connect(name, stream).await?;
    let (reader, writer) = tokio::io::split(stream);
    Ok((Box::new(reader), Box::new(writer)))
}

/// What a client announces: a session that outlives its connections, so that nothing is forgotten between them.
pub fn connect_packet(target: &Target, client_id: String, clean: bool) -> Connect {
    Connect {
        clean_start: clean,
        keep_alive: target.keep_alive,
        client_id,
        session_expiry: if clean { 0 } else { 600 },
        username: target.user.clone(),
        password: target.password.clone().map(Into::into),
        ..Connect::new(target.version, String::new())
    }
}

impl Connection {
    /// Connects and waits for CONNACK.
    ///
    /// # Errors
    /// When that fails, is refused, or takes longer than 10 s.
    pub async fn open(target: &Target, connect: &Connect) -> Result<Connection, ConnectionError> {
        tokio::time::timeout(CONNECT, Connection::handshake(target, connect))
            .await
            .map_err(|_| ConnectionError::Silent)?
    }

    async fn handshake(target: &Target, connect: &Connect) -> Result<Connection, ConnectionError> {
        let (mut reader, mut writer) = open(&target.host, target.port, target.tls.as_ref()).await?;
        let mut out = BytesMut::new();
        client::connect(&mut out, connect);
        writer.write_all(&out).await?;
        writer.flush().await?;
        let mut buffer = BytesMut::with_capacity(CHUNK);
        loop {
            if let Some(packet) = next(&mut buffer, target.version)? {
                let Incoming::ConnAck(connack) = packet else {
                    return Err(WireError::Protocol("a packet before CONNACK").into());
                };
                if connack.code != 0 {
                    return Err(ConnectionError::Refused(refusal(target.version, &connack)));
                }
                return Ok(Connection { reader, writer, buffer, version: target.version, connack: *connack });
            }
            if reader.read_buf(&mut buffer).await? == 0 {
                return Err(ConnectionError::Closed);
            }
        }
    }

    /// Subscribes to a filter and waits for SUBACK; messages that come before it are handed to `early`.
    ///
    /// # Errors
    /// When it is refused, or the connection ends.
    pub async fn subscribe(
        &mut self,
        filter: &str,
        qos: flotilla_codec::QoS,
        early: &mut Vec<Incoming>,
    ) -> Result<(), ConnectionError> {
        let mut out = BytesMut::new();
        let request = flotilla_codec::SubRequest {
            filter: filter.to_owned(),
            qos,
            no_local: false,
            retain_as_published: false,
            retain_handling: flotilla_codec::RetainHandling::Never,
        };
        let wanted = flotilla_codec::Subscribe { pkid: 1, id: None, user: Vec::new(), filters: vec![request] };
        client::subscribe(&mut out, self.version, &wanted);
        self.writer.write_all(&out).await?;
        self.writer.flush().await?;
        tokio::time::timeout(CONNECT, async {
            loop {
                while let Some(packet) = next(&mut self.buffer, self.version)? {
                    match packet {
                        Incoming::SubAck(answer) => {
                            let code = answer.codes.first().copied().unwrap_or(0x80);
                            return if code < 0x80 {
                                Ok(())
                            } else {
                                Err(ConnectionError::Subscription(filter.to_owned(), code))
                            };
                        }
                        other => early.push(other),
                    }
                }
                if self.read().await? == 0 {
                    return Err(ConnectionError::Closed);
                }
            }
        })
        .await
        .map_err(|_| ConnectionError::Silent)?
    }

    /// Reads what is there, or waits; 0 at the end.
    pub async fn read(&mut self) -> std::io::Result<usize> {
        self.buffer.reserve(CHUNK / 4);
        self.reader.read_buf(&mut self.buffer).await
    }

    /// The next whole packet in the buffer.
    ///
    /// # Errors
    /// Bytes that are not MQTT; a DISCONNECT.
    pub fn next(&mut self) -> Result<Option<Incoming>, ConnectionError> {
        match next(&mut self.buffer, self.version)? {
            Some(Incoming::Disconnect { reason, text }) => Err(ConnectionError::Disconnected(reason, text)),
            other => Ok(other),
        }
    }

    /// Writes what is in `out`, as much as the socket takes; waits until it takes something.
    pub async fn write(writer: &mut Writer, out: &mut BytesMut) -> std::io::Result<()> {
        let written = writer.write(out).await?;
        if written == 0 {
            return Err(std::io::ErrorKind::WriteZero.into());
        }
        out.advance(written);
        if out.is_empty() {
            writer.flush().await?;
        }
        Ok(())
    }
}

fn next(buffer: &mut BytesMut, version: Version) -> Result<Option<Incoming>, WireError> {
    let Some((header, size)) = frame_len(buffer, LARGEST)? else { return Ok(None) };
    client::decode(buffer.split_to(size).freeze(), header, version).map(Some)
}

fn refusal(version: Version, connack: &ConnAck) -> String {
    if !connack.text.is_empty() {
        return connack.text.clone();
    }
    let text = match (version, connack.code) {
        (Version::V5, 0x84) | (_, 1) => "it does not speak this protocol version",
        (Version::V5, 0x86) | (_, 4) => "user name or password is wrong",
        (Version::V5, 0x87) | (_, 5) => "not authorized",
        _ => "",
    };
    format!("reason {} {text}", connack.code).trim_end().to_owned()
}
