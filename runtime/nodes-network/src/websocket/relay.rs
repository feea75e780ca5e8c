//! To the clients of all replicas: what a websocket out node sends reaches those that are connected to other replicas, too.

use std::sync::Arc;

use flotilla_engine::Shared;
use flotilla_engine::message::Msg;
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};

use super::config::WebSocketConfig;

/// Reaches the other replicas of the group. Put it into `Shared::extensions` as [`Others`].
pub trait Relay: Send + Sync {
    /// This replica has WebSocket clients: it listens to the others from now on.
    fn listen(&self);
    /// Tells the others, without waiting; each hears it at most once, by [`hear`].
    ///
    /// # Errors
    /// Why they do not hear of it, for people.
    fn say(&self, message: Bytes) -> Result<(), String>;
}

/// The other replicas, as an extension.
pub struct Others(pub Arc<dyn Relay>);

const TEXT: u8 = b't';
const BINARY: u8 = b'b';

/// Tells the other replicas what a listener sends: to the client of a session, without one to all. Nothing to do without a
/// group.
pub(super) fn say(shared: &Shared, listener: &str, session: Option<&str>, frame: &Message) -> Result<(), String> {
    let Some(others) = shared.extensions().get::<Others>() else { return Ok(()) };
    match encode(listener, session.unwrap_or_default(), frame) {
        Some(message) => others.0.say(message),
        None => Ok(()),
    }
}

/// Sends what another replica said to the clients of this one.
pub fn hear(shared: &Shared, message: &[u8]) {
    let Some((listener, session, frame)) = decode(message) else { return };
    let Some(config) = shared.config_node::<WebSocketConfig>(listener).filter(|config| config.is_server()) else {
        return;
    };
    let links = if session.is_empty() { config.hub.links() } else { config.hub.link(session).into_iter().collect() };
    for link in links {
        // A client that does not read loses it, and the replica that sent it does not hear of it.
        let _ = link.write(frame.clone(), frame.len(), &Msg::default());
    }
}

/// Kind, then the ids of listener and session with a length byte each, then the data.
fn encode(listener: &str, session: &str, frame: &Message) -> Option<Bytes> {
    let (kind, data): (u8, &[u8]) = match frame {
        Message::Text(text) => (TEXT, text.as_bytes()),
        Message::Binary(bytes) => (BINARY, bytes.as_ref()),
        _ => return None,
    };
    let mut message = vec![kind];
    for id in [listener, session] {
        message.push(u8::try_from(id.len()).ok()?);
        message.extend_from_slice(id.as_bytes());
    }
    message.extend_from_slice(data);
    Some(message.into())
}

fn decode(message: &[u8]) -> Option<(&str, &str, Message)> {
    let (kind, rest) = message.split_first()?;
    let (listener, rest) = id(rest)?;
    let (session, data) = id(rest)?;
    let frame = match *kind {
        TEXT => Message::Text(Utf8Bytes::try_from(Bytes::copy_from_slice(data)).ok()?),
        BINARY => Message::Binary(data.to_vec().into()),
        _ => return None,
    };
    Some((listener, session, frame))
}

fn id(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (id, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((std::str::from_utf8(id).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_heard() {
        for frame in [Message::text("grüß"), Message::binary(vec![0, 255, b't'])] {
            let message = encode("l1", "s", &frame).unwrap();
            assert_eq!(decode(&message), Some(("l1", "s", frame)));
        }
        assert_eq!(decode(&encode("l", "", &Message::text("")).unwrap()), Some(("l", "", Message::text(""))));
        for damaged in [&b""[..], b"t", b"t\x05ab", b"t\x01a", b"x\x01a\x00", b"t\x01a\x00\xff"] {
            assert_eq!(decode(damaged), None, "{damaged:?}");
        }
    }
}
