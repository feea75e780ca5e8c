//! Function code against a host that writes everything down.

mod bench;
mod brands;
mod buffer_arguments;
mod conversions;
mod failures;
mod host;
mod lost_updates;
mod names;
mod out_of_reach;
mod prepare;
mod realms;
mod sends;
mod slim;
mod v8_buffers;
mod v8_members;
mod v8_texts;
mod waits;
