//! As much of MQTT 3.1.1 as a load generator at QoS 1 needs.

use std::io::{self, Read};
use std::net::TcpStream;

/// CONNECT, SUBSCRIBE and PUBLISH packets.
fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    let mut length = body.len();
    loop {
        let byte = (length % 128) as u8;
        length /= 128;
        out.push(if length > 0 { byte | 0x80 } else { byte });
        if length == 0 {
            break;
        }
    }
    out.extend_from_slice(body);
    out
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u16).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// CONNECT with a clean session and without keep alive (section 3.1).
pub fn connect(client_id: &str) -> Vec<u8> {
    let mut body = Vec::new();
    text(&mut body, "MQTT");
    body.extend_from_slice(&[4, 2, 0, 0]);
    text(&mut body, client_id);
    packet(0x10, &body)
}

/// SUBSCRIBE at QoS 0 (section 3.8): what the flow published at QoS 1 is counted, and costs the broker no
/// acknowledgement more.
pub fn subscribe(topic: &str) -> Vec<u8> {
    let mut body = vec![0, 1];
    text(&mut body, topic);
    body.push(0);
    packet(0x82, &body)
}

/// PUBLISH at QoS 1 (section 3.3).
pub fn publish(topic: &str, id: u16, payload: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    text(&mut body, topic);
    body.extend_from_slice(&id.to_be_bytes());
    body.extend_from_slice(payload);
    packet(0x32, &body)
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

    /// Length of the header and of the body.
    fn frame(&self) -> Option<(usize, usize)> {
        let bytes = self.buffer.get(self.start..)?;
        let (mut length, mut shift) = (0usize, 0);
        for (at, byte) in bytes.iter().skip(1).take(4).enumerate() {
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return (bytes.len() >= at + 2 + length).then_some((at + 2, length));
            }
        }
        None
    }

    /// The next packet.
    pub fn read(&mut self) -> io::Result<Packet> {
        loop {
            if let Some((header, length)) = self.frame() {
                let first = self.buffer[self.start];
                let body = self.buffer[self.start + header..self.start + header + length].to_vec();
                self.start += header + length;
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
