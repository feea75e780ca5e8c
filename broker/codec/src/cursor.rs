//! Reading the fields of a packet.

use bytes::{Buf, Bytes};

use super::WireError;

/// Reads fields off a packet body; strings and payloads are slices of it, not copies.
pub(super) struct Cursor {
    body: Bytes,
}

impl Cursor {
    pub(super) fn new(body: Bytes) -> Self {
        Self { body }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.body.len()
    }

    pub(super) fn rest(self) -> Bytes {
        self.body
    }

    pub(super) fn u8(&mut self) -> Result<u8, WireError> {
        self.need(1)?;
        Ok(self.body.get_u8())
    }

    pub(super) fn u16(&mut self) -> Result<u16, WireError> {
        self.need(2)?;
        Ok(self.body.get_u16())
    }

    pub(super) fn u32(&mut self) -> Result<u32, WireError> {
        self.need(4)?;
        Ok(self.body.get_u32())
    }

    pub(super) fn take(&mut self, len: usize) -> Result<Bytes, WireError> {
        self.need(len)?;
        Ok(self.body.split_to(len))
    }

    /// Two bytes of length, then that many bytes.
    pub(super) fn binary(&mut self) -> Result<Bytes, WireError> {
        let len = usize::from(self.u16()?);
        self.take(len)
    }

    /// As [`Self::binary`], checked to be UTF-8 without U+0000 [MQTT-1.5.4-1, -2].
    pub(super) fn text(&mut self) -> Result<Bytes, WireError> {
        let bytes = self.binary()?;
        check_text(&bytes)?;
        Ok(bytes)
    }

    pub(super) fn string(&mut self) -> Result<String, WireError> {
        let bytes = self.binary()?;
        Ok(check_text(&bytes)?.to_owned())
    }

    /// Variable byte integer (section 1.5.5).
    pub(super) fn varint(&mut self) -> Result<u32, WireError> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21] {
            let byte = self.u8()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(WireError::Malformed("variable byte integer is longer than four bytes"))
    }

    fn need(&self, len: usize) -> Result<(), WireError> {
        if self.body.len() < len {
            return Err(WireError::Malformed("packet ends inside a field"));
        }
        Ok(())
    }
}

fn check_text(bytes: &[u8]) -> Result<&str, WireError> {
    let text = std::str::from_utf8(bytes).map_err(|_| WireError::Malformed("string is not UTF-8"))?;
    if bytes.contains(&0) {
        return Err(WireError::Malformed("string holds U+0000"));
    }
    Ok(text)
}
