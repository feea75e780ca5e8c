//! What survives a crash, in an SQLite file: sessions, subscriptions, retained messages, and every
//! QoS 1 and 2 message that is not acknowledged. The router records operations; one thread writes
//! what came together in one transaction (group commit); only then are publishers answered.

mod body;
mod clock;
mod file;
mod journal;
mod load;
mod op;
mod queue;
mod schema;
mod write;

pub use clock::Clock;
pub use file::PersistError;
pub use journal::Journal;
pub use load::{Loaded, StoredSession};
pub use op::{Op, Refused, Reply, ReplyKind};
pub use queue::Queue;
pub use schema::Store;
