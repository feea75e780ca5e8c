//! Function code against a host that writes everything down.

mod bench;
mod conversions;
mod doors;
mod failures;
mod host;
mod lost_updates;
mod names;
mod realms;
mod sends;
mod slim;
mod v8_texts;
mod waits;
