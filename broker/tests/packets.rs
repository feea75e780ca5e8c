//! Bytes from the network never make the codec panic. A mutation harness on stable Rust: cargo-fuzz needs nightly.
//! Runs for a second; `FLOTILLA_FUZZ_SECONDS=600 cargo test -p flotilla-broker --test packets --release` for longer.
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing stops there, with the reason")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use flotilla_broker::wire::{Packet, PublishOut, Version, decode, decode_connect, frame_len, publish};

const LIMIT: usize = 1 << 20;

/// Every packet that a client may send, and some that are refused.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

/// As a connection does. Whether the bytes were a packet.
fn feed(bytes: &[u8], version: Version) -> bool {
    let Ok(Some((header, size))) = frame_len(bytes, LIMIT) else { return false };
    let frame = Bytes::copy_from_slice(&bytes[..size]);
    if frame[0] == 0x10 {
        return decode_connect(frame, header).is_ok();
    }
    match decode(frame, header, version) {
        Ok(Packet::Publish(message)) => {
            again(message, version);
            true
        }
        other => other.is_ok(),
    }
}

/// What was taken is sent on as it came: encoded and decoded again it is the same.
fn again(message: flotilla_broker::wire::Publish, version: Version) {
    let out = PublishOut {
        dup: message.dup,
        qos: message.qos,
        retain: message.retain,
        pkid: message.pkid,
        topic: &message.topic,
        alias: message.alias,
        expiry: message.expiry,
        subscription_ids: &[],
        forward: &message.forward,
        payload: &message.payload,
    };
    let mut bytes = BytesMut::new();
    publish(&mut bytes, version, &out);
    assert_eq!(bytes.len(), out.size(version));
    let (header, size) = frame_len(&bytes, usize::MAX).unwrap().unwrap();
    assert_eq!(size, bytes.len());
    assert_eq!(decode(bytes.freeze(), header, version).unwrap(), Packet::Publish(message));
}

#[test]
fn the_corpus_is_taken_or_refused_as_named() {
    let files = corpus();
    assert!(files.len() > 20);
    for (name, bytes) in files {
        let version = if name.ends_with("-v4") { Version::V4 } else { Version::V5 };
        assert_eq!(feed(&bytes, version), !name.starts_with("refused-"), "{name}");
        for cut in 0..bytes.len() {
            assert!(!feed(&bytes[..cut], version), "{name} cut at {cut}");
        }
    }
}

/// xorshift64*: the same bytes in every run of the same length.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit.max(1)
    }
}

fn mutate(seed: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    const EDGES: [u8; 10] = [0, 1, 0x7f, 0x80, 0xff, b'#', b'+', b'/', b'$', 0x26];
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len());
        match random.below(7) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 if !bytes.is_empty() => bytes[at] = EDGES[random.below(EDGES.len())],
            2 => bytes.insert(at, random.below(256) as u8),
            3 if !bytes.is_empty() => {
                bytes.remove(at);
            }
            4 => bytes.truncate(at),
            5 => bytes.extend_from_slice(&other[random.below(other.len())..]),
            _ if bytes.len() > 2 => {
                // Half of the time the length fits what is there: deeper code is reached.
                bytes[1] = (bytes.len() - 2).min(127) as u8;
            }
            _ => {}
        }
    }
    bytes
}

#[test]
fn mutated_packets_never_panic() {
    let seconds = std::env::var("FLOTILLA_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let until = Instant::now() + Duration::from_secs(seconds);
    let files = corpus();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let (mut tried, mut taken) = (0u64, 0u64);
    while Instant::now() < until {
        for _ in 0..1000 {
            let seed = &files[random.below(files.len())].1;
            let other = &files[random.below(files.len())].1;
            let bytes = mutate(seed, other, &mut random);
            for version in [Version::V4, Version::V5] {
                taken += u64::from(feed(&bytes, version));
            }
            tried += 1;
        }
    }
    eprintln!("{tried} mutated packets, {taken} of {} decodings taken", tried * 2);
    assert!(taken > 0 && taken < tried * 2);
}
