//! A broker that lacks something: it takes connections and subscriptions and sends nothing.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lacks {
    /// MQTT 5: it speaks 3.1.1 only.
    Mqtt5,
    /// Shared subscriptions, and it says so.
    Shared,
}

pub struct Fake {
    pub port: u16,
    pub filters: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    pub fn start(lacks: Lacks) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let filters = Arc::new(Mutex::new(Vec::new()));
        let seen = filters.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let seen = seen.clone();
                thread::spawn(move || serve(stream, lacks, &seen));
            }
        });
        Fake { port, filters }
    }
}

/// The first byte and the body of the next packet.
pub fn packet(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut byte = [0];
    stream.read_exact(&mut byte).ok()?;
    let (first, mut length, mut shift) = (byte[0], 0, 0);
    loop {
        stream.read_exact(&mut byte).ok()?;
        length |= usize::from(byte[0] & 127) << shift;
        shift += 7;
        if byte[0] < 128 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((first, body))
}

fn serve(mut stream: TcpStream, lacks: Lacks, seen: &Mutex<Vec<String>>) {
    let mut level = 0;
    while let Some((first, body)) = packet(&mut stream) {
        let answer: Vec<u8> = match first >> 4 {
            1 => {
                level = body[6];
                match (lacks, level) {
                    // Unacceptable protocol version.
                    (Lacks::Mqtt5, 5) => vec![0x20, 2, 0, 1],
                    (Lacks::Mqtt5, _) => vec![0x20, 2, 0, 0],
                    // Shared Subscription Available: 0.
                    (Lacks::Shared, _) => vec![0x20, 5, 0, 0, 2, 0x2a, 0],
                }
            }
            8 => {
                let at = if level == 5 { 3 + usize::from(body[2]) } else { 2 };
                let length = usize::from(u16::from_be_bytes([body[at], body[at + 1]]));
                seen.lock().unwrap().push(String::from_utf8(body[at + 2..at + 2 + length].to_vec()).unwrap());
                match level {
                    5 => vec![0x90, 4, body[0], body[1], 0, 0],
                    _ => vec![0x90, 3, body[0], body[1], 0],
                }
            }
            12 => vec![0xd0, 0],
            _ => continue,
        };
        if stream.write_all(&answer).is_err() {
            return;
        }
    }
}
