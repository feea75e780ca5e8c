//! CONNECT and CONNACK.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use flotilla_codec::client::{self as codec, ConnAck, Incoming};
use flotilla_codec::{Connect, Disconnect, Version, agreed, frame_len};
use rustls::CertificateError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::client::{Client, ClientEvents, ClientOptions, Role};
use super::connection::{Connection, PACKET_LIMIT, READ};
use super::end::End;
use super::line::Wire;
use super::owed::Owed;
use super::pace::Pace;

/// The keep alive of a group's session at a broker that redispatches, in seconds, whatever the flow says: what a replica that
/// hangs holds goes to others soon.
pub(super) const SHORT_KEEP_ALIVE: u16 = 5;

/// Connects and waits for the CONNACK.
pub(super) async fn open(
    client: &Arc<Client>,
    events: &Arc<dyn ClientEvents>,
    options: &ClientOptions,
    packet: &Connect,
) -> Result<Connection, End> {
    let health = events.health();
    if health.as_ref().is_some_and(|health| health.is_shut()) {
        return Err(End::lost("this process takes no more work"));
    }
    let (mut stream, descriptor) = options.address.open().await.map_err(broken)?;
    let mut out = BytesMut::with_capacity(READ);
    codec::connect(&mut out, packet);
    stream.write_all_buf(&mut out).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    let mut input = BytesMut::with_capacity(READ);
    let ack = loop {
        if let Some((header, size)) = frame_len(&input, PACKET_LIMIT).map_err(End::lost)? {
            let first = codec::decode_borrowed(&input[..size], header, packet.version).map_err(End::lost)?;
            let Incoming::ConnAck(ack) = first else { return Err(End::lost("the first packet was not a CONNACK")) };
            input.advance(size);
            break ack;
        }
        if stream.read_buf(&mut input).await.map_err(broken)? == 0 {
            return Err(End::lost("closed by the broker before a CONNACK"));
        }
    };
    accepted(&ack, packet.version)?;
    let redispatches = ack.user.iter().any(|(name, value)| name == agreed::REDISPATCH && value == "1");
    if options.end_session && redispatches && !(1..=SHORT_KEEP_ALIVE).contains(&packet.keep_alive) {
        out.clear();
        let goodbye = Disconnect { reason: 0, session_expiry: packet.clean_start.then_some(0) };
        codec::disconnect(&mut out, packet.version, goodbye);
        let _ = stream.write_all_buf(&mut out).await;
        return Err(End::Short);
    }
    let limit = ack.max_packet.unwrap_or(0) as usize;
    if client.role == Role::Adopt && !ack.session_present && client.inbox.open() == 0 {
        // The session has expired or was adopted by another: it holds nothing, and this new one is ended at once. What came before
        // that is still finished first: at QoS 2 this process has the only copy.
        client.drained();
        client.stop();
    }
    let keyed = ack.user.iter().any(|(name, value)| name == agreed::KEYED && value == "1");
    client.inbox.begin(ack.session_present, keyed);
    client.outbox.begin(ack.session_present, usize::from(ack.receive_maximum.unwrap_or(u16::MAX)), limit);
    if options.end_session && packet.version == Version::V5 && packet.session_expiry > 0 {
        client.left.store(true, std::sync::atomic::Ordering::Release);
    }
    if !events.accepted(client, &ack, packet.version).await {
        return Err(End::Yielded);
    }
    let ids = packet.version == Version::V5 && ack.subscription_ids != Some(false);
    client.subscriptions.set_shared(ack.shared_subscriptions != Some(false));
    client.subscriptions.begin(client.is_draining(), ids, ack.session_present);
    let now = Instant::now();
    let keep_alive = Duration::from_secs(u64::from(ack.keep_alive.unwrap_or(packet.keep_alive)));
    // The bytes of a WebSocket are frames, not packets: the watchdog's would have to be one.
    let watched = health.as_ref().filter(|_| options.address.websocket.is_none());
    Ok(Connection {
        client: client.clone(),
        events: events.clone(),
        stream: Wire::new(stream, descriptor, keep_alive, watched, &client.wake),
        version: packet.version,
        input,
        out,
        owed: Owed::default(),
        keep_alive,
        persistent: !packet.clean_start || (packet.version == Version::V5 && packet.session_expiry > 0),
        end_session: options.end_session,
        ids,
        announced: false,
        sent: now,
        pinged: None,
        overdue: false,
        answered: 0,
        quiet_after: 0,
        quiet: None,
        goodbye: None,
        need: 0,
        held: false,
        pace: Pace::new(now),
    })
}

/// What broke, and for TLS what can be done about it. With TLS 1.3 a broker says only after the handshake what it misses.
fn broken(error: io::Error) -> End {
    use rustls::{AlertDescription as Alert, Error::AlertReceived, Error::InvalidCertificate};
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(InvalidCertificate(
            CertificateError::NotValidForNameContext { .. } | CertificateError::NotValidForName,
        )) => End::lost(format!("{error}; the tls-config node's server name must be one that the certificate is for")),
        Some(InvalidCertificate(_)) => End::lost(format!(
            "{error}; the tls-config node's CA certificate must be of the authority that signed the broker's"
        )),
        Some(AlertReceived(Alert::CertificateRequired | Alert::HandshakeFailure | Alert::BadCertificate)) => End::lost(
            format!("{error}; does the tls-config node have the client certificate that the broker asks for?"),
        ),
        _ => End::lost(error),
    }
}

/// Source: MQTT 3.1.1 section 3.2.2.3, MQTT 5 section 3.2.2.2.
fn accepted(ack: &ConnAck, version: Version) -> Result<(), End> {
    let why = match (ack.code, version) {
        (0, _) => return Ok(()),
        (1 | 0x84, _) => return Err(End::Version),
        (2 | 0x85, _) => "the ClientID is not valid",
        (3 | 0x88, _) => "the server is not available",
        (4 | 0x86, _) => "bad user name or password",
        (5 | 0x87, _) => "not authorized",
        (0x89, _) => "the server is busy",
        (0x8a, _) => "banned",
        (0x95, _) => "the packet is too large",
        (0x97, _) => "the quota is exceeded",
        (0x9c | 0x9d, _) => "use another server",
        (0x9f, _) => "too many connections at once",
        _ => "no reason that MQTT names",
    };
    Err(End::Lost(format!("refused by the broker: {why} (code {}) {}", ack.code, ack.text)))
}
