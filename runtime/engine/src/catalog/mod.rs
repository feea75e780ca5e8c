//! The texts that nodes show, by key.

mod english;
mod lookup;

pub use lookup::text;
