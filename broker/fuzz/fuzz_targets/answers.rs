//! One packet from a server: decoded as 3.1.1 and as 5, and what is a message encoded again.
#![no_main]

#[path = "../feed/answers.rs"]
mod answers;

use flotilla_codec::Version;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    answers::feed(bytes, Version::V4);
    answers::feed(bytes, Version::V5);
});
