//! Who a node is, for what is shown of it.

use flotilla_api::node::NodeId;
use flotilla_engine::observe::NodeView;

/// Who a node is.
pub(super) fn node_id(view: &NodeView) -> NodeId {
    NodeId {
        node: view.id.to_string(),
        kind: view.kind.to_string(),
        name: view.name.to_string(),
        tab: view.tab.to_string(),
        tab_label: view.tab_label.clone(),
        path: view.path.to_string(),
        config: view.is_config,
    }
}
