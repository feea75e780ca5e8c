//! The store in PostgreSQL (12 or later), in a schema of its own (`?namespace=`, default `flotilla`).
//!
//! Each operation is one call of a function in `schema.sql`, which is one transaction. A fenced write locks the lease's row
//! in share mode until it is committed, so no newer holder can be granted in between. Time is the server's. Changes
//! are told with NOTIFY, which PostgreSQL delivers after the commit and in its order; a lost connection means a resync.

mod client;
mod error;
mod listener;
mod schema;
mod store;

pub(crate) use store::open;
