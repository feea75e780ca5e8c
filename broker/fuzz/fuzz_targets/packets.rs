//! One packet: decoded as 3.1.1 and as 5, and what is a message encoded again.
#![no_main]

#[path = "../feed/packets.rs"]
mod packets;

use flotilla_codec::Version;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    packets::feed(bytes, Version::V4);
    packets::feed(bytes, Version::V5);
});
