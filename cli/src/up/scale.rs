//! `flotilla scale` on a machine started with `up`.

use std::sync::Arc;

use flotilla_group::Changes;
use flotilla_group::spec::{Specs, Supervision};
use flotilla_store::Store;

use super::supervisor::Supervisor;

/// Keeps as many replicas running as the group wants. Does not end; while the store is away the number stays.
pub async fn follow(store: &Arc<dyn Store>, group: &str, supervisor: &Supervisor) {
    let specs = Specs::new(store.clone());
    let mut changes = Changes::new(store.clone(), vec![Specs::key(group)]);
    loop {
        // At least every five seconds, which is often enough to tell that somebody is there.
        changes.next().await;
        if let Ok(supervision) = Supervision::new(store.clone(), group)
            && let Err(error) = supervision.tell().await
        {
            tracing::debug!(%error, "cannot tell that this group is supervised");
        }
        let wanted = match specs.get(group).await {
            Ok(spec) => usize::from(spec.replicas),
            Err(error) => {
                tracing::warn!(%error, "cannot read how many replicas are wanted; their number stays");
                changes.look_again();
                continue;
            }
        };
        if wanted > 0 && wanted != supervisor.replicas() {
            tracing::info!(from = supervisor.replicas(), to = wanted, "scales");
            supervisor.scale(wanted);
        }
    }
}
