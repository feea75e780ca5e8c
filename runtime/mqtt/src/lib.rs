//! An MQTT client session: one task per connection, acknowledgements tied to deliveries, an outbox that survives
//! reconnects.

mod backoff;
mod client;
mod connection;
mod end;
mod ending;
mod guard;
mod handshake;
mod inbox;
mod kept;
mod lanes;
mod leaving;
mod line;
mod message;
mod outbox;
mod owed;
mod pace;
mod session;
mod subscriptions;
mod ticket;
pub mod topic;
mod transport;
mod unread;
mod wanted;
mod websocket;
mod window;

pub use client::{Client, ClientEvents, ClientOptions, Role, State};
pub use guard::{Guard, Parting};
pub use kept::Policy;
pub use message::{Publish, PublishProps};
pub use outbox::{Outgoing, PublishError, Receipt};
pub use subscriptions::{DataType, SubRef, SubscribeFilter, Target};
pub use ticket::{Ticket, Verdict};
pub use transport::Address;
