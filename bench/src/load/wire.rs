//! As much of MQTT 3.1.1 as a load generator at QoS 1 needs.

use std::io::{self, Read};
use std::net::TcpStream;

use bytes::BytesMut;
use flotilla_codec::{
    self as codec, Connect, PublishOut, QoS, RetainHandling, SubRequest, Subscribe, Version, client, frame_len,
};

fn encoded(encode: impl FnOnce(&mut BytesMut)) -> BytesMut {
    let mut out = BytesMut::new();
    encode(&mut out);
    out
}

/// CONNECT with a clean session and without keep alive.
pub fn connect(client_id: &str) -> BytesMut {
    encoded(|out| client::connect(out, &Connect::new(Version::V4, client_id)))
}

/// SUBSCRIBE at QoS 0: what the flow published at QoS 1 is counted, and costs the broker no acknowledgement more.
pub fn subscribe(topic: &str) -> BytesMut {
    let filter = SubRequest {
        filter: topic.to_owned(),
        qos: QoS::AtMostOnce,
        no_local: false,
        retain_as_published: false,
        retain_handling: RetainHandling::Always,
    };
    let wanted = Subscribe { pkid: 1, id: None, user: Vec::new(), filters: vec![filter] };
    encoded(|out| client::subscribe(out, Version::V4, &wanted))
}

/// PUBLISH at QoS 1.
pub fn publish(topic: &str, id: u16, payload: &[u8]) -> BytesMut {
    let message = PublishOut { qos: QoS::AtLeastOnce, pkid: id, ..PublishOut::new(topic.as_bytes(), payload) };
    encoded(|out| codec::publish(out, Version::V4, &message))
}

/// A packet: its first byte and its body.
pub struct Packet {
    pub first: u8,
    pub body: Vec<u8>,
}

impl Packet {
    /// The payload of a PUBLISH at QoS 0.
    pub fn payload(&self) -> Option<&[u8]> {
        let topic = usize::from(u16::from_be_bytes([*self.body.first()?, *self.body.get(1)?]));
        self.body.get(2 + topic..)
    }
}

/// Read at once: what comes while the reader pauses fits several times, so that the reader is never what is measured.
const CHUNK: usize = 1 << 19;

/// Reads packets from a socket through a buffer.
pub struct Reader {
    stream: TcpStream,
    buffer: Vec<u8>,
    start: usize,
    chunk: Box<[u8]>,
}

impl Reader {
    pub fn new(stream: TcpStream) -> Reader {
        Reader { stream, buffer: Vec::with_capacity(CHUNK), start: 0, chunk: vec![0; CHUNK].into_boxed_slice() }
    }

    /// True when a whole packet is here and reading it will not wait.
    pub fn has_packet(&self) -> bool {
        self.frame().is_some()
    }

    /// Length of the header and of the whole packet, once it is there.
    fn frame(&self) -> Option<(usize, usize)> {
        frame_len(self.buffer.get(self.start..)?, usize::MAX).ok()?
    }

    /// The next packet.
    pub fn read(&mut self) -> io::Result<Packet> {
        loop {
            if let Some((header, size)) = self.frame() {
                let first = self.buffer[self.start];
                let body = self.buffer[self.start + header..self.start + size].to_vec();
                self.start += size;
                return Ok(Packet { first, body });
            }
            self.buffer.drain(..self.start);
            self.start = 0;
            let read = self.stream.read(&mut self.chunk)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.buffer.extend_from_slice(&self.chunk[..read]);
        }
    }
}
