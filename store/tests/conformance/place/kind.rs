//! Which backends there are.

/// A backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    Sqlite,
    /// redis-server.
    Redis,
    /// postgres.
    Postgres,
    /// nats-server.
    Nats,
}
