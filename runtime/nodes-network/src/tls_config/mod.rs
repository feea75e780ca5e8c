//! The tls-config node: certificates, keys and what is trusted, for clients and servers.

mod materials;
mod node;
mod old_certificate;
mod pkcs12;
mod private_key;
mod trust;

pub use node::{TYPE, TlsConfig};
pub use trust::{TlsError, client_without_config};
