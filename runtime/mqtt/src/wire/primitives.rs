//! Reading and writing MQTT's data types (MQTT 5, section 1.5).

use bytes::{BufMut, BytesMut};

use super::packet::WireError;

/// A packet's body, read from the front.
pub(super) struct Reader<'a> {
    pub(super) packet: &'static str,
    pub(super) rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, n: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.rest.split_at_checked(n).ok_or(WireError::Short(self.packet))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8, WireError> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn u16(&mut self) -> Result<u16, WireError> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    pub(super) fn u32(&mut self) -> Result<u32, WireError> {
        let bytes = self.take(4)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    pub(super) fn varint(&mut self) -> Result<u32, WireError> {
        match varint(self.rest) {
            Some(Ok((value, used))) => {
                self.rest = &self.rest[used..];
                Ok(value)
            }
            Some(Err(())) => Err(self.malformed("a variable byte integer of more than four bytes")),
            None => Err(WireError::Short(self.packet)),
        }
    }

    pub(super) fn binary(&mut self) -> Result<&'a [u8], WireError> {
        let len = self.u16()?;
        self.take(usize::from(len))
    }

    pub(super) fn text(&mut self) -> Result<&'a str, WireError> {
        let bytes = self.binary()?;
        let text = std::str::from_utf8(bytes).map_err(|_| self.malformed("a text that is not UTF-8"))?;
        // [MQTT-1.5.4-2]: a null character is a malformed packet.
        if text.contains('\0') { Err(self.malformed("a text with a null character")) } else { Ok(text) }
    }

    pub(super) fn malformed(&self, what: &'static str) -> WireError {
        WireError::Malformed { packet: self.packet, what }
    }
}

/// A variable byte integer: value and bytes used. `None` when it is not all here, an error when it is too long.
pub(super) fn varint(bytes: &[u8]) -> Option<Result<(u32, usize), ()>> {
    let mut value = 0u32;
    for (at, byte) in bytes.iter().take(4).enumerate() {
        value |= u32::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some(Ok((value, at + 1)));
        }
    }
    if bytes.len() >= 4 { Some(Err(())) } else { None }
}

/// The bytes that a variable byte integer takes.
pub(super) fn varint_len(value: usize) -> usize {
    match value {
        0..=127 => 1,
        128..=16_383 => 2,
        16_384..=2_097_151 => 3,
        _ => 4,
    }
}

pub(super) fn put_varint(buf: &mut BytesMut, mut value: usize) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            buf.put_u8(byte);
            return;
        }
        buf.put_u8(byte | 0x80);
    }
}

/// Length-prefixed bytes. Longer than 65,535 cannot be: callers check what comes from flows.
pub(super) fn put_binary(buf: &mut BytesMut, bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(usize::from(u16::MAX))];
    buf.put_u16(bytes.len() as u16);
    buf.extend_from_slice(bytes);
}
