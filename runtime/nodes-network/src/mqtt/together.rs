//! What the replicas of a group do together beyond sharing messages: roles that one of them has at a time, and
//! subscriptions that a message to one of them asked for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::Value;

/// A role that one replica has at a time. Dropped, it is given up.
pub trait Role: Send + Sync + std::fmt::Debug {
    /// True when this replica has it, as far as it knows. While the store is away nobody else can take it.
    fn has(&self) -> bool;
    /// False when this process did not look for so long that another may have it: after a pause.
    fn is_current(&self) -> bool;
    /// Waits for it.
    fn until_had(&self) -> BoxFuture<'static, ()>;
    /// Waits until it is another's.
    fn until_lost(&self) -> BoxFuture<'static, ()>;
    /// Looks, for a bounded time. False when it is another's.
    fn until_current(&self) -> BoxFuture<'static, bool>;
    /// Looks, and waits for the answer of the store, however long. False when it is another's.
    fn until_answered(&self) -> BoxFuture<'static, bool>;
    /// Gives it up: another gets it at once.
    fn give_up(&self);
}

/// A subscription that a message asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The subscription as the message had it.
    pub shown: Value,
    /// Another each time it is asked for anew.
    pub serial: u64,
}

/// Called with all dynamic subscriptions of a node, by filter, each time they may have changed.
pub type Heard = Box<dyn Fn(BTreeMap<String, Asked>) + Send + Sync>;

/// The group of this replica. Put it into `Shared::extensions` as [`Group`].
pub trait Together: Send + Sync {
    /// Seeks a role from now on.
    fn seek(&self, role: &str) -> Arc<dyn Role>;
    /// How long a role outlives a process that dies with it.
    fn outlives(&self) -> Duration;
    /// True when replicas other than this one go on with the group's work: this one does not stop it by stopping.
    fn others_go_on(&self) -> bool;
    /// Which of these subscriptions of an mqtt-broker node begin now, for this replica; the group runs on with all of them.
    /// `None` when the store is away. To be asked again every [`Together::keep_every`].
    fn begin(&self, node: &str, tokens: Vec<String>) -> BoxFuture<'static, Option<Vec<String>>>;
    /// How often it is to be said that the group runs on.
    fn keep_every(&self) -> Duration;
    /// The group ends: its subscriptions begin anew the next time.
    fn forget(&self, node: &str) -> BoxFuture<'static, ()>;
    /// Subscribes a node to filters in all replicas, or ends subscriptions (`None`). False when the store is away.
    fn change(&self, node: &str, changes: Vec<(String, Option<Value>)>) -> BoxFuture<'static, bool>;
    /// Follows a node's dynamic subscriptions until the future is dropped.
    fn follow(&self, node: &str, heard: Heard) -> BoxFuture<'static, ()>;
}

/// The group, as an extension.
pub struct Group(pub Arc<dyn Together>);
