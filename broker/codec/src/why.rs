//! The reason strings of answers.

use bytes::{BufMut, BytesMut};

use super::primitives::{self, varint_len};
use super::{Reason, properties as props};

/// What the reason string of an answer says, and the room for it.
#[derive(Debug, Clone, Copy)]
pub struct Why<'a> {
    /// The code that it explains. Only refusals, 0x80 and above, are explained.
    pub reason: Reason,
    /// Said in place of [`Reason::text`] where it fits; may be empty.
    pub detail: &'a str,
    /// Bytes that the whole packet may have with it: the client's maximum packet size, or 0 where it asked for no
    /// reason strings [MQTT-3.1.2-29].
    pub room: usize,
}

impl<'a> Why<'a> {
    /// Nothing to explain.
    pub const SUCCESS: Why<'static> = Why { reason: Reason::Success, detail: "", room: 0 };

    /// What is said in a packet that has `fixed` bytes after its length, properties not counted: the first text that
    /// does not make it too large [MQTT-3.4.2-2 and the like], or nothing.
    pub(super) fn text(&self, fixed: usize) -> &'a str {
        if (self.reason as u8) < 0x80 {
            return "";
        }
        let fits = |text: &&str| {
            let block = text.len() + 3;
            let body = fixed + varint_len(block) + block;
            1 + varint_len(body) + body <= self.room
        };
        [self.detail, self.reason.text()].into_iter().filter(|text| !text.is_empty()).find(fits).unwrap_or_default()
    }
}

/// Bytes of a block of properties that has `text` as its reason string, and its length.
pub(super) fn block_len(text: &str) -> usize {
    let block = if text.is_empty() { 0 } else { text.len() + 3 };
    varint_len(block) + block
}

/// Appends such a block.
pub(super) fn put_block(out: &mut BytesMut, text: &str) {
    if text.is_empty() {
        out.put_u8(0);
        return;
    }
    primitives::varint(out, text.len() + 3);
    out.put_u8(props::REASON_STRING);
    primitives::text(out, text);
}

#[cfg(test)]
mod tests {
    use super::super::{AckKind, ConnAck, Version, ack, connack, disconnect, suback, unsuback};
    use super::*;

    fn encoded(encode: impl FnOnce(&mut BytesMut)) -> Vec<u8> {
        let mut out = BytesMut::new();
        encode(&mut out);
        out.to_vec()
    }

