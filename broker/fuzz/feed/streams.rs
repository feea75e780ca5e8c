//! A connection's bytes in pieces through the codec: shared by the fuzz target and the tests.

use bytes::BytesMut;
use flotilla_codec::{Connect, Packet, WireError, decode, decode_connect, frame_len};

const LIMIT: usize = 1 << 20;

/// What came of a connection's bytes.
#[derive(Debug, Default, PartialEq)]
pub struct Heard {
    /// The first packet.
    pub connect: Option<Connect>,
    /// The others.
    pub packets: Vec<Packet>,
    /// Why the connection ends.
    pub error: Option<WireError>,
}

/// The first byte says how large the pieces are in which the rest comes. Whatever it says, the same is heard.
pub fn feed(bytes: &[u8]) -> Heard {
    let Some((piece, bytes)) = bytes.split_first() else { return Heard::default() };
    let heard = hear(bytes.chunks(usize::from(*piece) + 1));
    assert_eq!(heard, hear(std::iter::once(bytes)));
    heard
}

fn hear<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Heard {
    let (mut heard, mut buffer) = (Heard::default(), BytesMut::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        if let Err(error) = take(&mut buffer, &mut heard) {
            heard.error = Some(error);
            break;
        }
    }
    heard
}

/// Takes every whole packet off `buffer`.
fn take(buffer: &mut BytesMut, heard: &mut Heard) -> Result<(), WireError> {
    while let Some((header, size)) = frame_len(buffer, LIMIT)? {
        let frame = buffer.split_to(size).freeze();
        match &heard.connect {
            None => heard.connect = Some(decode_connect(frame, header)?),
            Some(connect) => heard.packets.push(decode(frame, header, connect.version)?),
        }
    }
    Ok(())
}
