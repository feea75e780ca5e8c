//! Follows whether the group is paused.

use std::sync::Arc;

use flotilla_group::Changes;
use flotilla_group::desired::DesiredStates;
use flotilla_store::Store;

use flotilla_balancer::Pool;

/// Keeps the pool as the group's desired state says. Does not end; while the store is away the pool stays as it was.
pub async fn follow_pauses(store: Arc<dyn Store>, desired: DesiredStates, pool: Arc<Pool>) {
    let mut changes = Changes::new(store, vec![desired.key()]);
    loop {
        changes.next().await;
        match desired.load().await {
            Ok(state) => pool.set_paused(state.is_some_and(|(state, _)| state.pause.is_some())),
            Err(error) => {
                tracing::debug!(%error, "cannot read whether the group is paused");
                changes.look_again();
            }
        }
    }
}