    fn why(reason: Reason, detail: &str, room: usize) -> Why<'_> {
        Why { reason, detail, room }
    }

    /// `whole` has the detail; one byte less has the reason's own text; with too little room for that, none.
    fn steps_down(packet: impl Fn(Why<'_>) -> Vec<u8>, reason: Reason, detail: &str, bare: &[u8]) {
        let whole = packet(why(reason, detail, usize::MAX));
        assert!(whole.windows(detail.len()).any(|part| part == detail.as_bytes()));
        assert_eq!(packet(why(reason, detail, whole.len())), whole);
        let less = packet(why(reason, detail, whole.len() - 1));
        assert_eq!(less, packet(why(reason, "", usize::MAX)));
        assert!(less.windows(reason.text().len()).any(|part| part == reason.text().as_bytes()));
        assert_eq!(packet(why(reason, detail, less.len())), less);
        assert_eq!(packet(why(reason, detail, less.len() - 1)), bare);
        assert_eq!(packet(why(reason, detail, 0)), bare, "a client that asked for none");
        for packet in [whole, less] {
            let (header, size) = super::super::frame_len(&packet, usize::MAX).unwrap().unwrap();
            assert_eq!(size, packet.len(), "its length is right");
            assert!(header < 4);
        }
    }

    #[test]
    fn acknowledgements_that_refuse_say_why_where_it_fits() {
        let reason = Reason::NotAuthorized;
        for kind in [AckKind::PubAck, AckKind::PubRec, AckKind::PubRel, AckKind::PubComp] {
            let first = (kind as u8) << 4 | if kind == AckKind::PubRel { 2 } else { 0 };
            let packet = |why: Why<'_>| encoded(|out| ack(out, Version::V5, kind, 7, why));
            // A length byte more is needed past 127 bytes: of the packet, of its properties, of both.
            for len in 28..300 {
                steps_down(packet, reason, &"d".repeat(len), &[first, 3, 0, 7, 0x87]);
            }
        }
        let whole = encoded(|out| ack(out, Version::V5, AckKind::PubAck, 7, why(reason, "no", 13)));
        assert_eq!(whole, *b"\x40\x09\x00\x07\x87\x05\x1f\x00\x02no");
    }

    #[test]
    fn success_is_as_short_as_it_can_be() {
        for reason in [Reason::Success, Reason::NoMatchingSubscribers] {
            let packet = encoded(|out| ack(out, Version::V5, AckKind::PubAck, 7, why(reason, "x", usize::MAX)));
            let short: &[u8] = if reason == Reason::Success { &[0x40, 2, 0, 7] } else { &[0x40, 3, 0, 7, 0x10] };
            assert_eq!(packet, short);
        }
        assert_eq!(encoded(|out| suback(out, Version::V5, 7, &[1], Why::SUCCESS)), [0x90, 4, 0, 7, 0, 1]);
    }

    #[test]
    fn version_3_1_1_is_told_nothing() {
        let told = why(Reason::NotAuthorized, "not for you", usize::MAX);
        assert_eq!(encoded(|out| ack(out, Version::V4, AckKind::PubAck, 7, told)), [0x40, 2, 0, 7]);
        assert_eq!(encoded(|out| suback(out, Version::V4, 7, &[0x87], told)), [0x90, 3, 0, 7, 0x80]);
        assert_eq!(encoded(|out| unsuback(out, Version::V4, 7, &[0x8F], told)), [0xB0, 2, 0, 7]);
        assert_eq!(encoded(|out| disconnect(out, Version::V4, Reason::SessionTakenOver, usize::MAX)), []);
    }

    #[test]
    fn subscriptions_that_are_refused_say_why_where_it_fits() {
        let detail = "not allowed for this client: plant/#";
        let packet = |why: Why<'_>| encoded(|out| suback(out, Version::V5, 7, &[1, 0x87], why));
        steps_down(packet, Reason::NotAuthorized, detail, &[0x90, 5, 0, 7, 0, 1, 0x87]);
        let packet = |why: Why<'_>| encoded(|out| unsuback(out, Version::V5, 7, &[0x8F], why));
        let detail = "the topic filter is not valid: plant/#/x";
        steps_down(packet, Reason::TopicFilterInvalid, detail, &[0xB0, 4, 0, 7, 0, 0x8F]);
    }

    #[test]
    fn who_is_closed_is_told_why_where_it_fits() {
        let reason = Reason::SessionTakenOver;
        let sent = |room| encoded(|out| disconnect(out, Version::V5, reason, room));
        let whole = sent(usize::MAX);
        assert_eq!(whole[..7], [0xE0, 42, 0x8E, 40, 0x1F, 0, 37]);
        assert_eq!(&whole[7..], reason.text().as_bytes());
        assert_eq!(sent(whole.len()), whole);
        assert_eq!(sent(whole.len() - 1), [0xE0, 1, 0x8E]);
    }

    #[test]
    fn connack_keeps_to_the_clients_maximum_packet_size() {
        let sent = |reason, told: &ConnAck<'_>, room| encoded(|out| connack(out, Version::V5, reason, told, room));
        let refused = sent(Reason::NotAuthorized, &ConnAck::default(), usize::MAX);
        assert_eq!(refused[..5], [0x20, 33, 0, 0x87, 30]);
        assert!(refused.ends_with(b"not allowed for this client"));
        assert_eq!(sent(Reason::NotAuthorized, &ConnAck::default(), 35), refused);
        assert_eq!(sent(Reason::NotAuthorized, &ConnAck::default(), 34), [0x20, 3, 0, 0x87, 0]);
        let told = ConnAck { receive_maximum: Some(9), user: &[("a", "b")], ..ConnAck::default() };
        let whole = sent(Reason::Success, &told, usize::MAX);
        assert_eq!(whole, [0x20, 13, 0, 0, 10, 0x21, 0, 9, 0x26, 0, 1, b'a', 0, 1, b'b']);
        assert_eq!(sent(Reason::Success, &told, whole.len()), whole);
        assert_eq!(sent(Reason::Success, &told, whole.len() - 1), [0x20, 6, 0, 0, 3, 0x21, 0, 9]);
    }
}
