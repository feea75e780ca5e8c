//! Writing MQTT's data types (section 1.5).

use bytes::{BufMut, BytesMut};

/// Appends a text behind its length.
pub(super) fn text(out: &mut BytesMut, text: &str) {
    binary(out, text.as_bytes());
}

/// Appends bytes behind their length. The length has two bytes, so what is past 65,535 bytes is cut off: callers check
/// what comes from users.
pub(super) fn binary(out: &mut BytesMut, bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(usize::from(u16::MAX))];
    out.put_u16(bytes.len() as u16);
    out.put_slice(bytes);
}

/// Appends a whole packet.
pub(super) fn packet(out: &mut BytesMut, first: u8, body: &[u8]) {
    out.reserve(body.len() + 5);
    out.put_u8(first);
    varint(out, body.len());
    out.put_slice(body);
}

/// Appends a block of properties behind its length.
pub(super) fn block(out: &mut BytesMut, block: &[u8]) {
    varint(out, block.len());
    out.put_slice(block);
}

/// Appends a variable byte integer (section 1.5.5).
pub(super) fn varint(out: &mut BytesMut, mut value: usize) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.put_u8(byte);
            return;
        }
        out.put_u8(byte | 0x80);
    }
}

/// The bytes that a variable byte integer takes.
pub(super) fn varint_len(value: usize) -> usize {
    match value {
        0..=0x7f => 1,
        0x80..=0x3fff => 2,
        0x4000..=0x1f_ffff => 3,
        _ => 4,
    }
}
