//! What a test sends, as the codec's packets.

use flotilla_codec::{self as codec, AckKind, QoS, RetainHandling, SubRequest, Subscribe, Version, Will};

use super::Connect;

/// The codec's version.
pub fn version(level: u8) -> Version {
    match level {
        3 => Version::V3,
        4 => Version::V4,
        _ => Version::V5,
    }
}

/// From a number below 3.
pub fn qos(number: u8) -> QoS {
    QoS::from_bits(number & 3).expect("a QoS below 3")
}

/// CONNECT.
pub fn connect(options: &Connect) -> codec::Connect {
    let mut connect = codec::Connect::new(version(options.version), options.id.clone());
    (connect.clean_start, connect.keep_alive) = (options.clean, options.keep_alive);
    (connect.session_expiry, connect.receive_maximum) = (options.expiry, options.receive_maximum);
    connect.max_packet = options.max_packet.unwrap_or(u32::MAX);
    connect.problem_info = options.problem_info != Some(0);
    connect.user = options.properties.clone();
    connect.will = options.will.as_ref().map(|(topic, payload)| Will {
        message: codec::Publish {
            dup: false,
            qos: QoS::AtLeastOnce,
            retain: false,
            pkid: 0,
            topic: topic.clone().into(),
            alias: None,
            expiry: None,
            forward: bytes::Bytes::new(),
            payload: payload.clone().into(),
        },
        delay: 0,
    });
    if let Some((user, password)) = &options.user {
        (connect.username, connect.password) = (Some(user.clone()), Some(password.clone().into()));
    }
    connect
}

/// SUBSCRIBE, with the same options for all filters: the byte of section 3.8.3.1.
pub fn subscribe(filters: &[&str], options: u8, pkid: u16, user: &[(&str, &str)]) -> Subscribe {
    let filters = filters.iter().map(|filter| SubRequest {
        filter: (*filter).to_owned(),
        qos: qos(options),
        no_local: options & 4 != 0,
        retain_as_published: options & 8 != 0,
        retain_handling: match options >> 4 {
            0 => RetainHandling::Always,
            1 => RetainHandling::IfNew,
            _ => RetainHandling::Never,
        },
    });
    let user = user.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Subscribe { pkid, id: None, user, filters: filters.collect() }
}

/// PUBACK (4), PUBREC (5), PUBREL (6) or PUBCOMP (7).
pub fn kind(kind: u8) -> AckKind {
    match kind {
        4 => AckKind::PubAck,
        5 => AckKind::PubRec,
        6 => AckKind::PubRel,
        7 => AckKind::PubComp,
        other => panic!("{other} is no acknowledgement"),
    }
}
