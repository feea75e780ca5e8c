//! The end of a connection that is not read.

use std::future::poll_fn;
use std::task::Poll;

use flotilla_codec::client::{self as codec, Incoming};
use flotilla_codec::{Version, packet_len};

use super::connection::{Connection, PACKET_LIMIT};
use super::end::End;

/// How much of what was not taken is looked through for the server's last word.
const LAST: usize = 1 << 20;
/// MQTT 5, section 3.14.2.1: session taken over.
const TAKEN: u8 = 0x8e;

impl Connection {
    /// How the connection ended, if it has, while nothing is read from it. What it brought and was not taken comes again with the
    /// session; without one it would not, and is taken first.
    pub(super) async fn ended_unread(&mut self) -> Option<End> {
        if !self.persistent || !self.stream.is_over() {
            return None;
        }
        while self.input.len() < LAST {
            let read = poll_fn(|cx| Poll::Ready(self.try_read(cx))).await;
            if !matches!(read, Ok(Some(count)) if count > 0) {
                break;
            }
        }
        Some(if is_taken(&self.input, self.version) { End::Taken } else { End::lost("closed by the broker") })
    }
}

/// Whether the last of these packets says that somebody else has connected under the ClientID.
fn is_taken(mut input: &[u8], version: Version) -> bool {
    while let Ok(Some((header, size))) = packet_len(input, PACKET_LIMIT)
        && let Some((packet, rest)) = input.split_at_checked(size)
    {
        // DISCONNECT
        if packet[0] >> 4 == 14 {
            let last = codec::decode_borrowed(packet, header, version);
            return matches!(last, Ok(Incoming::Disconnect { reason: TAKEN, .. }));
        }
        input = rest;
    }
    false
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use flotilla_codec::{Reason, disconnect};

    use super::*;

    #[test]
    fn the_last_word_is_found_behind_messages() {
        let publish = [0x30, 6, 0, 2, b'i', b'n', 0, b'x'];
        let last = |reason: Reason| {
            let mut input = BytesMut::from(&publish.repeat(3)[..]);
            disconnect(&mut input, Version::V5, reason, usize::MAX);
            input
        };
        assert!(is_taken(&last(Reason::SessionTakenOver), Version::V5));
        assert!(!is_taken(&last(Reason::ServerShuttingDown), Version::V5));
        let whole = last(Reason::SessionTakenOver);
        for length in 0..whole.len() {
            assert!(!is_taken(&whole[..length], Version::V5), "{length}");
        }
    }
}
