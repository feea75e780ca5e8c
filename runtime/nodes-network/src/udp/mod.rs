//! UDP: udp in and udp out.

mod interface;
mod ports;
mod socket;
mod udp_in;
mod udp_out;

pub use udp_in::TYPE as IN;
pub use udp_out::TYPE as OUT;
