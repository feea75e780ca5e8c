//! As little of MQTT 3.1.1 as a load takes.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A connection that reads whole packets and sends in batches.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    out: Vec<u8>,
}

const PATIENCE: Duration = Duration::from_secs(20);

impl Client {
    /// Connects with a clean session.
    pub fn connect(address: SocketAddr, id: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut client = Self { stream, buffer: vec![0; 256 << 10], filled: 0, out: Vec::new() };
        // rumqttd refuses a keep alive of 0; a round is shorter than this minute.
        let mut packet =
            vec![0x10, (12 + id.len()) as u8, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 60, 0, id.len() as u8];
        packet.extend(id.as_bytes());
        client.stream.write_all(&packet)?;
        client.expect(0x20)?;
        Ok(client)
    }

    /// Subscribes.
    pub fn subscribe(&mut self, filter: &str, qos: u8) -> io::Result<()> {
        let mut packet = vec![0x82, (5 + filter.len()) as u8, 0, 1, 0, filter.len() as u8];
        packet.extend(filter.as_bytes());
        packet.push(qos);
        self.stream.write_all(&packet)?;
        self.expect(0x90)
    }

    fn expect(&mut self, first: u8) -> io::Result<()> {
        let mut found = false;
        while !found {
            self.read(|packet, _| found |= packet[0] == first)?;
        }
        Ok(())
    }

    /// Appends a PUBLISH to what [`Self::flush`] sends.
    pub fn publish(&mut self, topic: &str, payload: &[u8], qos: u8, pkid: u16) {
        let id = if qos > 0 { 2 } else { 0 };
        // Short enough for one byte of length.
        self.out.extend([0x30 | qos << 1, (2 + topic.len() + id + payload.len()) as u8, 0, topic.len() as u8]);
        self.out.extend(topic.as_bytes());
        if qos > 0 {
            self.out.extend(pkid.to_be_bytes());
        }
        self.out.extend(payload);
    }

    /// Appends a retained PUBLISH at QoS 1.
    pub fn retain(&mut self, topic: &str, payload: &[u8], pkid: u16) {
        let from = self.out.len();
        self.publish(topic, payload, 1, pkid);
        self.out[from] |= 1;
    }

    /// Sends what was appended.
    pub fn flush(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }

    /// Waits for bytes; hands over every whole packet, and where answers go.
    pub fn read(&mut self, mut each: impl FnMut(&[u8], &mut Vec<u8>)) -> io::Result<()> {
        let count = self.stream.read(&mut self.buffer[self.filled..])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.filled += count;
        let mut start = 0;
        while let Some(length) = whole(&self.buffer[start..self.filled]) {
            each(&self.buffer[start..start + length], &mut self.out);
            start += length;
        }
        self.buffer.copy_within(start..self.filled, 0);
        self.filled -= start;
        Ok(())
    }

    /// Ends the reads of whoever waits.
    pub fn handle(&self) -> io::Result<TcpStream> {
        self.stream.try_clone()
    }
}

/// Length of the packet that `bytes` begins with, once all of it is there.
fn whole(bytes: &[u8]) -> Option<usize> {
    let length = usize::from(*bytes.get(1)?);
    debug_assert!(length < 128, "packets of a load are short");
    (bytes.len() >= 2 + length).then_some(2 + length)
}

/// The packet identifier of a PUBLISH at QoS 1 or 2.
pub fn publish_id(packet: &[u8]) -> [u8; 2] {
    let at = 4 + usize::from(packet[3]);
    [packet[at], packet[at + 1]]
}
