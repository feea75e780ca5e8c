//! Leases: who may do something now, proved to the store with each write.

use std::time::Duration;

use super::moment::Moment;

/// A lease that was granted to this process.
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
pub struct Held {
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
    Held(Held),
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
