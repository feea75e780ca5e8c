//! CONNECT, from bytes.

use bytes::Bytes;

use super::cursor::Cursor;
use super::properties::{self as props, Value};
use super::{Connect, Publish, QoS, Version, Will, WireError};

/// Decodes the CONNECT in `frame` (a whole packet, fixed header of `header` bytes).
pub fn decode_connect(frame: Bytes, header: usize) -> Result<Connect, WireError> {
    if frame[0] != 0x10 {
        return Err(WireError::Protocol("the first packet of a connection must be CONNECT"));
    }
    let mut body = Cursor::new(&frame[header..]);
    let name = body.binary()?;
    let level = body.u8()?;
    if name != b"MQTT" && name != b"MQIsdp" {
        return Err(WireError::Protocol("protocol name is not MQTT"));
    }
    let version = match (level, name) {
        (4, b"MQTT") => Version::V4,
        (5, b"MQTT") => Version::V5,
        _ => return Err(WireError::Version(level)),
    };
    let flags = body.u8()?;
    if flags & 1 != 0 {
        return Err(WireError::Malformed("reserved connect flag is set"));
    }
    let clean_start = flags & 2 != 0;
    let keep_alive = body.u16()?;
    let mut connect = Connect::new(version, "");
    (connect.clean_start, connect.keep_alive) = (clean_start, keep_alive);
    if version != Version::V5 && !clean_start {
        connect.session_expiry = u32::MAX;
    }
    if version == Version::V5 {
        properties(&mut body, &mut connect)?;
    }
    connect.client_id = body.string()?;
    connect.will = will(&frame, &mut body, flags, version)?;
    if flags & 0x80 != 0 {
        connect.username = Some(body.string()?);
    }
    if flags & 0x40 != 0 {
        if version != Version::V5 && flags & 0x80 == 0 {
            return Err(WireError::Malformed("password without user name"));
        }
        connect.password = Some(frame.slice_ref(body.binary()?));
    }
    if !body.is_empty() {
        return Err(WireError::Malformed("bytes after the end of CONNECT"));
    }
    Ok(connect)
}

fn properties(body: &mut Cursor<'_>, connect: &mut Connect) -> Result<(), WireError> {
    const ALLOWED: &[u8] = &[
        props::SESSION_EXPIRY,
        props::RECEIVE_MAX,
        props::MAX_PACKET,
        props::ALIAS_MAX,
        props::RESPONSE_INFO,
        props::PROBLEM_INFO,
        props::USER,
        props::AUTH_METHOD,
        props::AUTH_DATA,
    ];
    let mut data = false;
    props::each(body, ALLOWED, |id, value| {
        match (id, value) {
            (props::SESSION_EXPIRY, Value::Four(seconds)) => connect.session_expiry = seconds,
            (props::RECEIVE_MAX | props::MAX_PACKET, Value::Two(0) | Value::Four(0)) => {
                return Err(WireError::Protocol("receive maximum or maximum packet size of 0"));
            }
            (props::RECEIVE_MAX, Value::Two(count)) => connect.receive_maximum = count,
            (props::MAX_PACKET, Value::Four(size)) => connect.max_packet = size,
            (props::ALIAS_MAX, Value::Two(count)) => connect.topic_alias_max = count,
            (props::PROBLEM_INFO, Value::Byte(bit)) => connect.problem_info = bit == 1,
            (props::RESPONSE_INFO, Value::Byte(bit)) => connect.response_info = bit == 1,
            (props::USER, Value::Pair(name, value)) => connect.user.push((name.to_owned(), value.to_owned())),
            (props::AUTH_METHOD, _) => connect.auth_method = true,
            (props::AUTH_DATA, _) => data = true,
            _ => {}
        }
        Ok(())
    })?;
    if data && !connect.auth_method {
        return Err(WireError::Protocol("authentication data without a method"));
    }
    Ok(())
}

fn will(frame: &Bytes, body: &mut Cursor<'_>, flags: u8, version: Version) -> Result<Option<Will>, WireError> {
    let qos = QoS::from_bits((flags >> 3) & 3).ok_or(WireError::Malformed("will QoS 3"))?;
    let retain = flags & 0x20 != 0;
    if flags & 4 == 0 {
        if retain || qos != QoS::AtMostOnce {
            return Err(WireError::Malformed("will QoS or retain without a will"));
        }
        return Ok(None);
    }
    let properties = match version {
        Version::V5 => props::message(body, props::Origin::Will)?,
        Version::V3 | Version::V4 => props::MessageProperties::default(),
    };
    let topic = body.text()?;
    super::decode::check_topic(topic)?;
    Ok(Some(Will {
        message: Publish {
            dup: false,
            qos,
            retain,
            pkid: 0,
            topic: frame.slice_ref(topic.as_bytes()),
            alias: None,
            expiry: properties.expiry,
            forward: properties.forward(frame),
            payload: frame.slice_ref(body.binary()?),
        },
        delay: properties.will_delay,
    }))
}
