//! CONNECT and CONNACK.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tracing::debug;

use super::Shared;
use crate::{
    link::Link,
    router::{Accepted, Refused},
};
use flotilla_codec::{ConnAck, Version, WireError, connack, decode_connect, frame_len};

/// A connection whose CONNECT was accepted.
pub(super) struct Open {
    pub(super) link: Arc<Link>,
    pub(super) accepted: Accepted,
    pub(super) version: Version,
}

/// Reads the CONNECT and hands it to the router. `None` when the connection is to be closed.
pub(super) async fn open<S>(stream: &mut S, buffer: &mut BytesMut, peer: SocketAddr, shared: &Shared) -> Option<Open>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let patience = Duration::from_secs(shared.config.connect_timeout);
    let connect = match tokio::time::timeout(patience, read_connect(stream, buffer, shared)).await {
        Ok(Ok(Some(connect))) => connect,
        Ok(Ok(None)) => return None,
        Err(_) => {
            debug!(%peer, seconds = patience.as_secs(), "no CONNECT in time");
            return None;
        }
        Ok(Err(error)) => {
            debug!(%peer, %error, "CONNECT refused");
            // Only who spoke MQTT gets an answer [MQTT-3.1.4-1].
            if matches!(error, WireError::Version(_)) {
                refuse(stream, Version::V4, error.reason().into(), 0).await;
            }
            return None;
        }
    };
    let (version, room) = (connect.version, connect.max_packet as usize);
    let admitted = match shared.auth.check(&connect, peer).await {
        Ok(admitted) => admitted,
        Err(reason) => {
            debug!(%peer, ?reason, "CONNECT refused");
            refuse(stream, version, reason.into(), room).await;
            return None;
        }
    };
    let link = Arc::new(Link::new(shared.config.out_buffer));
    let answer = {
        let mut router = shared.router.lock();
        router.begin();
        let answer = router.connect(connect, admitted, Arc::clone(&link));
        router.flush();
        answer
    };
    match answer {
        Ok(accepted) => Some(Open { link, accepted, version }),
        Err(refused) => {
            debug!(%peer, reason = ?refused.reason, refused.detail, "CONNECT refused");
            refuse(stream, version, refused, room).await;
            None
        }
    }
}

async fn read_connect<S>(
    stream: &mut S,
    buffer: &mut BytesMut,
    shared: &Shared,
) -> Result<Option<flotilla_codec::Connect>, WireError>
where
    S: AsyncRead + Unpin,
{
    loop {
        if let Some(first) = buffer.first()
            && *first != 0x10
        {
            return Err(WireError::Protocol("the first packet of a connection must be CONNECT"));
        }
        if let Some((header, size)) = frame_len(buffer, shared.config.max_connect.min(shared.config.max_packet))? {
            // A copy: what is kept of it would keep the read buffer.
            let frame = Bytes::copy_from_slice(&buffer.split_to(size));
            return decode_connect(frame, header).map(Some);
        }
        buffer.reserve(1024);
        match stream.read_buf(buffer).await {
            Ok(0) | Err(_) => return Ok(None),
            Ok(_) => {}
        }
    }
}

async fn refuse<S: AsyncWrite + Unpin>(stream: &mut S, version: Version, refused: Refused, room: usize) {
    let mut answer = BytesMut::new();
    let told = ConnAck { refusal: refused.detail, ..ConnAck::default() };
    connack(&mut answer, version, refused.reason, &told, room);
    let send = async {
        stream.write_all(&answer).await?;
        stream.shutdown().await
    };
    // Whoever does not take the answer goes without.
    let _ = tokio::time::timeout(Duration::from_secs(1), send).await;
}
