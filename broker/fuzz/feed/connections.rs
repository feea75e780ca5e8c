//! A connection's bytes to a whole broker over TCP: shared by the fuzz target and the tests.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use flotilla_broker::{Broker, Config};
use tokio::runtime::Runtime;

/// A broker for any number of connections. What one leaves behind, the next may meet. Dropped, it ends.
pub struct Target {
    runtime: Runtime,
    broker: Option<Broker>,
    address: SocketAddr,
}

impl Target {
    /// Starts one that forgets sessions soon and holds little.
    pub fn start() -> Self {
        let config = Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            max_packet: 16 << 10,
            max_session_expiry: 1,
            group_linger: 1,
            max_held_bytes: 4 << 20,
            topic_alias_max: 4,
            receive_maximum: 4,
            max_subscriptions: 16,
            ..Config::default()
        };
        let runtime = Runtime::new().expect("threads for the broker");
        let broker = runtime.block_on(Broker::start(config)).expect("a free port for the broker");
        let address = broker.tcp_addr();
        Self { runtime, broker: Some(broker), address }
    }

    /// A CONNECT of either version comes first if the first byte is odd; then the rest, in two pieces. What the broker
    /// answers until it closes is read.
    pub fn feed(&self, bytes: &[u8]) -> Vec<u8> {
        let Some((how, bytes)) = bytes.split_first() else { return Vec::new() };
        let mut stream = TcpStream::connect(self.address).expect("the broker listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out that is not zero");
        stream.set_nodelay(true).expect("a TCP stream");
        let connect: &[u8] = match how & 3 {
            1 => &[0x10, 14, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0, 0, 2, b'i', b'4'],
            3 => &[0x10, 15, 0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 0, 0, 0, 2, b'i', b'5'],
            _ => &[],
        };
        let (first, second) = bytes.split_at(bytes.len() * usize::from(how >> 2) / 63);
        // A broker that has heard enough closes: then the rest cannot be written.
        let _ = [connect, first, second].iter().try_for_each(|piece| stream.write_all(piece));
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        if let Err(error) = stream.read_to_end(&mut answer) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "the broker does not close");
        }
        answer
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(broker) = self.broker.take() {
            self.runtime.block_on(broker.shutdown(Duration::from_secs(5)));
        }
    }
}
