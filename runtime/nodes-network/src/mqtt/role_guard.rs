//! A ClientID that belongs to a role of the group: who has the role connects under it, the others stand by.

use std::sync::{Arc, Weak};

use futures::future::BoxFuture;

use super::broker::MqttBroker;
use super::together::Role;
use flotilla_mqtt::Guard;

/// Lets a client connect while its replica has the role.
pub(super) struct RoleGuard {
    pub(super) role: Arc<dyn Role>,
    /// Told when the client begins and ends to stand by.
    pub(super) told: Option<Weak<MqttBroker>>,
}

impl std::fmt::Debug for RoleGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RoleGuard").field("role", &self.role).finish_non_exhaustive()
    }
}

fn tell(broker: Option<&Weak<MqttBroker>>, stands_by: bool) {
    if let Some(broker) = broker.and_then(Weak::upgrade) {
        broker.stand_by(stands_by);
    }
}

impl Guard for RoleGuard {
    fn is_current(&self) -> bool {
        self.role.is_current()
    }

    fn until_current(&self) -> BoxFuture<'static, bool> {
        self.role.until_current()
    }

    fn may_connect(&self, taken: bool) -> BoxFuture<'static, bool> {
        let (role, told) = (self.role.clone(), self.told.clone());
        Box::pin(async move {
            // Somebody else connected under the ClientID. If the store is away for this replica alone, both would hold it
            // for theirs and throw each other out.
            if taken && role.has() {
                role.until_answered().await;
            }
            if !role.has() {
                tell(told.as_ref(), true);
                role.until_had().await;
            }
            tell(told.as_ref(), false);
            true
        })
    }

    fn comes_back(&self) -> bool {
        true
    }
}
