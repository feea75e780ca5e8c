//! A connection's bytes, CONNECT first: where they are cut makes no difference.
#![no_main]

#[path = "../feed/streams.rs"]
mod streams;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    streams::feed(bytes);
});
