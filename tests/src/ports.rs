//! Free loopback ports.

use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Mutex;

use anyhow::Context;

/// Below the ports that the system gives to connections that go out: one of those would be gone now and then.
const PORTS: std::ops::Range<u16> = 10_300..32_700;

/// Locks on the ports that this process has, until it ends: tests that run at the same time have others.
static TAKEN: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// Addresses on loopback that are free, and that no other test is given while this process runs.
pub fn free_ports<const N: usize>() -> anyhow::Result<[SocketAddr; N]> {
    let folder = std::env::temp_dir().join("flotilla-test-ports");
    std::fs::create_dir_all(&folder)?;
    let mut found = Vec::new();
    let mut taken = TAKEN.lock().map_err(|_| anyhow::anyhow!("another thread failed while it took a port"))?;
    let count = PORTS.len() as u64;
    let start = RandomState::new().build_hasher().finish() % count;
    for step in 0..count {
        if found.len() == N {
            break;
        }
        let port = PORTS.start + ((start + step) % count) as u16;
        let file = File::create(folder.join(port.to_string()))?;
        // Somebody may listen there who takes no locks.
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let is_free = || TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok();
        if file.try_lock().is_ok() && is_free() {
            taken.push(file);
            found.push(address);
        }
    }
    found.try_into().ok().context("there are not enough free ports")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_given_a_port_twice() {
        let mut all: Vec<u16> = Vec::new();
        for _ in 0..20 {
            let some: [SocketAddr; 5] = free_ports().unwrap();
            all.extend(some.iter().map(SocketAddr::port));
        }
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 100);
    }
}
