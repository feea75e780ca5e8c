//! The store in NATS JetStream (2.9 or later): one key-value bucket, `?namespace=` (default `flotilla`).
//!
//! The bucket is a stream with one record per subject: entries under `e.`, leases under `l.`. A swap names the revision that
//! it replaces (`Nats-Expected-Last-Subject-Sequence`).
//!
//! A fenced write touches two records, its lease and its key, and the server can check only one revision. So it names the
//! revision of the *whole stream* (`Nats-Expected-Last-Sequence`) as it was before the lease was read: had a newer
//! holder been granted since, or anything else been written, the server refuses and the write is tried again with a
//! fresh look. It is safe whatever stalls in between; its price is that many other writes in the same namespace make it
//! try often, up to its time-out. Whether the lease ran out without a newer holder is judged by the server's clock as this
//! process last read it.
//!
//! The server's clock: a tiny stream in memory is written to, and the time the server put on the record is read. Others'
//! leases are judged late and our own early by as much as the answer took, so an error never makes two holders.

mod bucket;
mod client;
mod clock;
mod expiries;
mod feed;
mod janitor;
mod key;
mod lease;
mod record;
mod store;

pub(crate) use store::open;
