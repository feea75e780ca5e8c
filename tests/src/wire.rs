//! A wire to a server, which can become slow.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Carries what comes to its address to the server's, and back.
pub struct Wire {
    /// Where it listens.
    pub address: SocketAddr,
    delay_ms: Arc<AtomicU64>,
}

impl Wire {
    /// A wire on a free port of loopback that is as fast as none.
    pub fn to(server: SocketAddr) -> anyhow::Result<Wire> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, delay_ms) = (listener.local_addr()?, Arc::<AtomicU64>::default());
        let delay = delay_ms.clone();
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(server) else { continue };
                for (from, to) in [(near.try_clone(), far.try_clone()), (far.try_clone(), near.try_clone())] {
                    let (Ok(from), Ok(to)) = (from, to) else { continue };
                    let delay = delay.clone();
                    std::thread::spawn(move || carry(from, to, &delay));
                }
            }
        });
        Ok(Wire { address, delay_ms })
    }

    /// Whatever goes over it from now on takes so much longer, in each direction.
    pub fn slow_down(&self, by: Duration) {
        self.delay_ms.store(by.as_millis() as u64, Ordering::Relaxed);
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, delay_ms: &AtomicU64) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(size) = from.read(&mut bytes) {
        // A length of time is the fault itself here.
        std::thread::sleep(Duration::from_millis(delay_ms.load(Ordering::Relaxed)));
        if size == 0 || to.write_all(&bytes[..size]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}
