//! As little of MQTT 3.1.1 as a load takes.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::BytesMut;
use flotilla_codec::{
    self as codec, Connect, PublishOut, QoS, RetainHandling, SubRequest, Subscribe, Version, client as encode,
    frame_len,
};

/// A connection that reads whole packets and sends in batches.
pub struct Client {
    stream: TcpStream,
    version: Version,
    buffer: Vec<u8>,
    filled: usize,
    out: BytesMut,
}

const PATIENCE: Duration = Duration::from_secs(20);

impl Client {
    /// Connects with a clean session, over MQTT 3.1.1.
    pub fn connect(address: SocketAddr, id: &str) -> io::Result<Self> {
        Self::connect_as(Version::V4, address, id)
    }

    /// The same with a version.
    pub fn connect_as(version: Version, address: SocketAddr, id: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut client = Self { stream, version, buffer: vec![0; 256 << 10], filled: 0, out: BytesMut::new() };
        // rumqttd refuses a keep alive of 0; a round is shorter than this minute.
        let wanted = Connect { keep_alive: 60, ..Connect::new(version, id) };
        encode::connect(&mut client.out, &wanted);
        client.flush()?;
        client.expect(0x20)?;
        Ok(client)
    }

    /// Subscribes.
    pub fn subscribe(&mut self, filter: &str, qos: u8) -> io::Result<()> {
        self.subscribe_with(filter, qos, &[])
    }

    /// The same with user properties.
    pub fn subscribe_with(&mut self, filter: &str, qos: u8, user: &[(&str, &str)]) -> io::Result<()> {
        let filter = SubRequest {
            filter: filter.to_owned(),
            qos: quality(qos),
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::Always,
        };
        let user = user.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let wanted = Subscribe { pkid: 1, id: None, user, filters: vec![filter] };
        encode::subscribe(&mut self.out, self.version, &wanted);
        self.flush()?;
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
        self.append(topic, payload, qos, pkid, false);
    }

    /// Appends a retained PUBLISH at QoS 1.
    pub fn retain(&mut self, topic: &str, payload: &[u8], pkid: u16) {
        self.append(topic, payload, 1, pkid, true);
    }

    fn append(&mut self, topic: &str, payload: &[u8], qos: u8, pkid: u16, retain: bool) {
        let message = PublishOut { qos: quality(qos), retain, pkid, ..PublishOut::new(topic.as_bytes(), payload) };
        codec::publish(&mut self.out, self.version, &message);
    }

    /// Sends what was appended.
    pub fn flush(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }

    /// Waits for bytes; hands over every whole packet, and where answers go.
    pub fn read(&mut self, mut each: impl FnMut(&[u8], &mut BytesMut)) -> io::Result<()> {
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
    let (header, size) = frame_len(bytes, usize::MAX).ok()??;
    debug_assert!(header == 2, "packets of a load are short");
    Some(size)
}

fn quality(number: u8) -> QoS {
    QoS::from_bits(number).expect("a QoS below 3")
}

/// The packet identifier of a PUBLISH at QoS 1 or 2.
pub fn publish_id(packet: &[u8]) -> [u8; 2] {
    let at = 4 + usize::from(packet[3]);
    [packet[at], packet[at + 1]]
}
