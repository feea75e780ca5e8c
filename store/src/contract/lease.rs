//! Leases: who may do something now, proved to the store with each write.

use std::time::Duration;

use super::moment::Moment;

/// A lease that was granted to this process.
///
/// ```
/// use std::time::Duration;
///
/// use flotilla_store::{Acquire, StoreError, Write, open};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::TempDir::new()?;
/// let store = open(&format!("sqlite:{}", folder.path().join("store.db").display())).await?;
/// let ttl = Duration::from_secs(60);
/// let lease = store.acquire("leader", "process-1", ttl).await?.granted().expect("nobody has it");
/// assert!(matches!(store.acquire("leader", "process-2", ttl).await?, Acquire::Held(held) if held.holder == "process-1"));
/// store.set("plan", "one".into(), Write::fenced(lease.fence())).await?;
/// // Whoever gets it next has a larger token, and what the old holder still writes is refused.
/// store.release(&lease).await?;
/// let next = store.acquire("leader", "process-2", ttl).await?.granted().expect("it was given back");
/// assert!(next.token > lease.token);
/// let late = store.set("plan", "two".into(), Write::fenced(lease.fence())).await;
/// assert!(matches!(late, Err(StoreError::Fenced { .. })), "{late:?}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// What is leased.
    pub name: String,
    /// Who holds it. Unique per process: a holder that asks again gets a new token, and its old one is void.
    pub holder: String,
    /// The fencing token: grows with each grant of this name, also across release and expiry.
    pub token: u64,
    /// For how long it was granted.
    pub ttl: Duration,
    /// When it ends at the earliest, on this machine's clock: counted from before the request was sent, so
    /// that no lease is believed longer than it was granted.
    pub until: Moment,
}

/// What a fenced write shows to prove that its lease is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The lease's name.
    pub lease: String,
    /// The token it was granted with.
    pub token: u64,
}

/// A lease that someone holds, as the store sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldLease {
    /// What is leased.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// The holder's token.
    pub token: u64,
    /// What was left of it when the store answered.
    pub remaining: Duration,
}

/// How a request for a lease ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acquire {
    /// It is ours.
    Granted(Lease),
    /// Someone else has it.
    Held(HeldLease),
}

impl Lease {
    /// What a write under this lease shows.
    pub fn fence(&self) -> Fence {
        Fence { lease: self.name.clone(), token: self.token }
    }

    /// How long the holder may still believe in it.
    pub fn remaining(&self) -> Duration {
        self.until.duration_since(Moment::now())
    }

    /// False once the holder must stop acting.
    pub fn is_live(&self) -> bool {
        !self.remaining().is_zero()
    }
}

impl Acquire {
    /// The lease, when it was granted.
    pub fn granted(self) -> Option<Lease> {
        match self {
            Acquire::Granted(lease) => Some(lease),
            Acquire::Held(_) => None,
        }
    }
}
