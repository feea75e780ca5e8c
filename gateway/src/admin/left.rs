//! What a group leaves at MQTT brokers when it is removed.

use flotilla_api::group::SessionEnd;
use futures::future::BoxFuture;

/// Ends the MQTT sessions that the replicas of a group have left at brokers: nobody goes on with them, and brokers queue
/// messages for them until they expire.
pub trait SessionEnder: Send + Sync {
    /// Ends those of a group that has no replicas, and tells what became of each; none when there were none. It takes 20 s at
    /// most. Those that cannot be ended can be ended by another call. When the group has replicas again, nothing is ended.
    fn end(&self, group: &str) -> BoxFuture<'static, Vec<SessionEnd>>;
}
