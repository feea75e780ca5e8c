//! The embedded MQTT broker: sessions, subscriptions, at-least-once share groups.
//!
//! A message passes these rooms: `listener` (sockets), `flotilla-codec` (bytes to packets), `router` (who gets
//! it), `session` and `share` (what waits and what is in flight), and back out over a `link`.

mod auth;
mod blame;
mod broker;
mod config;
mod keys;
mod link;
mod listener;
mod message;
mod metrics;
mod persist;
mod router;
mod session;
mod share;
mod start_error;
mod topic;
mod writer;

pub use auth::{AuthError, hash_password};
pub use broker::{Broker, View};
pub use config::{Account, Config, GroupStrategy, InvalidGroupStrategy, InvalidSetting, Strategy, UnknownStrategy};
pub use persist::PersistError;
pub use router::{GroupStatus, MemberStatus, Stats, Status};
pub use start_error::{StartError, TlsError};
