//! The link in nodes of the replica, by id and name.

use std::sync::atomic::{AtomicU64, Ordering};

use flotilla_flows::ScopeKind;
use parking_lot::RwLock;

use flotilla_engine::NodeCx;
use flotilla_value::Str;

/// A link in node.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) id: Str,
    name: Str,
    flow: Str,
    in_subflow: bool,
    /// Link out nodes that it names itself.
    sources: Vec<String>,
}

/// The link in nodes of the replica. Kept in the engine's extensions.
#[derive(Default)]
pub(super) struct Targets {
    all: RwLock<Vec<Target>>,
    changes: AtomicU64,
}

/// The ids of a `links` field.
pub(super) fn links(cx: &NodeCx) -> Vec<String> {
    match cx.config().get("links") {
        Some(serde_json::Value::Array(ids)) => ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect(),
        Some(serde_json::Value::String(id)) => vec![id.clone()],
        _ => Vec::new(),
    }
}

impl Targets {
    /// Enters a link in node.
    pub(super) fn add(&self, cx: &NodeCx) {
        let flow = cx.scope().flow();
        let target = Target {
            id: cx.id().clone(),
            name: if cx.name().is_empty() { cx.id().clone() } else { cx.name().clone() },
            flow: flow.id.clone(),
            in_subflow: matches!(flow.kind, ScopeKind::Subflow { .. }),
            sources: links(cx),
        };
        let mut all = self.all.write();
        all.retain(|known| known.id != target.id);
        all.push(target);
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// Forgets a link in node.
    pub(super) fn remove(&self, id: &str) {
        self.all.write().retain(|known| known.id != id);
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// Grows with every change.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// The link in nodes that name this link out node.
    pub(super) fn naming(&self, source: &str) -> Vec<Str> {
        let all = self.all.read();
        let naming = all.iter().filter(|target| target.sources.iter().any(|id| id == source));
        naming.map(|target| target.id.clone()).collect()
    }

    /// The link in node that a call names: by id, and with `by_name` by name too, in this flow first, else the only one
    /// outside of subflows.
    ///
    /// # Errors
    /// Node-RED's text when there is none, or several.
    pub(super) fn find(&self, target: &Str, by_name: bool, flow: &str) -> Result<Str, String> {
        let all = self.all.read();
        if all.iter().any(|known| known.id == *target) {
            return Ok(target.clone());
        }
        let named = |known: &&Target| by_name && !target.is_empty() && known.name == *target;
        let named: Vec<&Target> = all.iter().filter(named).collect();
        let here: Vec<&&Target> = named.iter().filter(|known| known.flow == flow).collect();
        if let [only] = here[..] {
            return Ok(only.id.clone());
        }
        let outside: Vec<&&Target> = named.iter().filter(|known| !known.in_subflow).collect();
        match outside[..] {
            [only] => Ok(only.id.clone()),
            [] => Err(format!("target link-in node '{target}' not found")),
            _ => Err(format!("Multiple link-in nodes named '{target}' found")),
        }
    }
}
