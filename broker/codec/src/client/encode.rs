//! What only a client sends, as bytes.

use bytes::{BufMut, BytesMut};

use crate::primitives::{binary, block as put_block, packet, text, varint};
use crate::properties as props;
use crate::{Connect, Disconnect, RetainHandling, Subscribe, Unsubscribe, UserProperties, Version, Will};

/// Appends a CONNECT (section 3.1). Properties that say what is so without them are left out. Before MQTT 5 a password
/// needs a user name [MQTT-3.1.2-22]: an empty one is sent where there is none.
pub fn connect(out: &mut BytesMut, wanted: &Connect) {
    let v5 = wanted.version == Version::V5;
    let mut body = BytesMut::with_capacity(128);
    let (name, level) = match wanted.version {
        Version::V3 => ("MQIsdp", 3),
        Version::V4 => ("MQTT", 4),
        Version::V5 => ("MQTT", 5),
    };
    text(&mut body, name);
    body.put_u8(level);
    let username = wanted.username.as_deref().or((wanted.password.is_some() && !v5).then_some(""));
    let mut flags = u8::from(wanted.clean_start) << 1;
    if let Some(Will { message, .. }) = &wanted.will {
        flags |= 4 | (message.qos as u8) << 3 | u8::from(message.retain) << 5;
    }
    flags |= u8::from(wanted.password.is_some()) << 6 | u8::from(username.is_some()) << 7;
    body.put_u8(flags);
    body.put_u16(wanted.keep_alive);
    if v5 {
        put_block(&mut body, &properties(wanted));
    }
    text(&mut body, &wanted.client_id);
    if let Some(will) = &wanted.will {
        put_will(&mut body, will, v5);
    }
    if let Some(name) = username {
        text(&mut body, name);
    }
    if let Some(password) = &wanted.password {
        binary(&mut body, password);
    }
    packet(out, 0x10, &body);
}

fn properties(wanted: &Connect) -> BytesMut {
    let mut block = BytesMut::new();
    if wanted.session_expiry > 0 {
        block.put_u8(props::SESSION_EXPIRY);
        block.put_u32(wanted.session_expiry);
    }
    if wanted.receive_maximum < u16::MAX {
        block.put_u8(props::RECEIVE_MAX);
        // 0 is a protocol error.
        block.put_u16(wanted.receive_maximum.max(1));
    }
    if wanted.max_packet < u32::MAX {
        block.put_u8(props::MAX_PACKET);
        block.put_u32(wanted.max_packet.max(1));
    }
    if wanted.topic_alias_max > 0 {
        block.put_u8(props::ALIAS_MAX);
        block.put_u16(wanted.topic_alias_max);
    }
    if wanted.response_info {
        block.put_slice(&[props::RESPONSE_INFO, 1]);
    }
    if !wanted.problem_info {
        block.put_slice(&[props::PROBLEM_INFO, 0]);
    }
    put_user(&mut block, &wanted.user);
    block
}

fn put_will(body: &mut BytesMut, will: &Will, v5: bool) {
    if v5 {
        let mut block = BytesMut::new();
        if will.delay > 0 {
            block.put_u8(props::WILL_DELAY);
            block.put_u32(will.delay);
        }
        if let Some(seconds) = will.message.expiry {
            block.put_u8(props::MESSAGE_EXPIRY);
            block.put_u32(seconds);
        }
        block.put_slice(&will.message.forward);
        put_block(body, &block);
    }
    binary(body, &will.message.topic);
    binary(body, &will.message.payload);
}

/// Appends a SUBSCRIBE (section 3.8). Before MQTT 5 only filters and QoS are sent.
pub fn subscribe(out: &mut BytesMut, version: Version, wanted: &Subscribe) {
    let mut body = BytesMut::with_capacity(64);
    body.put_u16(wanted.pkid);
    if version == Version::V5 {
        let mut block = BytesMut::new();
        if let Some(id) = wanted.id {
            block.put_u8(props::SUBSCRIPTION_ID);
            varint(&mut block, id as usize);
        }
        put_user(&mut block, &wanted.user);
        put_block(&mut body, &block);
    }
    for filter in &wanted.filters {
        text(&mut body, &filter.filter);
        let mut options = filter.qos as u8;
        if version == Version::V5 {
            let handling = match filter.retain_handling {
                RetainHandling::Always => 0,
                RetainHandling::IfNew => 1,
                RetainHandling::Never => 2,
            };
            options |= u8::from(filter.no_local) << 2 | u8::from(filter.retain_as_published) << 3 | handling << 4;
        }
        body.put_u8(options);
    }
    packet(out, 0x82, &body);
}

/// Appends an UNSUBSCRIBE (section 3.10).
pub fn unsubscribe(out: &mut BytesMut, version: Version, wanted: &Unsubscribe) {
    let mut body = BytesMut::with_capacity(64);
    body.put_u16(wanted.pkid);
    if version == Version::V5 {
        body.put_u8(0);
    }
    for filter in &wanted.filters {
        text(&mut body, filter);
    }
    packet(out, 0xA2, &body);
}

/// Appends a PINGREQ.
pub fn pingreq(out: &mut BytesMut) {
    out.put_slice(&[0xC0, 0]);
}

/// Appends a DISCONNECT (section 3.14). Before MQTT 5 it says nothing.
pub fn disconnect(out: &mut BytesMut, version: Version, wanted: Disconnect) {
    if version != Version::V5 || (wanted.reason == 0 && wanted.session_expiry.is_none()) {
        out.put_slice(&[0xE0, 0]);
        return;
    }
    let mut body = BytesMut::new();
    body.put_u8(wanted.reason);
    if let Some(seconds) = wanted.session_expiry {
        body.put_slice(&[5, props::SESSION_EXPIRY]);
        body.put_u32(seconds);
    }
    packet(out, 0xE0, &body);
}

fn put_user(block: &mut BytesMut, user: &UserProperties) {
    for (name, value) in user {
        block.put_u8(props::USER);
        text(block, name);
        text(block, value);
    }
}
