//! State that outlives a replica: key-value, compare-and-swap, counters, fenced leases, watches.
//!
//! [`open`] takes a URL and answers a [`Store`]; which backend is behind it shows nowhere else. What every
//! backend promises is written on [`Store`] and held by one conformance suite (`tests/`).

mod contract;
mod metered;
mod nats;
mod open;
mod postgres;
mod redis;
mod remote;
mod sqlite;
mod tls;
mod url;
mod watch;

pub use contract::{
    Acquire, BlockingStore, Cas, Entry, Event, Expect, Fence, HeldLease, Lease, MAX_KEY, MAX_VALUE, Moment, Result,
    Store, StoreError, Watch, Write,
};
pub use metered::Metered;
pub use open::open;
