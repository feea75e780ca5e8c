//! The open connections of a replica's tcp in nodes, for tcp out nodes that answer on them.

use std::sync::Arc;

use bytes::Bytes;
use dashmap::DashMap;
use rustc_hash::FxBuildHasher;

use flotilla_engine::NodeCx;
use flotilla_value::Str;

use crate::link::Link;

/// Connections by session id; kept in the replica's extensions, because the nodes may be on different workers.
#[derive(Default)]
pub(super) struct Sessions {
    links: DashMap<Str, Link<Bytes>, FxBuildHasher>,
}

/// A connection's entry; it leaves the table when this is dropped.
pub(super) struct Entry {
    sessions: Arc<Sessions>,
    id: Str,
}

impl Sessions {
    /// The replica's table.
    pub(super) fn of(cx: &NodeCx) -> Arc<Sessions> {
        cx.shared().extensions().get_or_init(Sessions::default)
    }

    /// Enters a connection.
    pub(super) fn enter(self: &Arc<Sessions>, id: &Str, link: &Link<Bytes>) -> Entry {
        self.links.insert(id.clone(), link.clone());
        Entry { sessions: self.clone(), id: id.clone() }
    }

    /// The connection of a session.
    pub(super) fn get(&self, id: &str) -> Option<Link<Bytes>> {
        self.links.get(id).map(|link| link.clone())
    }

    /// All connections.
    pub(super) fn all(&self) -> Vec<Link<Bytes>> {
        self.links.iter().map(|link| link.clone()).collect()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.sessions.links.remove(&self.id);
    }
}
