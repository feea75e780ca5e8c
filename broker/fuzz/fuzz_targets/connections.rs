//! A connection's bytes to a whole broker: aliases, sessions and share groups meet whatever the codec lets through.
#![no_main]

#[path = "../feed/connections.rs"]
mod connections;

use std::sync::LazyLock;

use connections::Target;
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<Target> = LazyLock::new(Target::start);

fuzz_target!(|bytes: &[u8]| {
    TARGET.feed(bytes);
});
