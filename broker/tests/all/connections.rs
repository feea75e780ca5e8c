//! A connection's bytes never make the broker panic or hang: what fuzzing found is replayed against one.
#![allow(clippy::unwrap_used, reason = "a test that unwraps nothing stops there, with the reason")]

#[path = "../../fuzz/feed/connections.rs"]
mod connections;

use std::fs;
use std::path::Path;

use connections::Target;

#[test]
fn what_fuzzing_found_leaves_a_broker_that_serves() {
    // A panic in one of the broker's tasks would end that task only.
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tell(panic);
        std::process::abort();
    }));
    let target = Target::start();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/found/connections");
    let mut fed = 0;
    for file in fs::read_dir(folder).unwrap() {
        target.feed(&fs::read(file.unwrap().path()).unwrap());
        fed += 1;
    }
    assert!(fed > 0);
    // A 3.1.1 client that subscribes to what it publishes.
    let subscribe = [0x82, 10, 0, 1, 0, 5, b'a', b'l', b'i', b'v', b'e', 0];
    let publish = [0x30, 8, 0, 5, b'a', b'l', b'i', b'v', b'e', b'!'];
    // Its end may be read together with its packets: they are answered all the same, each time.
    for _ in 0..200 {
        let answer = target.feed(&[&[1], &subscribe[..], &publish[..]].concat());
        assert_eq!(answer, [&[0x20, 2, 0, 0, 0x90, 3, 0, 1, 0], &publish[..]].concat());
    }
}
