//! `--durable-outbox`: messages in the store until the broker has them, and those that dead replicas left there.

use std::sync::Arc;
use std::time::Duration;

use flotilla_engine::Shared;
use flotilla_group::member::Standing;
use flotilla_group::outbox::Outbox;
use flotilla_nodes_network::mqtt::{DurableOutbox, KeptOutbox, publish_again};
use futures::future::BoxFuture;
use serde_json::Value;

/// How often it is looked for what dead replicas left.
const LOOK: Duration = Duration::from_secs(2);

/// The messages of this replica.
#[derive(Clone)]
pub(super) struct GroupOutbox(pub(super) Outbox);

impl GroupOutbox {
    /// Has the MQTT nodes of this replica keep their messages.
    pub(super) fn install(&self, shared: &Arc<Shared>) {
        shared.extensions().insert(Arc::new(DurableOutbox(Arc::new(self.clone()))));
    }

    /// Publishes what dead replicas left. Does not end.
    pub(super) async fn follow(self, shared: Arc<Shared>, standing: Standing) {
        let mut timer = tokio::time::interval(LOOK);
        timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // Taken here, and not published yet: the flow may not have started.
        let mut left: Vec<(String, Value)> = Vec::new();
        loop {
            timer.tick().await;
            if standing.may_judge() {
                match self.0.take_over().await {
                    Ok(taken) => left.extend(taken),
                    Err(error) => tracing::debug!(%error, "cannot look for messages of dead replicas"),
                }
            }
            let mut later = Vec::new();
            for (id, message) in left {
                if publish_again(&shared, message.clone()).await {
                    tracing::info!(id, "published a message that a replica left behind");
                    self.forget(id).await;
                } else {
                    later.push((id, message));
                }
            }
            left = later;
        }
    }
}

impl KeptOutbox for GroupOutbox {
    fn keep(&self, message: Value) -> BoxFuture<'static, Option<String>> {
        let outbox = self.0.clone();
        Box::pin(async move {
            match outbox.keep(message).await {
                Ok(id) => Some(id),
                Err(error) => {
                    tracing::debug!(%error, "cannot keep a message until its broker has it");
                    None
                }
            }
        })
    }

    fn forget(&self, id: String) -> BoxFuture<'static, ()> {
        let outbox = self.0.clone();
        Box::pin(async move {
            while let Err(error) = outbox.forget(&id).await {
                tracing::debug!(id, %error, "cannot forget a message that its broker has");
                tokio::time::sleep(LOOK).await;
            }
        })
    }
}
