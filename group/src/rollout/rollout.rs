//! A rollout as the store keeps it.

use std::ops::{Deref, DerefMut};

use flotilla_api::rollout::Rollout as Record;
use serde::{Deserialize, Serialize};

/// A rollout: one record in the store, the same as the API shows, with the steps that it may take. It is changed by
/// compare-and-swap only; what replicas do is written under the fence of the group's upgrade lease.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rollout(pub Record);

impl Deref for Rollout {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.0
    }
}

impl DerefMut for Rollout {
    fn deref_mut(&mut self) -> &mut Record {
        &mut self.0
    }
}
