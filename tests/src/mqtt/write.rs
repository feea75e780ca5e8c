//! Packets to send, as bytes.

use super::Connect;

fn text(out: &mut Vec<u8>, text: &[u8]) {
    out.extend(u16::try_from(text.len()).expect("a test's text is short").to_be_bytes());
    out.extend(text);
}

/// A packet: first byte, length, body.
pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    let mut rest = body.len();
    loop {
        let byte = (rest % 128) as u8;
        rest /= 128;
        out.push(if rest > 0 { byte | 0x80 } else { byte });
        if rest == 0 {
            break;
        }
    }
    out.extend(body);
    out
}

/// CONNECT.
pub fn connect(options: &Connect) -> Vec<u8> {
    let v5 = options.version == 5;
    let mut body = Vec::new();
    text(&mut body, b"MQTT");
    let mut flags = u8::from(options.clean) << 1;
    if options.will.is_some() {
        flags |= 0x04 | 1 << 3;
    }
    if options.user.is_some() {
        flags |= 0xC0;
    }
    body.extend([options.version, flags]);
    body.extend(options.keep_alive.to_be_bytes());
    if v5 {
        let mut properties = vec![0x11];
        properties.extend(options.expiry.to_be_bytes());
        properties.push(0x21);
        properties.extend(options.receive_maximum.to_be_bytes());
        if let Some(size) = options.max_packet {
            properties.push(0x27);
            properties.extend(size.to_be_bytes());
        }
        properties.extend(options.problem_info.iter().flat_map(|wanted| [0x17, *wanted]));
        body.push(properties.len() as u8);
        body.extend(properties);
    }
    text(&mut body, options.id.as_bytes());
    if let Some((topic, payload)) = &options.will {
        if v5 {
            body.push(0);
        }
        text(&mut body, topic.as_bytes());
        text(&mut body, payload.as_bytes());
    }
    if let Some((user, password)) = &options.user {
        text(&mut body, user.as_bytes());
        text(&mut body, password.as_bytes());
    }
    packet(0x10, &body)
}

/// PUBLISH.
pub fn publish(version: u8, topic: &str, payload: &[u8], qos: u8, retain: bool, pkid: u16) -> Vec<u8> {
    let mut body = Vec::with_capacity(topic.len() + payload.len() + 8);
    text(&mut body, topic.as_bytes());
    if qos > 0 {
        body.extend(pkid.to_be_bytes());
    }
    if version == 5 {
        body.push(0);
    }
    body.extend(payload);
    packet(0x30 | qos << 1 | u8::from(retain), &body)
}

/// SUBSCRIBE, with the same options for all filters.
pub fn subscribe(version: u8, filters: &[&str], options: u8, pkid: u16) -> Vec<u8> {
    let mut body = pkid.to_be_bytes().to_vec();
    if version == 5 {
        body.push(0);
    }
    for filter in filters {
        text(&mut body, filter.as_bytes());
        body.push(options);
    }
    packet(0x82, &body)
}

/// UNSUBSCRIBE from one filter.
pub fn unsubscribe(version: u8, filter: &str, pkid: u16) -> Vec<u8> {
    let mut body = pkid.to_be_bytes().to_vec();
    if version == 5 {
        body.push(0);
    }
    text(&mut body, filter.as_bytes());
    packet(0xA2, &body)
}

/// PUBACK (4), PUBREC (5), PUBREL (6) or PUBCOMP (7).
pub fn ack(kind: u8, pkid: u16) -> Vec<u8> {
    packet(kind << 4 | if kind == 6 { 2 } else { 0 }, &pkid.to_be_bytes())
}
