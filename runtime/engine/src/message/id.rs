//! Message and node ids.

use std::cell::Cell;

use flotilla_value::Str;

thread_local! {
    static STATE: Cell<u64> = Cell::new(rand::random::<u64>() | 1);
}

/// A new id of 16 hex digits, as Node-RED's `generateId`. Not for secrets: a fast generator seeded once per thread.
pub fn generate_id() -> Str {
    let id = STATE.with(|state| {
        // xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators".
        let mut x = state.get();
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        state.set(x);
        x.wrapping_mul(0x2545_F491_4F6C_DD1D)
    });
    let mut digits = [0u8; 16];
    for (at, digit) in digits.iter_mut().enumerate() {
        *digit = b"0123456789abcdef"[(id >> (60 - 4 * at)) as usize & 15];
    }
    std::str::from_utf8(&digits).map(Str::new).unwrap_or_default()
}
