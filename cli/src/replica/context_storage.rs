//! Node-RED's `contextStorage`: which stores a flow may name.

use std::sync::Arc;

use flotilla_engine::context::{Contexts, MemoryStore};
use serde_json::{Map, Value};

/// The name of the store that all replicas of the group share.
const SHARED: &str = "shared";

/// Adds the stores that a revision's settings name. A store that keeps its values across restarts (`localfilesystem`,
/// FlowFuse's `persistent`, every other module) is the group's `shared` store, which is logged; `memory` is local to a
/// replica, as always.
pub(super) fn apply(contexts: &Contexts, settings: &Map<String, Value>) {
    let Some(Value::Object(stores)) = settings.get("contextStorage") else { return };
    let known = contexts.names();
    for (name, store) in stores.iter().filter(|(_, store)| store.is_object()) {
        let module = store.get("module").and_then(Value::as_str).unwrap_or("memory");
        if module != "memory" {
            tracing::info!("context store \"{name}\" ({module}) is the group's shared store here");
            contexts.add(name, contexts.store(Some(SHARED)));
        } else if !known.iter().any(|known| known == name) {
            contexts.add(name, Arc::new(MemoryStore::default()));
        }
    }
    let default = match stores.get("default") {
        Some(Value::String(name)) => name.as_str(),
        Some(Value::Object(_)) => "default",
        _ => return,
    };
    if !contexts.set_default(default) {
        tracing::error!("contextStorage: the default store \"{default}\" is not one of its stores; memory is used");
    }
}

#[cfg(test)]
mod tests {
    use flotilla_engine::context::ContextStore;
    use serde_json::json;

    use super::*;

    #[test]
    fn stores_that_persist_are_the_groups_and_the_rest_is_local() {
        let contexts = Contexts::default();
        let shared: Arc<dyn ContextStore> = Arc::new(MemoryStore::default());
        contexts.add(SHARED, shared.clone());
        let settings = json!({"contextStorage": {
            "default": "file", "file": {"module": "localfilesystem"}, "fast": {"module": "memory"}
        }});
        apply(&contexts, settings.as_object().unwrap());
        let is_shared = |name: Option<&str>| Arc::ptr_eq(&contexts.store(name), &shared);
        assert!(is_shared(Some("file")) && is_shared(None) && !is_shared(Some("fast")) && !is_shared(Some("memory")));
        let fast = contexts.store(Some("fast"));
        apply(&contexts, settings.as_object().unwrap());
        assert!(Arc::ptr_eq(&contexts.store(Some("fast")), &fast), "a deploy keeps what is in memory");
    }
}
