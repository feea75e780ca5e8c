//! The way in of one connection: bytes to packets.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use flotilla_codec::{Packet, Publish, Reason, Version, WireError, decode, frame_len};

/// The way in of one connection: bytes to packets, with topic aliases resolved.
pub(super) struct Inbound {
    pub(super) buffer: BytesMut,
    /// Decoded, not yet handled.
    pub(super) packets: VecDeque<Packet>,
    /// Bytes decoded while packets wait.
    held: usize,
    version: Version,
    max_packet: usize,
    aliases: Vec<Bytes>,
    /// Bytes to ask the socket for: grows with traffic, so that an idle connection costs little.
    want: usize,
}

const LEAST: usize = 2 << 10;
const MOST: usize = 64 << 10;
/// Packets, and bytes of them, read ahead of a publish that waits.
const AHEAD: (usize, usize) = (4096, 1 << 20);

impl Inbound {
    pub(super) fn new(buffer: BytesMut, version: Version, max_packet: usize, alias_max: u16) -> Self {
        Self {
            buffer,
            packets: VecDeque::new(),
            held: 0,
            version,
            max_packet,
            aliases: vec![Bytes::new(); usize::from(alias_max)],
            want: LEAST,
        }
    }

    /// Makes room for a read.
    pub(super) fn reserve(&mut self) {
        if self.buffer.capacity() - self.buffer.len() < self.want / 2 {
            self.buffer.reserve(self.want);
        }
    }

    /// Keeps what cannot be handled yet.
    pub(super) fn hold(&mut self, waiting: VecDeque<Packet>) {
        if waiting.is_empty() {
            self.held = 0;
        } else {
            self.packets = waiting;
        }
    }

    /// Whether more may be read while packets wait.
    pub(super) fn has_room(&self) -> bool {
        self.packets.len() < AHEAD.0 && self.held < AHEAD.1
    }

    /// After a read of `count` bytes: decodes every whole packet.
    pub(super) fn decode(&mut self, count: usize) -> Result<(), Refusal> {
        if count >= self.want / 2 {
            self.want = (self.want * 2).min(MOST);
        } else if count < self.want / 8 {
            self.want = (self.want / 2).max(LEAST);
        }
        while let Some((header, size)) = frame_len(&self.buffer, self.max_packet)? {
            let frame = self.buffer.split_to(size).freeze();
            self.held += size;
            let mut packet = decode(frame, header, self.version)?;
            if let Packet::Publish(publish) = &mut packet
                && let Some(alias) = publish.alias
            {
                self.resolve(publish, alias)?;
            }
            self.packets.push_back(packet);
        }
        Ok(())
    }

    fn resolve(&mut self, publish: &mut Publish, alias: u16) -> Result<(), Refusal> {
        let slot = usize::from(alias).checked_sub(1).and_then(|index| self.aliases.get_mut(index));
        let slot = slot.ok_or(Refusal(Reason::TopicAliasInvalid))?;
        if !publish.topic.is_empty() {
            // Copied, or it would keep the read buffer.
            *slot = Bytes::copy_from_slice(&publish.topic);
        } else if slot.is_empty() {
            return Err(Refusal(Reason::ProtocolError));
        } else {
            publish.topic = slot.clone();
        }
        Ok(())
    }
}

/// Why the connection ends.
pub(super) struct Refusal(pub(super) Reason);

impl From<WireError> for Refusal {
    fn from(error: WireError) -> Self {
        tracing::debug!(%error, "packet refused");
        Self(error.reason())
    }
}
