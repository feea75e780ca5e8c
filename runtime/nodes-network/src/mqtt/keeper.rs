//! Sessions that outlive their replica, and who remembers them.
//!
//! On a broker that does not redispatch what a dead member of a share group held (measured: Mosquitto, EMQX' peers and
//! others), each replica consumes through a session of its own. It is recorded here before the first subscription; when
//! the replica's lease ends, one survivor calls [`super::adopt`] with the record and then forgets it.

use std::sync::Arc;

use futures::future::BoxFuture;

use flotilla_mqtt::{Guard, Parting};

/// A session that may hold messages which nobody else gets.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct KeptSession {
    /// The id of the mqtt-broker node in the flow document: the same in every replica of a revision.
    pub broker: String,
    /// Where the broker is: its URL without a password. Records of 0.1.0 have one.
    pub url: String,
    /// The session's ClientID, unique in the group.
    pub client_id: String,
    /// The filters that it is subscribed to, as they go over the wire.
    pub filters: Vec<String>,
    /// The replica that it belongs to.
    pub replica: String,
}

/// Remembers sessions where other replicas find them. Put one into `Shared::extensions` as [`Keeper`].
pub trait SessionKeeper: Send + Sync {
    /// Called before anything is subscribed, and again on every connection. Consuming waits for it, 10 s at most. False
    /// when this process must not consume any more: another has its id.
    fn record(&self, session: KeptSession) -> BoxFuture<'static, bool>;
    /// This replica is through with the session and leaves it at the broker for another to take up, at once.
    fn leave_behind(&self, session: KeptSession) -> BoxFuture<'static, ()>;
    /// The session has ended and holds nothing.
    fn forget(&self, client_id: String) -> BoxFuture<'static, ()>;
    /// Asked before a ClientID is used again and before messages are read.
    fn guard(&self) -> Arc<dyn Guard>;
    /// How sessions are left that stop consuming now.
    fn parting(&self) -> Parting;
}

/// The keeper of this replica, as an extension.
pub struct Keeper(pub Arc<dyn SessionKeeper>);
