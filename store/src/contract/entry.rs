//! What is kept under a key, and how a write is made.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::lease::Fence;

/// What is kept under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Bytes,
    /// Changes with each write of the key and never repeats, also not after a delete.
    pub version: u64,
    /// When it goes away by itself, on the clock that the store expires by: of SQLite not that of [`Store::now`](super::Store::now).
    pub expires: Option<SystemTime>,
}

/// How a write is made. `Write::default()` keeps the value for ever and asks for no lease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Write {
    /// The entry goes away this long after the write, counted by the store. A write without it makes it stay.
    pub ttl: Option<Duration>,
    /// The write is refused unless this lease is held.
    pub fence: Option<Fence>,
}

/// What must be under a key for [`Store::cas`](super::Store::cas) to go ahead.
///
/// ```
/// use flotilla_store::{Cas, Expect, Write, open};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::TempDir::new()?;
/// let store = open(&format!("sqlite:{}", folder.path().join("store.db").display())).await?;
/// let Cas::Swapped(first) = store.cas("k", Expect::Absent, Some("a".into()), Write::default()).await? else { panic!() };
/// assert!(store.cas("k", Expect::Version(first), Some("b".into()), Write::default()).await?.is_swapped());
/// // Somebody else was faster: what is there comes back.
/// let Cas::Conflict(there) = store.cas("k", Expect::Version(first), None, Write::default()).await? else { panic!() };
/// assert_eq!(there.map(|entry| entry.value), Some("b".into()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// There is no such key.
    Absent,
    /// The key has this version.
    Version(u64),
    /// The key holds exactly these bytes.
    Value(Bytes),
}

/// How a compare-and-swap ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cas {
    /// Done; the key has this version now (0 when it was deleted).
    Swapped(u64),
    /// Refused; this is there instead.
    Conflict(Option<Entry>),
}

impl Write {
    /// A write under a lease.
    pub fn fenced(fence: Fence) -> Write {
        Write { ttl: None, fence: Some(fence) }
    }

    /// A write that goes away by itself.
    pub fn expiring(ttl: Duration) -> Write {
        Write { ttl: Some(ttl), fence: None }
    }
}

impl Expect {
    /// Whether this is what is there.
    pub(crate) fn holds(&self, current: Option<&Entry>) -> bool {
        match (self, current) {
            (Expect::Absent, None) => true,
            (Expect::Version(version), Some(entry)) => entry.version == *version,
            (Expect::Value(value), Some(entry)) => entry.value == *value,
            _ => false,
        }
    }
}

impl Cas {
    /// True when the swap was made.
    pub fn is_swapped(&self) -> bool {
        matches!(self, Cas::Swapped(_))
    }
}
