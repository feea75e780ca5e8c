//! Reading the fields of a packet.

use super::WireError;

/// Reads fields off the front of a packet's body. They are borrowed from it: who keeps one copies it, or takes a slice of
/// the frame.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    body: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self { body }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.body.len()
    }

    pub(super) fn rest(self) -> &'a [u8] {
        self.body
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

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        let ends = WireError::Malformed("packet ends inside a field");
        let (taken, rest) = self.body.split_at_checked(len).ok_or(ends)?;
        self.body = rest;
        Ok(taken)
    }

    /// Two bytes of length, then that many bytes.
    pub(super) fn binary(&mut self) -> Result<&'a [u8], WireError> {
        let len = usize::from(self.u16()?);
        self.take(len)
    }

    /// As [`Self::binary`], checked to be UTF-8 without U+0000 [MQTT-1.5.4-1, -2].
    pub(super) fn text(&mut self) -> Result<&'a str, WireError> {
        let bytes = self.binary()?;
        let text = std::str::from_utf8(bytes).map_err(|_| WireError::Malformed("string is not UTF-8"))?;
        if bytes.contains(&0) {
            return Err(WireError::Malformed("string holds U+0000"));
        }
        Ok(text)
    }

    pub(super) fn string(&mut self) -> Result<String, WireError> {
        self.text().map(str::to_owned)
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
}
