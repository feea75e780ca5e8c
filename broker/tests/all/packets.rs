//! Bytes from the network never make the codec panic: what fuzzing found is replayed, and mutated anew for a second
//! (`FLOTILLA_FUZZ_SECONDS=600` for longer). `broker/fuzz` searches by coverage; docs/broker.md says how to run it.
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing stops there, with the reason")]

#[path = "../../fuzz/feed/answers.rs"]
mod answers;
#[path = "../../fuzz/feed/packets.rs"]
mod packets;
#[path = "../../fuzz/feed/streams.rs"]
mod streams;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use flotilla_codec::Version;
use packets::feed;

/// Every packet that a client may send, and some that are refused.
fn corpus() -> Vec<(String, Vec<u8>)> {
    files("corpus")
}

fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
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

#[test]
fn what_fuzzing_found_never_panics() {
    let (packets, streams) = (files("found/packets"), files("found/streams"));
    assert!(!packets.is_empty() && !streams.is_empty());
    for (_, bytes) in packets {
        feed(&bytes, Version::V4);
        feed(&bytes, Version::V5);
        answers::feed(&bytes, Version::V4);
        answers::feed(&bytes, Version::V5);
    }
    let mut heard = 0;
    for (_, bytes) in streams {
        heard += streams::feed(&bytes).packets.len();
    }
    assert!(heard > 20, "most are refused at once, so they test nothing: {heard} packets");
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
    let (mut tried, mut taken, mut answered) = (0u64, 0u64, 0u64);
    while Instant::now() < until {
        for _ in 0..1000 {
            let seed = &files[random.below(files.len())].1;
            let other = &files[random.below(files.len())].1;
            let bytes = mutate(seed, other, &mut random);
            for version in [Version::V4, Version::V5] {
                taken += u64::from(feed(&bytes, version));
                answered += u64::from(answers::feed(&bytes, version));
            }
            tried += 1;
        }
    }
    eprintln!("{tried} mutated packets, {taken} of {} decodings taken", tried * 2);
    assert!(taken > 0 && taken < tried * 2);
    assert!(answered > 0 && answered < tried * 2, "{answered} of {} taken from a server", tried * 2);
}
