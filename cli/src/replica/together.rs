//! What this replica does together with the others of its group, for the MQTT nodes.

use std::sync::Arc;
use std::time::Duration;

use flotilla_engine::Shared;
use flotilla_group::retained::Begun;
use flotilla_group::role::{Roles, Seeker};
use flotilla_group::subscription::Dynamic;
use flotilla_group::{Changes, GroupError};
use flotilla_nodes_network::mqtt::{Asked, Group, Heard, Role, Together};
use flotilla_store::Store;
use flotilla_tasks::Task;
use futures::future::BoxFuture;
use serde_json::Value;

use super::sessions::GroupKeeper;

/// How long a look at a role may take after a pause.
const PATIENCE: Duration = Duration::from_secs(3);

/// Roles and dynamic subscriptions in the group's store.
pub struct GroupTogether {
    dynamic: Dynamic,
    roles: Roles,
    group: String,
    /// Unique per process.
    process: String,
    ttl: Duration,
    keeper: GroupKeeper,
}

impl GroupTogether {
    /// For the process of a replica. `ttl` is how long a role outlives a process that dies.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(
        store: Arc<dyn Store>,
        group: &str,
        process: &str,
        ttl: Duration,
        keeper: GroupKeeper,
    ) -> Result<GroupTogether, GroupError> {
        let dynamic = Dynamic::new(store.clone(), group)?;
        let roles = Roles::new(store, group)?;
        Ok(GroupTogether { dynamic, roles, group: group.to_owned(), process: process.to_owned(), ttl, keeper })
    }

    /// Has the MQTT nodes of this replica use it.
    pub fn install(self, shared: &Arc<Shared>) {
        shared.extensions().insert(Arc::new(Group(Arc::new(self))));
    }
}

/// A role, given up when the last who uses it lets go.
#[derive(Debug)]
struct Sought(Seeker);

impl Drop for Sought {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

impl Role for Sought {
    fn has(&self) -> bool {
        self.0.has()
    }

    fn is_current(&self) -> bool {
        self.0.is_current()
    }

    fn until_had(&self) -> BoxFuture<'static, ()> {
        let seeker = self.0.clone();
        Box::pin(async move { seeker.until_had().await })
    }

    fn until_lost(&self) -> BoxFuture<'static, ()> {
        let seeker = self.0.clone();
        Box::pin(async move { seeker.until_lost().await })
    }

    fn until_answered(&self) -> BoxFuture<'static, bool> {
        let seeker = self.0.clone();
        Box::pin(async move { seeker.until_answered().await })
    }

    fn until_current(&self) -> BoxFuture<'static, bool> {
        let seeker = self.0.clone();
        Box::pin(async move { seeker.until_current(PATIENCE).await })
    }

    fn give_up(&self) {
        self.0.give_up();
    }
}

impl Together for GroupTogether {
    fn seek(&self, role: &str) -> Arc<dyn Role> {
        // A holder is asked for once: the same process may seek a role anew before it has given it back.
        let holder = format!("{}/{}", self.process, flotilla_engine::message::generate_id());
        let seeker = self.roles.seeker(role, &holder, self.ttl);
        let task = Task {
            name: "group role",
            owner: role.into(),
            ends: "the role is given up",
            failure: "this replica loses the role when its lease ends",
        };
        drop(task.spawn(seeker.clone().run()));
        Arc::new(Sought(seeker))
    }

    fn outlives(&self) -> Duration {
        self.ttl
    }

    fn others_go_on(&self) -> bool {
        !self.keeper.is_last()
    }

    fn begin(&self, node: &str, tokens: Vec<String>) -> BoxFuture<'static, Option<Vec<String>>> {
        let begun = Begun::new(self.dynamic.store().clone(), &self.group, node);
        let node = node.to_owned();
        Box::pin(async move {
            match begun.ok()?.claim(&tokens).await {
                Ok(new) => Some(new),
                Err(error) => {
                    tracing::debug!(node, %error, "cannot ask whose the retained messages are");
                    None
                }
            }
        })
    }

    fn keep_every(&self) -> Duration {
        Begun::KEEP
    }

    fn forget(&self, node: &str) -> BoxFuture<'static, ()> {
        let begun = Begun::new(self.dynamic.store().clone(), &self.group, node);
        Box::pin(async move {
            // With the store away the record goes by itself.
            if let Ok(begun) = begun {
                drop(begun.forget().await);
            }
        })
    }

    fn change(&self, node: &str, changes: Vec<(String, Option<Value>)>) -> BoxFuture<'static, bool> {
        let (dynamic, node) = (self.dynamic.clone(), node.to_owned());
        Box::pin(async move {
            match dynamic.change(&node, &changes).await {
                Ok(()) => true,
                Err(error) => {
                    tracing::warn!(node, %error, "cannot change a subscription for the whole group");
                    false
                }
            }
        })
    }

    fn follow(&self, node: &str, heard: Heard) -> BoxFuture<'static, ()> {
        let (dynamic, node) = (self.dynamic.clone(), node.to_owned());
        Box::pin(async move {
            let mut changes = Changes::new(dynamic.store().clone(), vec![dynamic.key(&node)]);
            loop {
                changes.next().await;
                match dynamic.of(&node).await {
                    Ok(entries) => {
                        let asked = entries
                            .into_iter()
                            .map(|(filter, entry)| (filter, Asked { shown: entry.asked, serial: entry.serial }));
                        heard(asked.collect());
                    }
                    Err(error) => {
                        tracing::debug!(node, %error, "cannot read the group's dynamic subscriptions");
                        changes.look_again();
                    }
                }
            }
        })
    }
}
