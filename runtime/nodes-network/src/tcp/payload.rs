//! Payloads into bytes, and the settings and properties that the TCP nodes have in common.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use flotilla_engine::NodeCx;
use flotilla_nodes_core::storage::encoding::Encoding;
use flotilla_value::{Object, Str, Value};

/// What is sent for a payload: buffers as they are, text with `base64` decoded, the rest as JavaScript prints it.
pub(super) fn bytes(payload: &Value, base64: bool) -> Bytes {
    match payload {
        Value::Buffer(bytes) => bytes.clone(),
        Value::String(text) if base64 => Encoding::Base64.encode(text).into(),
        other => Bytes::copy_from_slice(other.to_text().as_bytes()),
    }
}

/// `msg._session`: which connection a message came on, so that tcp out can answer on it.
pub(super) fn session(id: &Str) -> Value {
    let pairs = [("type", Value::from("tcp")), ("id", Value::from(id.clone()))];
    Value::from(pairs.into_iter().collect::<Object>())
}

/// A peer's address as Node.js prints it: IPv4 peers of an IPv6 socket are `::ffff:1.2.3.4`.
pub(super) fn ip(peer: SocketAddr) -> Value {
    Value::from(peer.ip().to_string())
}

/// Setting `socketTimeout`: a connection that is silent for this long is ended.
pub(super) fn idle_time(cx: &NodeCx) -> Option<Duration> {
    milliseconds(cx, "socketTimeout").filter(|time| !time.is_zero())
}

/// Setting `socketReconnectTime`: the pause before a lost connection is made again.
pub(super) fn reconnect_time(cx: &NodeCx) -> Duration {
    milliseconds(cx, "socketReconnectTime").filter(|time| !time.is_zero()).unwrap_or(Duration::from_secs(10))
}

fn milliseconds(cx: &NodeCx, setting: &str) -> Option<Duration> {
    cx.settings().number(setting).map(flotilla_value::wait_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_become_bytes() {
        assert_eq!(bytes(&Value::from("aGk="), true), "hi");
        assert_eq!(bytes(&Value::from("aGk="), false), "aGk=");
        assert_eq!(bytes(&Value::Buffer("x".into()), true), "x");
        assert_eq!(bytes(&Value::from(1.5), true), "1.5");
        assert_eq!(bytes(&Value::object(), false), "[object Object]");
    }
}
