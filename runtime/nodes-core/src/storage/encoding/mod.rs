//! Text encodings that the file nodes offer, by the names that iconv-lite takes.

mod codec;
mod names;
mod single_byte;

pub use codec::{Decoder, Encoding, UnknownEncoding};
