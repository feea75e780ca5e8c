//! What a stream holds of a key: the newest record, or that it was deleted.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_nats::HeaderMap;
use bytes::Bytes;

use crate::contract::Entry;

/// Nanoseconds since 1970 at which an entry goes away, or how many nanoseconds after it was written.
const EXPIRES: &str = "Flotilla-Expires";
const TTL: &str = "Flotilla-TTL";
/// NATS' own mark of a deleted key.
const OPERATION: &str = "KV-Operation";

/// The newest record of a subject.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub revision: u64,
    pub value: Bytes,
    pub deleted: bool,
    /// When the server took it.
    pub written: SystemTime,
    /// When it goes away, on the server's clock.
    pub expires: Option<SystemTime>,
}

impl Record {
    /// Reads a record of the stream.
    pub(super) fn new(revision: u64, value: Bytes, headers: Option<&HeaderMap>, written_ns: i128) -> Record {
        let written = time(u64::try_from(written_ns).unwrap_or_default());
        let header = |name: &str| headers.and_then(|headers| headers.get(name)).map(|value| value.as_str().to_owned());
        let number = |name: &str| header(name).and_then(|text| text.parse::<u64>().ok());
        let after = number(TTL).map(|ttl| written + Duration::from_nanos(ttl));
        Record {
            revision,
            value,
            written,
            deleted: header(OPERATION).is_some(),
            expires: number(EXPIRES).map(time).or(after),
        }
    }

    /// The entry, unless it was deleted or has expired by then.
    pub(super) fn entry(self, key: &str, now: SystemTime) -> Option<Entry> {
        if self.deleted || self.expires.is_some_and(|expires| expires <= now) {
            return None;
        }
        Some(Entry { key: key.to_owned(), value: self.value, version: self.revision, expires: self.expires })
    }
}

/// The headers of a written value.
pub(super) fn value_headers(ttl: Option<Duration>, expires: Option<SystemTime>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(ttl) = ttl {
        headers.insert(TTL, u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX / 4).to_string().as_str());
    }
    if let Some(expires) = expires.and_then(|time| time.duration_since(UNIX_EPOCH).ok()) {
        headers.insert(EXPIRES, expires.as_nanos().to_string().as_str());
    }
    headers
}

/// The headers of a deletion.
pub(super) fn delete_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(OPERATION, "DEL");
    headers
}

/// Nanoseconds since 1970 as a time.
pub(super) fn time(nanoseconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(nanoseconds)
}
